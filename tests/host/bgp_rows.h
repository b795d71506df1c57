// SPDX-License-Identifier: Apache-2.0
// What the tests of the session machine share: settings of two sides, a machine in each state, and actions looked at.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "session.h"

namespace poplink::host::bgp {

using namespace std::chrono_literals;
inline constexpr TimePoint kStart{1000s};

/// One of two sides, 1 and 2, that are configured for each other.
inline SessionSettings sideSettings(std::uint32_t side) {
  SessionSettings settings;
  settings.open.local_as = 65000 + side;
  settings.open.peer_as = 65003 - side;
  settings.open.router_id = side;
  return settings;
}

inline Random seeded(std::uint64_t seed) {
  return [random = std::make_shared<std::mt19937_64>(seed)] {
    return std::uniform_real_distribution<double>(0, 1)(*random);
  };
}
/// No jitter: timers have the length that is configured.
inline double unjittered() {
  return 1.0;
}

inline Open openOf(std::uint32_t side) {
  return makeOpen(sideSettings(side).open);
}

template <class Kind>
std::vector<Kind> all(const Actions& actions) {
  std::vector<Kind> result;
  for (const SessionAction& action : actions)
    if (const auto* one = std::get_if<Kind>(&action)) result.push_back(*one);
  return result;
}
template <class Kind>
std::size_t count(const Actions& actions) {
  return all<Kind>(actions).size();
}
/// The connection whose closing is asked for, if it is one.
inline std::optional<ConnectionId> closed(const Actions& actions) {
  const auto closes = all<action::CloseConnection>(actions);
  return closes.size() == 1 ? std::optional(closes[0].id) : std::nullopt;
}

inline void append(Actions& actions, Actions more) {
  actions.insert(actions.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

inline void PrintTo(State state, std::ostream* out) {
  *out << name(state);
}
inline void PrintTo(EndReason reason, std::ostream* out) {
  *out << '"' << words(reason) << '"';
}

inline constexpr ConnectionId kFirst{1};

/// Started at kStart, its attempt succeeded as kFirst if `state` needs a connection.
inline Peer peerIn(State state, const SessionSettings& settings = sideSettings(1)) {
  Peer peer(settings, unjittered);
  if (state == State::Idle) return peer;
  peer.handle(event::Start{}, kStart);
  if (state == State::Connect) return peer;
  if (state == State::Active) {
    peer.handle(event::ConnectFailed{*peer.attempt()}, kStart);
    return peer;
  }
  peer.handle(event::ConnectSucceeded{*peer.attempt(), kFirst}, kStart);
  if (state >= State::OpenConfirm) peer.handle(event::OpenArrived{kFirst, openOf(2)}, kStart);
  if (state == State::Established) peer.handle(event::KeepaliveArrived{kFirst}, kStart);
  EXPECT_EQ(peer.state(), state);
  return peer;
}

}  // namespace poplink::host::bgp
