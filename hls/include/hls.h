// SPDX-License-Identifier: Apache-2.0
// The types of kernel code. A kernel is plain C++20: it runs natively as it is, and hlsc compiles the same source to a
// pipeline.
#pragma once

namespace hls {

/// An unsigned integer of exactly N bits (1 and up). Arithmetic wraps at the wider operand's width; cast to say
/// another. hlsc reads the width of ports and table fields from this alias, so use it (or bool, or a fixed-width
/// unsigned type) for every field.
template <unsigned N>
using bits = unsigned _BitInt(N);

}  // namespace hls

/// Before a declaration of lookup_NAME() or update_NAME(): cycles from key to entry, 1 to 64 (an update 3 to 64).
///
///     HLS_LATENCY(1) PortEntry lookup_port(hls::bits<4> key);
///
/// Of several declarations the last counts. Means nothing to a native run. hlsc's option --lookup-latency NAME=N is
/// stronger, and N for all tables weaker.
#ifdef __clang__
#define HLS_LATENCY(cycles) [[clang::annotate("hls.latency", cycles)]]
#else
#define HLS_LATENCY(cycles)
#endif
