// SPDX-License-Identifier: Apache-2.0
// One end of a BGP session over a socket that never blocks, with as little as a speaker needs to talk to it: OPEN,
// KEEPALIVE, a stream of UPDATEs that is ready. The hold time is 0, so nobody waits for KEEPALIVEs (RFC 4271 section
// 4.2).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bgp_routes.h"
#include "message.h"

namespace poplink::bench {

using Clock = std::chrono::steady_clock;

class PeerSession {
 public:
  enum class State : std::uint8_t { down, connecting, open_sent, open_confirm, established };

  /// `epoll`: a descriptor that the session's socket is added to, with the session as its data.
  PeerSession(const Identity& self, const host::bgp::Address& speaker, std::uint16_t port, host::bgp::Family family,
              int epoll);
  ~PeerSession() { close(); }
  PeerSession(const PeerSession&) = delete;
  PeerSession& operator=(const PeerSession&) = delete;

  /// With the body of each UPDATE.
  std::function<void(host::bgp::Octets)> on_update;

  /// From `down`. Throws std::system_error when there is no such local address.
  void connect();
  void close();
  /// Sends on when there is room. The stream outlives the sending.
  void send(host::bgp::Octets stream);
  /// What epoll says.
  void onEvents(std::uint32_t events);

  const Identity& self() const { return self_; }
  State state() const { return state_; }
  bool established() const { return state_ == State::established; }
  bool sentAll() const { return unsent_.empty(); }
  Clock::time_point firstConnectedAt() const { return first_connected_at_; }
  Clock::time_point downSince() const { return down_since_; }
  /// Why it went down the last time.
  const std::string& reason() const { return reason_; }
  /// Octets received in all.
  std::uint64_t received() const { return received_; }

 private:
  void goDown(const std::string& reason);
  void onConnected();
  void sendUnsent();
  void receive();
  bool sendNow(host::bgp::Octets message);
  /// Of a message of the speaker; false: the session is down.
  bool take(const host::bgp::Message& message);
  void watch(bool writable);

  Identity self_;
  host::bgp::Address speaker_;
  std::uint16_t port_;
  host::bgp::Family family_;
  int epoll_;
  int socket_ = -1;
  State state_ = State::down;
  bool watches_writable_ = false;
  Clock::time_point first_connected_at_{}, down_since_{};
  std::string reason_;
  host::bgp::Octets unsent_;
  std::vector<std::uint8_t> input_;
  std::size_t input_size_ = 0;  ///< of what is in it and not taken yet
  std::uint64_t received_ = 0;
};

}  // namespace poplink::bench
