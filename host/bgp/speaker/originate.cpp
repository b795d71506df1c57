// SPDX-License-Identifier: Apache-2.0
#include "originate.h"

#include <algorithm>

#include "../policy/community.h"
#include "common_rules.h"
#include "speaker.h"

namespace poplink::host::bgp {

std::vector<std::uint8_t> canonicalAttributes(const OriginatedRoute& route) {
  static constexpr std::uint8_t kBase[] = {kTransitive, 1, 1, static_cast<std::uint8_t>(Origin::igp),
                                           kTransitive, 2, 0};
  std::vector<AttributeChange> changes;
  if (route.med) changes.push_back(setTo(AttributeType::multi_exit_disc, *route.med));
  for (const AnyCommunity& community : route.communities) {
    const CommunityOctets octets(community);
    auto list = std::ranges::find(changes, octets.type(), &AttributeChange::type);
    if (list == changes.end()) list = changes.insert(list, AttributeChange{octets.type(), std::vector<std::uint8_t>()});
    put(*list->value, octets.octets());
  }
  return withChanges(kBase, changes);
}

NextHop nextHopOf(const OriginatedRoute& route) {
  return {route.next_hop.value_or(Ipv4{}), std::nullopt};
}

void Speaker::originate(const std::vector<OriginatedRoute>& before, const std::vector<OriginatedRoute>& routes,
                        std::vector<std::string>& changes, TimePoint now) {
  const auto say = [&changes](const auto& prefix, const char* what) {
    changes.push_back("originate " + toString(prefix) + ": " + what);
  };
  std::map<AnyPrefix, const OriginatedRoute*> known;  // and not seen in the new ones so far
  for (const OriginatedRoute& route : before) known[route.prefix] = &route;
  for (const OriginatedRoute& route : routes) {
    const auto was = known.extract(route.prefix);
    if (!was.empty() && *was.mapped() == route) continue;
    const AttributesId attributes = store_.intern(nextHopOf(route), canonicalAttributes(route));
    store_.hold(attributes);  // as received, and as used
    std::visit(
        [&]<class Prefix>(const Prefix& prefix) {
          RouteTable<Prefix>& table = own<Prefix>();
          table.put(table.locate(kLocalPeer, prefix), kLocalPeer, {attributes, attributes, Ineligible::none},
                    seconds(now));
          say(prefix, was.empty() ? "added" : "changed");
        },
        route.prefix);
  }
  for (const auto& [gone, route] : known) {
    std::visit(
        [&]<class Prefix>(const Prefix& prefix) {
          own<Prefix>().withdraw(kLocalPeer, prefix);
          say(prefix, "removed");
        },
        gone);
  }
}

}  // namespace poplink::host::bgp
