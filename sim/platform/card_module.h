// SPDX-License-Identifier: Apache-2.0
// The Verilated card as a SystemC module: frame ports, and BAR0 as a TLM-2.0 target.
//
// A process owns the card's clock. It steps many cycles per SystemC event (kQuantumCycles), because an event costs as
// much as dozens of cycles, and sleeps while the card is quiescent: an idle card costs nothing, and the cycles that it
// slept through are counted when it wakes. What the card plans by its own time wakes it: by itself while card time runs
// as SystemC time does, else by attend(). Its cycle is thus SystemC time, or at most one quantum ahead; frames between
// cards are late by at most one quantum, never early.
#pragma once

#include <tlm.h>
#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <systemc>

#include "card_model.h"
#include "frame_port.h"

namespace poplink::sim {

inline constexpr std::uint64_t kQuantumCycles = 64;
inline constexpr unsigned kEventVector = 8;                                              ///< a port's state has changed
inline const sc_core::sc_time kCycle(static_cast<double>(kNsPerCycle), sc_core::SC_NS);  // 250 MHz

class CardModule : public sc_core::sc_module {
 public:
  /// 32-bit reads and writes; a refused one answers TLM_ADDRESS_ERROR_RESPONSE. An access takes cycles of the card and
  /// no SystemC time: the software that does it is not simulated.
  tlm_utils::simple_target_socket<CardModule> bar0;

  /// `now_us`: the card's time in a cycle.
  CardModule(sc_core::sc_module_name name, std::function<std::uint64_t(std::uint64_t cycle)> now_us);

  /// Frames for port `port` go in here; as by a MAC, short ones are padded.
  FrameSink& ingress(unsigned port) { return ports_.at(port); }
  /// Frames that leave `port` go there, and it has a link and a module; without a sink it has neither.
  void connect(unsigned port, FrameSink& sink);

  /// The link of a connected port falls or comes back; an idle card notices at once.
  void setLink(unsigned port, bool up);
  /// The light that a port's module receives changes; nothing: darkness.
  void setLight(unsigned port, std::optional<double> dbm);

  /// The host is gone or its function was reset: all rings and captures are disabled, and have come to rest.
  void stopHostPath();
  /// Where the card's DMA goes.
  void attach(HostMemory& memory) { model_.host.memory = &memory; }
  /// Called with an MSI-X vector when the card interrupts its host.
  std::function<void(unsigned vector)> on_interrupt;

  bool quiescent() const { return model_.quiescent(); }
  /// Card time at which a quiescent card has something to do; nothing: never, or it is awake.
  std::optional<std::uint64_t> alarmUs() const { return quiescent() ? model_.alarmUs() : std::nullopt; }
  /// Wakes the card when that time has come.
  void attend();
  CardModel& model() { return model_; }
  /// Called for every frame that leaves, before its sink gets it.
  std::function<void(const SentFrame&)> on_sent;

 private:
  struct Ingress : FrameSink {
    CardModule* card = nullptr;
    unsigned port = 0;
    void deliver(std::span<const std::uint8_t> frame) override;
  };

  void start_of_simulation() override { origin_ = model_.cycle(); }
  /// A quantum; comes again when SystemC time has followed, or when there is work.
  void run();
  void transport(tlm::tlm_generic_payload& access, sc_core::sc_time& delay);
  void sent(SentFrame&& frame);
  /// Lets the card take notice of a change at its ports.
  void notice();
  /// The cycle that SystemC time stands for.
  std::uint64_t dueCycle() const { return origin_ + sc_core::sc_time_stamp().value() / kCycle.value(); }
  /// Until a card time, by SystemC time; if that runs faster, run() looks again.
  sc_core::sc_time untilUs(std::uint64_t due_us) const;
  /// Counts the cycles that a quiescent card has slept through.
  void wake();

  CardModel model_;
  std::function<std::uint64_t(std::uint64_t)> now_us_;
  std::uint64_t origin_ = 0;  ///< cycle of SystemC time 0
  sc_core::sc_event work_;
  std::array<Ingress, CardModel::kPortCount> ports_;
  std::array<FrameSink*, CardModel::kPortCount> sinks_{};
};

}  // namespace poplink::sim
