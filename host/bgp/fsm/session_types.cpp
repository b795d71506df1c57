// SPDX-License-Identifier: Apache-2.0
#include "session_types.h"

namespace poplink::host::bgp {

const char* name(State state) {
  switch (state) {
    case State::Idle:
      return "Idle";
    case State::Connect:
      return "Connect";
    case State::Active:
      return "Active";
    case State::OpenSent:
      return "OpenSent";
    case State::OpenConfirm:
      return "OpenConfirm";
    case State::Established:
      return "Established";
  }
  return "?";
}

const char* words(EndReason reason) {
  switch (reason) {
    case EndReason::none:
      return "";
    case EndReason::stopped:
      return "stopped";
    case EndReason::cleared:
      return "cleared";
    case EndReason::reconfigured:
      return "configuration changed";
    case EndReason::connect_failed:
      return "cannot connect";
    case EndReason::connect_timed_out:
      return "no answer to connecting";
    case EndReason::tcp_failed:
      return "connection lost";
    case EndReason::refused_while_idle:
      return "refused while idle";
    case EndReason::notification_received:
      return "notification received";
    case EndReason::malformed_message:
      return "malformed message";
    case EndReason::open_refused:
      return "OPEN refused";
    case EndReason::unexpected_message:
      return "unexpected message";
    case EndReason::hold_timer_expired:
      return "hold timer expired";
    case EndReason::send_hold_timer_expired:
      return "send hold timer expired";
    case EndReason::bfd_down:
      return "BFD down";
    case EndReason::bfd_not_up:
      return "BFD does not come up";
    case EndReason::prefix_limit:
      return "too many prefixes";
    case EndReason::collision:
      return "connection collision";
    case EndReason::peer_restarted:
      return "peer has restarted";
  }
  return "?";
}

std::vector<std::string> problems(const SessionSettings& settings) {
  using namespace std::chrono_literals;
  std::vector<std::string> result = problems(settings.open);
  const auto rule = [&result](bool broken, const char* text) {
    if (broken) result.emplace_back(text);
  };
  rule(settings.connect_retry < 1s, "connect_retry: must be at least 1 s");
  rule(settings.delay_open < 0s, "delay_open: must not be negative");
  rule(settings.open_hold < 3s, "open_hold: must be at least 3 s");
  rule(settings.delay_open >= settings.open_hold, "delay_open: must be shorter than open_hold, or the peer gives up");
  rule(settings.send_hold < 0s, "send_hold: must not be negative");
  rule(settings.send_hold != 0s && settings.send_hold <= std::chrono::seconds(settings.open.hold_seconds),
       "send_hold: must be longer than hold_seconds (RFC 9687)");
  rule(settings.idle_hold_first < 100ms, "idle_hold_first: must be at least 0.1 s");
  rule(settings.idle_hold_longest < settings.idle_hold_first, "idle_hold_longest: must not be below idle_hold_first");
  rule(settings.stable < 0s, "stable: must not be negative");
  rule(settings.bfd_wait < 1s, "bfd_wait: must be at least 1 s");
  return result;
}

}  // namespace poplink::host::bgp
