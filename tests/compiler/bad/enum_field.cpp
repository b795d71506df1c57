// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
enum class Colour { red, green };
struct Enum { Colour x; };
void kernel(const Enum& in, Out& out) { out.r = in.x == Colour::red; }
// expect :7: error: field 'x' is an enumeration
