// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; };
struct Out { bits<8> r; };
namespace far {
template <class T>
T away(T x);
}  // namespace far
void kernel(const In& in, Out& out) {
  out.r = static_cast<bits<8>>(far::away<unsigned long>(in.a) + far::away<unsigned long>(in.a + 1));
}
// expect :11: error: call of 'far::away<unsigned long>', which is not defined in the kernel's source
// errors 1
