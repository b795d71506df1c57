// SPDX-License-Identifier: Apache-2.0
#include "delay.h"

#include <cmath>
#include <stdexcept>

namespace hlsc {

namespace {

constexpr double kLut = 0.38;         // one LUT6 with its wire, UltraScale+
constexpr double kPackedGate = 0.20;  // a two-input gate usually shares a LUT with its neighbours
constexpr double kCarryStart = 0.45;
constexpr double kCarryPerBit = 0.01;
constexpr double kWideSelect = 0.15;  // fan-out of a select that drives more than kWideSelectBits bits
constexpr unsigned kWideSelectBits = 64;

}  // namespace

Family familyNamed(const std::string& name) {
  if (name == "xcup") return Family::xcup;
  if (name == "xc7") return Family::xc7;
  if (name == "ecp5") return Family::ecp5;
  throw std::invalid_argument("unknown family '" + name + "' (xcup, xc7 or ecp5)");
}

const char* familyName(Family family) {
  switch (family) {
    case Family::xcup:
      return "xcup";
    case Family::xc7:
      return "xc7";
    case Family::ecp5:
      return "ecp5";
  }
  return "";
}

double DelayModel::scale() const {
  switch (family) {
    case Family::xcup:
      return 1.0;
    case Family::xc7:
      return 1.4;
    case Family::ecp5:
      return 2.2;
  }
  return 1.0;
}

double DelayModel::registerOut() const {
  return 0.15 * scale();
}

double DelayModel::tableOut() const {
  return 0.9 * scale();
}

double DelayModel::node(const Node& node) const {
  std::size_t bits = 0;
  for (const Value& operand : node.operands) bits = std::max(bits, operand.size());
  return operation(node.kind, node.width, bits);
}

double DelayModel::operation(Kind kind, std::size_t width, std::size_t operand_bits) const {
  const auto bits = static_cast<double>(operand_bits);
  switch (kind) {
    case Kind::input:
    case Kind::bitNot:
      return 0.0;
    case Kind::bitAnd:
    case Kind::bitOr:
    case Kind::bitXor:
      return kPackedGate * scale();
    case Kind::mux:
      return (kLut + (width > kWideSelectBits ? kWideSelect : 0.0)) * scale();
    case Kind::add:
    case Kind::sub:
    case Kind::ult:
      return (kCarryStart + kCarryPerBit * bits) * scale();
    case Kind::eq:
      return kLut * std::max(1.0, std::log(2.0 * bits) / std::log(6.0)) * scale();
    case Kind::mul:
      return (2.0 * kCarryStart + 0.06 * bits) * scale();
    case Kind::parity:
      return kLut * std::ceil(std::log(bits) / std::log(6.0) - 1e-9) * scale();
    case Kind::count:  // compressor tree of three inputs to two outputs
      return kLut * std::ceil(std::log(bits / 2.0) / std::log(1.9)) * scale();
  }
  return 0.0;
}

}  // namespace hlsc
