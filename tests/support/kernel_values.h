// SPDX-License-Identifier: Apache-2.0
// Members of kernel structs, whatever their type: random values, comparison, bits for the netlist evaluator.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "hls.h"

namespace poplink::tests {

template <class Member>
struct WidthOf {
  static constexpr unsigned kWidth = sizeof(Member) * 8;
};
template <unsigned N>
struct WidthOf<unsigned _BitInt(N)> {
  static constexpr unsigned kWidth = N;
};
template <>
struct WidthOf<bool> {
  static constexpr unsigned kWidth = 1;
};

/// Uniform, but one time in four a value that programs treat specially: 0, 1, all ones, or the top bit.
template <class Member, class Random>
void randomise(Member& member, Random& random) {
  if constexpr (std::is_array_v<Member>) {
    for (auto& element : member) randomise(element, random);
  } else {
    constexpr unsigned kWidth = WidthOf<Member>::kWidth;
    hls::bits<kWidth> value = 0;
    for (unsigned at = 0; at < kWidth; at += 32)
      value |= static_cast<hls::bits<kWidth>>(static_cast<hls::bits<kWidth>>(random() & 0xFFFF'FFFFU) << at);
    switch (random() % 16) {
      case 0:
        value = 0;
        break;
      case 1:
        value = static_cast<hls::bits<kWidth>>(1);
        break;
      case 2:
        value = static_cast<hls::bits<kWidth>>(~hls::bits<kWidth>{0});
        break;
      case 3:
        value = static_cast<hls::bits<kWidth>>(hls::bits<kWidth>{1} << (kWidth - 1));
        break;
      default:
        break;
    }
    member = static_cast<Member>(value);
  }
}

template <class Member>
bool same(const Member& a, const Member& b) {
  if constexpr (std::is_array_v<Member>) {
    for (unsigned i = 0; i < std::extent_v<Member>; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  } else {
    return a == b;
  }
}

/// Appends the member's bits, least significant first, arrays from element 0.
template <class Member>
void appendBits(const Member& member, std::vector<bool>& bits) {
  if constexpr (std::is_array_v<Member>) {
    for (const auto& element : member) appendBits(element, bits);
  } else {
    constexpr unsigned kWidth = WidthOf<Member>::kWidth;
    for (unsigned i = 0; i < kWidth; ++i) bits.push_back(((static_cast<hls::bits<kWidth>>(member) >> i) & 1) != 0);
  }
}

}  // namespace poplink::tests
