// SPDX-License-Identifier: Apache-2.0
// The host's side of the card's bus master: AXI4 as docs/host-path.md section 6 says, with the latencies of a host bus.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>

#include "host_memory.h"

namespace poplink::sim {

/// Cycles from the end of a request to its answer. Functions, so that tests can make them vary.
struct HostTiming {
  std::function<unsigned()> read_cycles = [] { return 100U; };
  std::function<unsigned()> write_cycles = [] { return 10U; };
  std::function<bool()> stalls;  ///< a handshake waits for another cycle; may be empty
};

/// `Dut`: a Verilated model with the master's ports; its beats have `kBeatBytes` bytes.
template <class Dut, unsigned kBeatBytes>
class HostBusModel {
 public:
  HostMemory* memory = nullptr;
  HostTiming timing;
  /// An interrupt request: its vector.
  std::function<void(unsigned)> on_interrupt;

  void reset(Dut& dut) {
    dut.m_axi_awready = dut.m_axi_wready = dut.m_axi_bvalid = dut.m_axi_arready = dut.m_axi_rvalid = 0;
    dut.m_axi_bresp = dut.m_axi_rresp = dut.m_axi_rlast = 0;
    dut.irq_ready = 1;
    write_ = read_ = {};
    active_ = false;
  }

  /// Before the rising edge that ends `cycle`: what the host shows, and what it takes at that edge.
  void drive(Dut& dut, std::uint64_t cycle) {
    if (dut.irq_valid && on_interrupt) on_interrupt(dut.irq_vector);
    if (!active_ && !dut.m_axi_awvalid && !dut.m_axi_arvalid) return;
    driveWrite(dut, cycle);
    driveRead(dut, cycle);
    active_ = write_.phase != Phase::idle || read_.phase != Phase::idle || dut.m_axi_awready || dut.m_axi_arready ||
              dut.m_axi_bvalid || dut.m_axi_rvalid || dut.m_axi_wready;
  }

 private:
  enum class Phase { idle, data, answer };
  struct Burst {
    Phase phase = Phase::idle;
    std::uint64_t address = 0;
    unsigned beats_left = 0;
    std::uint64_t due = 0;
    bool refused = false;
  };

  bool stalls() { return timing.stalls && timing.stalls(); }

  void driveWrite(Dut& dut, std::uint64_t cycle) {
    dut.m_axi_awready = dut.m_axi_wready = dut.m_axi_bvalid = 0;
    if (write_.phase == Phase::idle) {
      if (!dut.m_axi_awvalid || stalls()) return;
      dut.m_axi_awready = 1;
      // Lanes count from the beat's own address, whatever byte the burst starts at.
      write_ = {Phase::data, dut.m_axi_awaddr / kBeatBytes * kBeatBytes, dut.m_axi_awlen + 1U, 0, false};
      written_ = 0;
    } else if (write_.phase == Phase::data) {
      if (!dut.m_axi_wvalid || stalls()) return;
      dut.m_axi_wready = 1;
      const auto strobe = static_cast<std::uint64_t>(dut.m_axi_wstrb);
      const auto skipped = static_cast<std::size_t>(std::countr_zero(strobe));
      if (written_ == 0) write_.address += skipped;
      const auto bytes = static_cast<std::size_t>(std::popcount(strobe));
      std::memcpy(&write_bytes_[written_], reinterpret_cast<const std::uint8_t*>(dut.m_axi_wdata.data()) + skipped,
                  bytes);
      written_ += bytes;
      if (dut.m_axi_wlast) {  // a burst is written whole or not at all
        write_.refused = memory == nullptr || !memory->write(write_.address, std::span(write_bytes_).first(written_));
        write_.phase = Phase::answer;
        write_.due = cycle + timing.write_cycles();
      }
    } else {
      if (cycle < write_.due) return;
      dut.m_axi_bvalid = 1;
      dut.m_axi_bresp = write_.refused ? kSlaveError : 0;
      if (dut.m_axi_bready) write_.phase = Phase::idle;
    }
  }

  void driveRead(Dut& dut, std::uint64_t cycle) {
    dut.m_axi_arready = dut.m_axi_rvalid = 0;
    if (read_.phase == Phase::idle) {
      if (!dut.m_axi_arvalid || stalls()) return;
      dut.m_axi_arready = 1;
      read_ = {Phase::data, dut.m_axi_araddr, dut.m_axi_arlen + 1U, cycle + timing.read_cycles(), false};
      // A host's memory is read before the answer's way back: what is written meanwhile is not in it.
      read_.refused = memory == nullptr || !readAhead();
    } else {
      if (cycle < read_.due || stalls()) return;
      std::memcpy(dut.m_axi_rdata.data(), &read_bytes_[read_at_], kBeatBytes);
      dut.m_axi_rresp = read_.refused ? kSlaveError : 0;
      dut.m_axi_rlast = read_.beats_left == 1;
      dut.m_axi_rvalid = 1;
      if (!dut.m_axi_rready) return;
      read_at_ += kBeatBytes;
      if (--read_.beats_left == 0) read_.phase = Phase::idle;
    }
  }

  bool readAhead() {
    read_at_ = 0;
    return memory->read(read_.address, std::span(read_bytes_).first(read_.beats_left * kBeatBytes));
  }

  static constexpr std::uint8_t kSlaveError = 2;
  Burst write_, read_;
  std::array<std::uint8_t, 4096> read_bytes_{}, write_bytes_{};  ///< a burst never crosses 4 KiB
  std::size_t read_at_ = 0, written_ = 0;
  bool active_ = false;
};

}  // namespace poplink::sim
