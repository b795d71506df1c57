// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace poplink::driver {

/// The card cannot be reached, is held by another, or answered something it must not. The text says what to do where
/// that is known.
struct DriverError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace poplink::driver
