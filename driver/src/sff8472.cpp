// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/sff8472.h"

#include <bit>
#include <cmath>
#include <cstdio>

namespace poplink::driver {

namespace {

using Page = std::span<const std::uint8_t, kModulePageBytes>;

// Page A0h, table 4-1.
constexpr std::size_t kConnector = 2, kBitrate = 12, kVendor = 20, kOui = 37, kPart = 40, kRevision = 56,
                      kWavelength = 60, kCcBase = 63, kHighBitrate = 66, kSerial = 68, kDate = 84, kMonitoring = 92,
                      kCcExt = 95;
constexpr unsigned kCopper = 0x0C;  // of byte 8: passive or active cable
constexpr unsigned kHasDiagnostics = 0x40, kExternallyCalibrated = 0x10, kAddressChange = 0x04;  // of byte 92

// Page A2h, table 4-5.
constexpr std::size_t kReceivePowers = 56, kBiasSlope = 76, kTransmitSlope = 80, kTemperatureSlope = 84,
                      kSupplySlope = 88, kCcDmi = 95, kValues = 96, kStatus = 110;

unsigned word(Page page, std::size_t at) {
  return static_cast<unsigned>(page[at]) << 8 | page[at + 1];
}

int signedWord(Page page, std::size_t at) {
  return static_cast<std::int16_t>(word(page, at));
}

std::string text(Page page, std::size_t at, std::size_t width) {
  std::string value;
  for (const std::uint8_t byte : page.subspan(at, width))
    value += byte == 0 ? ' ' : byte >= ' ' && byte <= '~' ? static_cast<char>(byte) : '?';
  const auto last = value.find_last_not_of(' ');
  return value.substr(0, last == std::string::npos ? 0 : last + 1);
}

bool sums(Page page, std::size_t from, std::size_t to) {
  unsigned total = 0;
  for (const std::uint8_t byte : page.subspan(from, to - from)) total += byte;
  return (total & 0xFF) == page[to];
}

std::string typeOf(Page page) {
  struct Code {
    std::size_t byte;
    unsigned bit;
    const char* name;
  };
  // Table 5-3.
  static constexpr Code kCodes[] = {{3, 7, "10GBASE-ER"},  {3, 6, "10GBASE-LRM"},  {3, 5, "10GBASE-LR"},
                                    {3, 4, "10GBASE-SR"},  {8, 3, "active cable"}, {8, 2, "passive cable"},
                                    {6, 3, "1000BASE-T"},  {6, 2, "1000BASE-CX"},  {6, 1, "1000BASE-LX"},
                                    {6, 0, "1000BASE-SX"}, {6, 6, "BASE-BX10"}};
  for (const Code& code : kCodes) {
    if ((page[code.byte] >> code.bit & 1) != 0) return code.name;
  }
  return "";
}

std::string connectorOf(unsigned number) {
  switch (number) {  // SFF-8024, table 4-3
    case 0x01:
      return "SC";
    case 0x07:
      return "LC";
    case 0x0B:
      return "optical pigtail";
    case 0x0C:
      return "MPO";
    case 0x21:
      return "copper pigtail";
    case 0x22:
      return "RJ45";
    case 0x23:
      return "none";
    default: {
      char digits[5];
      std::snprintf(digits, sizeof digits, "0x%02x", number & 0xFF);
      return digits;
    }
  }
}

/// Section 9.3: slope, unsigned with 8 binary places, and offset, in the value's unit.
struct Linear {
  double slope = 1, offset = 0;
  double operator()(double raw) const { return slope * raw + offset; }
};

struct Calibration {
  Linear temperature, supply, bias, transmit;
  std::array<double, 5> receive{0, 1, 0, 0, 0};  ///< of the powers of the raw value, from 0
};

Calibration calibrationOf(Page a0, Page a2) {
  if ((a0[kMonitoring] & kExternallyCalibrated) == 0) return {};
  const auto linear = [&](std::size_t at) -> Linear { return {word(a2, at) / 256.0, double(signedWord(a2, at + 2))}; };
  Calibration calibration{
      linear(kTemperatureSlope), linear(kSupplySlope), linear(kBiasSlope), linear(kTransmitSlope), {}};
  for (std::size_t power = 0; power < 5; ++power) {  // IEEE 754 single precision, the highest power first
    const std::size_t at = kReceivePowers + 4 * (4 - power);
    const auto value = std::bit_cast<float>(word(a2, at) << 16 | word(a2, at + 2));
    calibration.receive[power] = std::isfinite(value) ? static_cast<double>(value) : 0;
  }
  return calibration;
}

/// Value and limits, each from the place of its raw word.
template <class Convert>
Reading reading(std::size_t number, Convert convert) {
  const std::size_t limits = 8 * number;
  return {convert(kValues + 2 * number), convert(limits), convert(limits + 2), convert(limits + 4),
          convert(limits + 6)};
}

}  // namespace

Reading::State Reading::state() const {
  if (value > high_alarm) return State::high_alarm;
  if (value < low_alarm) return State::low_alarm;
  if (value > high_warning) return State::high_warning;
  return value < low_warning ? State::low_warning : State::good;
}

ModuleIdentity decodeIdentity(Page page) {
  ModuleIdentity identity;
  identity.type = typeOf(page);
  identity.connector = connectorOf(page[kConnector]);
  identity.vendor = text(page, kVendor, 16);
  for (std::size_t i = 0; i < identity.oui.size(); ++i) identity.oui[i] = page[kOui + i];
  identity.part = text(page, kPart, 16);
  identity.revision = text(page, kRevision, 4);
  identity.serial = text(page, kSerial, 16);
  identity.date = text(page, kDate, 8);
  identity.bitrate_mbd = page[kBitrate] == 0xFF ? page[kHighBitrate] * 250U : page[kBitrate] * 100U;
  if ((page[8] & kCopper) == 0) identity.wavelength_nm = word(page, kWavelength);
  identity.checksums_good = sums(page, 0, kCcBase) && sums(page, kCcBase + 1, kCcExt);
  identity.has_diagnostics = (page[kMonitoring] & kHasDiagnostics) != 0 && (page[kMonitoring] & kAddressChange) == 0;
  return identity;
}

ModuleDiagnostics decodeDiagnostics(Page a0, Page a2) {
  const Calibration calibration = calibrationOf(a0, a2);
  ModuleDiagnostics result;
  result.temperature_c = reading(0, [&](auto at) { return calibration.temperature(signedWord(a2, at)) / 256; });
  result.supply_v = reading(1, [&](auto at) { return calibration.supply(word(a2, at)) / 10'000; });   // 100 uV
  result.bias_ma = reading(2, [&](auto at) { return calibration.bias(word(a2, at)) / 500; });         // 2 uA
  result.transmit_uw = reading(3, [&](auto at) { return calibration.transmit(word(a2, at)) / 10; });  // 0.1 uW
  result.receive_uw = reading(4, [&](auto at) {
    double value = 0;
    for (std::size_t power = 5; power-- > 0;) value = value * word(a2, at) + calibration.receive[power];
    return value / 10;
  });
  result.fault = (a2[kStatus] & 0x04) != 0;
  result.los = (a2[kStatus] & 0x02) != 0;
  result.ready = (a2[kStatus] & 0x01) == 0;
  result.checksum_good = sums(a2, 0, kCcDmi);
  return result;
}

std::optional<double> dbmOf(double microwatts) {
  if (!(microwatts > 0)) return std::nullopt;
  return 10 * std::log10(microwatts / 1000);
}

}  // namespace poplink::driver
