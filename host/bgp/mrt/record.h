// SPDX-License-Identifier: Apache-2.0
// Records of MRT (RFC 6396): a header of time, type and length, then what the type says. They are appended one after
// another, so that a file can be written in slices.
#pragma once

#include <optional>
#include <string_view>

#include "octets.h"

namespace poplink::host::bgp::mrt {

/// Seconds since 1970-01-01 00:00 UTC.
using Timestamp = std::uint32_t;

/// Why something is not in the file. Nothing was appended for it then.
enum class Problem : std::uint8_t {
  view_too_long,        ///< more octets than a length of two can say
  too_many_peers,       ///< more than an index of two octets can number
  too_many_entries,     ///< as many are in the record as its count can say
  attributes_too_long,  ///< over kMaxAttributeBytes, with the next hop
  next_hop_family,      ///< an IPv4 next hop of an IPv6 prefix: no field is for it
  address_families,     ///< both ends of a session have addresses of one family
  not_a_message,        ///< not one whole BGP message by its own length
};
/// "the view's name is too long"
std::string_view words(Problem problem);

/// RFC 6396 section 4.
enum class Type : std::uint16_t { table_dump_v2 = 13, bgp4mp = 16 };

namespace detail {

/// Appends a record's header (RFC 6396 section 2); its length comes with end().
class Record {
 public:
  Record(std::vector<std::uint8_t>& to, Timestamp time, Type type, std::uint16_t subtype);
  /// The record is everything that was appended since; that is less than 4 GiB.
  void end();

 private:
  std::vector<std::uint8_t>& to_;
  std::size_t body_at_;
};

}  // namespace detail
}  // namespace poplink::host::bgp::mrt
