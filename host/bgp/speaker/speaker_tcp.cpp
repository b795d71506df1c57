// SPDX-License-Identifier: Apache-2.0
// Connections, messages, time.
#include <algorithm>

#include "../wire/route_refresh.h"
#include "speaker.h"

namespace poplink::host::bgp {

namespace {

/// A peer may begin to tell everything again and never end (RFC 7313 section 4). What is said after so many beginnings
/// counts as said after the last one that was followed; ages are left for sessions that end.
constexpr unsigned kMostRefreshes = 128;
static_assert(kMostRefreshes < RouteTable<Prefix4>::kMostAges);

std::uint64_t number(ConnectionId id) {
  return static_cast<std::uint64_t>(id);
}

}  // namespace

const Peering* Speaker::peerAt(const Address& remote) const {
  for (const auto& peering : peerings_)
    if (peering && peering->configured && peering->settings.remote.address == remote) return peering.get();
  return nullptr;
}

void Speaker::accepted(ConnectionId id, const Endpoint& remote, const Endpoint& local, TimePoint now) {
  const Peering* known = peerAt(remote.address);
  if (known == nullptr) {
    net_.close(id);
    return;
  }
  Line& line = lines_[number(id)];
  line.peer = known->index;
  line.local = local;
  line.remote = remote;
  handle(*peerings_[known->index], event::Accepted{id}, now);
  writeOut();
}

void Speaker::connected(PeerIndex peer, AttemptId attempt, ConnectionId id, const Endpoint& local, TimePoint now) {
  if (peering(peer) == nullptr) {
    net_.close(id);
    return;
  }
  Line& line = lines_[number(id)];
  line.peer = peer;
  line.local = local;
  line.remote = peerings_[peer]->settings.remote;
  handle(*peerings_[peer], event::ConnectSucceeded{attempt, id}, now);
  writeOut();
}

void Speaker::connectFailed(PeerIndex peer, AttemptId attempt, const std::string& why, TimePoint now) {
  if (peering(peer) == nullptr) return;
  Peering& peering = *peerings_[peer];
  if (peering.machine.attempt() == attempt) peering.last_error = why;
  handle(peering, event::ConnectFailed{attempt}, now);
  writeOut();
}

void Speaker::closed(ConnectionId id, const std::string& why, TimePoint now) {
  const auto line = lines_.find(number(id));
  if (line == lines_.end()) return;
  Peering& peering = *peerings_[line->second.peer];
  lines_.erase(line);
  handle(peering, event::Closed{id}, now);
  if (!why.empty()) peering.last_error = why;
  writeOut();
}

std::size_t Speaker::outgoing(ConnectionId id, std::span<Octets> room) const {
  const auto line = lines_.find(number(id));
  return line == lines_.end() ? 0 : line->second.outbox.front(room);
}

void Speaker::sent(ConnectionId id, std::size_t octets, TimePoint now) {
  const auto line = lines_.find(number(id));
  if (line == lines_.end() || octets == 0) return;
  Outbox& outbox = line->second.outbox;
  const bool was_full = outbox.octets() >= UpdateGroups<Prefix4>::kEnough;
  outbox.sent(octets);
  if (was_full && outbox.octets() < UpdateGroups<Prefix4>::kEnough) has_work_ = true;
  Peering& peering = *peerings_[line->second.peer];
  peering.counters.octets_sent += octets;
  handle(peering, event::SendProgressed{id}, now);
}

std::optional<TimePoint> Speaker::deadline() const {
  std::optional<TimePoint> first = deferral_ ? deferral_->deadline() : std::nullopt;
  const auto consider = [&first](const std::optional<TimePoint>& timer) {
    if (timer && (!first || *timer < *first)) first = timer;
  };
  for (const auto& peering : peerings_) {
    if (!peering) continue;
    consider(peering->machine.deadline());
    consider(peering->stale.deadline());
  }
  return first;
}

void Speaker::run(TimePoint now) {
  for (const auto& peering : peerings_) {
    if (!peering) continue;
    if (const auto due = peering->machine.deadline(); due && *due <= now) {
      // Where nothing waits for TCP, nobody is stuck (RFC 9687).
      for (const Connection& connection : peering->machine.connections()) {
        const auto line = lines_.find(number(connection.id));
        if (line != lines_.end() && line->second.outbox.empty())
          handle(*peering, event::SendProgressed{connection.id}, now);
      }
      act(*peering, peering->machine.run(now), now);
    }
    if (const auto due = peering->stale.deadline(); due && *due <= now) change(*peering, peering->stale.run(now));
  }
  if (deferral_ && deferral_->deadline() && *deferral_->deadline() <= now) release(deferral_->run(now), now);
  writeOut();
}

void Speaker::handle(Peering& peering, const Event& event, TimePoint now) {
  act(peering, peering.machine.handle(event, now), now);
}

void Speaker::act(Peering& peering, const Actions& actions, TimePoint now) {
  for (const SessionAction& action : actions) {
    if (const auto* connect = std::get_if<action::Connect>(&action)) {
      net_.connect(peering.index, connect->attempt, peering.settings);
    } else if (const auto* cancel = std::get_if<action::CancelConnect>(&action)) {
      net_.cancel(peering.index, cancel->attempt);
    } else if (const auto* open = std::get_if<action::SendOpen>(&action)) {
      say(open->id, MessageType::open, encode(open->open));
    } else if (const auto* alive = std::get_if<action::SendKeepalive>(&action)) {
      say(alive->id, MessageType::keepalive, {kKeepalive.begin(), kKeepalive.end()});
    } else if (const auto* last = std::get_if<action::SendNotification>(&action)) {
      if (peering.session == last->id) lines_.at(number(last->id)).outbox.cut();
      say(last->id, MessageType::notification, encode(last->notification));
    } else if (const auto* refresh = std::get_if<action::SendRouteRefresh>(&action)) {
      ask(refresh->id, refresh->family);
    } else if (const auto* close = std::get_if<action::CloseConnection>(&action)) {
      drop(close->id);
    } else if (const auto* established = std::get_if<action::SessionEstablished>(&action)) {
      up(peering, *established, now);
    } else if (const auto* lost = std::get_if<action::SessionDown>(&action)) {
      down(peering, *lost, now);
    } else if (const auto* told = std::get_if<action::Tell>(&action)) {
      news(peering, *told);
    }
  }
}

void Speaker::say(ConnectionId id, MessageType type, std::vector<std::uint8_t> message) {
  const auto line = lines_.find(number(id));
  if (line == lines_.end()) return;
  ++peerings_[line->second.peer]->counters.sent[static_cast<std::size_t>(type)];
  line->second.outbox.push(std::move(message));
  if (!std::exchange(line->second.dirty, true)) dirty_.push_back(id);
}

/// A request that still waits here has an answer with everything: a peer that makes us ask and does not read costs no
/// more than that one.
void Speaker::ask(ConnectionId id, Family family) {
  const auto line = lines_.find(number(id));
  if (line == lines_.end()) return;
  std::uint64_t& asked = line->second.asked[family];
  const Outbox& outbox = line->second.outbox;
  if (asked > outbox.passed()) return;
  say(id, MessageType::route_refresh, encode(RouteRefresh{family, RefreshSubtype::request}));
  asked = outbox.passed() + outbox.octets();
}

/// What it still has to say goes out with this, if TCP takes it.
void Speaker::drop(ConnectionId id) {
  if (!lines_.contains(number(id))) return;
  net_.close(id);
  lines_.erase(number(id));
}

void Speaker::writeOut() {
  const std::vector<ConnectionId> dirty = std::exchange(dirty_, {});
  for (const ConnectionId id : dirty) {
    const auto line = lines_.find(number(id));
    if (line == lines_.end()) continue;
    line->second.dirty = false;
    net_.wantWrite(id);
  }
}

void Speaker::received(ConnectionId id, Octets octets, TimePoint now) {
  auto line = lines_.find(number(id));
  if (line == lines_.end()) return;
  Peering& peering = *peerings_[line->second.peer];
  peering.counters.octets_received += octets.size();
  std::vector<std::uint8_t> joined = std::exchange(line->second.partial, {});
  Octets stream = octets;
  if (!joined.empty()) {
    put(joined, octets);
    stream = joined;
  }
  while (!stream.empty()) {
    const auto next = nextMessage(stream);
    if (std::holds_alternative<Incomplete>(next)) break;
    if (const auto* wrong = std::get_if<Notification>(&next)) {
      handle(peering, event::Malformed{id, *wrong}, now);
      break;
    }
    const auto& message = std::get<Message>(next);
    ++peering.counters.received[static_cast<std::size_t>(message.type)];
    take(peering, id, message, now);
    stream = stream.subspan(message.size());
    if (peering.session != id && !lines_.contains(number(id))) break;
  }
  line = lines_.find(number(id));
  if (line != lines_.end()) line->second.partial.assign(stream.begin(), stream.end());
  writeOut();
}

void Speaker::take(Peering& peering, ConnectionId id, const Message& message, TimePoint now) {
  switch (message.type) {
    case MessageType::open: {
      auto decoded = decodeOpen(message.body);
      if (auto* wrong = std::get_if<Notification>(&decoded))
        handle(peering, event::Malformed{id, std::move(*wrong)}, now);
      else
        handle(peering, event::OpenArrived{id, std::move(std::get<Open>(decoded))}, now);
      return;
    }
    case MessageType::update:
      takeUpdate(peering, id, message.body, now);
      return;
    case MessageType::notification:
      if (auto said = decodeNotification(message.body)) {
        const std::string text = shutdownText(*said);
        handle(peering, event::NotificationArrived{id, std::move(*said)}, now);
        if (!text.empty()) peering.shutdown_text = text;
      }
      return;
    case MessageType::keepalive:
      handle(peering, event::KeepaliveArrived{id}, now);
      return;
    case MessageType::route_refresh:
      takeRefresh(peering, id, message.body, now);
      return;
  }
}

void Speaker::takeUpdate(Peering& peering, ConnectionId id, Octets body, TimePoint now) {
  handle(peering, event::UpdateArrived{id}, now);
  if (peering.session != id) return;
  const Update update = decodeUpdate(body, peering.context, *space_);
  const ErrorAction action = update.findings.action();
  if (action != ErrorAction::none) {
    ++peering.counters.findings[static_cast<std::size_t>(action)];
    const std::string text = words(update.findings.decisive());
    // A peer that sends one error sends many: the log has each kind once in a row.
    if (std::exchange(peering.last_finding, text) != text)
      tellSome(peering, {"bgp.update", NewsLevel::warning, peering.settings.name, text}, now);
  }
  if (action == ErrorAction::session_reset)
    handle(peering, event::Malformed{id, update.findings.notification()}, now);
  else
    apply(peering, update, now);
}

void Speaker::takeRefresh(Peering& peering, ConnectionId id, Octets body, TimePoint now) {
  handle(peering, event::RouteRefreshArrived{id}, now);
  if (peering.session != id) return;
  const auto decoded = decodeRouteRefresh(body);
  if (const auto* wrong = std::get_if<Notification>(&decoded)) {
    handle(peering, event::Malformed{id, *wrong}, now);
    return;
  }
  const auto* refresh = std::get_if<RouteRefresh>(&decoded);
  const bool marks = peering.negotiated.enhanced_route_refresh;
  if (refresh == nullptr || !peering.negotiated.families.contains(refresh->family) ||
      (refresh->subtype != RefreshSubtype::request && !marks)) {
    ++peering.counters.unknown_refreshes;
    return;
  }
  has_work_ = true;
  forTable(refresh->family, [&](auto& table, auto& groups) {
    if (refresh->subtype == RefreshSubtype::request) groups.refresh(peering.index, marks);
    if (refresh->subtype == RefreshSubtype::begin && table.ages(peering.index) < kMostRefreshes)
      table.age(peering.index);
    if (refresh->subtype == RefreshSubtype::end) table.sweep(peering.index);
  });
}

}  // namespace poplink::host::bgp
