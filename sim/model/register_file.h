// SPDX-License-Identifier: Apache-2.0
// The registers of a card as its map describes them: which there are, what software may write, what they hold.
#pragma once

#include <array>
#include <cstdint>

namespace poplink::sim {

class RegisterFile {
 public:
  static constexpr std::uint32_t kBytes = 0x4000;  ///< all registers are below; behind them are windows

  /// As after reset.
  RegisterFile();

  static bool known(std::uint32_t address);
  static bool writable(std::uint32_t address);

  /// What software wrote and what never changes; 0 in the place of fields that the card gives.
  std::uint32_t get(std::uint32_t address) const { return words_[address / 4]; }
  /// By software: fields that are not writable stay, fields that only act are not kept.
  void write(std::uint32_t address, std::uint32_t value);
  /// By the card.
  void set(std::uint32_t address, std::uint32_t value) { words_[address / 4] = value; }

 private:
  std::array<std::uint32_t, kBytes / 4> words_{};
};

}  // namespace poplink::sim
