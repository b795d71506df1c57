// SPDX-License-Identifier: Apache-2.0
#include "delay.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace hlsc {

namespace {

// Fitted with script/calibrate; docs/delay-model.md has the figures. A count of n bits costs a constant and a slope per
// doubling, because a LUT's pins differ in speed.
constexpr double kLut[kLutPins] = {0.43, 0.54, 0.71, 0.77, 0.93, 0.94};  // a wire of 0.3 and the pin
constexpr double kGate = 0.20, kMux = 0.43;                              // a share of a LUT
constexpr double kFanOut = 0.15;                                         // of more than kFanOutFrom readers
constexpr std::size_t kFanOutFrom = 64;

struct Line {
  double start, slope;
  double at(double x) const { return start + slope * x; }
};
constexpr Line kAddXilinx{1.1, 0.029}, kAddLattice{0.75, 0.0215};   // by bit
constexpr Line kLessXilinx{1.4, 0.011}, kLessLattice{1.1, 0.0165};  // by bit
constexpr Line kMultiply{-0.75, 0.55};                              // by bit, while it is made of LUTs
constexpr Line kCount{-0.45, 0.77};                                 // by log2 of the bits
constexpr double kMultiplierBlock = 4.0;

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

double DelayModel::lut(unsigned pin) const {
  return kLut[pin] * scale();
}

double DelayModel::fanOut(std::size_t readers) const {
  return readers > kFanOutFrom ? kFanOut * scale() : 0.0;
}

double DelayModel::node(const Node& node) const {
  std::size_t bits = 0;
  for (const Value& operand : node.operands) bits = std::max(bits, operand.size());
  return operation(node.kind, bits);
}

double DelayModel::operation(Kind kind, std::size_t operand_bits) const {
  const auto bits = static_cast<double>(operand_bits);
  switch (kind) {
    case Kind::input:
    case Kind::bitNot:
      return 0.0;
    case Kind::bitAnd:
    case Kind::bitOr:
    case Kind::bitXor:
      return kGate * scale();
    case Kind::mux:
    case Kind::eq:
    case Kind::parity:
      return kMux * scale();
    case Kind::add:
    case Kind::sub:
      return (family == Family::ecp5 ? kAddLattice : kAddXilinx).at(bits) * scale();
    case Kind::ult:
      return (family == Family::ecp5 ? kLessLattice : kLessXilinx).at(bits) * scale();
    case Kind::mul:
      return std::clamp(kMultiply.at(bits), kMux, kMultiplierBlock) * scale();
    case Kind::count:
      return std::max(kMux, kCount.at(std::log2(bits))) * scale();
  }
  return 0.0;
}

}  // namespace hlsc
