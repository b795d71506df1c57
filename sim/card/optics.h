// SPDX-License-Identifier: Apache-2.0
// The pluggable modules of a card's ports: the light that they send and receive, and the memory they show (SFF-8472
// Rev 12.4). What is plugged is a Module; from its fields comes the memory's image.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace poplink::sim {

inline constexpr unsigned kModuleBytes = 512;  ///< page A0h, then page A2h
inline constexpr double kUsualLossDb = 3.0;    ///< of a cable
inline constexpr double kTransparent = 0.0;    ///< loss_db: from
inline constexpr double kOpaque = 60.0;        ///< loss_db: to
inline constexpr double kDarkestDbm = -40.0;   ///< 0.1 uW: what is less no module shows

/// What a module does to the light in its fibres.
struct Optic {
  double transmit_dbm = -2.0;      ///< that it sends
  double sensitivity_dbm = -14.4;  ///< below it there is no signal
};

struct Module {
  std::string vendor = "Poplink";  ///< at most 16 printable characters, as part and serial
  std::string part = "SFP-10G-LR";
  std::string revision = "A";  ///< at most 4
  std::string serial = "PL0";
  std::array<std::uint8_t, 3> oui{0x02, 0x50, 0x4C};  ///< locally administered
  unsigned wavelength_nm = 1310;
  bool gigabit = false;  ///< 1000BASE-LX instead of 10GBASE-LR
  bool fault = false;    ///< its transmitter has failed
  Optic optic{};
};

/// What is usual at a speed.
inline Module usualModule(bool gigabit, std::string serial) {
  Module module;
  module.serial = std::move(serial);
  if (!gigabit) return module;
  module.part = "SFP-1G-LX";
  module.gigabit = true;
  module.optic = {-5.0, -19.0};  // IEEE 802.3, 38.4: between -11 and -3 dBm, from -19 dBm on
  return module;
}

/// In the unit of SFF-8472, 0.1 uW; 0: no light.
inline std::uint16_t tenthsOfMicrowatt(std::optional<double> dbm) {
  if (!dbm || *dbm < kDarkestDbm) return 0;
  return static_cast<std::uint16_t>(std::min(std::lround(std::pow(10.0, *dbm / 10) * 10'000), 65'535L));
}

/// The light of a port as the card's registers show it.
struct PortLight {
  bool module = false;
  bool fault = false;
  bool los = false;
  std::uint16_t transmit = 0;  ///< 0.1 uW
  std::uint16_t receive = 0;
};

inline PortLight lightOf(const std::optional<Module>& module, std::optional<double> received_dbm) {
  if (!module) return {};
  const bool los = !received_dbm || *received_dbm < module->optic.sensitivity_dbm;
  return {true, module->fault, los,
          tenthsOfMicrowatt(module->fault ? std::nullopt : std::optional(module->optic.transmit_dbm)),
          tenthsOfMicrowatt(received_dbm)};
}

/// Both pages, as read from the module.
class ModuleImage {
 public:
  ModuleImage(const Module& module, std::optional<double> received_dbm) {
    identity(module);
    diagnostics(module, lightOf(module, received_dbm));
  }
  std::span<const std::uint8_t, kModuleBytes> bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kDiagnostics = 256;  ///< page A2h

  void identity(const Module& module) {
    const std::uint8_t head[] = {0x03, 0x04, 0x07};  // SFP or SFP+, identified by its memory, LC connector
    std::copy(std::begin(head), std::end(head), bytes_.begin());
    if (module.gigabit)
      bytes_[6] = 0x02;  // 1000BASE-LX
    else
      bytes_[3] = 0x20;                         // 10GBASE-LR
    bytes_[11] = module.gigabit ? 0x01 : 0x06;  // 8B/10B, 64B/66B
    bytes_[12] = module.gigabit ? 13 : 103;     // 100 MBd
    bytes_[14] = 10;                            // km
    bytes_[15] = 100;                           // 100 m
    text(20, 16, module.vendor);
    std::copy(module.oui.begin(), module.oui.end(), bytes_.begin() + 37);
    text(40, 16, module.part);
    text(56, 4, module.revision);
    word(60, module.wavelength_nm);
    bytes_[63] = sum(0, 63);  // CC_BASE
    bytes_[65] = 0x1A;        // rate select is none; TX_DISABLE, TX_FAULT, RX_LOS are there
    text(68, 16, module.serial);
    text(84, 8, "250101");
    bytes_[92] = 0x68;         // diagnostics, internally calibrated, received power is the average
    bytes_[93] = 0xF0;         // alarm flags, soft TX_DISABLE, TX_FAULT, RX_LOS
    bytes_[94] = 0x09;         // SFF-8472 Rev 12.4
    bytes_[95] = sum(64, 95);  // CC_EXT
  }

  /// High alarm, low alarm, high warning, low warning; then its value now, and flags.
  void reading(unsigned number, std::array<int, 4> limits, int value) {
    for (unsigned i = 0; i < 4; ++i) word(kDiagnostics + 8 * number + 2 * i, static_cast<unsigned>(limits[i]));
    word(kDiagnostics + 96 + 2 * number, static_cast<unsigned>(value));
    for (unsigned level = 0; level < 2; ++level) {  // bytes 112, 113: alarms; 116, 117: warnings; high, low each
      const unsigned flags = (value > limits[2 * level] ? 2U : 0U) | (value < limits[2 * level + 1] ? 1U : 0U);
      bytes_[kDiagnostics + 112 + 4 * level + number / 4] |= static_cast<std::uint8_t>(flags << (6 - 2 * (number % 4)));
    }
  }

  void diagnostics(const Module& module, const PortLight& light) {
    const auto dbm = [](double value) -> int { return tenthsOfMicrowatt(value); };
    const Optic& optic = module.optic;
    reading(0, {75 * 256, -10 * 256, 70 * 256, -5 * 256}, 36 * 256 + 128);         // 1/256 degree C
    reading(1, {36'000, 30'000, 35'000, 31'000}, 33'000);                          // 100 uV
    reading(2, {40'000, 2'500, 35'000, 5'000}, light.transmit == 0 ? 0 : 16'000);  // 2 uA
    reading(3,
            {dbm(optic.transmit_dbm + 4.5), dbm(optic.transmit_dbm - 8.2), dbm(optic.transmit_dbm + 2.5),
             dbm(optic.transmit_dbm - 6.2)},
            light.transmit);
    reading(4, {dbm(2.5), dbm(optic.sensitivity_dbm - 4), dbm(0.5), dbm(optic.sensitivity_dbm)}, light.receive);
    bytes_[kDiagnostics + 68] = 0x3F;  // Rx_PWR(1) = 1.0, the other powers 0; slopes 1.0, offsets 0
    bytes_[kDiagnostics + 69] = 0x80;
    for (const unsigned slope : {76U, 80U, 84U, 88U}) bytes_[kDiagnostics + slope] = 1;
    bytes_[kDiagnostics + 95] = sum(kDiagnostics, kDiagnostics + 95);  // CC_DMI
    bytes_[kDiagnostics + 110] = static_cast<std::uint8_t>((light.fault ? 4U : 0U) | (light.los ? 2U : 0U));
  }

  void text(std::size_t at, std::size_t width, const std::string& value) {
    for (std::size_t i = 0; i < width; ++i)
      bytes_[at + i] = i < value.size() ? static_cast<std::uint8_t>(value[i]) : ' ';
  }
  void word(std::size_t at, unsigned value) {  // the high byte first
    bytes_[at] = static_cast<std::uint8_t>(value >> 8);
    bytes_[at + 1] = static_cast<std::uint8_t>(value);
  }
  std::uint8_t sum(std::size_t from, std::size_t to) const {
    unsigned total = 0;
    for (std::size_t i = from; i < to; ++i) total += bytes_[i];
    return static_cast<std::uint8_t>(total);
  }

  std::array<std::uint8_t, kModuleBytes> bytes_{};
};

/// What is plugged into a card's ports, and the board's part in it: it shows the ports' light to a Verilated card_core
/// and answers its questions for the modules' memories.
template <class Dut, unsigned kPorts>
class ModuleCages {
 public:
  unsigned answer_cycles = 4;  ///< from a question to its answer
  bool answers = true;         ///< false: the board is stuck

  void plug(Dut& dut, unsigned port, std::optional<Module> module) {
    cages_.at(port).module = std::move(module);
    show(dut, port);
  }
  void shine(Dut& dut, unsigned port, std::optional<double> received_dbm) {
    cages_.at(port).received_dbm = received_dbm;
    show(dut, port);
  }
  const std::optional<Module>& module(unsigned port) const { return cages_.at(port).module; }
  PortLight light(unsigned port) const { return lightOf(cages_.at(port).module, cages_.at(port).received_dbm); }

  void reset(Dut& dut) {
    dut.module_ack = dut.module_error = 0;
    dut.module_data = 0;
    for (unsigned port = 0; port < kPorts; ++port) show(dut, port);
  }
  /// Of a signal wider than 64 bits.
  template <class Wide>
  static void setBits(Wide& wide, unsigned low, unsigned width, std::uint32_t value) {
    for (unsigned i = 0; i < width; ++i) {
      auto& word = wide[(low + i) / 32];
      const std::uint32_t bit = 1U << ((low + i) % 32);
      word = (value >> i & 1) != 0 ? word | bit : word & ~bit;
    }
  }

  /// Before a rising edge.
  void drive(Dut& dut) {
    dut.module_ack = 0;
    if (!dut.module_req) {
      waited_ = 0;
    } else if (answers && waited_++ >= answer_cycles) {
      const Cage& cage = cages_[dut.module_address / kModuleBytes];
      dut.module_ack = 1;
      dut.module_error = !cage.module;
      if (!cage.module) return;
      const ModuleImage image(*cage.module, cage.received_dbm);
      std::uint32_t word = 0;
      for (unsigned i = 0; i < 4; ++i)
        word |= static_cast<std::uint32_t>(image.bytes()[dut.module_address % kModuleBytes + i]) << (8 * i);
      dut.module_data = word;
    }
  }

 private:
  struct Cage {
    std::optional<Module> module;
    std::optional<double> received_dbm;
  };

  void show(Dut& dut, unsigned port) {
    const PortLight light = this->light(port);
    const auto bit = [&](auto& bits, bool value) {
      bits = static_cast<std::remove_reference_t<decltype(bits)>>(value ? bits | (1U << port) : bits & ~(1U << port));
    };
    bit(dut.port_module, light.module);
    bit(dut.port_fault, light.fault);
    bit(dut.port_los, light.los);
    setBits(dut.port_tx_light, 16 * port, 16, light.transmit);
    setBits(dut.port_rx_light, 16 * port, 16, light.receive);
  }

  std::array<Cage, kPorts> cages_{};
  unsigned waited_ = 0;
};

}  // namespace poplink::sim
