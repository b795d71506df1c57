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
