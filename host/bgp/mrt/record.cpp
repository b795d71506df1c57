// SPDX-License-Identifier: Apache-2.0
#include "record.h"

namespace poplink::host::bgp::mrt {

std::string_view words(Problem problem) {
  switch (problem) {
    case Problem::view_too_long:
      return "the view's name is too long";
    case Problem::too_many_peers:
      return "too many peers";
    case Problem::too_many_entries:
      return "too many entries of one prefix";
    case Problem::attributes_too_long:
      return "too many attributes";
    case Problem::next_hop_family:
      return "an IPv6 prefix with an IPv4 next hop";
    case Problem::address_families:
      return "the session's addresses are of two families";
    case Problem::not_a_message:
      return "not one BGP message";
  }
  return "";
}

namespace detail {

Record::Record(std::vector<std::uint8_t>& to, Timestamp time, Type type, std::uint16_t subtype) : to_(to) {
  put32(to, time);
  put16(to, static_cast<std::uint16_t>(type));
  put16(to, subtype);
  put32(to, 0);
  body_at_ = to.size();
}

void Record::end() {
  const std::size_t size = to_.size() - body_at_;
  write16(to_, body_at_ - 4, static_cast<std::uint16_t>(size >> 16));
  write16(to_, body_at_ - 2, static_cast<std::uint16_t>(size));
}

}  // namespace detail
}  // namespace poplink::host::bgp::mrt
