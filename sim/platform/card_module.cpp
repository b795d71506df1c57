// SPDX-License-Identifier: Apache-2.0
#include "card_module.h"

namespace poplink::sim {

CardModule::CardModule(sc_core::sc_module_name name, unsigned bytes_per_cycle, std::function<std::uint64_t()> now_us)
    : sc_core::sc_module(name), bar0("bar0"), model_(bytes_per_cycle), now_us_(std::move(now_us)) {
  bar0.register_b_transport(this, &CardModule::transport);
  model_.on_sent = [this](SentFrame&& frame) { sent(std::move(frame)); };
  for (unsigned port = 0; port < CardModel::kPortCount; ++port) {
    ports_[port] = std::make_unique<Ingress>();
    ports_[port]->card = this;
    ports_[port]->port = port;
    model_.setPortUp(port, false);
  }
  SC_HAS_PROCESS(CardModule);
  SC_THREAD(run);
}

void CardModule::connect(unsigned port, FrameSink& sink) {
  sinks_.at(port) = &sink;
  model_.setPortUp(port, true);
}

void CardModule::Ingress::deliver(std::span<const std::uint8_t> frame) {
  card->model_.receive(port, frame);
  card->work_.notify(sc_core::SC_ZERO_TIME);
}

void CardModule::run() {
  for (;;) {
    if (model_.quiescent()) wait(work_);
    model_.setNow(now_us_());
    std::uint64_t cycles = 0;
    for (; cycles < kQuantumCycles && !model_.quiescent(); ++cycles) model_.step();
    if (cycles > 0) wait(static_cast<double>(cycles) * kCycle);
  }
}

void CardModule::sent(SentFrame&& frame) {
  if (on_sent) on_sent(frame);
  if (sinks_[frame.port] != nullptr) sinks_[frame.port]->deliver(frame.bytes);
}

void CardModule::transport(tlm::tlm_generic_payload& access, sc_core::sc_time& delay) {
  access.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  if (access.get_data_length() != 4 || access.get_byte_enable_ptr() != nullptr) return;
  const auto address = static_cast<std::uint32_t>(access.get_address());
  const std::uint64_t before = model_.cycle();
  std::uint32_t value = 0;
  try {
    if (access.is_read()) {
      value = model_.readRegister(address);
      std::memcpy(access.get_data_ptr(), &value, sizeof value);
    } else {
      std::memcpy(&value, access.get_data_ptr(), sizeof value);
      model_.writeRegister(address, value);
    }
    access.set_response_status(tlm::TLM_OK_RESPONSE);
  } catch (const BusError&) {
    access.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
  delay += static_cast<double>(model_.cycle() - before) * kCycle;
  if (!model_.quiescent()) work_.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace poplink::sim
