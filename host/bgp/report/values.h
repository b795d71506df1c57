// SPDX-License-Identifier: Apache-2.0
// Values of BGP as JSON: what reports are made of.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "../wire/attributes.h"
#include "../wire/message.h"
#include "../wire/open.h"
#include "../wire/update.h"

namespace poplink::host::bgp {

using Json = nlohmann::ordered_json;

/// "ipv4" and "ipv6", as in the speaker file; others in words.
std::string familyKey(Family family);
/// As in the speaker file; a number that is no role in digits.
std::string roleKey(BgpRole role);
/// "open", "route_refresh"
const char* messageKey(MessageType type);
/// "treat_as_withdraw"
const char* actionKey(ErrorAction action);
/// "igp", "egp", "incomplete"
const char* originKey(Origin origin);
std::string routerIdText(RouterId id);
std::string hex(Octets octets);

template <class Value>
Json orNull(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}
/// Empty: null.
inline Json orNull(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

/// A route's attributes. There always: next_hop (null: this speaker itself), origin, as_path, med, local_pref,
/// communities, extended_communities, large_communities, otc. Only where a route has them: link_local_next_hop,
/// atomic_aggregate, aggregator, originator_id, cluster_list, as4_path, as4_aggregator, and `unknown`, a list of
/// {type, flags, value: hex}. `asns`: as AS_PATH and AGGREGATOR have them; two octets in what an old speaker is told.
Json attributesJson(const NextHop& next_hop, Octets attributes, AsnBytes asns = AsnBytes::four);

}  // namespace poplink::host::bgp
