// SPDX-License-Identifier: Apache-2.0
// expect ap_signed_field.cpp:5: error: field 'a' is signed: hardware fields are unsigned (ap_uint<N>)
// errors 1
#include "hls_ap.h"
struct In { ap_int<8> a; ap_uint<8> b; };
struct Out { ap_uint<8> r; };
void kernel(const In& in, Out& out) {
  out.r = in.a + in.b;
}
