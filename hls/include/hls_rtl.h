// SPDX-License-Identifier: Apache-2.0
// Values of kernel code on the ports of a Verilated module, whatever type Verilator chose for the port's width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hls.h"

namespace hls::rtl {

namespace detail {

template <class Port>
concept Word = std::is_integral_v<Port>;

/// Bits [low, low + width) of a wide port, width at most 32.
template <class Port>
std::uint32_t readPart(const Port& port, unsigned low, unsigned width) {
  const unsigned word = low / 32, shift = low % 32;
  std::uint64_t both = port[word];
  if (shift + width > 32) both |= static_cast<std::uint64_t>(port[word + 1]) << 32;
  return static_cast<std::uint32_t>((both >> shift) & ((std::uint64_t{1} << width) - 1));
}

template <class Port>
void writePart(Port& port, unsigned low, unsigned width, std::uint32_t value) {
  for (unsigned done = 0; done < width;) {
    const unsigned word = (low + done) / 32, shift = (low + done) % 32;
    const unsigned part = width - done < 32 - shift ? width - done : 32 - shift;
    const auto mask = static_cast<std::uint32_t>(((std::uint64_t{1} << part) - 1) << shift);
    port[word] = (port[word] & ~mask) | ((static_cast<std::uint32_t>(std::uint64_t{value} >> done) << shift) & mask);
    done += part;
  }
}

}  // namespace detail

/// N bits from bit `low` of a port.
template <unsigned N, class Port>
bits<N> read(const Port& port, unsigned low = 0) {
  if constexpr (detail::Word<Port>) {
    return static_cast<bits<N>>(port >> low);
  } else {
    bits<N> value = 0;
    for (unsigned at = 0; at < N; at += 32) {
      const unsigned part = N - at < 32 ? N - at : 32;
      value |= static_cast<bits<N>>(static_cast<bits<N>>(detail::readPart(port, low + at, part)) << at);
    }
    return value;
  }
}

template <unsigned N, class Port>
void write(Port& port, bits<N> value, unsigned low = 0) {
  if constexpr (detail::Word<Port>) {
    const auto mask = static_cast<std::uint64_t>(static_cast<bits<N>>(~bits<N>{0})) << low;
    port = static_cast<Port>((port & ~mask) | ((static_cast<std::uint64_t>(value) << low) & mask));
  } else {
    for (unsigned at = 0; at < N; at += 32) {
      const unsigned part = N - at < 32 ? N - at : 32;
      detail::writePart(port, low + at, part, static_cast<std::uint32_t>(value >> at));
    }
  }
}

/// A struct's member, scalar or array of scalars, onto the W bits of its port and back.
template <unsigned W, class Port, class Member>
void put(Port& port, const Member& member) {
  if constexpr (std::is_array_v<Member>) {
    constexpr unsigned kCount = std::extent_v<Member>;
    for (unsigned i = 0; i < kCount; ++i)
      write<W / kCount>(port, static_cast<bits<W / kCount>>(member[i]), i * (W / kCount));
  } else {
    write<W>(port, static_cast<bits<W>>(member));
  }
}

template <unsigned W, class Port, class Member>
void get(const Port& port, Member& member) {
  if constexpr (std::is_array_v<Member>) {
    constexpr unsigned kCount = std::extent_v<Member>;
    for (unsigned i = 0; i < kCount; ++i) {
      member[i] = static_cast<std::remove_extent_t<Member>>(read<W / kCount>(port, i * (W / kCount)));
    }
  } else {
    member = static_cast<Member>(read<W>(port));
  }
}

}  // namespace hls::rtl
