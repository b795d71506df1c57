// SPDX-License-Identifier: Apache-2.0
#include "socket_options.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "socket_address.h"

namespace poplink::host::bgp {

namespace {

constexpr int kInternalTtl = 64;
constexpr int kMaximumTtl = 255;
constexpr unsigned kPatienceMs = 30'000;

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

void set(int socket, int level, int option, int value, const char* name) {
  if (::setsockopt(socket, level, option, &value, sizeof value) != 0)
    fail(errno, std::string("cannot set ") + name + " to " + std::to_string(value));
}

void setTtlToSend(int socket, bool v6, int ttl) {
  if (v6)
    set(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl, "IPV6_UNICAST_HOPS");
  else
    set(socket, IPPROTO_IP, IP_TTL, ttl, "IP_TTL");
}

}  // namespace

int openSocket(bool v6) {
  const int socket = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (socket < 0) fail(errno, "cannot open a socket");
  const int on = 1;
  // Cannot fail on a new socket.
  if (v6) ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return socket;
}

void setForBgp(int socket, bool v6) {
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  if (v6)
    set(socket, IPPROTO_IPV6, IPV6_TCLASS, IPTOS_CLASS_CS6, "IPV6_TCLASS");
  else
    set(socket, IPPROTO_IP, IP_TOS, IPTOS_CLASS_CS6, "IP_TOS");
}

void setForListening(int socket, bool v6) {
  set(socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  set(socket, IPPROTO_TCP, TCP_SAVE_SYN, 1, "TCP_SAVE_SYN");
  setTtlToSend(socket, v6, kMaximumTtl);
}

std::uint8_t ttlToSend(const TcpOptions& options) {
  if (options.ttl_security) return kMaximumTtl;
  return options.external ? std::max<std::uint8_t>(options.hops, 1) : kInternalTtl;
}

std::uint8_t lowestTtl(const TcpOptions& options) {
  if (!options.ttl_security) return 0;
  return static_cast<std::uint8_t>(kMaximumTtl + 1 - std::max<int>(options.hops, 1));
}

void setTtl(int socket, bool v6, const TcpOptions& options) {
  setTtlToSend(socket, v6, ttlToSend(options));
  if (v6)
    set(socket, IPPROTO_IPV6, IPV6_MINHOPCOUNT, lowestTtl(options), "IPV6_MINHOPCOUNT");
  else
    set(socket, IPPROTO_IP, IP_MINTTL, lowestTtl(options), "IP_MINTTL");
}

void setMd5Key(int socket, const Address& peer, const std::string& key) {
  if (key.size() > kMd5KeyOctets)
    fail(EINVAL, "the MD5 key for " + toString(peer) + " has more than " + std::to_string(kMd5KeyOctets) + " octets");
  tcp_md5sig request{};
  const Tcp::endpoint address = toSocket({peer, 0});
  std::copy_n(reinterpret_cast<const std::uint8_t*>(address.data()), address.size(),
              reinterpret_cast<std::uint8_t*>(&request.tcpm_addr));
  request.tcpm_keylen = static_cast<std::uint16_t>(key.size());
  std::copy(key.begin(), key.end(), request.tcpm_key);
  if (::setsockopt(socket, IPPROTO_TCP, TCP_MD5SIG, &request, sizeof request) == 0) return;
  if (key.empty() && errno == ENOENT) return;
  // The kernel says no more than "cannot allocate memory".
  const char* hint = errno == ENOMEM ? " (net.core.optmem_max says how many fit)" : "";
  fail(errno, "cannot set the MD5 key for " + toString(peer) + hint);
}

std::optional<std::uint8_t> ttlOfSyn(int socket) {
  constexpr std::size_t kTtlAt = 8, kHopLimitAt = 7;  // RFC 791 section 3.1, RFC 8200 section 3
  std::array<std::uint8_t, 512> syn{};                // more than both headers with all their options
  socklen_t size = syn.size();
  if (::getsockopt(socket, IPPROTO_TCP, TCP_SAVED_SYN, syn.data(), &size) != 0 || size <= kTtlAt) return std::nullopt;
  return syn[syn[0] >> 4 == 6 ? kHopLimitAt : kTtlAt];
}

void setPatienceWhenClosed(int socket) {
  // Without it a peer that answers, but takes nothing, could have the kernel keep its octets for ever.
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kPatienceMs, sizeof kPatienceMs);
}

}  // namespace poplink::host::bgp
