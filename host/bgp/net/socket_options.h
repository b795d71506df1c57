// SPDX-License-Identifier: Apache-2.0
// What BGP wants of its TCP sockets: Linux's options, with words when they fail. Sockets are given by their
// descriptors. Everything throws std::system_error unless said otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tcp_events.h"

namespace poplink::host::bgp {

inline constexpr std::size_t kMd5KeyOctets = 80;  ///< the longest key that Linux takes

/// A TCP socket: not blocking, not inherited by other programs, IPv6 without IPv4 in it.
int openSocket(bool v6);

/// Small messages go at once, as network control (RFC 4271 appendix E).
void setForBgp(int socket, bool v6);

/// For a socket that listens: SYNs are kept for ttlOfSyn(), and answers go out with TTL 255, which satisfies every
/// peer.
void setForListening(int socket, bool v6);

/// The TTL to send with and the lowest one to take (RFC 5082 section 3), of an accepted socket or before connecting.
void setTtl(int socket, bool v6, const TcpOptions& options);
std::uint8_t ttlToSend(const TcpOptions& options);
std::uint8_t lowestTtl(const TcpOptions& options);  ///< 0: any

/// Signs what is sent to this address and takes only what it has signed (RFC 2385); an empty key ends that. A
/// listener's key is for connections to come: those that are there keep theirs.
void setMd5Key(int socket, const Address& peer, const std::string& key);

/// With which TTL the SYN of this accepted socket came. Once per socket. None if it was not kept: SYN cookies. Does not
/// throw.
std::optional<std::uint8_t> ttlOfSyn(int socket);

/// How long what is on its way of a closed connection is kept for a peer that does not take it. Does not throw.
void setPatienceWhenClosed(int socket);

}  // namespace poplink::host::bgp
