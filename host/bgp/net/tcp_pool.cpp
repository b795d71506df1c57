// SPDX-License-Identifier: Apache-2.0
#include "tcp_pool.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <optional>
#include <system_error>

#include "socket_options.h"

namespace poplink::host::bgp {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr unsigned kRefusalsTold = 10;
constexpr std::chrono::seconds kRefusalsWindow(10);

/// Does all that can be done, and then throws what went wrong first.
class FirstError {
 public:
  template <typename Step>
  void attempt(Step step) {
    try {
      step();
    } catch (const std::system_error& error) {
      if (!first_) first_ = error;
    }
  }
  void rethrow() const {
    if (first_) throw std::system_error(*first_);
  }

 private:
  std::optional<std::system_error> first_;
};

Endpoint localOf(const Tcp::socket& socket) {
  error_code ignored;
  return fromSocket(socket.local_endpoint(ignored));
}

std::string keyOf(const std::map<Address, TcpOptions>& peers, const Address& address) {
  const auto peer = peers.find(address);
  return peer == peers.end() ? "" : peer->second.md5_key;
}

}  // namespace

TcpPool::TcpPool(asio::io_context& context, TcpEvents& events)
    : context_(context),
      events_(events),
      shared_{events, *room_, [this](ConnectionId id) { connections_.erase(id); }},
      refusals_told_(kRefusalsTold, kRefusalsWindow) {}

TcpPool::~TcpPool() {
  for (const auto& listener : listeners_) listener->close();
  for (const auto& [token, attempt] : attempts_) attempt->giveUp();
  for (const auto& [id, connection] : connections_) connection->drop();
  for (const auto& farewell : farewells_) farewell->drop();
}

void TcpPool::listen(const std::vector<Endpoint>& at) {
  // Those that go, first: an address and the wildcard cannot be listened at side by side.
  std::erase_if(listeners_, [&](const std::shared_ptr<TcpListener>& listener) {
    const bool goes = std::find(at.begin(), at.end(), listener->wanted()) == at.end();
    if (goes) listener->close();
    return goes;
  });
  FirstError errors;
  for (const Endpoint& endpoint : at) {
    const auto same = [&](const auto& listener) { return listener->wanted() == endpoint; };
    if (std::none_of(listeners_.begin(), listeners_.end(), same)) errors.attempt([&] { openListener(endpoint); });
  }
  errors.rethrow();
}

void TcpPool::openListener(const Endpoint& at) {
  const auto listener = std::make_shared<TcpListener>(context_, at);
  FirstError errors;
  for (const auto& [address, options] : peers_)
    if (isV6(address) == isV6(at.address) && !options.md5_key.empty())
      errors.attempt([&, &peer = address, &key = options.md5_key] { listener->setKey(peer, key); });
  listener->start(
      [this, &self = *listener](Tcp::socket socket, const Endpoint& remote) { take(self, std::move(socket), remote); },
      counters_.shortages);
  listeners_.push_back(listener);
  errors.rethrow();
}

std::vector<Endpoint> TcpPool::listening() const {
  std::vector<Endpoint> at;
  for (const auto& listener : listeners_) at.push_back(listener->local());
  return at;
}

void TcpPool::setPeers(std::map<Address, TcpOptions> peers) {
  std::set<Address> all;
  for (const auto* some : {&peers_, &peers})
    for (const auto& [address, options] : *some) all.insert(address);
  FirstError errors;
  for (const Address& address : all) {
    const std::string key = keyOf(peers, address);
    for (const auto& listener : listeners_)
      if (isV6(address) == isV6(listener->wanted().address) &&
          (key != keyOf(peers_, address) || listener->lacksKey(address)))
        errors.attempt([&] { listener->setKey(address, key); });
  }
  peers_ = std::move(peers);
  errors.rethrow();
}

template <typename Event>
void TcpPool::announce(ConnectionId id, Event event) {
  event();
  if (const auto connection = find(id)) connection->start();
}

void TcpPool::take(const TcpListener& listener, Tcp::socket socket, const Endpoint& remote) {
  const Endpoint local = localOf(socket);
  if (const std::string why = objection(listener, socket, remote, local); !why.empty())
    return refuse(std::move(socket), remote, why);
  ++counters_.accepted;
  const ConnectionId id = add(std::move(socket), remote, true);
  announce(id, [&] { events_.accepted(id, remote, local); });
}

std::string TcpPool::objection(const TcpListener& listener, Tcp::socket& socket, const Endpoint& remote,
                               const Endpoint& local) {
  const auto peer = peers_.find(remote.address);
  if (peer == peers_.end()) return "no peer has this address";
  const TcpOptions& options = peer->second;
  if (options.local_address && *options.local_address != local.address)
    return "it has connected to " + toString(local.address) + ", not to " + toString(*options.local_address);
  if (listener.lacksKey(remote.address)) return "its MD5 key could not be set";
  if (openFrom(remote.address) >= kOpenPerPeer) return "it has too many connections already";
  try {
    setForBgp(socket.native_handle(), isV6(remote.address));
    setTtl(socket.native_handle(), isV6(remote.address), options);
  } catch (const std::system_error& error) {
    return error.what();
  }
  // The kernel looks at the TTL of what comes from now on. The SYN was before that, and nobody far away can send one
  // with a TTL as high as this.
  if (!options.ttl_security) return "";
  const std::optional<std::uint8_t> ttl = ttlOfSyn(socket.native_handle());
  if (!ttl) return "the TTL with which it came is not known";
  if (*ttl >= lowestTtl(options)) return "";
  return "it came with TTL " + std::to_string(*ttl) + ", and must have " + std::to_string(lowestTtl(options));
}

void TcpPool::refuse(Tcp::socket socket, const Endpoint& remote, const std::string& why) {
  ++counters_.refused;
  // A reset: nothing of it stays in our kernel, however many there are.
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
  if (refusals_told_.allow(std::chrono::steady_clock::now())) events_.refused(remote, why);
}

unsigned TcpPool::openFrom(const Address& address) const {
  const auto from = [&](const auto& connection) {
    return connection->accepted() && connection->remote().address == address;
  };
  const auto open =
      std::count_if(connections_.begin(), connections_.end(), [&](const auto& c) { return from(c.second); });
  return static_cast<unsigned>(open + std::count_if(farewells_.begin(), farewells_.end(), from));
}

void TcpPool::connect(Token token, const Endpoint& remote, const TcpOptions& options) {
  cancel(token);
  const auto attempt = std::make_shared<TcpAttempt>(context_, remote);
  attempts_.emplace(token, attempt);
  attempt->start(options, [this, token, remote](Tcp::socket socket, const std::string& why) {
    attempts_.erase(token);
    if (!why.empty()) return events_.connectFailed(token, why);
    ++counters_.connected;
    const Endpoint local = localOf(socket);
    const ConnectionId id = add(std::move(socket), remote, false);
    announce(id, [&] { events_.connected(token, id, local); });
  });
}

void TcpPool::cancel(Token token) {
  const auto attempt = attempts_.find(token);
  if (attempt == attempts_.end()) return;
  attempt->second->giveUp();
  attempts_.erase(attempt);
}

void TcpPool::wantWrite(ConnectionId id) {
  if (const auto connection = find(id)) connection->write();
}

void TcpPool::close(ConnectionId id) {
  const auto connection = find(id);
  if (!connection) return;
  // First, so that what is called in sending finds it closed.
  connections_.erase(id);
  Tcp::socket socket = connection->takeAfterLastWrite();
  const auto farewell =
      std::make_shared<TcpFarewell>(std::move(socket), connection->remote(), connection->accepted(), *room_);
  farewells_.insert(farewell);
  farewell->start([this, &self = *farewell] { farewells_.erase(self.shared_from_this()); });
}

void TcpPool::readAll() {
  std::vector<ConnectionId> ids;
  for (const auto& [id, connection] : connections_) ids.push_back(id);
  for (const ConnectionId id : ids)
    if (const auto connection = find(id)) connection->read();
}

ConnectionId TcpPool::add(Tcp::socket socket, const Endpoint& remote, bool accepted) {
  const ConnectionId id{++last_id_};
  connections_.emplace(id, std::make_shared<TcpConnection>(id, std::move(socket), remote, accepted, shared_));
  return id;
}

std::shared_ptr<TcpConnection> TcpPool::find(ConnectionId id) const {
  const auto connection = connections_.find(id);
  return connection == connections_.end() ? nullptr : connection->second;
}

}  // namespace poplink::host::bgp
