// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; };
struct Out { bits<8> r; };
namespace parity {
unsigned odd(unsigned n);
unsigned even(unsigned n) {
  return n == 0 ? 1 : odd(n - 1);
}
unsigned odd(unsigned n) {
  return n == 0 ? 0 : even(n - 1);
}
}  // namespace parity
void kernel(const In& in, Out& out) { out.r = static_cast<bits<8>>(parity::even(in.a)); }
// expect :12: error: recursion has no hardware: function 'parity::even' calls itself, through 'parity::odd'
// errors 1
