// SPDX-License-Identifier: Apache-2.0
// The resilient choice of a member alone, for its area: with the flow hash, what ECMP is made of.
#include "ecmp.h"

namespace poplink::kernels {

struct ChooseIn {
  bits<16> live;
  bool there;
  bits<4> first;
  bits<4> second;
  bits<4> third;
  bits<4> start;
};

void choose_member(const ChooseIn& in, Choice& out) {
  out = choose(in.live, in.there, in.first, in.second, in.third, in.start);
}

}  // namespace poplink::kernels
