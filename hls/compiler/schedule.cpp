// SPDX-License-Identifier: Apache-2.0
#include "schedule.h"

#include <algorithm>

#include "rebuild.h"
#include "timing.h"

namespace hlsc {

namespace {

class Scheduler {
 public:
  Scheduler(const Module& module, const DelayModel& delays, double clock_ns)
      : module_(module),
        nodes_(module.netlist.nodes()),
        clock_(delays, clock_ns),
        timing_(clock_),
        readers_(countReaders(module)) {
    for (const Node& node : nodes_) timing_.add(node);
    for (const OutputPort& port : module.outputs) timing_.read(port.value);
    for (const Lookup& lookup : module.lookups) {
      timing_.read(lookup.key);
      timing_.read({lookup.request});
    }
    needs_.resize(timing_.cover().size());
    result_.request.resize(module.lookups.size());
  }

  Schedule run() {
    placeEarliest();
    requireResults();
    for (auto id = static_cast<NodeId>(nodes_.size()); id-- > 0;) {
      if (nodes_[id].kind == Kind::input) continue;
      const unsigned stage = isLogic(nodes_[id].kind) ? placeLogic(id) : placeOperation(id);
      timing_.moveTo(id, nodes_[id], stage);
      for (const Value& operand : nodes_[id].operands) limit(operand, stage);
    }
    measure();
    return std::move(result_);
  }

 private:
  /// What later stages want of a gate.
  struct Need {
    bool wanted = false;    ///< as a LUT or register of its own
    Arrival required;       ///< at the latest; in earlier stages it has the whole clock
    unsigned last_use = 0;  ///< stage
  };

  std::size_t index(const Lookup& lookup) const { return static_cast<std::size_t>(&lookup - module_.lookups.data()); }

  void placeEarliest() {
    std::vector<const Lookup*> answered_by(nodes_.size(), nullptr);
    for (const Lookup& lookup : module_.lookups) answered_by[lookup.response] = &lookup;
    for (NodeId id = 0; id < nodes_.size(); ++id) {
      if (const Lookup* lookup = answered_by[id]) {
        const unsigned asked = timing_.stage(lookup->key, timing_.stage({lookup->request}, 0));
        result_.request[index(*lookup)] = asked;
        const bool awaited = !lookup->is_update || readers_[id] != 0;
        timing_.placeSource(id, awaited ? clock_.answer(asked, lookup->latency) : clock_.source(asked));
      } else if (nodes_[id].kind == Kind::input) {
        timing_.placeSource(id, clock_.source());
      } else if (!timing_.place(id, nodes_[id])) {
        warn(nodes_[id]);
      }
      result_.latency = std::max(result_.latency, timing_.stage(id) + 1);
    }
    for (unsigned asked : result_.request)  // a key nobody waits for is shown before the outputs are
      result_.latency = std::max(result_.latency, asked + 1);
  }

  void warn(const Node& node) {
    result_.warnings.push_back(node.origin.file + ":" + std::to_string(node.origin.line) + ": a " +
                               std::to_string(node.width) + " bit '" + kindName(node.kind) +
                               "' alone takes longer than the clock");
  }

  void requireResults() {
    latest_.assign(nodes_.size(), result_.latency - 1);
    for (const OutputPort& port : module_.outputs)
      want(port.value, {result_.latency - 1, clock_.period()}, result_.latency);
    for (const Lookup& lookup : module_.lookups) {
      const unsigned asked = result_.request[index(lookup)];
      limit(lookup.key, asked);
      limit({lookup.request}, asked);
      want(lookup.key, {asked, clock_.period()}, asked + 1);
      want({lookup.request}, {asked, clock_.period()}, asked);
    }
  }

  void limit(const Value& value, unsigned stage) {
    for (const Bit& bit : value) {
      if (!bit.isConstant()) latest_[bit.node] = std::min(latest_[bit.node], stage);
    }
  }

  void want(const Value& value, Arrival required, unsigned use) {
    for (const Bit& bit : value) {
      if (timing_.gate(bit) != kNoGate) want(timing_.gate(bit), required, use);
    }
  }

  void want(GateId gate, Arrival required, unsigned use) {
    Need& need = needs_[gate];
    need.required = need.wanted ? std::min(need.required, required) : required;
    need.last_use = std::max(need.last_use, use);
    need.wanted = true;
  }

  std::vector<GateId> wantedOf(NodeId id) const {
    std::vector<GateId> wanted;
    for (GateId gate = timing_.begin(id); gate < timing_.end(id); ++gate) {
      if (needs_[gate].wanted) wanted.push_back(gate);
    }
    return wanted;
  }

  double requiredIn(unsigned stage, GateId gate) const {
    const Need& need = needs_[gate];
    return need.required.stage == stage ? need.required.at_ns : clock_.period();
  }

  double requiredIn(unsigned stage, const std::vector<GateId>& gates) const {
    double at = clock_.period();
    for (GateId gate : gates) at = std::min(at, requiredIn(stage, gate));
    return at;
  }

  /// Later than at the earliest while that saves registers: each stage saves those of `results` bits and costs those of
  /// operands that nothing else keeps so long.
  unsigned cheapest(unsigned from, unsigned to, std::size_t results, std::vector<GateId> operands) const {
    if (from == to) return from;
    std::sort(operands.begin(), operands.end());
    operands.erase(std::unique(operands.begin(), operands.end()), operands.end());
    std::vector<unsigned> kept;
    for (GateId operand : operands)
      kept.push_back(std::max(needs_[operand].last_use, timing_.cover().arrival(operand).stage));
    std::sort(kept.begin(), kept.end());
    for (std::size_t ending = 0; from < to; ++from) {
      while (ending < kept.size() && kept[ending] <= from) ++ending;
      if (ending >= results) break;
    }
    return from;
  }

  unsigned placeOperation(NodeId id) {
    const double delay = clock_.delays().node(nodes_[id]);
    const std::vector<GateId> wanted = wantedOf(id);
    const unsigned earliest = timing_.stage(id);
    unsigned last = latest_[id];
    if (last > earliest && clock_.source().at_ns + delay > requiredIn(last, wanted)) --last;
    std::vector<GateId> operands;
    for (const Value& operand : nodes_[id].operands) {
      for (const Bit& bit : operand) {
        if (timing_.gate(bit) != kNoGate) operands.push_back(timing_.gate(bit));
      }
    }
    const unsigned stage = cheapest(earliest, last, wanted.size(), operands);
    for (GateId gate : operands) want(gate, {stage, requiredIn(stage, wanted) - delay}, stage);
    return stage;
  }

  unsigned placeLogic(NodeId id) {
    const std::vector<GateId> wanted = wantedOf(id);
    if (wanted.empty()) return latest_[id];  // inside of its readers' LUTs
    const unsigned earliest = timing_.stage(id);
    unsigned last = latest_[id];
    if (last > earliest && !isInTime(id, wanted, last)) --last;
    std::vector<GateId> leaves;
    for (GateId gate : wanted) {
      for (GateId leaf : bestCut(gate, last).all()) {
        if (leaf < timing_.begin(id)) leaves.push_back(leaf);
      }
    }
    const unsigned stage = cheapest(earliest, last, wanted.size(), std::move(leaves));
    timing_.moveTo(id, nodes_[id], stage);
    for (GateId gate = timing_.end(id); gate-- > timing_.begin(id);) {
      if (!needs_[gate].wanted) continue;
      const Cut& cut = bestCut(gate, stage);
      const auto required = timing_.cover().requiredOfLeaves(cut, {stage, requiredIn(stage, gate)});
      for (std::size_t i = 0; i < cut.size; ++i) want(cut.leaves[i], required[i], stage);
    }
    return stage;
  }

  bool isInTime(NodeId id, const std::vector<GateId>& wanted, unsigned stage) {
    timing_.moveTo(id, nodes_[id], stage);
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](GateId gate) { return timing_.cover().arrival(gate).at_ns <= requiredIn(stage, gate); });
  }

  /// Of those in time, the one that makes the fewest new LUTs; the fastest when none is.
  const Cut& bestCut(GateId gate, unsigned stage) const {
    const Cover& cover = timing_.cover();
    const Cut* best = nullptr;
    const Cut* fastest = nullptr;
    float best_area = 0;
    double fastest_ns = 0;
    for (const Cut& cut : cover.cuts(gate)) {
      const double at = cover.time(cut, stage);
      if (fastest == nullptr || at < fastest_ns) {
        fastest = &cut;
        fastest_ns = at;
      }
      if (at > requiredIn(stage, gate)) continue;
      float area = 0;
      for (GateId leaf : cut.all()) area += needs_[leaf].wanted ? 0 : cover.area(leaf);
      if (best == nullptr || area < best_area) {
        best = &cut;
        best_area = area;
      }
    }
    return best != nullptr ? *best : *fastest;
  }

  /// The chains that this makes.
  void measure() {
    for (NodeId id = 0; id < nodes_.size(); ++id) {
      result_.stage.push_back(timing_.stage(id));
      timing_.moveTo(id, nodes_[id], timing_.stage(id));
      for (GateId gate = timing_.begin(id); gate < timing_.end(id); ++gate)
        result_.longest_ns = std::max(result_.longest_ns, timing_.cover().arrival(gate).at_ns);
    }
  }

  const Module& module_;
  const std::vector<Node>& nodes_;
  const Clock clock_;
  Timing timing_;
  std::vector<Need> needs_;       ///< by gate
  std::vector<unsigned> latest_;  ///< by node: no reader is in an earlier stage
  const std::vector<unsigned> readers_;
  Schedule result_;
};

}  // namespace

Schedule schedule(const Module& module, const DelayModel& delays, double clock_ns) {
  return Scheduler(module, delays, clock_ns).run();
}

}  // namespace hlsc
