// SPDX-License-Identifier: Apache-2.0
// AS_PATH: segments, each a type, a number of AS numbers, and these in two or four octets (RFC 4271 section 4.3,
// RFC 6793). Sets and confederation segments are refused, so that an accepted path is a sequence; here it is written in
// one way only, as few segments as its length needs with the last one not full, so that equal paths are equal octets.
#pragma once

#include "octets.h"
#include "types.h"

namespace poplink::host::bgp {

enum class SegmentType : std::uint8_t { as_set = 1, as_sequence = 2, as_confed_sequence = 3, as_confed_set = 4 };
inline constexpr std::size_t kMaxSegmentAsns = 255;

enum class AsnBytes : std::uint8_t { two = 2, four = 4 };

struct PathScan {
  bool framed = true;          ///< segments of known types, none empty, the last one ending with the path
  bool set = false;            ///< there is an AS_SET or AS_CONFED_SET
  bool confederation = false;  ///< there is an AS_CONFED_SEQUENCE
  bool zero = false;           ///< there is an AS 0
  std::size_t asns = 0;        ///< in AS_SEQUENCEs
};
/// Of any octets. When they are not framed, the others say what was seen before.
PathScan scanPath(Octets path, AsnBytes bytes);

/// Calls visit(asn) with each AS number of the AS_SEQUENCEs of a framed path.
template <class Visit>
void forEachAsn(Octets path, AsnBytes bytes, Visit&& visit) {
  const std::size_t width = static_cast<std::size_t>(bytes);
  for (std::size_t at = 0; at < path.size();) {
    const auto type = static_cast<SegmentType>(path[at]);
    const std::size_t end = at + 2 + path[at + 1] * width;
    if (type == SegmentType::as_sequence)
      for (std::size_t asn = at + 2; asn < end; asn += width)
        visit(width == 2 ? Asn{read16(path, asn)} : read32(path, asn));
    at = end;
  }
}

/// AS numbers as path length counts them, of a framed path: one for a set, none for segments of a confederation
/// (RFC 4271 section 9.1.2.2, RFC 5065 section 5.3).
std::size_t pathLength(Octets path, AsnBytes bytes);

/// How often `asn` is in a framed path of four-octet numbers: more than allowed is a loop (RFC 4271 section 9.1.2).
std::size_t timesInPath(Octets path, Asn asn);

/// Octets of a sequence of so many AS numbers.
constexpr std::size_t sequenceBytes(std::size_t asns, AsnBytes bytes) {
  return asns * static_cast<std::size_t>(bytes) + 2 * ((asns + kMaxSegmentAsns - 1) / kMaxSegmentAsns);
}

/// Writes AS numbers, one after the other, as a sequence; how many there will be is known from the beginning. `Sink`
/// has put8(), put16() and put32().
template <class Sink>
class SequenceWriter {
 public:
  SequenceWriter(Sink& sink, std::size_t asns, AsnBytes bytes) : sink_(sink), left_(asns), bytes_(bytes) {}

  void put(Asn asn) {
    if (in_segment_ == 0) {
      in_segment_ = left_ < kMaxSegmentAsns ? left_ : kMaxSegmentAsns;
      sink_.put8(static_cast<std::uint8_t>(SegmentType::as_sequence));
      sink_.put8(static_cast<std::uint8_t>(in_segment_));
    }
    if (bytes_ == AsnBytes::four)
      sink_.put32(asn);
    else
      sink_.put16(static_cast<std::uint16_t>(asn <= 0xffff ? asn : kAsTrans));
    --in_segment_;
    --left_;
  }

 private:
  Sink& sink_;
  std::size_t left_;
  std::size_t in_segment_ = 0;
  AsnBytes bytes_;
};

}  // namespace poplink::host::bgp
