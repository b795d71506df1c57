// SPDX-License-Identifier: Apache-2.0
#include "values.h"

#include <algorithm>

#include "../policy/community.h"

namespace poplink::host::bgp {

namespace {

Json asns(Octets path, AsnBytes bytes) {
  Json list = Json::array();
  forEachAsn(path, bytes, [&list](Asn asn) { list.push_back(asn); });
  return list;
}

/// An AS number and a router.
Json aggregator(Octets value) {
  const bool wide = value.size() == 8;
  const Asn asn = wide ? read32(value, 0) : read16(value, 0);
  return {{"asn", asn}, {"router_id", routerIdText(read32(value, wide ? 4 : 2))}};
}

Json routerIds(Octets list) {
  Json ids = Json::array();
  for (std::size_t at = 0; at < list.size(); at += 4) ids.push_back(routerIdText(read32(list, at)));
  return ids;
}

Json communities(Octets list) {
  Json words_of = Json::array();
  for (std::size_t at = 0; at < list.size(); at += 4) words_of.push_back(words(Community{read32(list, at)}));
  return words_of;
}

Json extendedCommunities(Octets list) {
  Json words_of = Json::array();
  for (std::size_t at = 0; at < list.size(); at += 8) {
    ExtendedCommunity community;
    std::ranges::copy(list.subspan(at, 8), community.octets.begin());
    words_of.push_back(words(community));
  }
  return words_of;
}

Json largeCommunities(Octets list) {
  Json words_of = Json::array();
  for (std::size_t at = 0; at < list.size(); at += 12)
    words_of.push_back(words(LargeCommunity{read32(list, at), read32(list, at + 4), read32(list, at + 8)}));
  return words_of;
}

void put(Json& json, const Attribute& attribute, AsnBytes bytes) {
  const Octets value = attribute.value;
  switch (static_cast<AttributeType>(attribute.type)) {
    case AttributeType::origin:
      json["origin"] = originKey(static_cast<Origin>(value[0]));
      return;
    case AttributeType::as_path:
      json["as_path"] = asns(value, bytes);
      return;
    case AttributeType::multi_exit_disc:
      json["med"] = read32(value, 0);
      return;
    case AttributeType::local_pref:
      json["local_pref"] = read32(value, 0);
      return;
    case AttributeType::atomic_aggregate:
      json["atomic_aggregate"] = true;
      return;
    case AttributeType::aggregator:
      json["aggregator"] = aggregator(value);
      return;
    case AttributeType::communities:
      json["communities"] = communities(value);
      return;
    case AttributeType::extended_communities:
      json["extended_communities"] = extendedCommunities(value);
      return;
    case AttributeType::large_communities:
      json["large_communities"] = largeCommunities(value);
      return;
    case AttributeType::originator_id:
      json["originator_id"] = routerIdText(read32(value, 0));
      return;
    case AttributeType::cluster_list:
      json["cluster_list"] = routerIds(value);
      return;
    case AttributeType::only_to_customer:
      json["otc"] = read32(value, 0);
      return;
    case AttributeType::as4_path:
      json["as4_path"] = asns(value, AsnBytes::four);
      return;
    case AttributeType::as4_aggregator:
      json["as4_aggregator"] = aggregator(value);
      return;
    default:
      json["unknown"].push_back({{"type", attribute.type}, {"flags", attribute.flags}, {"value", hex(value)}});
  }
}

}  // namespace

std::string familyKey(Family family) {
  if (family == kIpv4Unicast) return "ipv4";
  return family == kIpv6Unicast ? "ipv6" : toString(family);
}

std::string roleKey(BgpRole role) {
  static constexpr const char* kWords[] = {"provider", "route-server", "route-server-client", "customer", "peer"};
  const auto number = static_cast<std::size_t>(role);
  return number < std::size(kWords) ? kWords[number] : std::to_string(number);
}

const char* messageKey(MessageType type) {
  static constexpr const char* kWords[] = {"open", "update", "notification", "keepalive", "route_refresh"};
  return kWords[static_cast<std::size_t>(type) - 1];
}

const char* actionKey(ErrorAction action) {
  static constexpr const char* kWords[] = {"none", "attribute_discard", "treat_as_withdraw", "session_reset"};
  return kWords[static_cast<std::size_t>(action)];
}

const char* originKey(Origin origin) {
  static constexpr const char* kWords[] = {"igp", "egp", "incomplete"};
  return kWords[static_cast<std::size_t>(origin)];
}

std::string routerIdText(RouterId id) {
  return toString(Address(Ipv4{id}));
}

std::string hex(Octets octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : octets) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 0xf];
  }
  return text;
}

Json attributesJson(const NextHop& next_hop, Octets attributes, AsnBytes bytes) {
  const bool ourselves = next_hop.address == Address(Ipv4{});
  Json json = {{"next_hop", ourselves ? Json() : Json(toString(next_hop.address))},
               {"origin", originKey(Origin::incomplete)},
               {"as_path", Json::array()},
               {"med", nullptr},
               {"local_pref", nullptr},
               {"communities", Json::array()},
               {"extended_communities", Json::array()},
               {"large_communities", Json::array()},
               {"otc", nullptr}};
  if (next_hop.link_local) json["link_local_next_hop"] = toString(Address(*next_hop.link_local));
  forEachAttribute(attributes, [&](const Attribute& attribute) { put(json, attribute, bytes); });
  return json;
}

}  // namespace poplink::host::bgp
