// SPDX-License-Identifier: Apache-2.0
// Routes and policies for tests.
#pragma once

#include "attribute_sink.h"
#include "bgp_octets.h"

namespace poplink::host::bgp {

/// AS_PATH's value, four octets each.
inline Bytes pathOf(const std::vector<Asn>& asns) {
  Bytes path;
  VectorSink sink(path);
  SequenceWriter writer(sink, asns.size(), AsnBytes::four);
  for (const Asn asn : asns) writer.put(asn);
  return path;
}

}  // namespace poplink::host::bgp
