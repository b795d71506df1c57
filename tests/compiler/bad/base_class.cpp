// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Derived : In { bits<2> c; };
void kernel(const Derived& in, Out& out) { out.r = in.a + in.c; }
// expect has a base class
