// SPDX-License-Identifier: Apache-2.0
#include "read_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "../wire/nlri.h"

namespace poplink::host::bgp {

namespace {

constexpr std::uint8_t kMappedBits = 96;

std::optional<Address> toAddress(const std::string& text) {
  // inet_pton() would take the text for ended.
  if (text.find('\0') != std::string::npos) return std::nullopt;
  Ipv4 ipv4 = 0;
  if (::inet_pton(AF_INET, text.c_str(), &ipv4) == 1) return ntohl(ipv4);
  Ipv6 ipv6{};
  if (::inet_pton(AF_INET6, text.c_str(), ipv6.data()) == 1) return ipv6;
  return std::nullopt;
}

/// The address within ::ffff:0:0/96.
std::optional<Ipv4> mapped(const Ipv6& address) {
  static constexpr Ipv6 kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(address.begin(), address.begin() + kMappedBits / 8, kMapped.begin())) return std::nullopt;
  return read32(address, kMappedBits / 8);
}

bool isLinkLocal(const Ipv6& address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

std::string quoted(const YamlText& text) {
  return "'" + text.text + "'";
}

template <class Number>
std::optional<std::variant<Prefix4, Prefix6>> toPrefix(const Number& address, std::uint8_t length, const YamlText& text,
                                                       Problems& problems) {
  const auto prefix = prefixOf(address, length);
  if (prefix.address == address) return prefix;
  problems.add(text.place, quoted(text) + " has bits behind its length: write " + toString(prefix));
  return std::nullopt;
}

}  // namespace

std::optional<Address> parseAddress(const YamlText& text, Problems& problems) {
  const auto refuse = [&](const std::string& why) {
    problems.add(text.place, why);
    return std::nullopt;
  };
  // The interface of a link-local address follows a per cent sign (RFC 4007).
  const auto address = toAddress(text.text.substr(0, text.text.find('%')));
  const auto* ipv6 = address ? std::get_if<Ipv6>(&*address) : nullptr;
  if (ipv6 && isLinkLocal(*ipv6))
    return refuse(quoted(text) + " is a link-local address, which this version does not serve");
  if (!address || text.text.find('%') != std::string::npos)
    return refuse("must be an IPv4 or IPv6 address, not " + quoted(text));
  if (const auto ipv4 = ipv6 ? mapped(*ipv6) : std::nullopt)
    return refuse(quoted(text) + " is an IPv4-mapped address: write " + toString(Address(*ipv4)));
  return address;
}

std::optional<Address> optionalAddress(YamlMap& map, const std::string& key, Problems& problems) {
  const auto text = map.optionalText(key);
  return text ? parseAddress({*text, map.placeOf(key)}, problems) : std::nullopt;
}

std::optional<RouterId> parseRouterId(const YamlText& text, Problems& problems) {
  const auto address = toAddress(text.text);
  if (address && std::holds_alternative<Ipv4>(*address)) return std::get<Ipv4>(*address);
  problems.add(text.place, "must be written as an IPv4 address, not " + quoted(text));
  return std::nullopt;
}

std::optional<std::variant<Prefix4, Prefix6>> parsePrefix(const YamlText& text, Problems& problems) {
  const std::size_t slash = text.text.find('/');
  const auto address = toAddress(text.text.substr(0, slash));
  const std::string_view digits =
      slash == std::string::npos ? std::string_view() : std::string_view(text.text).substr(slash + 1);
  std::uint8_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  const bool leading_zero = digits.size() > 1 && digits[0] == '0';
  const unsigned longest = address && std::holds_alternative<Ipv4>(*address) ? 32 : 128;
  if (!address || error != std::errc() || end != digits.data() + digits.size() || leading_zero || length > longest) {
    problems.add(text.place, "must be a prefix as 192.0.2.0/24 or 2001:db8::/32, not " + quoted(text));
    return std::nullopt;
  }
  if (const auto* ipv4 = std::get_if<Ipv4>(&*address)) return toPrefix(*ipv4, length, text, problems);
  const auto& ipv6 = std::get<Ipv6>(*address);
  if (const auto ipv4 = length >= kMappedBits ? mapped(ipv6) : std::nullopt) {
    const Prefix4 prefix = prefixOf(*ipv4, static_cast<std::uint8_t>(length - kMappedBits));
    problems.add(text.place, quoted(text) + " is IPv4-mapped: write " + toString(prefix));
    return std::nullopt;
  }
  return toPrefix(ipv6, length, text, problems);
}

std::optional<std::set<Family>> optionalFamilies(YamlMap& map, const std::string& key, Problems& problems) {
  if (!map.has(key)) return std::nullopt;
  const std::size_t before = problems.all().size();
  std::set<Family> families;
  for (const YamlText& text : map.texts(key)) {
    if (text.text != "ipv4" && text.text != "ipv6")
      problems.add(text.place, "must be ipv4 or ipv6, not " + quoted(text));
    else if (!families.insert(text.text == "ipv4" ? kIpv4Unicast : kIpv6Unicast).second)
      problems.add(text.place, quoted(text) + " is there twice");
  }
  if (families.empty() && problems.all().size() == before) problems.add(map.placeOf(key), "must name at least one");
  return families;
}

std::optional<Duration> optionalSeconds(YamlMap& map, const std::string& key, double low, double high) {
  const auto seconds = map.optionalDecimal(key, low, high);
  if (!seconds) return std::nullopt;
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(*seconds));
}

}  // namespace poplink::host::bgp
