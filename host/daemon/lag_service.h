// SPDX-License-Identifier: Apache-2.0
// All LAGs of a card: which port belongs to whom, frames from PDUs, what the card shall repeat while nobody is there,
// and what has to be kept over a restart. Pure, like the groups below it: frames, links and the time go in, actions and
// the next deadline come out.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "group.h"

namespace poplink::host {

/// One LAG as the region file wants it. A port's id is its number on the card.
struct LagConfig {
  unsigned link = 0;  ///< its number in the card, and its name here
  lacp::GroupSettings settings;
  std::vector<lacp::PortSettings> ports;
  std::vector<std::string> services;  ///< that need it, by name; for people
};

// Actions.

struct SendFrame {
  unsigned port = 0;
  std::vector<std::uint8_t> bytes;
  /// How often the partner wants to hear this, if it is something that the card can say by itself: LACPDUs, not
  /// markers. The card may go on with it while this program is away.
  std::optional<lacp::Duration> interval;
};
/// The card must not say anything more on this port.
struct StopRepeating {
  unsigned port = 0;
};
/// What the port does with customers' frames from now on.
struct SetMember {
  unsigned port = 0;
  bool collecting = false;
  bool distributing = false;
};
struct LagEvent {
  unsigned link = 0;
  std::optional<unsigned> port;
  lacp::EventKind kind{};
  std::string text;
};
using LagAction = std::variant<SendFrame, StopRepeating, SetMember, LagEvent>;
using LagActions = std::vector<LagAction>;

/// What a restarted program needs, by the number of the LAG's link.
using LagSnapshots = std::map<unsigned, lacp::Snapshot>;

class LagService {
 public:
  /// Ports that `saved` knows and `intact` names go on as they were: the card does with them what was saved, and their
  /// link has not fallen since. All others begin.
  LagService(const std::vector<LagConfig>& lags, const LagSnapshots& saved, const std::set<unsigned>& intact,
             lacp::TimePoint now);

  /// Whatever time has brought; also what there is to do at first.
  LagActions run(lacp::TimePoint now);
  LagActions linkChanged(unsigned port, const lacp::Link& link, lacp::TimePoint now);
  /// A frame of a slow protocol has come on `port`. Not on a LAG's: nothing happens; the card has counted it.
  LagActions receive(unsigned port, std::span<const std::uint8_t> frame, lacp::TimePoint now);
  /// The region file has changed. LAGs and ports that stay the same are not touched. The partner of a port that leaves
  /// is told that it is out.
  LagActions configure(const std::vector<LagConfig>& lags, lacp::TimePoint now);

  std::optional<lacp::TimePoint> deadline() const;

  struct Lag {
    LagConfig config;
    lacp::AggregationGroup group;
  };
  const std::map<unsigned, Lag>& lags() const { return lags_; }
  bool hasPort(unsigned port) const { return link_of_port_.count(port) != 0; }
  LagSnapshots snapshots() const;

 private:
  Lag* lagOf(unsigned port);
  LagActions translate(unsigned link, lacp::Actions actions);
  void stopSilent(const Lag& lag, LagActions& actions);
  void sayGoodbye(const Lag& lag, const lacp::Port& port, LagActions& actions);
  void indexPorts();

  std::map<unsigned, Lag> lags_;
  std::map<unsigned, unsigned> link_of_port_;
  std::set<unsigned> repeating_;          ///< ports on which the card may have something to repeat
  std::map<unsigned, lacp::Link> links_;  ///< as last heard, also of ports that no LAG has now
};

}  // namespace poplink::host
