// SPDX-License-Identifier: Apache-2.0
// The Selection Logic (IEEE 802.1AX-2014 6.4.14) for ports that are meant for one aggregator. The standard gives every
// LAG ID an aggregator of its own; here there is one, so one LAG ID is chosen and the other ports stay out, each with
// the reason.
//
// - The chosen LAG stays as long as one of its ports is CURRENT; then it is the one with most ports, of these the one
//   with the first port. An individual link is chosen only while nothing else is there.
// - With more ports than may be active, the side with the better system id decides by its port priorities and numbers
//  . A port that speaks comes before one that is silent, and one that has not waited Aggregate_Wait yet does
//   not displace one that has: a standby takes over at once, and gives back without a gap of two seconds.
// - With fewer than `min_links` ports nobody is SELECTED, so that the partner sends nothing either, whatever its
// control.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "port_variables.h"
#include "receive_machine.h"

namespace poplink::host::lacp {

/// Why a port is not SELECTED, or, if it is, why it cannot come up.
enum class Reason : std::uint8_t {
  none,
  link_down,
  half_duplex,
  no_partner,      ///< nobody has spoken LACP since the link is up, or not for two timeouts
  partner_silent,  ///< somebody has, but not lately
  loopback,        ///< the partner is this system
  partner_differs,
  key_differs,
  speed_differs,
  individual,  ///< one side does not aggregate, and another port is in use
  standby,
  below_min_links,
};
std::string_view words(Reason reason);

/// The partner's half of a LAG ID (6.3.6); ours is the same for all ports. Of an individual link it includes the port.
struct LagId {
  std::uint16_t system_priority = 0;
  MacAddress system{};
  std::uint16_t key = 0;
  bool individual = false;
  std::uint16_t port_priority = 0, port = 0, actor_port = 0;  ///< 0 unless individual
  friend auto operator<=>(const LagId&, const LagId&) = default;
};
LagId lagId(const PortInfo& actor, const PortInfo& partner);

struct SelectionSettings {
  std::size_t max_active = 0;    ///< ports; 0: no limit
  std::size_t min_links = 1;     ///< with fewer ports the LAG is down
  std::size_t min_links_up = 1;  ///< and comes back with so many, if that is more
  Duration min_links_hold{};     ///< that have been there so long
  std::uint32_t speed_mbit = 0;  ///< of every port; 0: of the first selected one
  friend bool operator==(const SelectionSettings&, const SelectionSettings&) = default;
};

/// What is known of a port.
struct Candidate {
  const PortVariables* port = nullptr;
  ReceiveState receive{};
  std::uint32_t speed_mbit = 0;
  bool settled = false;  ///< attached, or has waited Aggregate_Wait
};

struct Verdict {
  Selected selected{};
  Reason reason{};
};

class Selection {
 public:
  /// One verdict per candidate, in their order.
  std::vector<Verdict> run(const SelectionSettings& settings, std::span<const Candidate> candidates, TimePoint now);
  /// When `min_links_hold` has passed.
  std::optional<TimePoint> deadline() const { return hold_; }

  const std::optional<LagId>& lag() const { return lag_; }
  bool enough() const { return enough_; }
  /// Goes on with this LAG.
  void resume(const std::optional<LagId>& lag, bool enough);
  friend bool operator==(const Selection&, const Selection&) = default;

 private:
  void choose(std::span<const Candidate> candidates, std::span<const Verdict> verdicts);
  void judgeSpeed(std::uint32_t speed_mbit, std::span<const Candidate> candidates, std::span<Verdict> verdicts) const;
  bool gate(const SelectionSettings& settings, std::size_t links, TimePoint now);

  std::optional<LagId> lag_;
  bool enough_ = false;
  bool fell_ = false;  ///< was enough once: from then on `hold` counts
  std::optional<TimePoint> hold_;
};

}  // namespace poplink::host::lacp
