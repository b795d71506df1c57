// SPDX-License-Identifier: Apache-2.0
// What a pluggable module's memory says: SFF-8472 Rev 12.4, pages A0h (identity) and A2h (diagnostics). Pure: bytes in,
// values out, whatever the bytes are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace poplink::driver {

inline constexpr std::size_t kModulePageBytes = 256;

/// Page A0h. Texts are printable ASCII without blanks at their end; other bytes have become '?'.
struct ModuleIdentity {
  std::string type;       ///< as "10GBASE-LR", by its compliance codes; empty: none that is known here
  std::string connector;  ///< as "LC"; its number in hexadecimal when it has no name here
  std::string vendor;
  std::array<std::uint8_t, 3> oui{};  ///< of the vendor, IEEE
  std::string part;
  std::string revision;
  std::string serial;
  std::string date;              ///< of manufacture, YYMMDD and two characters for the lot
  unsigned bitrate_mbd = 0;      ///< nominal, MBd; 0: not said
  unsigned wavelength_nm = 0;    ///< 0: not said, or a copper cable
  bool checksums_good = false;   ///< CC_BASE and CC_EXT; when not, doubt the rest
  bool has_diagnostics = false;  ///< page A2h is there and can be read
  friend bool operator==(const ModuleIdentity&, const ModuleIdentity&) = default;
};

/// A diagnostic value with the module's own limits for it.
struct Reading {
  enum class State { good, low_warning, high_warning, low_alarm, high_alarm };
  double value = 0;
  double high_alarm = 0, low_alarm = 0, high_warning = 0, low_warning = 0;
  /// By value and limits; alarms before warnings.
  State state() const;
};

/// Page A2h.
struct ModuleDiagnostics {
  Reading temperature_c;
  Reading supply_v;
  Reading bias_ma;
  Reading transmit_uw;
  Reading receive_uw;
  bool fault = false;          ///< of the transmitter
  bool los = false;            ///< loss of signal
  bool ready = false;          ///< the values are there
  bool checksum_good = false;  ///< CC_DMI, which covers the limits and not the values
};

ModuleIdentity decodeIdentity(std::span<const std::uint8_t, kModulePageBytes> page_a0);
/// `page_a0` says how the values are calibrated.
ModuleDiagnostics decodeDiagnostics(std::span<const std::uint8_t, kModulePageBytes> page_a0,
                                    std::span<const std::uint8_t, kModulePageBytes> page_a2);

/// Power in dBm; nothing: none at all.
std::optional<double> dbmOf(double microwatts);

}  // namespace poplink::driver
