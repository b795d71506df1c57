// SPDX-License-Identifier: Apache-2.0
// One address at which peers may connect. Knows no peers but those with MD5 keys, for these are the listener's.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <set>

#include "socket_address.h"

namespace poplink::host::bgp {

class TcpListener : public std::enable_shared_from_this<TcpListener> {
 public:
  /// Takes whoever has connected.
  using Taker = std::function<void(Tcp::socket, const Endpoint& remote)>;

  /// Binds, but does not listen yet. Throws std::system_error, naming the address if it
  /// is the reason.
  TcpListener(boost::asio::io_context& context, const Endpoint& wanted);
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  /// Listens. `shortages` counts how often there was no descriptor for somebody: it is tried again a little later.
  /// Throws std::system_error, naming the address.
  void start(Taker taker, std::uint64_t& shortages);
  void close();

  /// See socket_options.h. Throws std::system_error; lacksKey() is true then, until it has succeeded.
  void setKey(const Address& peer, const std::string& key);
  bool lacksKey(const Address& peer) const { return keyless_.contains(peer); }

  /// Its port is 0 if any will do.
  const Endpoint& wanted() const { return wanted_; }
  Endpoint local() const { return fromSocket(acceptor_.local_endpoint()); }

 private:
  void await();
  void acceptAll();
  enum class Next : std::uint8_t { another, nobody, pause };
  Next acceptOne();
  void awaitLater();

  Endpoint wanted_;
  Tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  Taker taker_;
  std::uint64_t* shortages_ = nullptr;
  std::set<Address> keyless_;
};

}  // namespace poplink::host::bgp
