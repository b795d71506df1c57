// SPDX-License-Identifier: Apache-2.0
#include "prefix_list.h"

#include <algorithm>
#include <array>

#include "../wire/nlri.h"

namespace poplink::host::bgp {

namespace detail {

namespace {

bool isBehind(const Prefix4& one, const Prefix4& other) {
  const auto key = [](const Prefix4& prefix) { return std::uint64_t{prefix.address} << 8 | prefix.length; };
  return key(one) > key(other);
}
bool isBehind(const Prefix6& one, const Prefix6& other) {
  return one > other;
}

}  // namespace

template <class Prefix>
FamilyRanges<Prefix>::FamilyRanges(std::span<const PrefixRange> ranges) {
  struct Entry {
    Prefix prefix;
    std::uint32_t index;  ///< in the list
    auto operator<=>(const Entry&) const = default;
  };
  std::vector<Entry> entries;
  for (std::uint32_t i = 0; i < ranges.size(); ++i)
    if (const auto* prefix = std::get_if<Prefix>(&ranges[i].prefix)) entries.push_back({*prefix, i});
  std::ranges::sort(entries);

  // They come in order, those around one before it: the ones that cover the last node are a stack, each with the
  // first range that matches for each length.
  struct Open {
    std::uint32_t node;
    std::array<std::uint32_t, kLengths> first;
  };
  std::vector<Open> open;
  for (std::size_t at = 0; at < entries.size();) {
    const Prefix prefix = entries[at].prefix;
    while (!open.empty() && !covers(prefixes_[open.back().node], prefix)) open.pop_back();
    Node node;
    Open next{static_cast<std::uint32_t>(nodes_.size()), {}};
    next.first.fill(kNone);
    if (!open.empty()) {
      node.around = open.back().node;
      next.first = open.back().first;
    }
    for (; at < entries.size() && entries[at].prefix == prefix; ++at) {
      const PrefixRange& range = ranges[entries[at].index];
      for (std::size_t length = range.from_bits; length <= range.to_bits; ++length)
        next.first[length] = std::min(next.first[length], entries[at].index);
    }
    for (std::size_t length = 0; length < kLengths; ++length)
      node.permitted[length] = next.first[length] != kNone && !ranges[next.first[length]].deny;
    prefixes_.push_back(prefix);
    nodes_.push_back(node);
    open.push_back(next);
  }
  prefixes_.shrink_to_fit();
  nodes_.shrink_to_fit();
}

/// How many are not behind a prefix. A binary search whose steps are the same for every prefix: a branch in each would
/// be guessed wrong every other time.
template <class Prefix>
std::size_t FamilyRanges<Prefix>::notBehind(const Prefix& prefix) const {
  std::size_t first = 0;
  for (std::size_t left = prefixes_.size(); left > 0;) {
    const std::size_t half = (left + 1) / 2;
    first += isBehind(prefixes_[first + half - 1], prefix) ? 0 : half;
    left -= half;
  }
  return first;
}

template <class Prefix>
bool FamilyRanges<Prefix>::contains(const Prefix& prefix) const {
  // The last one that is not behind the prefix is the smallest that covers it, or lies in that.
  const std::size_t count = notBehind(prefix);
  for (auto at = count == 0 ? kNone : static_cast<std::uint32_t>(count - 1); at != kNone; at = nodes_[at].around)
    if (covers(prefixes_[at], prefix)) return nodes_[at].permitted[prefix.length];
  return false;
}

template class FamilyRanges<Prefix4>;
template class FamilyRanges<Prefix6>;

}  // namespace detail

}  // namespace poplink::host::bgp
