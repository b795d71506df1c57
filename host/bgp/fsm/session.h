// SPDX-License-Identifier: Apache-2.0
// The session machine of BGP-4 (RFC 4271 section 8) for one configured peer. Pure: events and the time go in, actions
// and the next deadline come out. The caller does the actions, in their order, and calls run() at the deadline; what
// the peer has sent until then is handed in first, so that a caller who was late does not find the peer silent.
//
// Optional attributes of section 8.1.1 that are here: AllowAutomaticStart, DampPeerOscillations, DelayOpen,
// PassiveTcpEstablishment, CollisionDetectEstablishedState. SendNOTIFICATIONwithoutOPEN is not: a connection on which
// no OPEN has gone out is closed without a word.
//
// Other than the RFC says, or where it leaves a choice:
// - A connection that cannot be made leads to Active, not to Idle (8.2.2, Connect, event 18): two peers in Idle refuse
//   each other. For the same reason Idle refuses by closing only, and a Cease that says "collision" or "rejected" on
//   the only connection is taken as a lost one.
// - Both sides keep the same one of two connections, whatever arrives first. For that the first OPEN decides, also
//   against a connection in OpenSent (6.8 allows it); and a connection that comes up while the other one is in
//   OpenConfirm or Established is held: no OPEN goes out on it unless the peer sends one, or the other one ends. One
//   that has been in OpenSent for longer than kSimultaneous is no collision but dead, and gives way.
// - A peer has one incoming connection before Established; a newer one takes the place of an older one.
// - HoldTimer runs in OpenConfirm even if the negotiated hold time is 0: no state but Established waits for ever.
// - UPDATEs do not restart KeepaliveTimer (4.4): they are not seen here, and a KEEPALIVE more does no harm.
// - No NOTIFICATION answers a NOTIFICATION (section 6 before 8.2.2, OpenSent, event 25).
#pragma once

#include <array>
#include <span>

#include "connection.h"

namespace poplink::host::bgp {

/// Two sides that connect to each other at the same time have sent their OPENs within that time.
inline constexpr Duration kSimultaneous = std::chrono::seconds(10);

struct SessionCounters {
  std::uint64_t attempts = 0;     ///< to connect
  std::uint64_t accepted = 0;     ///< connections of the peer, refused ones too
  std::uint64_t established = 0;  ///< how often Established was reached
  std::uint64_t down = 0;         ///< and left
};

class Peer {
 public:
  /// Idle and stopped. `settings` have no problems(); `random` is called for every jitter.
  Peer(SessionSettings settings, Random random) : settings_(std::move(settings)), random_(std::move(random)) {}

  /// One event of RFC 4271 section 8.1. What speaks of a connection that is not there (any more) changes nothing.
  Actions handle(const Event& event, TimePoint now);
  /// All timers that have run out. Nothing happens before deadline(), which afterwards is later than `now`.
  Actions run(TimePoint now);
  /// New settings, without problems(). What is said in an OPEN or judges one ends the session (Cease, other
  /// configuration change), except the R and F bits of graceful restart; everything else holds from the next use on.
  /// Same ones again change nothing.
  Actions configure(const SessionSettings& settings, TimePoint now);

  /// When run() is to be called: at once if that is not after now. None: only events lead on.
  std::optional<TimePoint> deadline() const;
  /// The furthest of its connections, else Connect, Active or Idle.
  State state() const;
  /// May UPDATEs and ROUTE-REFRESHs of this connection be used? To be asked after their event.
  bool established(ConnectionId id) const;
  bool started() const { return started_; }
  /// Idle because of a prefix limit.
  bool heldByPrefixLimit() const { return held_by_limit_; }
  /// At most two.
  std::span<const Connection> connections() const { return connections_; }
  std::optional<AttemptId> attempt() const { return attempt_; }
  const SessionSettings& settings() const { return settings_; }
  const SessionCounters& counters() const { return counters_; }
  /// ConnectRetryCounter: failures since the last stable session.
  std::uint32_t connectRetryCounter() const { return connect_retry_counter_; }
  /// IdleHoldTimer and ConnectRetryTimer.
  std::optional<TimePoint> idleHoldTimer() const { return idle_hold_timer_; }
  std::optional<TimePoint> connectRetryTimer() const { return connect_retry_timer_; }

 private:
  struct Step {
    TimePoint now;
    Actions actions;
  };
  /// Where the machine goes when its last connection is gone.
  enum class Then : std::uint8_t { damped, undamped, seek, stay };
  struct Ending {
    EndReason reason{};
    Then then = Then::damped;
    std::optional<Notification> notification;  ///< sent unless the reason says that it was received
    bool gone = false;                         ///< TCP is closed already
    bool keep = false;                         ///< routes may become stale
  };

  void on(const event::Start&, Step& step);
  void on(const event::Stop& stop, Step& step);
  void on(const event::Clear& clear, Step& step);
  void on(const event::Accepted& accepted, Step& step);
  void on(const event::ConnectSucceeded& succeeded, Step& step);
  void on(const event::ConnectFailed& failed, Step& step);
  void on(const event::Closed& closed, Step& step);
  void on(const event::OpenArrived& arrived, Step& step);
  void on(const event::KeepaliveArrived& arrived, Step& step);
  void on(const event::UpdateArrived& arrived, Step& step);
  void on(const event::NotificationArrived& arrived, Step& step);
  void on(const event::RouteRefreshArrived& arrived, Step& step);
  void on(const event::Malformed& malformed, Step& step);
  void on(const event::SendProgressed& progressed, Step& step);
  void on(const event::BfdUp&, Step& step);
  void on(const event::BfdDown& down, Step& step);
  void on(const event::PrefixLimitReached& reached, Step& step);
  void on(const event::RefreshWanted& wanted, Step& step);

  // Getting a connection.
  void seek(Step& step);
  void connect(Step& step);
  void cancelAttempt(Step& step);
  void waitForRetry(Step& step);
  void enterIdle(bool counted, Step& step);
  void addConnection(ConnectionId id, bool outgoing, Step& step);

  // Bringing one up.
  void sendOpen(Connection& connection, Step& step);
  bool collide(ConnectionId id, const Negotiated& negotiated, Step& step);
  bool loses(const Connection& older, const Connection& newer, const Negotiated& negotiated, TimePoint now) const;
  bool outgoingStays(const Negotiated& negotiated) const;
  bool settled() const;
  void hold(Connection& connection, TimePoint now) const;
  void release(Step& step);
  void confirm(ConnectionId id, const Negotiated& negotiated, Step& step);
  void sendOwedKeepalives(Step& step);
  void establish(ConnectionId id, Step& step);

  // Ending one.
  void end(ConnectionId id, const Ending& ending, Step& step);
  void letGo(EndReason reason, const Notification& notification, Step& step);
  void unexpected(const Connection& connection, Step& step);
  void tell(EndReason reason, std::optional<ConnectionId> id, std::optional<Notification> notification, Step& step);
  Actions finish(Step step);

  void runConnection(ConnectionId id, Step& step);
  Duration idleHoldTime() const;
  bool bfdMissing() const { return settings_.bfd == BfdMode::strict && !bfd_up_; }
  Connection* find(ConnectionId id);
  std::vector<ConnectionId> ids() const;

  SessionSettings settings_;
  Random random_;
  bool started_ = false;
  bool awake_ = false;  ///< not Idle
  bool held_by_limit_ = false;
  bool bfd_up_ = false;
  std::optional<AttemptId> attempt_;
  std::uint32_t attempts_ = 0;
  std::vector<Connection> connections_;
  std::uint32_t connect_retry_counter_ = 0;
  std::optional<TimePoint> connect_retry_timer_, idle_hold_timer_;
  SessionCounters counters_;
  State told_ = State::Idle;
};

}  // namespace poplink::host::bgp
