// SPDX-License-Identifier: Apache-2.0
// What the peer says, and which of two connections stays.
#include <algorithm>

#include "session.h"

namespace poplink::host::bgp {

namespace {

const Notification kCollision{ErrorCode::cease, subcode::kConnectionCollision, {}};

/// RFC 6608 section 3.
std::uint8_t unexpectedIn(State state) {
  switch (state) {
    case State::OpenSent:
      return subcode::kInOpenSent;
    case State::OpenConfirm:
      return subcode::kInOpenConfirm;
    case State::Established:
      return subcode::kInEstablished;
    default:
      return subcode::kUnspecific;
  }
}

}  // namespace

void Peer::on(const event::OpenArrived& arrived, Step& step) {
  Connection* connection = find(arrived.id);
  if (!connection) return;
  if (connection->state > State::OpenSent) {
    unexpected(*connection, step);
    return;
  }
  // Connect and Active, event 20: the peer was faster than DelayOpenTimer.
  if (connection->state < State::OpenSent) sendOpen(*connection, step);
  auto judged = negotiate(settings_.open, arrived.open);
  if (auto* refused = std::get_if<Notification>(&judged)) {
    end(arrived.id, {EndReason::open_refused, Then::damped, std::move(*refused)}, step);
    return;
  }
  const auto& negotiated = std::get<Negotiated>(judged);
  if (collide(arrived.id, negotiated, step)) confirm(arrived.id, negotiated, step);
}

void Peer::on(const event::KeepaliveArrived& arrived, Step& step) {
  Connection* connection = find(arrived.id);
  if (!connection) return;
  if (connection->state < State::OpenConfirm) {
    unexpected(*connection, step);
    return;
  }
  connection->restartHold(step.now);
  if (connection->state == State::Established) return;
  connection->keepalive_heard = true;
  if (!connection->keepalive_owed) establish(arrived.id, step);
}

void Peer::on(const event::UpdateArrived& arrived, Step& step) {
  Connection* connection = find(arrived.id);
  if (!connection) return;
  if (connection->state == State::Established) {
    connection->restartHold(step.now);
  } else {
    unexpected(*connection, step);
  }
}

void Peer::on(const event::RouteRefreshArrived& arrived, Step& step) {
  const Connection* connection = find(arrived.id);
  if (connection && connection->state != State::Established) unexpected(*connection, step);
}

void Peer::on(const event::NotificationArrived& arrived, Step& step) {
  const Connection* connection = find(arrived.id);
  if (!connection) return;
  const Notification& said = arrived.notification;
  Then then = Then::damped;
  if (connection->state != State::Established) {
    // Event 24: a peer that wants another version is no unstable one.
    if (said.code == ErrorCode::open_message && said.subcode == subcode::kUnsupportedVersion) then = Then::undamped;
    // The other connection may not have been seen here yet, or the peer rests: Idle would refuse both.
    if (said.code == ErrorCode::cease &&
        (said.subcode == subcode::kConnectionCollision || said.subcode == subcode::kConnectionRejected))
      then = Then::seek;
  }
  end(arrived.id, {EndReason::notification_received, then, said}, step);
}

void Peer::on(const event::Malformed& malformed, Step& step) {
  const Connection* connection = find(malformed.id);
  if (!connection) return;
  // Established, event 22: what is wrong with an OPEN does not matter any more.
  if (connection->state == State::Established && malformed.notification.code == ErrorCode::open_message)
    unexpected(*connection, step);
  else
    end(malformed.id, {EndReason::malformed_message, Then::damped, malformed.notification}, step);
}

void Peer::on(const event::SendProgressed& progressed, Step& step) {
  Connection* connection = find(progressed.id);
  if (connection && connection->state == State::Established) connection->restartSendHold(settings_, step.now);
}

void Peer::sendOpen(Connection& connection, Step& step) {
  connection.delay_open_timer.reset();
  connection.held = false;
  connection.state = State::OpenSent;
  connection.hold_timer = step.now + settings_.open_hold;
  step.actions.push_back(action::SendOpen{connection.id, makeOpen(settings_.open)});
}

/// RFC 4271 section 6.8 for a connection on which an OPEN has come. Does it stay?
bool Peer::collide(ConnectionId id, const Negotiated& negotiated, Step& step) {
  for (const ConnectionId other : ids()) {
    if (other == id) continue;
    Connection& older = *find(other);
    const Connection& newer = *find(id);
    // RFC 4724 section 4.2: a peer that opens a connection while it has one has restarted. Not shortly after
    // Established: then it may be the loser of a collision, late on its way.
    const bool restarted = older.established && !older.negotiated->kept_on_restart.empty() &&
                           newer.begun > *older.established + kSimultaneous;
    if (older.state < State::OpenSent) {
      hold(older, step.now);
    } else if (restarted) {
      end(other, {EndReason::peer_restarted, Then::stay, std::nullopt, false, true}, step);
    } else if (loses(older, newer, negotiated, step.now)) {
      end(other, {EndReason::collision, Then::stay, kCollision}, step);
    } else {
      end(id, {EndReason::collision, Then::stay, kCollision}, step);
      return false;
    }
  }
  return true;
}

bool Peer::loses(const Connection& older, const Connection& newer, const Negotiated& negotiated, TimePoint now) const {
  if (older.established && !settings_.collision_detect_established) return false;
  if (older.state == State::OpenSent && now - older.begun > kSimultaneous + settings_.delay_open) return true;
  // A peer makes one connection at a time: of two from one side the older one is dead.
  if (older.outgoing == newer.outgoing) return true;
  return older.outgoing != outgoingStays(negotiated);
}

/// RFC 6286 section 2.3: the side with the higher identifier, then with the higher AS number, keeps what it began.
bool Peer::outgoingStays(const Negotiated& negotiated) const {
  const OpenSettings& ours = settings_.open;
  if (ours.router_id != negotiated.peer_id) return ours.router_id > negotiated.peer_id;
  return ours.local_as > negotiated.peer_as;
}

/// Is there a connection that the peer may count on?
bool Peer::settled() const {
  return std::ranges::any_of(connections_, [](const Connection& one) { return one.state >= State::OpenConfirm; });
}

void Peer::hold(Connection& connection, TimePoint now) const {
  connection.delay_open_timer.reset();
  connection.hold_timer = now + settings_.open_hold;
  connection.held = true;
}

/// The connection that another one was held for is gone.
void Peer::release(Step& step) {
  if (!awake_ || settled()) return;
  for (Connection& connection : connections_)
    if (connection.held) sendOpen(connection, step);
}

/// OpenSent, event 19.
void Peer::confirm(ConnectionId id, const Negotiated& negotiated, Step& step) {
  // The peer may have seen our attempt already, and prefer it.
  if (!outgoingStays(negotiated)) cancelAttempt(step);
  Connection& connection = *find(id);
  connection.state = State::OpenConfirm;
  connection.negotiated = negotiated;
  connection.restartHold(step.now);
  if (!connection.hold_timer) connection.hold_timer = step.now + settings_.open_hold;
  connection.keepalive_owed = true;
  if (bfdMissing()) {
    connection.bfd_timer = step.now + settings_.bfd_wait;
  } else {
    sendOwedKeepalives(step);
  }
}

/// KEEPALIVEs that confirm an OPEN; without one the peer stays in OpenConfirm like us.
void Peer::sendOwedKeepalives(Step& step) {
  for (const ConnectionId id : ids()) {
    Connection* connection = find(id);
    if (!connection || !connection->keepalive_owed) continue;
    connection->keepalive_owed = false;
    connection->bfd_timer.reset();
    step.actions.push_back(action::SendKeepalive{id});
    connection->restartKeepalive(random_, step.now);
    if (connection->keepalive_heard) establish(id, step);
  }
}

/// OpenConfirm, event 26.
void Peer::establish(ConnectionId id, Step& step) {
  cancelAttempt(step);
  for (const ConnectionId other : ids()) {
    const bool may_win = settings_.collision_detect_established && find(other)->state == State::OpenSent;
    if (other != id && !may_win) end(other, {EndReason::collision, Then::stay, kCollision}, step);
  }
  Connection& connection = *find(id);
  connection.state = State::Established;
  connection.established = step.now;
  connection.restartHold(step.now);
  connection.restartSendHold(settings_, step.now);
  ++counters_.established;
  step.actions.push_back(action::SessionEstablished{id, *connection.negotiated});
}

/// A message that the state does not take: FSM error.
void Peer::unexpected(const Connection& connection, Step& step) {
  end(connection.id,
      {EndReason::unexpected_message, Then::damped,
       Notification{ErrorCode::finite_state_machine, unexpectedIn(connection.state), {}}},
      step);
}

}  // namespace poplink::host::bgp
