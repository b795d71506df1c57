// SPDX-License-Identifier: Apache-2.0
// Administration, getting connections, timers, endings; messages are in session_messages.cpp.
#include "session.h"

#include <algorithm>
#include <utility>

namespace poplink::host::bgp {

namespace {

Notification cease(std::uint8_t code, std::vector<std::uint8_t> data = {}) {
  return {ErrorCode::cease, code, std::move(data)};
}

bool due(const std::optional<TimePoint>& timer, TimePoint now) {
  return timer && *timer <= now;
}

/// The R and F bits speak of a restart that is over when the session is up: changing them disturbs none.
bool sameSession(OpenSettings one, OpenSettings other) {
  for (OpenSettings* settings : {&one, &other}) {
    if (!settings->graceful_restart) continue;
    settings->graceful_restart->restarting = false;
    settings->graceful_restart->forwarding.clear();
  }
  return one == other;
}

/// Of Cease, maximum number of prefixes reached (RFC 4486 section 4): AFI, SAFI, upper bound.
std::vector<std::uint8_t> limitData(const event::PrefixLimitReached& reached) {
  const auto afi = static_cast<std::uint16_t>(reached.family.afi);
  std::vector<std::uint8_t> data{static_cast<std::uint8_t>(afi >> 8), static_cast<std::uint8_t>(afi),
                                 static_cast<std::uint8_t>(reached.family.safi)};
  for (int shift = 24; shift >= 0; shift -= 8) data.push_back(static_cast<std::uint8_t>(reached.limit >> shift));
  return data;
}

}  // namespace

Actions Peer::handle(const Event& event, TimePoint now) {
  Step step{now, {}};
  std::visit([this, &step](const auto& what) { on(what, step); }, event);
  return finish(std::move(step));
}

Actions Peer::run(TimePoint now) {
  Step step{now, {}};
  for (const ConnectionId id : ids()) runConnection(id, step);
  if (due(idle_hold_timer_, now)) {
    idle_hold_timer_.reset();
    held_by_limit_ = false;
    seek(step);
  }
  if (due(connect_retry_timer_, now)) {
    // Connect and Active, event 9: what is being made has taken too long, and another attempt begins, unless the peer
    // has connected meanwhile.
    if (attempt_) tell(EndReason::connect_timed_out, std::nullopt, std::nullopt, step);
    cancelAttempt(step);
    if (connections_.empty()) connect(step);
  }
  return finish(std::move(step));
}

Actions Peer::configure(const SessionSettings& settings, TimePoint now) {
  Step step{now, {}};
  const bool restart = !sameSession(settings.open, settings_.open);
  const bool passive_changed = settings.passive != settings_.passive;
  settings_ = settings;
  if (restart && awake_) {
    letGo(EndReason::reconfigured, cease(subcode::kOtherConfigurationChange), step);
  } else if (passive_changed && awake_) {
    cancelAttempt(step);
    if (connections_.empty()) seek(step);
  }
  if (!bfdMissing()) sendOwedKeepalives(step);
  return finish(std::move(step));
}

std::optional<TimePoint> Peer::deadline() const {
  std::optional<TimePoint> first;
  const auto consider = [&first](const std::optional<TimePoint>& timer) {
    if (timer && (!first || *timer < *first)) first = timer;
  };
  consider(idle_hold_timer_);
  consider(connect_retry_timer_);
  for (const Connection& connection : connections_) consider(connection.deadline());
  return first;
}

State Peer::state() const {
  State furthest = State::Idle;
  for (const Connection& connection : connections_) furthest = std::max(furthest, connection.state);
  if (!connections_.empty()) return furthest;
  if (attempt_) return State::Connect;
  return awake_ ? State::Active : State::Idle;
}

bool Peer::established(ConnectionId id) const {
  return std::ranges::any_of(connections_, [id](const Connection& connection) {
    return connection.id == id && connection.state == State::Established;
  });
}

void Peer::on(const event::Start&, Step& step) {
  if (started_ && !held_by_limit_) return;
  started_ = true;
  held_by_limit_ = false;
  connect_retry_counter_ = 0;
  seek(step);
}

void Peer::on(const event::Stop& stop, Step& step) {
  if (!started_) return;
  started_ = held_by_limit_ = false;
  letGo(EndReason::stopped, cease(stop.subcode, stop.data), step);
  idle_hold_timer_.reset();
}

void Peer::on(const event::Clear& clear, Step& step) {
  if (!started_) return;
  held_by_limit_ = false;
  if (clear.reconfigured)
    letGo(EndReason::reconfigured, cease(subcode::kOtherConfigurationChange), step);
  else
    letGo(EndReason::cleared, cease(subcode::kAdministrativeReset, clear.data), step);
}

void Peer::on(const event::Accepted& accepted, Step& step) {
  ++counters_.accepted;
  if (!awake_) {
    step.actions.push_back(action::CloseConnection{accepted.id});
    tell(EndReason::refused_while_idle, accepted.id, std::nullopt, step);
    return;
  }
  const auto older = std::ranges::find_if(connections_, [](const Connection& connection) {
    return !connection.outgoing && connection.state != State::Established;
  });
  std::optional<ConnectionId> replaced;
  if (older != connections_.end()) replaced = older->id;
  addConnection(accepted.id, false, step);
  if (replaced) end(*replaced, {EndReason::collision, Then::stay, cease(subcode::kConnectionCollision)}, step);
}

void Peer::on(const event::ConnectSucceeded& succeeded, Step& step) {
  if (attempt_ != succeeded.attempt) {
    step.actions.push_back(action::CloseConnection{succeeded.id});
    return;
  }
  attempt_.reset();
  addConnection(succeeded.id, true, step);
}

void Peer::on(const event::ConnectFailed& failed, Step& step) {
  if (attempt_ != failed.attempt) return;
  attempt_.reset();
  connect_retry_timer_.reset();
  if (connections_.empty()) waitForRetry(step);
  tell(EndReason::connect_failed, std::nullopt, std::nullopt, step);
}

void Peer::on(const event::Closed& closed, Step& step) {
  const Connection* connection = find(closed.id);
  if (!connection) return;
  // With an attempt under way this may have been the loser of a collision, whose NOTIFICATION a reset has overtaken.
  const bool seek_on = connection->state <= State::OpenSent || attempt_;
  const Then then = seek_on ? Then::seek : Then::damped;
  end(closed.id, {EndReason::tcp_failed, then, std::nullopt, true, true}, step);
}

void Peer::on(const event::BfdUp&, Step& step) {
  bfd_up_ = true;
  sendOwedKeepalives(step);
}

void Peer::on(const event::BfdDown& down, Step& step) {
  const bool was_up = std::exchange(bfd_up_, false);
  if (!was_up || settings_.bfd == BfdMode::off) return;
  for (const ConnectionId id : ids()) {
    const Connection& connection = *find(id);
    const bool confirmed =
        connection.state == State::OpenConfirm && settings_.bfd == BfdMode::strict && !connection.keepalive_owed;
    if (connection.state != State::Established && !confirmed) continue;
    // A BFD that shares its fate with the peer's control plane may be down because that restarts (RFC 5882 section
    // 4.3.2); a NOTIFICATION would end the grace.
    const bool grace = !down.control_plane_independent && !connection.negotiated->kept_on_restart.empty();
    Ending ending{EndReason::bfd_down, Then::damped, std::nullopt};
    ending.keep = grace;
    if (!grace) ending.notification = cease(subcode::kBfdDown);
    end(id, ending, step);
  }
}

void Peer::on(const event::PrefixLimitReached& reached, Step& step) {
  for (const ConnectionId id : ids()) {
    if (!established(id)) continue;
    letGo(EndReason::prefix_limit, cease(subcode::kMaxPrefixes, limitData(reached)), step);
    held_by_limit_ = true;
    idle_hold_timer_.reset();
    if (reached.restart) idle_hold_timer_ = step.now + *reached.restart;
    return;
  }
}

void Peer::on(const event::RefreshWanted& wanted, Step& step) {
  for (const Connection& connection : connections_) {
    if (connection.state != State::Established || !connection.negotiated->route_refresh) continue;
    if (connection.negotiated->families.contains(wanted.family))
      step.actions.push_back(action::SendRouteRefresh{connection.id, wanted.family});
  }
}

/// Out of Idle, or on in Connect and Active.
void Peer::seek(Step& step) {
  awake_ = true;
  idle_hold_timer_.reset();
  connect_retry_timer_.reset();
  if (!settings_.passive) connect(step);
}

void Peer::connect(Step& step) {
  attempt_ = AttemptId{++attempts_};
  ++counters_.attempts;
  connect_retry_timer_ = step.now + jittered(settings_.connect_retry, random_);
  step.actions.push_back(action::Connect{*attempt_});
}

void Peer::cancelAttempt(Step& step) {
  connect_retry_timer_.reset();
  if (!attempt_) return;
  step.actions.push_back(action::CancelConnect{*attempt_});
  attempt_.reset();
}

/// Active: the peer may come, and at ConnectRetryTimer we go.
void Peer::waitForRetry(Step& step) {
  if (!settings_.passive) connect_retry_timer_ = step.now + jittered(settings_.connect_retry, random_);
}

/// Everything is let go. IdleHoldTimer leads out again (event 13).
void Peer::enterIdle(bool counted, Step& step) {
  cancelAttempt(step);
  awake_ = false;
  if (counted) ++connect_retry_counter_;
  idle_hold_timer_ = step.now + jittered(idleHoldTime(), random_);
}

Duration Peer::idleHoldTime() const {
  Duration time = settings_.idle_hold_first;
  for (std::uint32_t failure = 1; failure < connect_retry_counter_ && time < settings_.idle_hold_longest; ++failure)
    time *= 2;
  return std::min(time, settings_.idle_hold_longest);
}

/// Connect and Active, events 16 and 17.
void Peer::addConnection(ConnectionId id, bool outgoing, Step& step) {
  if (!attempt_) connect_retry_timer_.reset();
  Connection& connection = connections_.emplace_back();
  connection.id = id;
  connection.outgoing = outgoing;
  connection.begun = step.now;
  connection.state = outgoing ? State::Connect : State::Active;
  if (settled()) {
    hold(connection, step.now);
  } else if (settings_.delay_open == Duration{}) {
    sendOpen(connection, step);
  } else {
    connection.delay_open_timer = step.now + settings_.delay_open;
  }
}

void Peer::runConnection(ConnectionId id, Step& step) {
  Connection& connection = *find(id);
  if (due(connection.hold_timer, step.now)) {
    end(id, {EndReason::hold_timer_expired, Then::damped, Notification{ErrorCode::hold_timer_expired}}, step);
  } else if (due(connection.send_hold_timer, step.now)) {
    end(id, {EndReason::send_hold_timer_expired, Then::damped, Notification{ErrorCode::send_hold_timer_expired}}, step);
  } else if (due(connection.bfd_timer, step.now)) {
    end(id, {EndReason::bfd_not_up, Then::damped, cease(subcode::kBfdDown)}, step);
  } else if (due(connection.delay_open_timer, step.now)) {
    sendOpen(connection, step);
  } else if (due(connection.keepalive_timer, step.now)) {
    step.actions.push_back(action::SendKeepalive{id});
    connection.restartKeepalive(random_, step.now);
  }
}

void Peer::end(ConnectionId id, const Ending& ending, Step& step) {
  const auto place = std::ranges::find(connections_, id, &Connection::id);
  const Connection connection = std::move(*place);
  connections_.erase(place);
  const bool spoke = connection.state >= State::OpenSent;
  const bool received = ending.reason == EndReason::notification_received;
  const bool send = ending.notification && !received && spoke;
  if (send) step.actions.push_back(action::SendNotification{id, *ending.notification});
  if (!ending.gone) step.actions.push_back(action::CloseConnection{id});
  if (connection.established) {
    ++counters_.down;
    if (step.now - *connection.established >= settings_.stable) connect_retry_counter_ = 0;
    action::SessionDown down{id, ending.reason, {}, {}};
    const auto& restart = connection.negotiated->graceful_restart;
    if (ending.keep && restart && restart->restart_seconds != 0) {
      down.keep = connection.negotiated->kept_on_restart;
      down.keep_for = std::chrono::seconds(restart->restart_seconds);
    }
    step.actions.emplace_back(std::move(down));
  }
  if (connections_.empty()) {
    if (ending.then == Then::damped || ending.then == Then::undamped) enterIdle(ending.then == Then::damped, step);
    if (ending.then == Then::seek && !attempt_) waitForRetry(step);
  }
  release(step);
  tell(ending.reason, id, send || received ? ending.notification : std::nullopt, step);
}

/// Idle by a decision of this side: no failure, and earlier ones are forgotten.
void Peer::letGo(EndReason reason, const Notification& notification, Step& step) {
  connect_retry_counter_ = 0;
  enterIdle(false, step);
  for (const ConnectionId id : ids()) end(id, {reason, Then::stay, notification}, step);
  if (told_ != State::Idle) tell(reason, std::nullopt, std::nullopt, step);
}

void Peer::tell(EndReason reason, std::optional<ConnectionId> id, std::optional<Notification> notification,
                Step& step) {
  const State to = state();
  step.actions.push_back(action::Tell{step.now, told_, to, reason, id, std::move(notification)});
  told_ = to;
}

Actions Peer::finish(Step step) {
  if (state() != told_) tell(EndReason::none, std::nullopt, std::nullopt, step);
  return std::move(step.actions);
}

Connection* Peer::find(ConnectionId id) {
  const auto place = std::ranges::find(connections_, id, &Connection::id);
  return place == connections_.end() ? nullptr : &*place;
}

std::vector<ConnectionId> Peer::ids() const {
  std::vector<ConnectionId> result;
  result.reserve(connections_.size());
  for (const Connection& connection : connections_) result.push_back(connection.id);
  return result;
}

}  // namespace poplink::host::bgp
