// SPDX-License-Identifier: Apache-2.0
#include "card_module.h"

#include "poplink/card_map.h"

namespace poplink::sim {

namespace {
constexpr std::uint64_t kLinkCycles = 16;  // until liveness has passed the card's registers and an interrupt is out
constexpr unsigned kStopPolls = 1000;      // reads of a ring's state: more than its longest transfer takes
}  // namespace

CardModule::CardModule(sc_core::sc_module_name name, std::function<std::uint64_t(std::uint64_t)> now_us)
    : sc_core::sc_module(name), bar0("bar0"), now_us_(std::move(now_us)) {
  bar0.register_b_transport(this, &CardModule::transport);
  model_.on_sent = [this](SentFrame&& frame) { sent(std::move(frame)); };
  for (unsigned port = 0; port < CardModel::kPortCount; ++port) {
    ports_[port].card = this;
    ports_[port].port = port;
    model_.setPortUp(port, false);
    model_.setModule(port, std::nullopt);
  }
  model_.host.on_interrupt = [this](unsigned vector) {
    if (on_interrupt) on_interrupt(vector);
  };
  SC_HAS_PROCESS(CardModule);
  SC_METHOD(run);
}

void CardModule::connect(unsigned port, FrameSink& sink) {
  sinks_.at(port) = &sink;
  model_.setPortUp(port, true);
  model_.setModule(port, usualModule(false, "PL" + std::to_string(port)));
}

void CardModule::setLink(unsigned port, bool up) {
  wake();
  model_.setPortUp(port, up);
  notice();
}

void CardModule::setLight(unsigned port, std::optional<double> dbm) {
  wake();
  model_.setReceivedLight(port, dbm);
  notice();
}

void CardModule::notice() {
  for (std::uint64_t i = 0; i < kLinkCycles; ++i) model_.step();
  work_.notify(sc_core::SC_ZERO_TIME);
}

void CardModule::stopHostPath() {
  wake();
  const std::uint64_t before = model_.cycle();
  for (unsigned ring = 0; ring < card_map::reg::kRingControlCount; ++ring)
    model_.writeRegister(card_map::reg::kRingControl + ring * card_map::reg::kRingControlStride, 0);
  model_.writeRegister(card_map::reg::kCaptureControl, 0);
  model_.writeRegister(card_map::reg::kLearnPorts, 0);
  const auto runs = [this](unsigned ring) {
    const std::uint32_t status =
        model_.readRegister(card_map::reg::kRingStatus + ring * card_map::reg::kRingStatusStride);
    return card_map::field::kRingStatusRunning.of(status) != 0;
  };
  for (unsigned ring = 0; ring < card_map::reg::kRingControlCount; ++ring) {
    for (unsigned polls = 0; polls < kStopPolls && runs(ring); ++polls) {
    }
  }
  origin_ += model_.cycle() - before;
  if (!model_.quiescent()) work_.notify(sc_core::SC_ZERO_TIME);
}

void CardModule::Ingress::deliver(std::span<const std::uint8_t> frame) {
  card->wake();
  if (frame.size() < kMinFrameBytes) {
    Frame padded(frame.begin(), frame.end());
    padded.resize(kMinFrameBytes);
    card->model_.receive(port, padded);
  } else {
    card->model_.receive(port, frame);
  }
  card->work_.notify(sc_core::SC_ZERO_TIME);
}

void CardModule::wake() {
  if (model_.quiescent() && model_.cycle() < dueCycle()) model_.skip(dueCycle() - model_.cycle());
}

void CardModule::attend() {
  const auto alarm_us = alarmUs();
  if (!alarm_us || now_us_(dueCycle()) < *alarm_us) return;
  wake();
  model_.setNow(now_us_(model_.cycle()));
  notice();
}

void CardModule::run() {
  attend();
  if (!model_.quiescent()) model_.setNow(now_us_(model_.cycle()));
  for (std::uint64_t i = 0; i < kQuantumCycles && !model_.quiescent(); ++i) model_.step();
  if (model_.cycle() > dueCycle())
    next_trigger(static_cast<double>(model_.cycle() - dueCycle()) * kCycle);
  else if (const auto alarm_us = alarmUs())
    next_trigger(untilUs(*alarm_us), work_);
  else
    next_trigger(work_);
}

sc_core::sc_time CardModule::untilUs(std::uint64_t due_us) const {
  const std::uint64_t now_us = now_us_(dueCycle());
  return {static_cast<double>(due_us > now_us ? due_us - now_us : 1), sc_core::SC_US};
}

void CardModule::sent(SentFrame&& frame) {
  if (on_sent) on_sent(frame);
  if (sinks_[frame.port] != nullptr) sinks_[frame.port]->deliver(frame.bytes);
}

void CardModule::transport(tlm::tlm_generic_payload& access, sc_core::sc_time&) {
  access.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  if (access.get_data_length() != 4 || access.get_byte_enable_ptr() != nullptr) return;
  const std::uint64_t address = access.get_address();
  access.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  if (address >= kBar0Bytes) return;
  wake();
  model_.setNow(now_us_(model_.cycle()));
  const std::uint64_t before = model_.cycle();
  std::uint32_t value = 0;
  try {
    if (access.is_read()) {
      value = model_.readRegister(static_cast<std::uint32_t>(address));
      std::memcpy(access.get_data_ptr(), &value, sizeof value);
    } else {
      std::memcpy(&value, access.get_data_ptr(), sizeof value);
      model_.writeRegister(static_cast<std::uint32_t>(address), value);
    }
    access.set_response_status(tlm::TLM_OK_RESPONSE);
  } catch (const BusError&) {
  }
  origin_ += model_.cycle() - before;
  if (!model_.quiescent()) work_.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace poplink::sim
