// SPDX-License-Identifier: Apache-2.0
// The Verilated card with its MACs: frames in, frames out, registers, one clock. Everything that drives a simulated
// card goes through here.
//
// MACs are modelled at the beat level of the card's shared bus: an ingress MAC hands a beat over when its bytes have
// come in at the port's speed (preamble 8, FCS 4 and gap 12 counted), an egress MAC takes beats while its small buffer
// has room and empties it at the port's speed. Frames have no FCS here; frames sent short (a popped tag) are padded to
// 60 bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

// Verilator takes the presence of SystemC for a SystemC model; ours is a plain one.
#pragma push_macro("SYSTEMC_VERSION")
#undef SYSTEMC_VERSION
#include "Vcard_core.h"
#pragma pop_macro("SYSTEMC_VERSION")

#include "host_bus.h"
#include "optics.h"

namespace poplink::sim {

using Frame = std::vector<std::uint8_t>;

inline constexpr double kCoreClockHz = 250e6;
inline constexpr std::uint64_t kNsPerCycle = 4;
inline constexpr unsigned kPreambleBytes = 8;
inline constexpr unsigned kTrailerBytes = 16;  ///< FCS 4, gap 12
inline constexpr unsigned kWireOverheadBytes = kPreambleBytes + kTrailerBytes;
inline constexpr unsigned kTenGigabitBytesPerCycle = 5;  ///< 10 Gbit/s at 250 MHz
inline constexpr unsigned kMinFrameBytes = 60;
inline constexpr std::uint32_t kBar0Bytes = 1U << 20;
inline constexpr std::uint64_t kResetCycles = 70'000;  ///< reset and the tables' clearing, at most

/// Of a port, in Gbit/s. `bus`: a frame takes no time on the wire, only the card's bus limits.
enum class PortSpeed : unsigned { bus = 0, gigabit = 1, ten_gigabit = 10 };

/// The card answered SLVERR, or not at all.
struct BusError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct SentFrame {
  unsigned port;
  Frame bytes;
  std::uint64_t first_cycle;  ///< its first beat was offered to the MAC
  std::uint64_t last_cycle;
};

/// `Dut`: a Verilated card_core with `kPorts` ports and a bus of `kBeatBytes` bytes.
template <class Dut, unsigned kBeatBytes, unsigned kPorts>
class BasicCardModel {
 public:
  static constexpr unsigned kPortCount = kPorts;
  /// Whether the model was made with `--trace-fst`.
  static constexpr bool kTraces = requires(Dut& dut) { dut.trace(nullptr, 1); };

  /// `speed`: of every port. `seed`: of the registers and memories before reset, in a model built with
  /// `--x-initial unique`, which comes up random as hardware does.
  explicit BasicCardModel(PortSpeed speed = PortSpeed::bus, int seed = 1)
      : context_(makeContext(seed)), dut_(std::make_unique<Dut>(context_.get())) {
    for (unsigned port = 0; port < kPorts; ++port) {
      setSpeed(port, speed);
      setModule(port, usualModule(speed == PortSpeed::gigabit, "PL" + std::to_string(port)));
    }
    assign(dut_->port_up, (1U << kPorts) - 1);
    dut_->now_us = 0;
    dut_->serial = 0;
    dut_->tx_tready = 0;
    dut_->rx_tvalid = 0;
    dut_->s_axil_awvalid = dut_->s_axil_wvalid = dut_->s_axil_arvalid = 0;
    dut_->s_axil_bready = dut_->s_axil_rready = 0;
    host.reset(*dut_);
    modules.reset(*dut_);
    dut_->clk = 0;
    dut_->rst = 1;
    dut_->eval();
    for (int i = 0; i < 4; ++i) step();
    host.reset(*dut_);  // forgets what registers that came up random have asked of it
    dut_->rst = 0;
    for (std::uint64_t i = 0; i < kResetCycles && !quiescent(); ++i) step();
    if (!quiescent()) throw std::logic_error("the card did not come out of reset");
  }
  ~BasicCardModel() { dut_->final(); }
  BasicCardModel(const BasicCardModel&) = delete;
  BasicCardModel& operator=(const BasicCardModel&) = delete;

  /// Called for each frame that leaves, in the cycle of its last beat.
  std::function<void(SentFrame&&)> on_sent;
  /// Called when the last beat of a received frame is on the bus: (port, cycle).
  std::function<void(unsigned, std::uint64_t)> on_received;

  /// The host's bus: its memory, latencies and interrupts.
  HostBusModel<Dut, kBeatBytes> host;
  /// The ports' modules, and the board that reads them.
  ModuleCages<Dut, kPorts> modules;

  /// In a model that traces: called after each evaluation, with the clock's level.
  std::function<void(bool)> on_eval;

  /// The peer of `port` sends a frame; it queues behind earlier ones on the wire. `bad`: the MAC will mark it (FCS or
  /// code error).
  void receive(unsigned port, std::span<const std::uint8_t> bytes, bool bad = false) {
    if (bytes.empty()) throw std::invalid_argument("a frame has at least one byte");
    Ingress& in = ingress_.at(port);
    if (in.frames.empty()) in.next_beat_time = std::max(in.next_beat_time, now(port)) + firstBeat(port, bytes.size());
    Frame& frame = in.frames.emplace_back(takeBuffer(), bad).bytes;
    frame.assign(bytes.begin(), bytes.end());
    ++frames_waiting_;
  }
  /// Frames on the wire towards `port` that are not fully received.
  std::size_t waiting(unsigned port) const { return ingress_.at(port).frames.size(); }
  std::size_t waiting() const { return frames_waiting_; }

  /// Before the port's first frame. What is as fast as the bus says that it were 10G.
  void setSpeed(unsigned port, PortSpeed speed) {
    bits_per_cycle_.at(port) = static_cast<unsigned>(speed) * kBitsPerCycleOfGigabit;
    modules.setBits(dut_->port_speed, 20 * port, 20, speed == PortSpeed::gigabit ? 1'000 : 10'000);
  }
  /// 0: as fast as the bus.
  unsigned bitsPerCycle(unsigned port) const { return bits_per_cycle_.at(port); }
  void setPortUp(unsigned port, bool up) {
    assign(dut_->port_up, up ? dut_->port_up | (1U << port) : dut_->port_up & ~(1U << port));
  }
  /// Plugs a module, which receives light of its own kind over a usual cable, or pulls it. The link is another matter.
  void setModule(unsigned port, std::optional<Module> module) {
    const std::optional<double> received =
        module ? std::optional(module->optic.transmit_dbm - kUsualLossDb) : std::nullopt;
    modules.plug(*dut_, port, std::move(module));
    setReceivedLight(port, received);
  }
  /// Nothing: darkness.
  void setReceivedLight(unsigned port, std::optional<double> dbm) { modules.shine(*dut_, port, dbm); }
  bool portUp(unsigned port) const { return ((dut_->port_up >> port) & 1U) != 0; }
  bool portEnabled(unsigned port) const { return ((dut_->port_enable >> port) & 1U) != 0; }
  /// A blocked egress MAC takes nothing: what a paused or stuck link partner looks like.
  void blockEgress(unsigned port, bool blocked) { egress_.at(port).blocked = blocked; }
  void setNow(std::uint64_t microseconds) { dut_->now_us = microseconds; }
  void setSerial(std::uint64_t serial) { dut_->serial = serial; }

  std::uint64_t cycle() const { return cycle_; }
  /// Nothing inside the card or on its wires: it need not be clocked.
  bool quiescent() const { return dut_->quiescent && frames_waiting_ == 0 && !bus_busy_; }

  /// Card time by which a quiescent card has to be clocked again; nothing: it has nothing planned.
  std::optional<std::uint64_t> alarmUs() const {
    return dut_->alarm ? std::optional<std::uint64_t>(dut_->alarm_us) : std::nullopt;
  }

  /// One clock cycle.
  void step() {
    driveIngress();
    driveReady();
    host.drive(*dut_, cycle_);
    modules.drive(*dut_);
    dut_->clk = 1;
    dut_->eval();
    ++cycle_;
    evaluated(true);
    collectEgress();
    dut_->clk = 0;
    dut_->eval();
    evaluated(false);
  }
  /// Cycles in which a quiescent card's clock stands still.
  void skip(std::uint64_t cycles) { cycle_ += cycles; }
  void run(std::uint64_t cycles) {
    for (std::uint64_t i = 0; i < cycles; ++i) step();
  }
  /// Until quiescent; false if `limit` cycles are not enough.
  bool drain(std::uint64_t limit) {
    for (std::uint64_t i = 0; i < limit; ++i) {
      if (quiescent()) return true;
      step();
    }
    return quiescent();
  }

  /// A 32-bit register of BAR0, through the card's AXI4-Lite port; takes clock cycles. Throws BusError.
  std::uint32_t readRegister(std::uint32_t address) {
    if (address >= kBar0Bytes) finishBus(true, "read", address);
    bus_busy_ = true;
    dut_->s_axil_araddr = address;
    dut_->s_axil_arvalid = 1;
    dut_->s_axil_rready = 1;
    dut_->eval();
    while (!dut_->s_axil_arready) stepBus(address);
    stepBus(address);
    dut_->s_axil_arvalid = 0;
    dut_->eval();
    while (!dut_->s_axil_rvalid) stepBus(address);
    const std::uint32_t value = dut_->s_axil_rdata;
    const bool refused = dut_->s_axil_rresp != 0;
    stepBus(address);
    finishBus(refused, "read", address);
    return value;
  }
  void writeRegister(std::uint32_t address, std::uint32_t value) {
    if (address >= kBar0Bytes) finishBus(true, "write", address);
    bus_busy_ = true;
    dut_->s_axil_awaddr = address;
    dut_->s_axil_wdata = value;
    dut_->s_axil_wstrb = 0xF;
    dut_->s_axil_awvalid = dut_->s_axil_wvalid = 1;
    dut_->s_axil_bready = 1;
    dut_->eval();
    while (!dut_->s_axil_awready) stepBus(address);
    stepBus(address);
    dut_->s_axil_awvalid = dut_->s_axil_wvalid = 0;
    dut_->eval();
    while (!dut_->s_axil_bvalid) stepBus(address);
    const bool refused = dut_->s_axil_bresp != 0;
    stepBus(address);
    finishBus(refused, "write", address);
  }

  Dut& dut() { return *dut_; }

 private:
  struct Waiting {
    Frame bytes;
    bool bad;
  };
  struct Ingress {
    std::deque<Waiting> frames;
    std::size_t sent = 0;              ///< bytes of the first frame already handed over
    std::uint64_t next_beat_time = 0;  ///< without a frame: when the wire is free for the next
  };
  struct Egress {
    SentFrame frame{};             ///< under way; its buffer serves again when on_sent leaves it here
    std::uint64_t empty_time = 0;  ///< when everything taken so far is on the wire
    bool blocked = false;
  };
  static constexpr std::uint64_t kEgressBufferBytes = 4 * kBeatBytes;  ///< that an egress MAC buffers

  static std::unique_ptr<VerilatedContext> makeContext(int seed) {
    auto context = std::make_unique<VerilatedContext>();
    context->randReset(2);
    context->randSeed(seed);
    return context;
  }

  /// Verilator's port types depend on the width.
  template <class Port>
  static void assign(Port& port, std::uint64_t value) {
    port = static_cast<Port>(value);
  }

  // Times on the wire count bits at the port's speed, so that nothing is rounded; without a speed they all are zero.
  static constexpr unsigned kBitsPerCycleOfGigabit = 4;
  std::uint64_t now(unsigned port) const { return cycle_ * bits_per_cycle_[port]; }
  std::uint64_t wire(unsigned port, std::size_t bytes) const { return bits_per_cycle_[port] == 0 ? 0 : 8 * bytes; }
  /// From the wire's being free to the first beat of a frame.
  std::uint64_t firstBeat(unsigned port, std::size_t frame_bytes) const {
    return wire(port, kPreambleBytes + std::min<std::size_t>(kBeatBytes, frame_bytes));
  }

  void evaluated(bool clock) {
    if constexpr (kTraces) {
      if (on_eval) on_eval(clock);
    }
  }

  void driveIngress() {
    if (frames_waiting_ == 0) {
      dut_->rx_tvalid = 0;
      return;
    }
    for (unsigned i = 1; i <= kPorts; ++i) {
      const unsigned port = (last_ingress_ + i) % kPorts;
      Ingress& in = ingress_[port];
      if (in.frames.empty() || in.next_beat_time > now(port)) continue;
      last_ingress_ = port;
      handOver(port, in);
      return;
    }
    dut_->rx_tvalid = 0;
  }

  void handOver(unsigned port, Ingress& in) {
    const Waiting& frame = in.frames.front();
    const std::size_t part = std::min<std::size_t>(kBeatBytes, frame.bytes.size() - in.sent);
    const bool last = in.sent + part == frame.bytes.size();
    dut_->rx_tvalid = 1;
    assign(dut_->rx_tid, port);
    std::memcpy(dut_->rx_tdata.data(), frame.bytes.data() + in.sent, part);
    assign(dut_->rx_tkeep, part == 64 ? ~0ULL : (1ULL << part) - 1);
    dut_->rx_tlast = last;
    dut_->rx_tuser = last && frame.bad;
    in.sent += part;
    if (!last) {
      in.next_beat_time += wire(port, std::min<std::size_t>(kBeatBytes, frame.bytes.size() - in.sent));
      return;
    }
    if (on_received) on_received(port, cycle_ + 1);
    spare_.push_back(std::move(in.frames.front().bytes));
    in.frames.pop_front();
    --frames_waiting_;
    in.sent = 0;
    in.next_beat_time += wire(port, kTrailerBytes);
    if (!in.frames.empty()) in.next_beat_time += firstBeat(port, in.frames.front().bytes.size());
  }

  void driveReady() {
    unsigned ready = 0;
    for (unsigned port = 0; port < kPorts; ++port) {
      const Egress& out = egress_[port];
      const bool room = bits_per_cycle_[port] == 0 || out.empty_time < now(port) + 8 * kEgressBufferBytes;
      if (room && !out.blocked) ready |= 1U << port;
    }
    assign(dut_->tx_tready, ready);
  }

  void collectEgress() {
    if (!dut_->tx_tvalid) return;
    const unsigned port = dut_->tx_tdest;
    Egress& out = egress_.at(port);
    const auto bytes = static_cast<std::size_t>(__builtin_popcountll(dut_->tx_tkeep));
    Frame& frame = out.frame.bytes;
    if (frame.empty()) out.frame.first_cycle = cycle_;
    const auto* data = reinterpret_cast<const std::uint8_t*>(dut_->tx_tdata.data());
    frame.insert(frame.end(), data, data + bytes);
    if (!dut_->tx_tlast) {
      out.empty_time = std::max(out.empty_time, now(port)) + wire(port, bytes);
      return;
    }
    const std::size_t padding = frame.size() < kMinFrameBytes ? kMinFrameBytes - frame.size() : 0;
    out.empty_time = std::max(out.empty_time, now(port)) + wire(port, bytes + padding + kWireOverheadBytes);
    if (padding != 0) frame.resize(kMinFrameBytes);
    out.frame.port = port;
    out.frame.last_cycle = cycle_;
    if (on_sent) on_sent(std::move(out.frame));
    frame.clear();
  }

  /// Buffers go round: a run allocates as many as are in use at once.
  Frame takeBuffer() {
    if (spare_.empty()) return {};
    Frame buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }

  void stepBus(std::uint32_t address) {
    step();
    if (++bus_cycles_ > kBusLimitCycles) {
      dut_->s_axil_arvalid = dut_->s_axil_awvalid = dut_->s_axil_wvalid = 0;
      finishBus(true, "access", address);
    }
  }
  void finishBus(bool refused, const char* what, std::uint32_t address) {
    dut_->s_axil_rready = dut_->s_axil_bready = 0;
    bus_busy_ = false;
    bus_cycles_ = 0;
    if (!refused) return;
    char text[64];
    std::snprintf(text, sizeof text, "the card refused a %s at BAR0 + 0x%05x", what, address);
    throw BusError(text);
  }

  static constexpr std::uint64_t kBusLimitCycles = 10'000;

  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Dut> dut_;
  std::array<unsigned, kPorts> bits_per_cycle_{};
  std::uint64_t cycle_ = 0;
  std::uint64_t bus_cycles_ = 0;
  bool bus_busy_ = false;
  std::size_t frames_waiting_ = 0;
  unsigned last_ingress_ = 0;
  std::vector<Frame> spare_;
  std::array<Ingress, kPorts> ingress_;
  std::array<Egress, kPorts> egress_;
};

/// The card as built: 512-bit bus, 8 ports, unless a test's build says otherwise.
#ifndef POPLINK_CARD_BEAT_BYTES
#define POPLINK_CARD_BEAT_BYTES 64
#define POPLINK_CARD_PORTS 8
#endif
using CardModel = BasicCardModel<Vcard_core, POPLINK_CARD_BEAT_BYTES, POPLINK_CARD_PORTS>;

}  // namespace poplink::sim
