// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
namespace x { void kernel(const In& in, Out& out) { out.r = in.a; } }
namespace y { void kernel(const In& in, Out& out) { out.r = in.b; } }
// expect two functions are called 'kernel'
