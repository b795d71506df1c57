// SPDX-License-Identifier: Apache-2.0
// Pre-route delay estimates in nanoseconds: what the scheduler chains within one clock.
#pragma once

#include <string>

#include "netlist.h"

namespace hlsc {

enum class Family { xcup, xc7, ecp5 };

/// Throws std::invalid_argument for an unknown name.
Family familyNamed(const std::string& name);
const char* familyName(Family family);

inline constexpr unsigned kLutPins = 6;

struct DelayModel {
  Family family = Family::xcup;

  /// Operands of that width to result. What LUTs compute has no delay of its own (cover.h): for that it is the share of
  /// a LUT that one operation takes among others, a guess to shape trees by.
  double operation(Kind kind, std::size_t operand_bits) const;
  double node(const Node& node) const;
  /// Through a LUT and the wire in front of it; pin 0 is the fastest.
  double lut(unsigned pin) const;
  double fanOut(std::size_t readers) const;  ///< what a bit costs that many gates read
  double registerOut() const;                ///< clock to output plus setup of the register behind
  double tableOut() const;                   ///< the same for a table's answer (RAM output register and wires)

 private:
  double scale() const;
};

}  // namespace hlsc
