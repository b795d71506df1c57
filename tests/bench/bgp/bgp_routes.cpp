// SPDX-License-Identifier: Apache-2.0
#include "bgp_routes.h"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <functional>
#include <string_view>

#include "prefix_hash.h"
#include "update_builder.h"

namespace poplink::bench {

namespace bgp = host::bgp;

namespace {

/// SplitMix64: any seed will do, and the numbers are the same everywhere.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(next() % limit); }

 private:
  std::uint64_t state_;
};

/// Of several parts, a number that looks like none of them.
std::uint64_t seedOf(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0) {
  return Numbers(Numbers(Numbers(seed).next() ^ a).next() ^ b).next();
}

struct LengthShare {
  std::uint8_t length;
  std::uint8_t percent;
};
// Rounded shares of the Internet's tables of 2025.
constexpr std::array<LengthShare, 10> kLengths4{
    {{24, 60}, {22, 11}, {23, 10}, {21, 5}, {20, 5}, {19, 3}, {18, 2}, {16, 2}, {17, 1}, {15, 1}}};
constexpr std::array<LengthShare, 8> kLengths6{
    {{48, 47}, {32, 15}, {44, 11}, {40, 11}, {36, 5}, {46, 4}, {29, 4}, {42, 3}}};

template <std::size_t count>
std::uint8_t someLength(const std::array<LengthShare, count>& shares, Numbers& numbers) {
  std::uint32_t left = numbers.below(100);
  for (const LengthShare& share : shares) {
    if (left < share.percent) return share.length;
    left -= share.percent;
  }
  return shares.back().length;
}

bgp::Prefix4 somePrefix4(Numbers& numbers) {
  while (true) {
    const std::uint8_t length = someLength(kLengths4, numbers);
    const auto address = static_cast<bgp::Ipv4>(numbers.next()) & ~bgp::Ipv4{0} << (32 - length);
    const std::uint32_t first = address >> 24;
    // Multicast, loopback, private and our own addresses are no routes that a speaker would have to take.
    if (first >= 1 && first <= 223 && first != 10 && first != 127 && address >> 17 != 0xc612 >> 1) {
      return {address, length};
    }
  }
}

bgp::Prefix6 somePrefix6(Numbers& numbers) {
  while (true) {
    bgp::Prefix6 prefix{.address = {}, .length = someLength(kLengths6, numbers)};
    const std::uint64_t number = numbers.next();
    for (std::size_t bit = 0; bit < prefix.length; ++bit)
      prefix.address[bit / 8] |= static_cast<std::uint8_t>((number >> bit & 1) << (7 - bit % 8));
    prefix.address[0] = 0x20;
    prefix.address[1] &= 0x0f;  // registries have given little more than 2000::/12
    if (bgp::read32(prefix.address, 0) >> 3 != 0x20010db8 >> 3) return prefix;
  }
}

bgp::Asn someAsn(Numbers& numbers) {
  // Those that are given out: neither AS_TRANS nor private ones, of which the peers are.
  return numbers.below(2) == 0 ? 1000 + numbers.below(22'000) : 131'072 + numbers.below(270'000);
}

std::uint64_t hashed(bgp::Octets octets) {
  const std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());
  return std::max<std::uint64_t>(std::hash<std::string_view>{}(text), 1);
}

std::vector<std::uint8_t> canonical(const PathAttributes& attributes) {
  std::vector<std::uint8_t> path{static_cast<std::uint8_t>(bgp::SegmentType::as_sequence),
                                 static_cast<std::uint8_t>(attributes.as_path.size())};
  for (const bgp::Asn asn : attributes.as_path) bgp::put32(path, asn);
  std::vector<bgp::AttributeChange> changes{{bgp::AttributeType::as_path, path}};
  if (!attributes.communities.empty()) {
    std::vector<std::uint8_t> communities;
    for (const std::uint32_t community : attributes.communities) bgp::put32(communities, community);
    changes.push_back({bgp::AttributeType::communities, communities});
  }
  const std::array<std::uint8_t, 4> origin_igp{0x40, 1, 1, 0};
  return bgp::withChanges(origin_igp, changes);
}

bgp::UpdateForm formOf(bgp::Family family) {
  return family == bgp::kIpv4Unicast ? bgp::UpdateForm::ipv4 : bgp::UpdateForm::ipv6_multiprotocol;
}

/// Adds the table's prefixes [begin, end) to the stream, in messages of the builder.
void append(std::vector<std::uint8_t>& stream, bgp::UpdateBuilder& builder, std::span<const Prefix> prefixes) {
  for (const Prefix& any : prefixes) {
    std::visit(
        [&](const auto& prefix) {
          if (builder.add(prefix)) return;
          bgp::put(stream, builder.take());
          builder.add(prefix);
        },
        any);
  }
  if (!builder.empty()) bgp::put(stream, builder.take());
}

}  // namespace

std::uint64_t fingerprint(const PathAttributes& attributes, const bgp::Address& next_hop) {
  std::vector<std::uint8_t> octets;
  std::visit(
      [&](const auto& address) {
        if constexpr (std::is_same_v<std::decay_t<decltype(address)>, bgp::Ipv4>)
          bgp::put32(octets, address);
        else
          bgp::put(octets, address);
      },
      next_hop);
  bgp::put32(octets, static_cast<std::uint32_t>(attributes.as_path.size()));
  for (const bgp::Asn asn : attributes.as_path) bgp::put32(octets, asn);
  for (const std::uint32_t community : attributes.communities) bgp::put32(octets, community);
  return hashed(octets);
}

std::uint64_t fingerprint(const bgp::PathFacts& facts, const bgp::Address& next_hop) {
  PathAttributes attributes;
  bgp::forEachAsn(facts.as_path, bgp::AsnBytes::four, [&](bgp::Asn asn) { attributes.as_path.push_back(asn); });
  for (std::size_t at = 0; at < facts.communities.size(); at += 4)
    attributes.communities.push_back(bgp::read32(facts.communities, at));
  std::ranges::sort(attributes.communities);
  return fingerprint(attributes, next_hop);
}

RouteTable::RouteTable(bgp::Family family, std::size_t count, std::uint64_t seed) : family_(family), seed_(seed) {
  Numbers numbers(seed);
  boost::unordered_flat_set<Prefix, PrefixHash> known;
  known.reserve(count);
  prefixes_.reserve(count);
  while (prefixes_.size() < count) {
    const Prefix prefix = family == bgp::kIpv4Unicast ? Prefix(somePrefix4(numbers)) : Prefix(somePrefix6(numbers));
    if (known.insert(prefix).second) prefixes_.push_back(prefix);
  }
  while (ends_.empty() || ends_.back() < count)
    ends_.push_back(std::min(count, (ends_.empty() ? 0 : ends_.back()) + 1 + numbers.below(11)));
}

std::uint64_t RouteTable::number(std::size_t set) const {
  return seedOf(seed_, set);
}

PathAttributes RouteTable::attributes(std::size_t set, bgp::Asn neighbor, std::size_t length) const {
  Numbers numbers(seedOf(seed_, set, std::uint64_t{neighbor} << 8 | length));
  PathAttributes attributes{.as_path = {neighbor}, .communities = {}};
  while (attributes.as_path.size() < length) attributes.as_path.push_back(someAsn(numbers));
  if (set % 2 == 0) {
    for (std::uint32_t left = 1 + numbers.below(4); left > 0; --left)
      attributes.communities.push_back((1000 + numbers.below(60'000)) << 16 | numbers.below(65'536));
    std::ranges::sort(attributes.communities);
    const auto repeated = std::ranges::unique(attributes.communities);
    attributes.communities.erase(repeated.begin(), repeated.end());
  }
  return attributes;
}

std::vector<std::uint8_t> announcements(const RouteTable& table, std::size_t sets, const Identity& from,
                                        std::size_t sender, LengthOf length) {
  std::vector<std::uint8_t> stream;
  for (std::size_t set = 0; set < sets; ++set) {
    const PathAttributes attributes = table.attributes(set, from.asn, length(table, set, sender));
    bgp::UpdateBuilder builder = bgp::UpdateBuilder::announce(formOf(table.family()), {from.address, std::nullopt},
                                                              bgp::wireAttributes(canonical(attributes), true));
    append(stream, builder, table.prefixes().subspan(table.begin(set), table.end(set) - table.begin(set)));
  }
  return stream;
}

std::vector<std::uint8_t> withdrawals(const RouteTable& table) {
  std::vector<std::uint8_t> stream;
  bgp::UpdateBuilder builder = bgp::UpdateBuilder::withdraw(formOf(table.family()));
  append(stream, builder, table.prefixes());
  return stream;
}

}  // namespace poplink::bench
