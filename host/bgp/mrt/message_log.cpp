// SPDX-License-Identifier: Apache-2.0
#include "message_log.h"

#include "message.h"

namespace poplink::host::bgp::mrt {

namespace {

constexpr std::uint16_t kMessageAs4 = 4, kStateChangeAs4 = 5;  // section 4.4

bool ofOneFamily(const SessionEnds& ends) {
  return ends.peer.index() == ends.local.index();
}

void putAddress(std::vector<std::uint8_t>& to, const Address& address) {
  if (const Ipv4* four = std::get_if<Ipv4>(&address))
    put32(to, *four);
  else
    put(to, std::get<Ipv6>(address));
}

void putEnds(std::vector<std::uint8_t>& to, const SessionEnds& ends) {
  put32(to, ends.peer_as);
  put32(to, ends.local_as);
  put16(to, ends.interface_index);
  put16(to, static_cast<std::uint16_t>(std::holds_alternative<Ipv4>(ends.peer) ? Afi::ipv4 : Afi::ipv6));
  putAddress(to, ends.peer);
  putAddress(to, ends.local);
}

}  // namespace

std::optional<Problem> putStateChange(std::vector<std::uint8_t>& to, Timestamp time, const SessionEnds& ends,
                                      SessionState before, SessionState after) {
  if (!ofOneFamily(ends)) return Problem::address_families;
  detail::Record record(to, time, Type::bgp4mp, kStateChangeAs4);
  putEnds(to, ends);
  put16(to, static_cast<std::uint16_t>(before));
  put16(to, static_cast<std::uint16_t>(after));
  record.end();
  return std::nullopt;
}

std::optional<Problem> putMessage(std::vector<std::uint8_t>& to, Timestamp time, const SessionEnds& ends,
                                  Octets message) {
  if (!ofOneFamily(ends)) return Problem::address_families;
  if (message.size() < kHeaderBytes || read16(message, kMarkerBytes) != message.size()) return Problem::not_a_message;
  detail::Record record(to, time, Type::bgp4mp, kMessageAs4);
  putEnds(to, ends);
  put(to, message);
  record.end();
  return std::nullopt;
}

}  // namespace poplink::host::bgp::mrt
