// SPDX-License-Identifier: Apache-2.0
// The parser alone, for its area.
#include "parse.h"

namespace poplink::kernels {

struct ParseIn {
  bits<8> header[kHeaderBytes];
  bits<16> s_tpid;
};

void parse_frame(const ParseIn& in, Parsed& out) {
  out = parse(in.header, in.s_tpid);
}

}  // namespace poplink::kernels
