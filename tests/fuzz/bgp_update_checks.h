// SPDX-License-Identifier: Apache-2.0
// What holds for every UPDATE, whatever was received.
#pragma once

#include <algorithm>
#include <memory>

#include "attribute_sink.h"
#include "message.h"
#include "require.h"
#include "update_builder.h"

namespace poplink::host::bgp {

/// By the bits of an octet.
inline UpdateContext contextOf(std::uint8_t bits) {
  return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
}

template <class Prefix>
std::vector<Prefix> prefixesOf(Octets nlri) {
  std::vector<Prefix> all;
  forEachPrefix<Prefix>(nlri, [&all](const Prefix& prefix) { all.push_back(prefix); });
  return all;
}

inline void requireSound(const Update& update) {
  const ErrorAction action = update.findings.action();
  require((action == ErrorAction::none) == (update.findings.count() == 0));
  require(action < ErrorAction::treat_as_withdraw || update.canonical.empty());
  for (const Finding& finding : update.findings.kept()) require(!words(finding).empty());
  if (action == ErrorAction::session_reset) require(update.findings.notification().code == ErrorCode::update_message);
  const std::array<const Routes*, 4> fields{&update.withdrawn, &update.mp_withdrawn, &update.announced,
                                            &update.mp_announced};
  for (const Routes* const routes : fields) {
    const std::size_t count = routes->family.afi == Afi::ipv4 ? prefixesOf<Prefix4>(routes->nlri).size()
                                                              : prefixesOf<Prefix6>(routes->nlri).size();
    require(count == routes->prefixes);
  }
}

/// An UPDATE of these attributes and routes in the form given, read as a speaker of that kind does: it says the same.
template <class Prefix>
void requireSameAgain(const Update& update, const AnnouncedRoutes& routes, UpdateForm form, UpdateContext context) {
  UpdateBuilder builder =
      UpdateBuilder::announce(form, routes.next_hop, wireAttributes(update.canonical, context.four_octet_asn));
  const std::vector<Prefix> all = prefixesOf<Prefix>(routes.nlri);
  for (const Prefix& prefix : all)
    if (!builder.add(prefix)) return;  // longer than what was received, e.g. for AS4_PATH
  const std::vector<std::uint8_t> message = builder.take();
  const auto framed = nextMessage(message);
  const auto space = std::make_unique<DecodeSpace>();
  const Update again = decodeUpdate(std::get<Message>(framed).body, context, *space);
  require(again.findings.count() == 0);
  require(std::ranges::equal(again.canonical, update.canonical));
  const AnnouncedRoutes& found = form == UpdateForm::ipv4 ? again.announced : again.mp_announced;
  require(found.next_hop == routes.next_hop);
  require(prefixesOf<Prefix>(found.nlri) == all);
}

/// Sent on to speakers of both kinds.
inline void requireRoundTrip(const Update& update, UpdateContext context) {
  if (update.canonical.empty()) return;
  context.ipv4_unicast = context.ipv6_unicast = context.extended_next_hop = true;
  for (const bool four_octet_asn : {true, false}) {
    context.four_octet_asn = four_octet_asn;
    if (!update.announced.nlri.empty()) requireSameAgain<Prefix4>(update, update.announced, UpdateForm::ipv4, context);
    if (update.mp_announced.nlri.empty()) continue;
    if (update.mp_announced.family == kIpv4Unicast)
      requireSameAgain<Prefix4>(update, update.mp_announced, UpdateForm::ipv4_multiprotocol, context);
    else
      requireSameAgain<Prefix6>(update, update.mp_announced, UpdateForm::ipv6_multiprotocol, context);
  }
}

/// The body of an UPDATE in octets of exactly its size.
inline void checkUpdate(Octets body, const UpdateContext& context) {
  const std::vector<std::uint8_t> octets(body.begin(), body.end());
  const auto space = std::make_unique<DecodeSpace>();
  const Update update = decodeUpdate(octets, context, *space);
  requireSound(update);
  requireRoundTrip(update, context);
}

/// MP_REACH_NLRI and MP_UNREACH_NLRI of a family that was agreed on, and other attributes behind them. The first octet
/// of `input` chooses the session; then come the two, each a length of two octets (0: it is not there) and what follows
/// its AFI and SAFI; what is left are attributes. All lengths around are right, so that every input gets to the family.
inline void checkMultiprotocol(Family family, Octets input) {
  if (input.empty()) return;
  UpdateContext context = contextOf(input[0]);
  (family == kIpv4Unicast ? context.ipv4_unicast : context.ipv6_unicast) = true;
  input = input.subspan(1);
  std::vector<std::uint8_t> attributes;
  VectorSink sink(attributes);
  for (const AttributeType type : {AttributeType::mp_reach_nlri, AttributeType::mp_unreach_nlri}) {
    if (input.size() < 2) return;
    const std::size_t size = std::min<std::size_t>(read16(input, 0), input.size() - 2);
    if (size != 0) {
      putAttributeHeader(sink, static_cast<std::uint8_t>(type), kOptional, 3 + size);
      sink.put16(static_cast<std::uint16_t>(family.afi));
      sink.put8(static_cast<std::uint8_t>(family.safi));
      sink.put(input.subspan(2, size));
    }
    input = input.subspan(2 + size);
  }
  sink.put(input);
  std::vector<std::uint8_t> body;
  put16(body, 0);
  put16(body, static_cast<std::uint16_t>(attributes.size()));
  put(body, attributes);
  if (body.size() <= kMaxBodyBytes) checkUpdate(body, context);
}

}  // namespace poplink::host::bgp
