// SPDX-License-Identifier: Apache-2.0
#include "heard_routes.h"

namespace poplink::bench {

namespace bgp = host::bgp;

namespace {

std::string toString(const Prefix& prefix) {
  return std::visit([](const auto& one) { return bgp::toString(one); }, prefix);
}

/// Counts prefixes and remembers the first.
struct Tally {
  const char* what;
  std::size_t count = 0;
  std::string example{};

  void add(const Prefix& prefix) {
    if (count++ == 0) example = toString(prefix);
  }
};

}  // namespace

PrefixIndex indexOf(std::span<const Prefix> prefixes) {
  PrefixIndex index;
  index.reserve(prefixes.size());
  for (std::uint32_t i = 0; i < prefixes.size(); ++i) index.emplace(prefixes[i], i);
  return index;
}

HeardRoutes::HeardRoutes(const PrefixIndex& index, std::span<const Prefix> prefixes)
    : index_(index), prefixes_(prefixes), heard_(prefixes.size()) {}

void HeardRoutes::expect(std::span<const std::uint64_t> expected) {
  expected_ = expected;
  as_expected_ = 0;
  for (std::size_t i = 0; i < expected_.size(); ++i) as_expected_ += heard_[i] == expected_[i];
}

void HeardRoutes::take(const bgp::Update& update) {
  for (const bgp::Routes* withdrawn : {&update.withdrawn, &update.mp_withdrawn}) setAll(*withdrawn, 0);
  for (const bgp::AnnouncedRoutes* announced : {&update.announced, &update.mp_announced})
    if (announced->prefixes > 0) setAll(*announced, fingerprint(update.facts, announced->next_hop.address));
}

void HeardRoutes::setAll(const bgp::Routes& routes, std::uint64_t fingerprint) {
  const auto one = [&](const auto& prefix) { set(prefix, fingerprint); };
  if (routes.family == bgp::kIpv4Unicast)
    bgp::forEachPrefix<bgp::Prefix4>(routes.nlri, one);
  else
    bgp::forEachPrefix<bgp::Prefix6>(routes.nlri, one);
}

void HeardRoutes::set(const Prefix& prefix, std::uint64_t fingerprint) {
  const auto known = index_.find(prefix);
  if (known == index_.end()) {
    if (fingerprint == 0)
      foreign_.erase(prefix);
    else
      foreign_.insert(prefix);
    return;
  }
  std::uint64_t& heard = heard_[known->second];
  const std::uint64_t expected = expected_[known->second];
  as_expected_ -= heard == expected;
  as_expected_ += fingerprint == expected;
  heard = fingerprint;
}

std::vector<std::string> HeardRoutes::differences() const {
  Tally missing{"missing"}, wrong{"with other attributes"}, left{"not withdrawn"}, foreign{"that nobody announced"};
  for (std::size_t i = 0; i < expected_.size(); ++i) {
    if (heard_[i] == expected_[i]) continue;
    (heard_[i] == 0 ? missing : expected_[i] == 0 ? left : wrong).add(prefixes_[i]);
  }
  for (const Prefix& prefix : foreign_) foreign.add(prefix);
  std::vector<std::string> found;
  for (const Tally& tally : {missing, wrong, left, foreign})
    if (tally.count > 0)
      found.push_back(std::to_string(tally.count) + " routes " + tally.what + ", such as " + tally.example);
  return found;
}

}  // namespace poplink::bench
