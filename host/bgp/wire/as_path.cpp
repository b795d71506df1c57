// SPDX-License-Identifier: Apache-2.0
#include "as_path.h"

namespace poplink::host::bgp {

PathScan scanPath(Octets path, AsnBytes bytes) {
  PathScan scan;
  const std::size_t width = static_cast<std::size_t>(bytes);
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t left = path.size() - at;
    const std::size_t asns = left < 2 ? 0 : path[at + 1];
    const auto type = static_cast<SegmentType>(path[at]);
    const bool known = type >= SegmentType::as_set && type <= SegmentType::as_confed_set;
    if (!known || asns == 0 || 2 + asns * width > left) {
      scan.framed = false;
      return scan;
    }
    scan.set |= type == SegmentType::as_set || type == SegmentType::as_confed_set;
    scan.confederation |= type == SegmentType::as_confed_sequence;
    for (std::size_t i = 0; i < asns; ++i) {
      const std::size_t asn = at + 2 + i * width;
      scan.zero |= (width == 2 ? Asn{read16(path, asn)} : read32(path, asn)) == 0;
    }
    if (type == SegmentType::as_sequence) scan.asns += asns;
    at += 2 + asns * width;
  }
  return scan;
}

std::size_t pathLength(Octets path, AsnBytes bytes) {
  std::size_t length = 0;
  for (std::size_t at = 0; at < path.size(); at += 2 + path[at + 1] * static_cast<std::size_t>(bytes)) {
    const auto type = static_cast<SegmentType>(path[at]);
    if (type == SegmentType::as_sequence) length += path[at + 1];
    if (type == SegmentType::as_set) ++length;
  }
  return length;
}

std::size_t timesInPath(Octets path, Asn asn) {
  std::size_t times = 0;
  forEachAsn(path, AsnBytes::four, [&times, asn](Asn other) { times += other == asn ? 1u : 0u; });
  return times;
}

}  // namespace poplink::host::bgp
