// SPDX-License-Identifier: Apache-2.0
// Registers of a card by their names.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "poplink/card_map.h"
#include "poplink/driver/transport.h"

namespace poplink::host {

/// What was asked for cannot be; the text says what could.
struct RegisterError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// NAME or NAME=VALUE, NAME being REGISTER[INDEX].FIELD with index and field where there are such.
struct RegisterRequest {
  const card_map::Register* which = nullptr;
  std::optional<unsigned> index;                   ///< of an array; nothing: all of it
  const card_map::RegisterField* field = nullptr;  ///< only this one
  std::optional<std::uint32_t> value;              ///< to write: of the field, else of the register

  std::uint32_t address(unsigned at) const { return which->address + at * which->stride; }
};

/// Throws RegisterError: a name that is not there (the text has those like it), an index out of the array, a value that
/// is none, does not fit, or changes what software cannot write.
RegisterRequest parseRegister(const std::string& text);

/// A register with what it holds.
struct RegisterValue {
  const card_map::Register* which;
  std::optional<unsigned> index;
  std::uint32_t value;

  std::string name() const;
};

/// All that can be read.
std::vector<RegisterValue> readRegisters(driver::Transport& card);
/// Does what is requested, and reads what was asked for or written.
std::vector<RegisterValue> carryOut(driver::Transport& card, const RegisterRequest& request);

}  // namespace poplink::host
