// SPDX-License-Identifier: Apache-2.0
// A cable between two ports: full duplex, with a delay, and a tap that writes what passes to a pcap file.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "../io/pcap.h"
#include "frame_port.h"

namespace poplink::sim {

class Cable : public sc_core::sc_module {
 public:
  /// `tap` may be null. `delay`: from the sender's last byte to the receiver's.
  Cable(sc_core::sc_module_name name, sc_core::sc_time delay, PcapWriter* tap);

  /// What enters end 0 leaves to `sinks[1]`, and the other way round.
  FrameSink& end(unsigned number) { return *ends_[number]; }
  void connect(unsigned end, FrameSink& sink) { ends_[1 - end]->far = &sink; }
  /// No frame is on its way.
  bool quiet() const { return ends_[0]->under_way.empty() && ends_[1]->under_way.empty(); }

 private:
  struct End : FrameSink {
    Cable* cable = nullptr;
    FrameSink* far = nullptr;
    struct Flight {
      sc_core::sc_time due;
      std::vector<std::uint8_t> frame;
    };
    std::deque<Flight> under_way;
    void deliver(std::span<const std::uint8_t> frame) override;
  };

  void arrive();

  const sc_core::sc_time delay_;
  PcapWriter* tap_;
  sc_core::sc_event_queue arrivals_;
  std::unique_ptr<End> ends_[2];
};

}  // namespace poplink::sim
