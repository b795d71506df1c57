// SPDX-License-Identifier: Apache-2.0
// What the owner of a TcpPool says about a peer's TCP, and what it is told.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "../fsm/session_types.h"
#include "../wire/endpoint.h"
#include "../wire/octets.h"

namespace poplink::host::bgp {

/// An attempt to connect; the caller numbers them.
using Token = std::uint64_t;

struct TcpOptions {
  std::uint8_t hops = 1;      ///< 1..255: to an external peer, or to any with ttl_security
  bool ttl_security = false;  ///< GTSM (RFC 5082): only packets of TTL 256 - hops and more are taken, sent with 255
  std::string md5_key{};      ///< RFC 2385, up to 80 octets; empty: none; a secret
  std::optional<Address> local_address{};  ///< ours, of connections made and of those accepted
  bool external = true;                    ///< of another AS
  friend bool operator==(const TcpOptions&, const TcpOptions&) = default;
};

/// Calls to the pool are welcome in all of these except outgoing(). None comes out of a call to the pool, except
/// outgoing() and sent() out of wantWrite() and close(), and received() and closed() out of readAll().
class TcpEvents {
 public:
  virtual ~TcpEvents() = default;
  /// A peer has connected.
  virtual void accepted(ConnectionId id, const Endpoint& remote, const Endpoint& local) = 0;
  /// connect() has succeeded; or not, and it is not tried again.
  virtual void connected(Token token, ConnectionId id, const Endpoint& local) = 0;
  virtual void connectFailed(Token token, const std::string& why) = 0;
  /// What has come, at least one octet; valid during the call.
  virtual void received(ConnectionId id, Octets octets) = 0;
  /// Closed by the other side, or lost on the way. Nothing more comes of it. Not told after close().
  virtual void closed(ConnectionId id, const std::string& why) = 0;
  /// What is to be sent now, from its first octet: all there is, or the first pieces of it (64 of them go at a time).
  /// No octets: nothing. It and the octets stay valid until sent(), or until the call that led here returns.
  virtual std::span<const boost::asio::const_buffer> outgoing(ConnectionId id) = 0;
  /// TCP has taken the first `octets` of these.
  virtual void sent(ConnectionId id, std::size_t octets) = 0;
  /// Somebody has connected who may not, and has been reset. Told ten times in ten seconds at most; the counter has
  /// all.
  virtual void refused(const Endpoint& remote, const std::string& why) = 0;
};

}  // namespace poplink::host::bgp
