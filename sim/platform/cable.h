// SPDX-License-Identifier: Apache-2.0
// A cable between two ports, or a port and what is outside the cards: full duplex, with a delay, and a tap that writes
// what enters it to a pcap file. It can be cut, which both ends see, or lose one direction, which nobody sees. It
// weakens the light in it; an end that receives less than its module needs has no signal, and then neither end has a
// link (IEEE 802.3, 46.3.4: remote fault).
//
// A cable runs on the clock it is given, not on SystemC time: in live mode its delay is one of the wall clock, however
// fast the cards at its ends are simulated. Whoever owns it calls advance().
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "../card/optics.h"
#include "../io/pcap.h"
#include "frame_port.h"

namespace poplink::sim {

class Cable {
 public:
  /// `delay_ns`: from the sender's last byte to the receiver's. `now_ns` never goes back. `tap` may be null.
  Cable(std::uint64_t delay_ns, std::function<std::uint64_t()> now_ns, PcapWriter* tap, double loss_db = kUsualLossDb);
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;

  /// What enters an end leaves to the sink that is connected to the other one.
  FrameSink& end(unsigned number) { return ends_.at(number); }
  void connect(unsigned end, FrameSink& sink) { ends_.at(1 - end).far = &sink; }

  /// Both ends lose their link, and what is under way is lost.
  void cut();
  /// Frames towards an end are lost from now on, those under way too; the link stays up.
  void deafen(unsigned end);
  /// As it was when it was new, its loss too.
  void mend();
  /// Weakens light by so much from now on, in both directions.
  void attenuate(double loss_db);
  double lossDb() const { return loss_db_; }
  /// What is plugged at an end; nothing: no module, and no link. Each end has a usual one until told otherwise.
  void plug(unsigned end, std::optional<Optic> optic);
  /// Light that comes out at an end, dBm; nothing: darkness. What makes an end deaf does not touch it.
  std::optional<double> lightAt(unsigned end) const;
  /// Not cut, and enough light at both ends.
  bool isUp() const;
  bool isCut() const { return cut_; }
  bool isDeaf(unsigned end) const { return ends_.at(1 - end).lossy; }
  /// Frames lost on their way to an end.
  std::uint64_t lost(unsigned end) const { return ends_.at(1 - end).lost; }
  /// Frames on their way to an end.
  std::size_t underWay(unsigned end) const { return ends_.at(1 - end).under_way.size(); }
  /// Called when both ends lose or regain their link.
  std::function<void(bool up)> on_link;
  /// Called when the light at the ends may have changed, before their link does.
  std::function<void()> on_light;

  /// Delivers the frames that are due, in the order in which they entered their end.
  void advance();
  /// When the next frame is due; nothing: no frame is on its way.
  std::optional<std::uint64_t> nextDueNs() const;

 private:
  struct Flight {
    std::uint64_t due_ns;
    std::vector<std::uint8_t> frame;
  };
  struct End : FrameSink {
    Cable* cable = nullptr;
    FrameSink* far = nullptr;
    std::deque<Flight> under_way;
    bool lossy = false;
    std::uint64_t lost = 0;
    void lose();
    void deliver(std::span<const std::uint8_t> frame) override;
  };

  /// Does something to the light, and what follows from it.
  void change(const std::function<void()>& something);

  const std::uint64_t delay_ns_;
  const std::function<std::uint64_t()> now_ns_;
  PcapWriter* tap_;
  const double new_loss_db_;
  double loss_db_ = new_loss_db_;
  std::array<std::optional<Optic>, 2> optics_{Optic{}, Optic{}};
  std::array<End, 2> ends_;
  bool cut_ = false;
};

}  // namespace poplink::sim
