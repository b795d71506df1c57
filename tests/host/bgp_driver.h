// SPDX-License-Identifier: Apache-2.0
// One machine and a peer that does anything, byte by byte: for random sequences and for the fuzzer. After each step it
// says what was wrong, and at the end a peer that behaves gets its session.
#pragma once

#include <deque>

#include "bgp_watch.h"

namespace poplink::host::bgp {

class SessionDriver {
 public:
  SessionDriver() : peer_(settings(0), [this] { return static_cast<double>(++dice_ * 37 % 101) / 101; }) {}
  SessionDriver(const SessionDriver&) = delete;
  SessionDriver& operator=(const SessionDriver&) = delete;

  /// One of all things that can happen. What is wrong with what came of it; empty: nothing.
  std::string happen(std::uint8_t what, std::uint8_t detail) {
    switch (what % 24) {
      case 0:
        return handle(event::Start{});
      case 1:
        return handle(event::Stop{detail, {detail}});
      case 2:
        return handle(event::Clear{});
      case 3:
        return connect(event::Accepted{newId()});
      case 4:
      case 5:
        return connect(event::ConnectSucceeded{attempt(detail), newId()});
      case 6:
        return handle(event::ConnectFailed{attempt(detail)});
      case 7:
        watch_.gone(pick(detail));
        return handle(event::Closed{pick(detail)});
      case 8:
      case 9:
      case 10:
        watch_.openArrived(pick(detail));
        return handle(event::OpenArrived{pick(detail), open(detail)});
      case 11:
      case 12:
        return handle(event::KeepaliveArrived{pick(detail)});
      case 13:
        return handle(event::UpdateArrived{pick(detail)});
      case 14:
        return handle(event::NotificationArrived{pick(detail), notification(detail)});
      case 15:
        return handle(event::RouteRefreshArrived{pick(detail)});
      case 16:
        return handle(event::Malformed{pick(detail), notification(detail)});
      case 17:
        return handle(event::SendProgressed{pick(detail)});
      case 18:
        return detail % 2 == 0 ? handle(event::BfdUp{}) : handle(event::BfdDown{detail % 4 == 1});
      case 19:
        return handle(event::RefreshWanted{detail % 2 == 0 ? kIpv4Unicast : kIpv6Unicast});
      case 20:
        return limit(detail);
      case 21:
        return check(peer_.configure(settings(detail), now_));
      case 22:
        return advance(std::chrono::milliseconds(detail * detail));
      default:
        return advance(std::chrono::seconds(detail));
    }
  }

  /// From now on the peer behaves: there has to be a session soon.
  std::string settle() {
    std::string problem = check(peer_.configure(settings(0), now_));
    for (const Event& event : {Event{event::Start{}}, Event{event::Clear{}}, Event{event::BfdUp{}}})
      if (problem.empty()) problem = handle(event);
    answering_ = true;
    for (int half_minutes = 20; problem.empty() && half_minutes > 0 && peer_.state() != State::Established;
         --half_minutes)
      problem = advance(std::chrono::seconds(30));
    if (problem.empty()) problem = advance(std::chrono::minutes(1));
    if (problem.empty() && peer_.state() != State::Established) problem = "no session with a peer that behaves";
    return problem;
  }

 private:
  static SessionSettings settings(std::uint8_t detail) {
    SessionSettings settings;
    settings.open.local_as = 65001;
    settings.open.peer_as = 65002;
    settings.open.router_id = 100;
    settings.open.families = {kIpv4Unicast, kIpv6Unicast};
    if (detail & 1) settings.open.graceful_restart.emplace();
    settings.passive = (detail & 2) != 0;
    if (detail & 4) settings.delay_open = std::chrono::seconds(7);
    settings.collision_detect_established = (detail & 8) != 0;
    settings.bfd = static_cast<BfdMode>((detail >> 4 & 3) % 3);
    if (detail & 64) settings.open.hold_seconds = 9;
    return settings;
  }

  static Open open(std::uint8_t detail) {
    OpenSettings theirs;
    theirs.local_as = detail & 16 ? 65099 : 65002;
    theirs.peer_as = 65001;
    theirs.router_id = detail & 8 ? 200 : 50;
    theirs.families = {kIpv4Unicast};
    const std::uint16_t holds[] = {90, 0, 3, 240};
    theirs.hold_seconds = holds[detail >> 5 & 3];
    if (detail & 4) theirs.graceful_restart.emplace();
    return makeOpen(theirs);
  }
  static Notification notification(std::uint8_t detail) {
    return {static_cast<ErrorCode>(1 + (detail >> 2) % 8), static_cast<std::uint8_t>(detail >> 5), {}};
  }

  std::string limit(std::uint8_t detail) {
    event::PrefixLimitReached reached{kIpv4Unicast, detail, {}};
    if (detail % 2 == 0) reached.restart = std::chrono::seconds(1 + detail);
    return handle(reached);
  }

  ConnectionId newId() { return ConnectionId{++ids_}; }
  /// One that is there, mostly; otherwise one that is not.
  ConnectionId pick(std::uint8_t detail) const {
    const auto connections = peer_.connections();
    const std::size_t index = detail % 4;
    return index < connections.size() ? connections[index].id : ConnectionId{ids_ == 0 ? 0 : detail % ids_ + 1};
  }
  AttemptId attempt(std::uint8_t detail) const {
    return peer_.attempt() && detail % 8 != 0 ? *peer_.attempt() : AttemptId{detail};
  }

  template <class Connected>
  std::string connect(const Connected& connected) {
    watch_.connected(connected.id);
    return handle(connected);
  }
  std::string handle(const Event& event) { return check(peer_.handle(event, now_)); }

  std::string check(const Actions& actions) {
    for (const SessionAction& action : actions) {
      if (!answering_) break;
      if (const auto* connect = std::get_if<action::Connect>(&action)) pending_.push_back(*connect);
      if (const auto* open = std::get_if<action::SendOpen>(&action)) pending_.push_back(*open);
      if (const auto* keepalive = std::get_if<action::SendKeepalive>(&action)) pending_.push_back(*keepalive);
    }
    return watch_.check(peer_, actions);
  }

  /// What a peer that behaves does about the machine's actions.
  std::string answer() {
    while (!pending_.empty()) {
      const SessionAction action = pending_.front();
      pending_.pop_front();
      std::string problem;
      if (const auto* connecting = std::get_if<action::Connect>(&action))
        problem = connect(event::ConnectSucceeded{connecting->attempt, newId()});
      if (const auto* opened = std::get_if<action::SendOpen>(&action)) {
        watch_.openArrived(opened->id);
        problem = handle(event::OpenArrived{opened->id, open(0)});
      }
      if (const auto* alive = std::get_if<action::SendKeepalive>(&action)) {
        problem = handle(event::KeepaliveArrived{alive->id});
        if (problem.empty()) problem = handle(event::SendProgressed{alive->id});
      }
      if (!problem.empty()) return problem;
    }
    return {};
  }

  std::string advance(Duration time) {
    const TimePoint end = now_ + time;
    std::string problem = answer();
    while (problem.empty()) {
      const auto next = peer_.deadline();
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      problem = check(peer_.run(now_));
      if (problem.empty() && peer_.deadline() && *peer_.deadline() <= now_) problem = "a deadline that does not pass";
      if (problem.empty()) problem = answer();
    }
    now_ = end;
    if (!problem.empty()) return problem;
    const Actions early = peer_.run(now_);
    return early.empty() ? "" : "something happens before the deadline";
  }

  std::uint64_t dice_ = 0, ids_ = 0;
  TimePoint now_{std::chrono::seconds(1000)};
  Peer peer_;
  SessionWatch watch_;
  bool answering_ = false;
  std::deque<SessionAction> pending_;
};

}  // namespace poplink::host::bgp
