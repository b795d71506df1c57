// SPDX-License-Identifier: Apache-2.0
// How register accesses get to a card. One transport per kind of card; Card is the same over all of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace poplink::driver {

/// One access to a 32-bit register of BAR0.
struct Access {
  enum class Kind : std::uint32_t { read = 0, write = 1 } kind;
  std::uint32_t address;    ///< byte offset in BAR0, a multiple of 4
  std::uint32_t value = 0;  ///< to write

  static Access read(std::uint32_t address) { return {Kind::read, address, 0}; }
  static Access write(std::uint32_t address, std::uint32_t value) { return {Kind::write, address, value}; }
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Does the accesses in order and returns what the reads among them gave. Throws DriverError at the first that the
  /// card refuses; those behind it are not done.
  virtual std::vector<std::uint32_t> run(std::span<const Access> accesses) = 0;

  /// For messages: which card this is.
  virtual std::string name() const = 0;
};

}  // namespace poplink::driver
