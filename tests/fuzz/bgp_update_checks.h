// SPDX-License-Identifier: Apache-2.0
// What holds for every UPDATE, whatever was received.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "message.h"
#include "update_builder.h"

namespace poplink::host::bgp {

inline void require(bool holds) {
  if (!holds) std::abort();
}

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

}  // namespace poplink::host::bgp
