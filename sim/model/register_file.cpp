// SPDX-License-Identifier: Apache-2.0
#include "register_file.h"

#include <algorithm>

#include "poplink/card_map.h"

namespace poplink::sim {

namespace {

struct Word {
  bool known = false, writable = false;
  std::uint32_t kept = 0;  ///< bits that software writes and reads
  std::uint32_t reset = 0;
};
using Layout = std::array<Word, RegisterFile::kBytes / 4>;

constexpr Layout makeLayout() {
  Layout layout{};
  for (const card_map::Register& reg : card_map::kRegisters) {
    Word word{.known = true};
    for (const card_map::RegisterField& field : reg.fields) {
      const auto mask = field.bits.with(static_cast<std::uint32_t>((std::uint64_t{1} << field.bits.width) - 1));
      if (field.writable) word.writable = true;
      if (field.writable && field.readable) word.kept |= mask;
      if (field.readable) word.reset |= field.bits.with(field.reset);
    }
    for (std::uint32_t i = 0; i < std::max(1U, reg.count); ++i) layout[(reg.address + i * reg.stride) / 4] = word;
  }
  return layout;
}

constexpr Layout kLayout = makeLayout();

}  // namespace

RegisterFile::RegisterFile() {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] = kLayout[i].reset;
}

bool RegisterFile::known(std::uint32_t address) {
  return address < kBytes && address % 4 == 0 && kLayout[address / 4].known;
}

bool RegisterFile::writable(std::uint32_t address) {
  return known(address) && kLayout[address / 4].writable;
}

void RegisterFile::write(std::uint32_t address, std::uint32_t value) {
  const std::uint32_t kept = kLayout[address / 4].kept;
  words_[address / 4] = (words_[address / 4] & ~kept) | (value & kept);
}

}  // namespace poplink::sim
