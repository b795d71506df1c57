// SPDX-License-Identifier: Apache-2.0
#include "nlri.h"

namespace poplink::host::bgp {

NlriScan scanNlri(Octets nlri, unsigned max_bits) {
  NlriScan scan;
  for (std::size_t at = 0; at < nlri.size(); ++scan.prefixes) {
    const std::size_t bits = nlri[at], size = 1 + prefixBytes(bits);
    if (bits > max_bits || size > nlri.size() - at) {
      scan.wrong_at = at;
      return scan;
    }
    at += size;
  }
  return scan;
}

}  // namespace poplink::host::bgp
