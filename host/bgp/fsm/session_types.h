// SPDX-License-Identifier: Apache-2.0
// What the session machine takes and gives (RFC 4271 section 8.1): states, settings, events, actions. Names are the
// RFC's.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "negotiation.h"

namespace poplink::host::bgp {

/// RFC 4271 section 8.2.2, in the order in which a session comes up.
enum class State : std::uint8_t { Idle, Connect, Active, OpenSent, OpenConfirm, Established };
const char* name(State state);

/// A TCP connection that is there; the caller numbers them and uses no number twice.
enum class ConnectionId : std::uint64_t {};
/// An outgoing connection that is being made; numbered by the machine.
enum class AttemptId : std::uint32_t {};

/// Numbers in [0, 1), evenly spread.
using Random = std::function<double()>;

/// RFC 5882, 9384.
enum class BfdMode : std::uint8_t {
  off,
  watch,   ///< a session that is Established ends when BFD goes down
  strict,  ///< and none gets there before BFD is up
};

/// Times are before jitter. Defaults of RFC 4271 section 10 except where a reason is given.
struct SessionSettings {
  OpenSettings open{};
  bool passive = false;  ///< PassiveTcpEstablishment: never connects, only accepts
  /// Between two attempts to connect. Not the RFC's 120 s: peers are one hop away, and one lost SYN shall not cost two
  /// minutes.
  Duration connect_retry = std::chrono::seconds(30);
  Duration delay_open{};                               ///< DelayOpenTime; 0: OPEN is sent at once
  Duration open_hold = std::chrono::seconds(240);      ///< HoldTimer until the peer's hold time is known
  Duration send_hold{};                                ///< RFC 9687; 0: 8 min or twice the hold time, what is longer
  Duration idle_hold_first = std::chrono::seconds(1);  ///< IdleHoldTime after a failure, twice as long after each more
  Duration idle_hold_longest = std::chrono::seconds(60);
  Duration stable = std::chrono::seconds(300);  ///< Established so long: earlier failures are forgotten
  /// CollisionDetectEstablishedState: an Established connection may lose to a new one.
  bool collision_detect_established = false;
  BfdMode bfd = BfdMode::off;
  Duration bfd_wait = std::chrono::seconds(30);  ///< strict: how long OpenConfirm waits for BFD
  friend bool operator==(const SessionSettings&, const SessionSettings&) = default;
};

/// What is wrong with settings, each as "connect_retry: must be at least 1 s"; empty: nothing.
std::vector<std::string> problems(const SessionSettings& settings);

/// Why a connection or an attempt ended.
enum class EndReason : std::uint8_t {
  none,
  stopped,  ///< by the administrator
  cleared,  ///< by the administrator, to begin anew
  reconfigured,
  connect_failed,
  connect_timed_out,
  tcp_failed,  ///< closed or reset by the other side or on the way
  refused_while_idle,
  notification_received,
  malformed_message,
  open_refused,        ///< by negotiate()
  unexpected_message,  ///< FSM error
  hold_timer_expired,
  send_hold_timer_expired,
  bfd_down,
  bfd_not_up,  ///< strict mode: bfd_wait has passed
  prefix_limit,
  collision,
  peer_restarted,  ///< a new connection shows that the old one is dead (RFC 4724 section 4.2)
};
const char* words(EndReason reason);

// Events of RFC 4271 section 8.1, and what has been added since. Timers are no events: see Peer::run().
namespace event {

/// ManualStart; nothing when started. Ends also the silence after a prefix limit.
struct Start {};
/// ManualStop; nothing when stopped. `subcode` is one of Cease: administrative shutdown, peer deconfigured, ...; `data`
/// what goes with it (RFC 9003: shutdownData()).
struct Stop {
  std::uint8_t subcode = subcode::kAdministrativeShutdown;
  std::vector<std::uint8_t> data;
};
/// Ends the session, forgets failures and begins anew at once: Cease, administrative reset. `reconfigured`: because
/// settings have changed that the machine does not know, such as TCP's; then it is other configuration change.
struct Clear {
  std::vector<std::uint8_t> data;
  bool reconfigured = false;
};
/// Somebody with the peer's address has connected. The machine has it closed if it is not wanted.
struct Accepted {
  ConnectionId id{};
};
struct ConnectSucceeded {
  AttemptId attempt{};
  ConnectionId id{};
};
struct ConnectFailed {
  AttemptId attempt{};
};
/// TcpConnectionFails: closed or reset, but not by the machine.
struct Closed {
  ConnectionId id{};
};
struct OpenArrived {
  ConnectionId id{};
  Open open{};
};
struct KeepaliveArrived {
  ConnectionId id{};
};
/// Of whatever content, malformed ones that are treated as withdraw (RFC 7606) too.
struct UpdateArrived {
  ConnectionId id{};
};
struct NotificationArrived {
  ConnectionId id{};
  Notification notification{};
};
struct RouteRefreshArrived {
  ConnectionId id{};
};
/// A message that ends the session; `notification` says why.
struct Malformed {
  ConnectionId id{};
  Notification notification{};
};
/// TCP has taken octets that were to be sent, or there is nothing to be sent (RFC 9687).
struct SendProgressed {
  ConnectionId id{};
};
struct BfdUp {};
struct BfdDown {
  bool control_plane_independent = false;  ///< C bit of both sides: it is the path that is down (RFC 5882 section 4.3)
};
/// More prefixes than allowed. The session ends, and comes back after `restart`, or by Start or Clear only.
struct PrefixLimitReached {
  Family family = kIpv4Unicast;
  std::uint32_t limit = 0;
  std::optional<Duration> restart;
};
/// Ask the peer for its routes again (RFC 2918); nothing unless Established with this capability and family.
struct RefreshWanted {
  Family family = kIpv4Unicast;
};

}  // namespace event

using Event =
    std::variant<event::Start, event::Stop, event::Clear, event::Accepted, event::ConnectSucceeded,
                 event::ConnectFailed, event::Closed, event::OpenArrived, event::KeepaliveArrived, event::UpdateArrived,
                 event::NotificationArrived, event::RouteRefreshArrived, event::Malformed, event::SendProgressed,
                 event::BfdUp, event::BfdDown, event::PrefixLimitReached, event::RefreshWanted>;

// Actions, to be done in their order.
namespace action {

struct Connect {
  AttemptId attempt{};
};
/// What still comes of the attempt is ignored; a connection that it has become is closed.
struct CancelConnect {
  AttemptId attempt{};
};
struct SendOpen {
  ConnectionId id{};
  Open open{};
};
struct SendKeepalive {
  ConnectionId id{};
};
struct SendNotification {
  ConnectionId id{};
  Notification notification{};
};
struct SendRouteRefresh {
  ConnectionId id{};
  Family family = kIpv4Unicast;
};
/// After what was sent before has been handed to TCP, without waiting for a peer that does not read; what still comes
/// is read and thrown away for a moment, or a reset may overtake a NOTIFICATION. No events of this connection are
/// wanted any more.
struct CloseConnection {
  ConnectionId id{};
};
struct SessionEstablished {
  ConnectionId id{};
  Negotiated negotiated{};
};
/// The session that was Established is over. Its routes go, except those of the families in `keep`: they become stale
/// (RFC 4724 section 4.2) and may stay for `keep_for` unless the peer is back by then.
struct SessionDown {
  ConnectionId id{};
  EndReason reason{};
  std::set<Family> keep;
  Duration keep_for{};
};
/// For the log. A connection has ended, or the machine's state has changed, or both.
struct Tell {
  TimePoint at;
  State from{}, to{};  ///< of the machine
  EndReason reason{};
  std::optional<ConnectionId> connection;
  std::optional<Notification> notification;  ///< sent, or received if the reason says so
};

}  // namespace action

using SessionAction = std::variant<action::Connect, action::CancelConnect, action::SendOpen, action::SendKeepalive,
                                   action::SendNotification, action::SendRouteRefresh, action::CloseConnection,
                                   action::SessionEstablished, action::SessionDown, action::Tell>;
using Actions = std::vector<SessionAction>;

}  // namespace poplink::host::bgp
