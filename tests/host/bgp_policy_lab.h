// SPDX-License-Identifier: Apache-2.0
// Routes and policies for tests.
#pragma once

#include "attribute_sink.h"
#include "bgp_octets.h"
#include "policy.h"

namespace poplink::host::bgp {

/// AS_PATH's value, four octets each.
inline Bytes pathOf(const std::vector<Asn>& asns) {
  Bytes path;
  VectorSink sink(path);
  SequenceWriter writer(sink, asns.size(), AsnBytes::four);
  for (const Asn asn : asns) writer.put(asn);
  return path;
}

inline AnyCommunity community(std::string_view text) {
  return parseCommunity(text).value();
}
inline std::vector<AnyCommunity> communities(std::initializer_list<const char*> texts) {
  std::vector<AnyCommunity> list;
  for (const char* text : texts) list.push_back(community(text));
  return list;
}

/// What a route has; canonical() writes it.
struct RouteParts {
  std::vector<Asn> path = {65010, 65020};
  std::vector<AnyCommunity> communities{};
  Origin origin = Origin::igp;
  std::optional<std::uint32_t> med{}, local_pref{};

  Bytes canonical() const {
    std::map<AttributeType, Bytes> values{{AttributeType::origin, {static_cast<std::uint8_t>(origin)}},
                                          {AttributeType::as_path, pathOf(path)}};
    if (med) put32(values[AttributeType::multi_exit_disc], *med);
    if (local_pref) put32(values[AttributeType::local_pref], *local_pref);
    for (const AnyCommunity& one : communities) {
      const CommunityOctets octets(one);
      put(values[octets.type()], octets.octets());
    }
    std::vector<AttributeChange> changes;
    changes.reserve(values.size());
    for (const auto& [type, value] : values) changes.push_back({type, value});
    return withChanges({}, changes);
  }
};

inline TermSettings term(const char* name, MatchSettings match, SetSettings set = {}, TermEnd then = TermEnd::accept) {
  return {name, std::move(match), std::move(set), then};
}

/// A policy without prefix lists.
inline Policy policyOf(std::vector<TermSettings> terms) {
  return {PolicySettings{std::move(terms)}, {}};
}

inline constexpr Prefix4 kSomePrefix{0xC6336400, 24};

inline Verdict judge(const Policy& policy, const Bytes& canonical) {
  return policy.judge(kSomePrefix, readFacts(canonical));
}

}  // namespace poplink::host::bgp
