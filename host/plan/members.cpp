// SPDX-License-Identifier: Apache-2.0
#include "members.h"

#include <algorithm>

namespace poplink::host {

namespace {

std::uint64_t bit(PortId port) {
  return std::uint64_t{1} << port.value;
}

const driver::Entry* find(const TableImage& image, const char* table, std::uint64_t index) {
  const auto& entries = entriesOf(image, table);
  const auto found = entries.find(static_cast<std::uint32_t>(index));
  return found == entries.end() ? nullptr : &found->second;
}

/// Whether the LAG of this link has the port, by its buckets: each port has some.
bool inBuckets(const TableImage& image, PortId link, PortId port) {
  const auto& entries = entriesOf(image, "lag");
  const std::uint32_t base = static_cast<std::uint32_t>(link.value) << kLagBucketBits;
  return std::any_of(entries.lower_bound(base), entries.lower_bound(base + (1U << kLagBucketBits)),
                     [&](const auto& one) { return one.second.at("port") == port.value; });
}

}  // namespace

MemberStates memberStates(const TableImage& current, const std::vector<Lag>& lags) {
  MemberStates states;
  for (const Lag& lag : lags) {
    const driver::Entry* link = find(current, "link", lag.link.value);
    for (const PortId port : lag.ports) {
      const driver::Entry* entry = find(current, "port", port.value);
      if (link == nullptr || entry == nullptr || entry->at("attachment") != lag.link.value) continue;
      if (lag.ports.size() > 1 && !inBuckets(current, lag.link, port)) continue;
      const bool collecting = entry->at("collecting") != 0;
      states[port] = {collecting, collecting && (link->at("ports") & bit(port)) != 0};
    }
  }
  return states;
}

std::vector<Step> memberSteps(const TableImage& current, PortId port, MemberState state) {
  const driver::Entry* entry = find(current, "port", port.value);
  if (entry == nullptr) return {};
  const auto link = static_cast<std::uint32_t>(entry->at("attachment"));
  const driver::Entry* of_link = find(current, "link", link);
  if (of_link == nullptr) return {};

  driver::Entry new_entry = *entry, new_link = *of_link;
  new_entry["collecting"] = state.collecting;
  new_link["ports"] = (of_link->at("ports") & ~bit(port)) | (state.carries() ? bit(port) : 0);
  std::vector<Step> steps;
  if (new_link != *of_link) steps.push_back({"link", link, new_link, Step::Kind::change});
  if (new_entry != *entry) steps.push_back({"port", port.value, new_entry, Step::Kind::change});
  if (state.carries()) std::reverse(steps.begin(), steps.end());
  return steps;
}

}  // namespace poplink::host
