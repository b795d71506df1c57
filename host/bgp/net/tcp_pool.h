// SPDX-License-Identifier: Apache-2.0
// BGP's TCP connections: listens, accepts peers, connects, reads and writes. Knows sockets, not messages. Everything
// happens on the thread of the io_context, and nothing waits.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "../speaker/rate_limit.h"
#include "tcp_attempt.h"
#include "tcp_connection.h"
#include "tcp_counters.h"
#include "tcp_events.h"
#include "tcp_farewell.h"
#include "tcp_listener.h"

namespace poplink::host::bgp {

class TcpPool {
 public:
  /// More accepted connections than this from one address, and the newest is refused. Those that close() is still busy
  /// with count. Two are enough for RFC 4271 section 6.8; others may be those of a peer that has restarted twice.
  static constexpr unsigned kOpenPerPeer = 4;

  /// `events` lives longer. The pool is not destroyed from within one of its events.
  TcpPool(boost::asio::io_context& context, TcpEvents& events);
  /// Closes everything at once, without events; connections that close() is busy with may be reset.
  ~TcpPool();
  TcpPool(const TcpPool&) = delete;
  TcpPool& operator=(const TcpPool&) = delete;

  /// Listens at these and no others; listeners that stay are not disturbed. Throws std::system_error for the first
  /// address at which it cannot listen, but listens at all others; called again it tries again. Port 0: any port.
  void listen(const std::vector<Endpoint>& at);
  /// Where it listens, with the ports that it has.
  std::vector<Endpoint> listening() const;

  /// Who may connect, and how. Connections that are there stay as they are. Throws std::system_error for the first MD5
  /// key that cannot be set, but has set all others; peers whose key could not be set are refused.
  void setPeers(std::map<Address, TcpOptions> peers);

  /// Connects; what comes of it is told later, a timeout only when the kernel's has passed. An attempt of the same
  /// token is given up for this one.
  void connect(Token token, const Endpoint& remote, const TcpOptions& options);
  /// Gives up; nothing more is told of the attempt. Nothing if there is no such attempt.
  void cancel(Token token);

  // Unknown connections, and those that have ended meanwhile, are ignored.

  /// There is something for outgoing(). What TCP takes now is sent now, the rest when TCP takes more.
  void wantWrite(ConnectionId id);
  /// Hands to TCP what it still takes of outgoing(), says that no more comes, and forgets the connection. A
  /// NOTIFICATION arrives if the peer reads: it is not lost by a reset because the peer was sending.
  void close(ConnectionId id);
  /// Reads of each connection what has come, without waiting, up to 64 KiB: for who wants to judge timers, and has not
  /// been in the loop for a while. Nothing from within received().
  void readAll();

  /// Connections that close() is still busy with; each of them for a second at most.
  std::size_t closing() const { return farewells_.size(); }
  const TcpCounters& counters() const { return counters_; }

 private:
  void openListener(const Endpoint& at);
  void take(const TcpListener& listener, Tcp::socket socket, const Endpoint& remote);
  /// Why this one may not connect; empty: it may, and its socket is set up.
  std::string objection(const TcpListener& listener, Tcp::socket& socket, const Endpoint& remote,
                        const Endpoint& local);
  void refuse(Tcp::socket socket, const Endpoint& remote, const std::string& why);
  unsigned openFrom(const Address& address) const;
  ConnectionId add(Tcp::socket socket, const Endpoint& remote, bool accepted);
  std::shared_ptr<TcpConnection> find(ConnectionId id) const;
  template <typename Event>
  void announce(ConnectionId id, Event event);  ///< and begins to read, unless the owner has closed it at once

  boost::asio::io_context& context_;
  TcpEvents& events_;
  std::unique_ptr<ReadRoom> room_ = std::make_unique<ReadRoom>();
  TcpConnection::Shared shared_;
  std::map<Address, TcpOptions> peers_;
  std::vector<std::shared_ptr<TcpListener>> listeners_;
  std::map<Token, std::shared_ptr<TcpAttempt>> attempts_;
  std::map<ConnectionId, std::shared_ptr<TcpConnection>> connections_;
  std::set<std::shared_ptr<TcpFarewell>> farewells_;
  std::uint64_t last_id_ = 0;
  RateLimit refusals_told_;
  TcpCounters counters_;
};

}  // namespace poplink::host::bgp
