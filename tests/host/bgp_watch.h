// SPDX-License-Identifier: Apache-2.0
// Watches what a session machine does, as its peer and its caller would, and says what no machine may do.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "session.h"

namespace poplink::host::bgp {

class SessionWatch {
 public:
  /// To be told before the machine is.
  void connected(ConnectionId id) { open_[id] = {}; }
  void openArrived(ConnectionId id) {
    if (open_.contains(id)) open_[id].open_arrived = true;
  }
  void gone(ConnectionId id) { open_.erase(id); }

  /// What is wrong with `actions`, or with what the machine says of itself afterwards; empty: nothing.
  std::string check(const Peer& peer, const Actions& actions) {
    for (const SessionAction& action : actions) {
      std::string problem = std::visit([this](const auto& what) { return this->on(what); }, action);
      if (!problem.empty()) return problem;
    }
    return state(peer);
  }

 private:
  struct Seen {
    bool open_sent = false, open_arrived = false, notified = false;
  };

  std::string on(const action::Connect& connect) {
    if (attempt_) return "two attempts at once";
    attempt_ = connect.attempt;
    return {};
  }
  std::string on(const action::CancelConnect& cancel) {
    if (attempt_ != cancel.attempt) return "no such attempt is cancelled";
    attempt_.reset();
    return {};
  }
  std::string on(const action::SendOpen& send) {
    if (!open_.contains(send.id)) return "OPEN into nowhere";
    return std::exchange(open_[send.id].open_sent, true) ? "two OPENs" : "";
  }
  std::string on(const action::SendKeepalive& send) {
    if (!open_.contains(send.id)) return "KEEPALIVE into nowhere";
    const Seen& seen = open_[send.id];
    return seen.open_sent && seen.open_arrived && !seen.notified ? "" : "KEEPALIVE before both OPENs";
  }
  std::string on(const action::SendNotification& send) {
    if (!open_.contains(send.id)) return "NOTIFICATION into nowhere";
    if (!open_[send.id].open_sent) return "NOTIFICATION before OPEN";
    return std::exchange(open_[send.id].notified, true) ? "two NOTIFICATIONs" : "";
  }
  std::string on(const action::SendRouteRefresh& send) {
    return session_ == send.id ? "" : "ROUTE-REFRESH without a session";
  }
  std::string on(const action::CloseConnection& close) {
    return open_.erase(close.id) == 1 ? "" : "what is not there is closed";
  }
  std::string on(const action::SessionEstablished& up) {
    if (session_) return "two sessions";
    if (!open_.contains(up.id) || !open_[up.id].open_arrived) return "a session without an OPEN";
    session_ = up.id;
    return {};
  }
  std::string on(const action::SessionDown& down) {
    if (session_ != down.id) return "no such session ends";
    session_.reset();
    return {};
  }
  static std::string on(const action::Tell&) { return {}; }

  std::string state(const Peer& peer) {
    attempt_ = peer.attempt();
    if (peer.connections().size() > 2) return "three connections";
    if (peer.connections().size() != open_.size()) return "a connection is forgotten";
    std::size_t established = 0;
    for (const Connection& connection : peer.connections()) {
      if (!open_.contains(connection.id)) return "a connection is remembered that is closed";
      if (connection.state >= State::OpenSent && !open_[connection.id].open_sent) return "OpenSent without OPEN";
      if (connection.state == State::Established) ++established;
      const bool confirmed = connection.state >= State::OpenConfirm;
      if (connection.keepalive_timer && !confirmed) return "KeepaliveTimer before OpenConfirm";
      if (connection.send_hold_timer && connection.state != State::Established) return "SendHoldTimer too early";
      if (connection.state != State::Established && !connection.deadline()) return "a connection that waits for ever";
      if (connection.held && peer.state() < State::OpenConfirm) return "held for nothing";
      if (confirmed && !connection.negotiated) return "confirmed, but nothing negotiated";
    }
    if (established != (session_ ? 1u : 0u)) return "Established is not told";
    if (established != 0 && peer.attempt()) return "connects though Established";
    return timers(peer);
  }

  static std::string timers(const Peer& peer) {
    const bool idle = peer.state() == State::Idle;
    if (!peer.started() && (!idle || peer.deadline())) return "does something though stopped";
    if (peer.idleHoldTimer() && !idle) return "IdleHoldTimer outside Idle";
    if (idle && peer.connectRetryTimer()) return "ConnectRetryTimer in Idle";
    if (peer.started() && idle && !peer.idleHoldTimer() && !peer.heldByPrefixLimit()) return "Idle for ever";
    if (peer.attempt() && !peer.connectRetryTimer()) return "an attempt for ever";
    const bool waits = peer.state() == State::Active && peer.connections().empty() && !peer.settings().passive;
    return waits && !peer.connectRetryTimer() ? "Active for ever" : "";
  }

  std::map<ConnectionId, Seen> open_;
  std::optional<AttemptId> attempt_;
  std::optional<ConnectionId> session_;
};

}  // namespace poplink::host::bgp
