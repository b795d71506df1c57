// SPDX-License-Identifier: Apache-2.0
// A whole card without its RTL: forward() and punt() as native functions over tables in memory, counters, registers,
// host rings. It answers as the Verilated card does once that has come to rest; what it does not have is time: no
// clock, no latency, and no buffer that could be full, so no frame is ever dropped as egress_full or rx_overflow. All
// it does, it does within a call, in an order that only the calls decide.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../card/host_memory.h"
#include "../card/optics.h"
#include "address_learner.h"
#include "card_counters.h"
#include "flow_sketch.h"
#include "forward.h"
#include "host_interrupts.h"
#include "host_queue.h"
#include "host_rings.h"
#include "pdu_repeater.h"
#include "policers.h"
#include "register_file.h"
#include "software_tables.h"
#include "table_access.h"

namespace poplink::sim {

class ModelCard {
 public:
  static constexpr unsigned kPorts = 8;
  static constexpr unsigned kVectors = HostInterrupts::kVectors;

  /// `now_us`: card time, asked for once in every call. All ports are up.
  explicit ModelCard(std::function<std::uint64_t()> now_us, std::uint64_t serial = 0);
  ModelCard(const ModelCard&) = delete;
  ModelCard& operator=(const ModelCard&) = delete;

  /// A frame leaves, padded to 60 bytes; the bytes are the card's. May call receive() of any card: of one that is in
  /// the middle of something, it happens when that is done.
  std::function<void(unsigned port, std::span<const std::uint8_t> frame)> on_sent;
  /// An interrupt, by its vector.
  std::function<void(unsigned vector)> on_interrupt;
  /// Where DMA goes; null: every transfer is refused.
  void attach(HostMemory* memory) { rings_.memory = memory; }

  /// A frame, of any length, without FCS. `bad`: the MAC marked it (FCS or code error).
  void receive(unsigned port, std::span<const std::uint8_t> bytes, bool bad = false);

  void setPortUp(unsigned port, bool up);
  /// Plugs a module, which receives light of its own kind over a usual cable, or pulls it. The link is another matter.
  /// All ports have a usual one at first.
  void setModule(unsigned port, std::optional<Module> module);
  /// Nothing: darkness.
  void setReceivedLight(unsigned port, std::optional<double> dbm);
  /// What the port says of itself; frames take no time.
  void setSpeed(unsigned port, unsigned mbit_per_second) { ports_.at(port).mbit_per_second = mbit_per_second; }
  bool portUp(unsigned port) const { return port < kPorts && ports_[port].up; }
  bool portEnabled(unsigned port) const;

  /// A register of BAR0. Nothing: refused.
  std::optional<std::uint32_t> read(std::uint32_t address);
  bool write(std::uint32_t address, std::uint32_t value);

  /// Function-level reset, or a host that went away: all rings and copies are disabled. What the card does for its
  /// LAGs meanwhile goes on.
  void stopHostPath();

  /// Interrupts and repeated frames that are due by now.
  void poll();
  /// Card time at which poll() has something to do, if nothing else happens before.
  std::optional<std::uint64_t> nextPoll() const;

  /// Who has the card; empty: nobody. For who takes it over.
  std::string owner;

 private:
  struct Arrival {
    unsigned port;
    std::vector<std::uint8_t> bytes;
    bool bad;
  };
  class Busy;
  struct Port {
    bool up = true;
    bool held = false;  ///< has fallen, and nobody has released it
    unsigned mbit_per_second = 10'000;
    std::optional<Module> module;
    std::optional<double> received_dbm;
    PortLight light() const { return lightOf(module, received_dbm); }
    /// What is an event when it changes.
    std::array<bool, 4> state() const { return {up, light().module, light().fault, light().los}; }
  };

  /// What is due at the time of this call.
  void tick();
  /// Sends a frame again for the host; false: none is due.
  bool repeat();
  /// Until there is nothing left to do.
  void settle();
  void arrive(unsigned port, std::span<const std::uint8_t> bytes, bool bad);
  void decide(std::span<const std::uint8_t> bytes, kernels::Origin origin, unsigned port);
  unsigned admit() const;
  void count(std::size_t bytes, unsigned ingress, unsigned drop);
  void tellHost(std::span<const std::uint8_t> bytes, bool of_host, unsigned port, unsigned drop);
  bool captured(unsigned ingress, unsigned drop) const;
  /// Whether the host wants to know the source address.
  bool learns(unsigned port, std::span<const std::uint8_t> bytes);
  void send(std::span<const std::uint8_t> bytes);

  std::uint32_t live(std::uint32_t address) const;
  void written(std::uint32_t address, std::uint32_t value);
  void tableCommand(std::uint32_t value);
  void ringWritten(unsigned ring);
  void armRing(unsigned ring, std::uint32_t value);
  void eventsWritten(std::uint32_t value);
  void holdWritten(unsigned port);
  void releaseWritten(unsigned port, std::uint32_t value);
  void repeatWritten(unsigned port, std::uint32_t value);
  /// `change` of a port.
  template <class Change>
  void changePort(unsigned port, Change&& change);
  void portsChanged();
  std::uint32_t portStatus(unsigned port) const;
  std::optional<std::uint32_t> moduleMemory(std::uint32_t offset) const;
  std::uint32_t at(std::uint32_t array, unsigned number) const { return registers_.get(array + 4 * number); }

  std::function<std::uint64_t()> now_us_;
  std::uint64_t now_ = 0;
  std::uint64_t serial_;
  std::array<Port, kPorts> ports_;

  RegisterFile registers_;
  SoftwareTables tables_;
  TableAccess access_{tables_};
  bool table_error_ = false;    ///< the last access was refused
  bool table_refused_ = false;  ///< some access was
  CardCounters counters_;
  FlowSketch sketch_;
  Policers policers_;
  HostQueue queue_;
  HostInterrupts interrupts_;
  HostRings rings_{queue_, interrupts_};

  kernels::ForwardIn in_{};
  kernels::ForwardOut out_{};
  kernels::PuntIn punt_{};
  AddressLearner learner_;
  PduRepeater repeater_;
  std::uint64_t captured_outcomes_ = 0;
  std::array<std::uint8_t, 9216 + 128> sent_{};
  bool busy_ = false;
  std::deque<Arrival> arrivals_;  ///< that came meanwhile
};

}  // namespace poplink::sim
