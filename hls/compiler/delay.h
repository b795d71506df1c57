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

struct DelayModel {
  Family family = Family::xcup;

  /// Operands to result; `operand_bits` is the width of an operand, of a parity its longest row, of an
  /// equality the bits of both sides that are no constants.
  double operation(Kind kind, std::size_t width, std::size_t operand_bits) const;
  double node(const Node& node) const;
  double registerOut() const;  ///< clock to output plus setup of the register behind
  double tableOut() const;     ///< the same for a table's answer (RAM output register and wires)

 private:
  double scale() const;
};

}  // namespace hlsc
