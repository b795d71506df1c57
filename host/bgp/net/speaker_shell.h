// SPDX-License-Identifier: Apache-2.0
// The shell around a speaker: sockets, clock, interfaces. One io_context, one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "../speaker/speaker.h"
#include "tcp_pool.h"

namespace poplink::host::bgp {

class SpeakerShell : private SpeakerNet, private TcpEvents {
 public:
  /// Listens, and lets peers begin. Throws std::system_error: an address or a key that the system does not take, or
  /// no random numbers.
  SpeakerShell(boost::asio::io_context& context, const SpeakerSettings& settings, TellNews tell, bool restarting);
  ~SpeakerShell() override;

  /// As Speaker::apply(). Throws as the constructor, then nothing but the sockets that could be had has changed.
  std::vector<std::string> apply(const SpeakerSettings& settings);
  /// The program ends: last words are handed to TCP.
  void stop();

  Speaker& speaker() { return speaker_; }
  const Speaker& speaker() const { return speaker_; }
  /// Connections whose last words are on their way.
  std::size_t closing() const { return pool_.closing(); }
  const TcpCounters& tcp() const { return pool_.counters(); }
  /// Anything was asked of the speaker: there may be work, and another deadline.
  void wake();

 private:
  void connect(PeerIndex peer, AttemptId attempt, const PeerSettings& settings) override;
  void cancel(PeerIndex peer, AttemptId attempt) override;
  void wantWrite(ConnectionId id) override;
  void close(ConnectionId id) override;

  void accepted(ConnectionId id, const Endpoint& remote, const Endpoint& local) override;
  void connected(Token token, ConnectionId id, const Endpoint& local) override;
  void connectFailed(Token token, const std::string& why) override;
  void received(ConnectionId id, Octets octets) override;
  void closed(ConnectionId id, const std::string& why) override;
  std::span<const boost::asio::const_buffer> outgoing(ConnectionId id) override;
  void sent(ConnectionId id, std::size_t octets) override;
  void refused(const Endpoint& remote, const std::string& why) override;

  void openSockets(const SpeakerSettings& settings);
  void work();
  void sleep();
  void timeIsUp();
  void lookAtInterfaces();

  boost::asio::io_context& context_;
  TellNews tell_;
  TcpPool pool_;
  Speaker speaker_;
  boost::asio::steady_timer timer_, interfaces_timer_;
  std::optional<TimePoint> asleep_until_;
  bool work_posted_ = false;
  std::vector<InterfaceAddress> interfaces_;
  std::vector<boost::asio::const_buffer> buffers_;  ///< of the last outgoing()
};

/// Of this host's interfaces that are up.
std::vector<InterfaceAddress> interfaceAddresses();

}  // namespace poplink::host::bgp
