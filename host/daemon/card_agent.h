// SPDX-License-Identifier: Apache-2.0
// What the daemon does with its card: tables as the region file says, LACP on the ports of LAGs, their members in and
// out of service. Never waits and reads no clock: the shell calls step() when an interrupt has come or deadline() has.
// Tests call it with a card and a time of their own.
#pragma once

#include <array>
#include <bitset>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "../model/region.h"
#include "../report/changes.h"
#include "event_log.h"
#include "lag_service.h"
#include "poplink/driver/rings.h"

namespace poplink::host {

/// Told from within the agent's calls.
struct AgentHooks {
  std::function<void(News)> tell;
  /// Frames of all classes that the agent takes from the card, also those that it has used itself.
  std::function<void(const driver::HostFrame&)> frame;
};

class CardAgent {
 public:
  /// Brings the card to what `region` says. Members of LAGs that `saved` knows, and whose link has not fallen since,
  /// stay in service all the time. Throws DriverError, ConfigError.
  CardAgent(driver::Card& card, Region region, const Node& node, const LagSnapshots& saved, AgentHooks hooks,
            lacp::TimePoint now);

  /// Takes what has come and does what is due. What has come counts before what has run out, so that a program that was
  /// held up does not take its partners for silent. Throws DriverError.
  void step(lacp::TimePoint now);
  /// When step() has to be called at the latest.
  std::optional<lacp::TimePoint> deadline() const { return service_->deadline(); }

  /// Ports may have changed: step() asks them. Without interrupts, to be called now and then.
  void portsChanged() { look_at_ports_ = true; }
  /// The rings from which frames come. Each is armed when step() returns.
  std::vector<driver::RxRing*> rings();
  /// Throws DriverError when the card is gone, or somebody else has reset it. For now and then: it reads registers.
  void check();

  /// What `region` would change. Throws ConfigError.
  Changes difference(const Region& region) const;
  /// Changes it, and LAGs with it; members that stay in their LAG carry on. Throws ConfigError before anything is done.
  Changes apply(Region region, lacp::TimePoint now);

  const Region& region() const { return region_; }
  const LagService& lags() const { return *service_; }
  /// LACPDUs that the card has repeated by itself on a port.
  std::uint32_t repeated(unsigned port);
  driver::Card& card() { return card_; }
  /// Whether something has changed since the last call that a restarted program would miss.
  bool takeChanged() { return std::exchange(changed_, false); }

 private:
  std::vector<LagConfig> configs(const Region& region) const;
  MemberStates members() const;
  std::set<unsigned> intact(const LagSnapshots& saved) const;
  void program(const Changes& changes);
  void holdMembers();
  void takeFrames(lacp::TimePoint now);
  void lookAtPorts(lacp::TimePoint now);
  bool lookAtPort(unsigned port, lacp::TimePoint now);
  void execute(const LagActions& actions);
  void send(const SendFrame& frame);
  void tellUnsent(unsigned port);
  void repeat(const SendFrame& frame);
  void setMember(const SetMember& member);
  void tell(const LagEvent& event);
  void tellApplied(const Changes& changes);

  driver::Card& card_;
  Region region_;
  Node node_;
  AgentHooks hooks_;
  TableImage image_;  ///< what the card's tables hold
  std::optional<LagService> service_;
  std::unique_ptr<driver::TxRing> tx_;
  std::vector<std::unique_ptr<driver::RxRing>> rx_;
  std::map<unsigned, SendFrame> repeated_;    ///< what the card would repeat, by port
  std::array<std::optional<bool>, 16> held_;  ///< ports that the card lets back only by our word
  bool look_at_ports_ = true;
  bool changed_ = true;
  bool unsent_told_ = false;
};

}  // namespace poplink::host
