// SPDX-License-Identifier: Apache-2.0
#include "community.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace poplink::host::bgp {

namespace {

struct WellKnown {
  std::string_view name;
  Community community;
};
/// By the names of their registry, in lower case.
constexpr WellKnown kWellKnown[] = {
    {"graceful-shutdown", kGracefulShutdown},     // RFC 8326
    {"accept-own", {0xFFFF'0001}},                // RFC 7611
    {"llgr-stale", {0xFFFF'0006}},                // RFC 9494
    {"no-llgr", {0xFFFF'0007}},                   // RFC 9494
    {"blackhole", {0xFFFF'029A}},                 // RFC 7999
    {"no-export", kNoExport},                     // RFC 1997
    {"no-advertise", kNoAdvertise},               // RFC 1997
    {"no-export-subconfed", kNoExportSubconfed},  // RFC 1997
    {"no-peer", {0xFFFF'FF04}},                   // RFC 3765
};

/// Transitive types whose values are an administrator and a number (RFC 4360, 5668), and their subtypes (RFC 7153).
enum class ExtendedType : std::uint8_t { two_octet_as = 0, ipv4 = 1, four_octet_as = 2 };
struct Subtype {
  std::string_view name;
  std::uint8_t value;
};
constexpr Subtype kSubtypes[] = {{"rt", 2}, {"soo", 3}};
constexpr std::string_view kOther = "ext";

constexpr std::size_t kMaxParts = 3;
struct Parts {
  std::array<std::string_view, kMaxParts> at{};
  std::size_t count = 0;  ///< kMaxParts + 1: more than there is room for
};

Parts split(std::string_view text) {
  Parts parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    if (parts.count == kMaxParts) return {{}, kMaxParts + 1};
    parts.at[parts.count++] = text.substr(0, colon);
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

/// Digits of `base` and nothing else.
template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Ipv4> address(std::string_view text) {
  in_addr parsed{};
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  return ntohl(parsed.s_addr);
}

ExtendedCommunity extended(ExtendedType type, std::uint8_t subtype, std::uint64_t value) {
  ExtendedCommunity community{{static_cast<std::uint8_t>(type), subtype}};
  for (std::size_t i = 0; i < 6; ++i) community.octets[2 + i] = static_cast<std::uint8_t>(value >> (40 - 8 * i));
  return community;
}

std::optional<AnyCommunity> parseExtended(std::uint8_t subtype, std::string_view administrator, std::string_view rest) {
  const auto small = number<std::uint16_t>(rest);
  if (administrator.find('.') != std::string_view::npos) {
    const auto ip = address(administrator);
    if (!ip || !small) return std::nullopt;
    return extended(ExtendedType::ipv4, subtype, std::uint64_t{*ip} << 16 | *small);
  }
  const bool four_octets = administrator.ends_with('L');
  if (four_octets) administrator.remove_suffix(1);
  const auto asn = number<Asn>(administrator);
  if (!asn) return std::nullopt;
  if (four_octets || *asn > 0xffff) {
    if (!small) return std::nullopt;
    return extended(ExtendedType::four_octet_as, subtype, std::uint64_t{*asn} << 16 | *small);
  }
  const auto large = number<std::uint32_t>(rest);
  if (!large) return std::nullopt;
  return extended(ExtendedType::two_octet_as, subtype, std::uint64_t{*asn} << 32 | *large);
}

std::optional<AnyCommunity> parseOther(std::string_view digits) {
  const auto value = number<std::uint64_t>(digits, 16);
  if (digits.size() != 16 || !value) return std::nullopt;
  return extended(static_cast<ExtendedType>(*value >> 56), static_cast<std::uint8_t>(*value >> 48), *value);
}

std::string wordsOf(const Community& community) {
  const auto* known = std::ranges::find(kWellKnown, community, &WellKnown::community);
  if (known != std::end(kWellKnown)) return std::string(known->name);
  return std::to_string(community.value >> 16) + ":" + std::to_string(community.value & 0xffff);
}

std::string wordsOf(const LargeCommunity& community) {
  return std::to_string(community.global) + ":" + std::to_string(community.local1) + ":" +
         std::to_string(community.local2);
}

std::string wordsOf(const ExtendedCommunity& community) {
  const Octets octets = community.octets;
  const auto* subtype = std::ranges::find(kSubtypes, octets[1], &Subtype::value);
  if (subtype != std::end(kSubtypes)) {
    const std::string head = std::string(subtype->name) + ":";
    const std::uint32_t first = read32(octets, 2);
    const std::string last = ":" + std::to_string(read16(octets, 6));
    switch (static_cast<ExtendedType>(octets[0])) {
      case ExtendedType::two_octet_as:
        return head + std::to_string(read16(octets, 2)) + ":" + std::to_string(read32(octets, 4));
      case ExtendedType::ipv4:
        return head + toString(Address(first)) + last;
      case ExtendedType::four_octet_as:
        return head + std::to_string(first) + (first <= 0xffff ? "L" : "") + last;
    }
  }
  constexpr char kDigits[] = "0123456789abcdef";
  std::string all = std::string(kOther) + ":";
  for (const std::uint8_t octet : octets) {
    all += kDigits[octet >> 4];
    all += kDigits[octet & 0xf];
  }
  return all;
}

}  // namespace

std::string words(const AnyCommunity& community) {
  return std::visit([](const auto& one) { return wordsOf(one); }, community);
}

std::optional<AnyCommunity> parseCommunity(std::string_view text) {
  const auto* known = std::ranges::find(kWellKnown, text, &WellKnown::name);
  if (known != std::end(kWellKnown)) return known->community;
  const Parts parts = split(text);
  if (parts.count == 2 && parts.at[0] == kOther) return parseOther(parts.at[1]);
  if (parts.count == 2) {
    const auto high = number<std::uint16_t>(parts.at[0]), low = number<std::uint16_t>(parts.at[1]);
    if (!high || !low) return std::nullopt;
    return Community{std::uint32_t{*high} << 16 | *low};
  }
  if (parts.count != 3) return std::nullopt;
  const auto* subtype = std::ranges::find(kSubtypes, parts.at[0], &Subtype::name);
  if (subtype != std::end(kSubtypes)) return parseExtended(subtype->value, parts.at[1], parts.at[2]);
  const auto global = number<Asn>(parts.at[0]);
  const auto local1 = number<std::uint32_t>(parts.at[1]), local2 = number<std::uint32_t>(parts.at[2]);
  if (!global || !local1 || !local2) return std::nullopt;
  return LargeCommunity{*global, *local1, *local2};
}

CommunityOctets::CommunityOctets(const AnyCommunity& community) {
  const auto put = [this](std::uint32_t value) {
    write16(octets_, size_, static_cast<std::uint16_t>(value >> 16));
    write16(octets_, size_ + 2, static_cast<std::uint16_t>(value));
    size_ += 4;
  };
  if (const auto* standard = std::get_if<Community>(&community)) {
    type_ = AttributeType::communities;
    put(standard->value);
  } else if (const auto* large = std::get_if<LargeCommunity>(&community)) {
    type_ = AttributeType::large_communities;
    put(large->global);
    put(large->local1);
    put(large->local2);
  } else {
    const Octets value = std::get<ExtendedCommunity>(community).octets;
    type_ = AttributeType::extended_communities;
    put(read32(value, 0));
    put(read32(value, 4));
  }
}

Octets communitiesOf(const PathFacts& facts, AttributeType type) {
  if (type == AttributeType::communities) return facts.communities;
  if (type == AttributeType::extended_communities) return facts.extended_communities;
  return type == AttributeType::large_communities ? facts.large_communities : Octets{};
}

}  // namespace poplink::host::bgp
