// SPDX-License-Identifier: Apache-2.0
#include "schedule.h"

#include <algorithm>

#include "rebuild.h"

namespace hlsc {

namespace {

class Scheduler {
 public:
  Scheduler(const Module& module, const DelayModel& delays, double clock_ns)
      : module_(module),
        clock_(delays, clock_ns),
        arrival_(module.netlist.nodes().size()),
        readers_(countReaders(module)) {}

  Schedule run() {
    const std::vector<Node>& nodes = module_.netlist.nodes();
    std::vector<const Lookup*> answered_by(nodes.size(), nullptr);
    for (const Lookup& lookup : module_.lookups) answered_by[lookup.response] = &lookup;
    result_.request.resize(module_.lookups.size());
    for (NodeId id = 0; id < nodes.size(); ++id) {
      if (const Lookup* lookup = answered_by[id])
        arrival_[id] = answer(*lookup);
      else if (nodes[id].kind == Kind::input)
        arrival_[id] = clock_.source();
      else
        arrival_[id] = place(nodes[id]);
      result_.latency = std::max(result_.latency, arrival_[id].stage + 1);
      result_.longest_ns = std::max(result_.longest_ns, arrival_[id].at_ns);
    }
    for (const Lookup& lookup : module_.lookups) {  // a key nobody waits for is shown before the outputs are
      result_.latency = std::max(result_.latency, result_.request[index(lookup)] + 1);
    }
    for (const Arrival& arrival : arrival_) result_.stage.push_back(arrival.stage);
    return std::move(result_);
  }

 private:
  std::size_t index(const Lookup& lookup) const { return static_cast<std::size_t>(&lookup - module_.lookups.data()); }

  Arrival latest(const Value& value, Arrival so_far) const {
    for (const Bit& bit : value) {
      if (!bit.isConstant()) so_far = std::max(so_far, arrival_[bit.node]);
    }
    return so_far;
  }

  Arrival answer(const Lookup& lookup) {
    const unsigned stage = latest(lookup.key, latest({lookup.request}, {})).stage;
    result_.request[index(lookup)] = stage;
    if (lookup.is_update && readers_[lookup.response] == 0) return clock_.source(stage);  // nobody waits
    return clock_.answer(stage, lookup.latency);
  }

  Arrival place(const Node& node) {
    Arrival start = clock_.source();
    for (const Value& operand : node.operands) start = latest(operand, start);
    const Arrival done = clock_.after(start, clock_.delays().node(node));
    if (!clock_.fits(done)) {
      result_.warnings.push_back(node.origin.file + ":" + std::to_string(node.origin.line) + ": a " +
                                 std::to_string(node.width) + " bit '" + kindName(node.kind) +
                                 "' alone takes longer than the clock");
    }
    return done;
  }

  const Module& module_;
  const Clock clock_;
  std::vector<Arrival> arrival_;
  const std::vector<unsigned> readers_;
  Schedule result_;
};

}  // namespace

Schedule schedule(const Module& module, const DelayModel& delays, double clock_ns) {
  return Scheduler(module, delays, clock_ns).run();
}

}  // namespace hlsc
