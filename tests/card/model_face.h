// SPDX-License-Identifier: Apache-2.0
// The model of a card where tests and benchmarks expect the Verilated one.
#pragma once

#include "card_model.h"
#include "model_card.h"

namespace poplink::tests {

/// A ModelCard with the face of a CardModel: all that does not need a clock.
class ModelFace {
 public:
  ModelFace(sim::PortSpeed, int) : model([this] { return now_; }) {}

  void writeRegister(std::uint32_t address, std::uint32_t value) {
    if (!model.write(address, value)) throw sim::BusError("refused");
  }
  std::uint32_t readRegister(std::uint32_t address) {
    const auto value = model.read(address);
    if (!value) throw sim::BusError("refused");
    return *value;
  }
  void setNow(std::uint64_t now_us) {
    now_ = now_us;
    model.poll();
  }
  void setPortUp(unsigned port, bool up) { model.setPortUp(port, up); }
  void setModule(unsigned port, std::optional<sim::Module> module) { model.setModule(port, std::move(module)); }
  void setReceivedLight(unsigned port, std::optional<double> dbm) { model.setReceivedLight(port, dbm); }
  void receive(unsigned port, const Frame& frame, bool bad) { model.receive(port, frame, bad); }

  sim::ModelCard model;

 private:
  std::uint64_t now_ = 0;
};

}  // namespace poplink::tests
