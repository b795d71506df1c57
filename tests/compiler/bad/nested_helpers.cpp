// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; bits<8> s; };
namespace math {
template <class T>
unsigned third(T x) {
  return x / 3;
}
struct Scaler {
  unsigned scale(unsigned x) const { return third(x) + third(x + 1); }
};
}  // namespace math
void kernel(const In& in, Out& out) {
  const auto scaled = [](unsigned x) { return math::Scaler{}.scale(x); };
  out.r = static_cast<bits<8>>(scaled(in.a));
  out.s = static_cast<bits<8>>(scaled(in.b));
}
// expect :9: error: division by something other than a power of two has no pipeline here (in function 'math::third<unsigned int>')
// expect :12: note: inlined from here, in function 'math::Scaler::scale'
// expect :16: note: inlined from here, in function 'lambda in kernel'
// expect :17: note: inlined from here, in function 'kernel'
// errors 1
