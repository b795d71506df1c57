// SPDX-License-Identifier: Apache-2.0
#include "cover.h"

#include <cmath>

namespace hlsc {

namespace {

/// Union of leaves; false when they are too many.
bool unite(const Cut& a, const Cut& b, Cut& both) {
  std::uint32_t i = 0, j = 0, n = 0;
  while (i < a.size || j < b.size) {
    GateId next = 0;
    if (j == b.size || (i < a.size && a.leaves[i] < b.leaves[j]))
      next = a.leaves[i++];
    else if (i == a.size || b.leaves[j] < a.leaves[i])
      next = b.leaves[j++];
    else
      next = a.leaves[i++], ++j;
    if (n == kLutPins) return false;
    both.leaves[n++] = next;
  }
  std::fill(both.leaves.begin() + n, both.leaves.end(), kNoGate);
  both.size = n;
  return true;
}

bool contains(const Cut& large, const Cut& small) {
  return std::includes(large.leaves.begin(), large.leaves.begin() + large.size, small.leaves.begin(),
                       small.leaves.begin() + small.size);
}

Cut single(GateId leaf) {
  Cut cut;
  cut.leaves[0] = leaf;
  cut.size = 1;
  return cut;
}

}  // namespace

/// How many terms a tree of LUTs joins within a time. The latest branch takes the fastest pin, so the fast pins have
/// the larger branches.
class TreeShape {
 public:
  TreeShape(const DelayModel& delays, std::size_t terms, bool pairs) : pairs_(pairs) {
    for (unsigned pin = 0; pin < kLutPins; ++pin)
      pins_[pin] = static_cast<std::size_t>(std::lround(delays.lut(pin) / kStepNs));
    do {
      most_.push_back(pairs ? (most_.size() >= pins_[1] ? 1 : 0) : 1);
      const Lut best = bestLut(most_.size() - 1);
      most_.back() = std::max(most_.back(), best.terms);
    } while (most_.back() < terms);
  }

  /// How many terms stand behind each input of the LUT on top, from the slowest pin on; pairs have two pins.
  std::vector<std::size_t> branches(std::size_t terms) const {
    const std::size_t time = fastest(terms);
    const Lut lut = bestLut(time);
    std::vector<std::size_t> sizes(lut.branches + lut.direct_pairs, 1);  // a LUT is full
    terms -= sizes.size();
    for (std::size_t pin = 0; pin < lut.branches; ++pin) {
      const std::size_t more = std::min(terms, most_[time - pins_[pin]] - 1);
      sizes[pin] += more;
      terms -= more;
    }
    std::reverse(sizes.begin(), sizes.end());
    return sizes;
  }

 private:
  static constexpr double kStepNs = 0.01;

  struct Lut {
    std::size_t branches = 0, direct_pairs = 0, terms = 0;
  };

  std::size_t fastest(std::size_t terms) const {
    return static_cast<std::size_t>(std::lower_bound(most_.begin(), most_.end(), terms) - most_.begin());
  }

  Lut bestLut(std::size_t time) const {
    Lut best;
    for (std::size_t pairs = 0; pairs <= (pairs_ ? kLutPins / 2 : 0); ++pairs) {
      Lut lut{0, pairs, pairs};
      while (lut.branches + 2 * pairs < kLutPins && time >= pins_[lut.branches + 2 * pairs] &&
             most_[time - pins_[lut.branches]] > 0)
        lut.terms += most_[time - pins_[lut.branches++]];
      if (lut.branches + 2 * pairs > 0 && time >= pins_[lut.branches + 2 * pairs - 1] && lut.terms > best.terms)
        best = lut;
    }
    return best;
  }

  const bool pairs_;
  std::array<std::size_t, kLutPins> pins_{};  ///< in steps
  std::vector<std::size_t> most_;             ///< by steps
};

bool treeFits(const Clock& clock, std::size_t bits) {
  Cover cover(clock);
  std::vector<GateId> terms;
  for (std::size_t i = 0; i < bits; ++i) {
    terms.push_back(cover.addSource());
    cover.setArrival(terms.back(), clock.source());
  }
  const GateId top = cover.addTree(terms);
  for (auto gate = static_cast<GateId>(bits); gate < cover.size(); ++gate) cover.chooseCuts(gate, 0);
  return clock.fits(cover.arrival(top));
}

GateId Cover::addSource() {
  gates_.emplace_back();
  return size() - 1;
}

GateId Cover::addGate(std::span<const GateId> inputs) {
  Gate gate;
  std::size_t count = 0;
  for (GateId input : inputs) {
    const auto end = gate.inputs.begin() + static_cast<std::ptrdiff_t>(count);
    if (input != kNoGate && std::find(gate.inputs.begin(), end, input) == end) gate.inputs[count++] = input;
  }
  if (count < 2) return gate.inputs[0];
  for (std::size_t i = 0; i < count; ++i) addReader(gate.inputs[i]);
  gate.first_cut = static_cast<std::uint32_t>(cuts_.size());
  cuts_.resize(cuts_.size() + kKept);
  gates_.push_back(gate);
  return size() - 1;
}

GateId Cover::addTree(std::vector<GateId> terms) {
  std::erase(terms, kNoGate);
  return terms.empty() ? kNoGate : addTree(terms, TreeShape(clock_.delays(), terms.size(), false));
}

GateId Cover::addTreeOfPairs(std::vector<GateId> terms) {
  std::erase(terms, kNoGate);
  return terms.empty() ? kNoGate : addTree(terms, TreeShape(clock_.delays(), terms.size(), true));
}

GateId Cover::addTree(std::span<const GateId> terms, const TreeShape& shape) {
  if (terms.size() == 1) return terms[0];
  GateId joined = kNoGate;
  for (std::size_t branch : shape.branches(terms.size())) {
    const GateId next = addTree(terms.first(branch), shape);
    joined = joined == kNoGate ? next : addGate({{joined, next}});
    terms = terms.subspan(branch);
  }
  return joined;
}

std::span<const Cut> Cover::cuts(GateId gate) const {
  return {cuts_.data() + gates_[gate].first_cut, gates_[gate].cut_count};
}

double Cover::leafTime(GateId leaf, unsigned stage) const {
  const Gate& gate = gates_[leaf];
  if (gate.arrival.stage != stage) return clock_.source().at_ns;
  return gate.arrival.at_ns + (gate.cut_count > 0 ? clock_.delays().fanOut(gate.readers) : 0.0);
}

double Cover::time(const Cut& cut, unsigned stage) const {
  std::array<double, kLutPins> at{};  // latest first: that takes the fastest pin
  for (std::uint32_t n = 0; n < cut.size; ++n) {
    const double here = leafTime(cut.leaves[n], stage);
    std::uint32_t i = n;
    for (; i > 0 && at[i - 1] < here; --i) at[i] = at[i - 1];
    at[i] = here;
  }
  double done = 0;
  for (std::uint32_t pin = 0; pin < cut.size; ++pin) done = std::max(done, at[pin] + clock_.delays().lut(pin));
  return done;
}

std::array<Arrival, kLutPins> Cover::requiredOfLeaves(const Cut& cut, Arrival required) const {
  std::array<Arrival, kLutPins> of{};
  for (std::uint32_t i = 0; i < cut.size; ++i) {
    const double here = leafTime(cut.leaves[i], required.stage);
    unsigned pin = 0;
    for (std::uint32_t k = 0; k < cut.size; ++k) {
      const double other = leafTime(cut.leaves[k], required.stage);
      pin += other > here || (other == here && k < i) ? 1 : 0;
    }
    const DelayModel& delays = clock_.delays();
    of[i] = {required.stage, required.at_ns - delays.lut(pin) - delays.fanOut(gates_[cut.leaves[i]].readers)};
  }
  return of;
}

/// merged_ becomes every union of a cut on the left with one of `right`, which may itself be the leaf.
void Cover::merge(std::span<const Cut> left, GateId right) {
  merged_.clear();
  const auto add = [&](const Cut& b) {
    for (const Cut& a : left) {
      Cut both;
      if (!unite(a, b, both)) continue;
      const bool known = std::any_of(merged_.begin(), merged_.end(), [&](const Cut& c) {
        return c.size == both.size && std::equal(c.leaves.begin(), c.leaves.begin() + c.size, both.leaves.begin());
      });
      if (!known) merged_.push_back(both);
    }
  };
  add(single(right));
  for (const Cut& cut : cuts(right)) add(cut);
}

void Cover::chooseCuts(GateId id, unsigned stage) {
  Gate& gate = gates_[id];
  previous_.assign(1, single(gate.inputs[0]));
  for (const Cut& cut : cuts(gate.inputs[0])) previous_.push_back(cut);
  for (std::size_t i = 1; i < gate.inputs.size() && gate.inputs[i] != kNoGate; ++i) {
    if (i > 1) std::swap(previous_, merged_);
    merge(previous_, gate.inputs[i]);
  }
  keepBest(gate, stage);
}

void Cover::keepBest(Gate& gate, unsigned stage) {
  choices_.clear();
  for (Cut& cut : merged_) {
    const bool dominated = std::any_of(merged_.begin(), merged_.end(),
                                       [&](const Cut& other) { return other.size < cut.size && contains(cut, other); });
    if (dominated) continue;
    cut.area = 1;
    for (GateId leaf : cut.all()) cut.area += area(leaf);
    choices_.push_back({cut, time(cut, stage)});
  }
  const auto earlier = [](const Choice& a, const Choice& b) {
    if (a.time_ns != b.time_ns) return a.time_ns < b.time_ns;
    if (a.cut.area != b.cut.area) return a.cut.area < b.cut.area;
    return a.cut.size != b.cut.size ? a.cut.size < b.cut.size : a.cut.leaves < b.cut.leaves;
  };
  std::sort(choices_.begin(), choices_.end(), earlier);
  const auto smallest = std::min_element(choices_.begin(), choices_.end(),
                                         [](const Choice& a, const Choice& b) { return a.cut.area < b.cut.area; });
  gate.area = smallest->cut.area;
  if (smallest - choices_.begin() >= static_cast<std::ptrdiff_t>(kKept)) choices_[kKept - 1] = *smallest;
  gate.cut_count = static_cast<std::uint32_t>(std::min(kKept, choices_.size()));
  for (std::size_t i = 0; i < gate.cut_count; ++i) cuts_[gate.first_cut + i] = choices_[i].cut;
  gate.arrival = {stage, choices_[0].time_ns};
}

void Cover::moveTo(GateId id, unsigned stage) {
  Gate& gate = gates_[id];
  gate.arrival = {stage, 0};
  double best = time(cuts_[gate.first_cut], stage);
  for (const Cut& cut : cuts(id)) best = std::min(best, time(cut, stage));
  gate.arrival.at_ns = best;
}

}  // namespace hlsc
