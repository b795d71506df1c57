// SPDX-License-Identifier: Apache-2.0
#include "speaker_shell.h"

#include <array>
#include <boost/asio/post.hpp>

#include "random_source.h"

namespace poplink::host::bgp {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kLate = 100ms;           // behind a deadline: what peers have sent meanwhile is read first
constexpr auto kInterfacesPause = 2s;   // between looks at the host's addresses
constexpr std::size_t kMaxPieces = 64;  // in one write

/// Peer and attempt in one number.
Token tokenOf(PeerIndex peer, AttemptId attempt) {
  return Token{peer} << 32 | static_cast<std::uint32_t>(attempt);
}

TcpOptions optionsOf(const PeerSettings& peer) {
  return {peer.hops, peer.ttl_security, peer.md5_key, peer.local_address, !peer.session.open.internal()};
}

}  // namespace

SpeakerShell::SpeakerShell(boost::asio::io_context& context, const SpeakerSettings& settings, TellNews tell,
                           bool restarting)
    : context_(context),
      tell_(std::move(tell)),
      pool_(context, *this),
      speaker_(settings, *this, tell_, randomNumbers(), randomHashKey(), restarting, Clock::now()),
      timer_(context),
      interfaces_timer_(context) {
  openSockets(settings);
  lookAtInterfaces();
  speaker_.start(Clock::now());
  wake();
}

SpeakerShell::~SpeakerShell() = default;

void SpeakerShell::openSockets(const SpeakerSettings& settings) {
  std::map<Address, TcpOptions> peers;
  for (const PeerSettings& peer : settings.peers) peers[peer.remote.address] = optionsOf(peer);
  pool_.listen(settings.listen);
  pool_.setPeers(std::move(peers));
}

std::vector<std::string> SpeakerShell::apply(const SpeakerSettings& settings) {
  openSockets(settings);
  std::vector<std::string> changes = speaker_.apply(settings, Clock::now());
  wake();
  return changes;
}

void SpeakerShell::stop() {
  speaker_.stop(Clock::now());
}

/// Interfaces come and go, and with them the next hops that can be reached.
void SpeakerShell::lookAtInterfaces() {
  std::vector<InterfaceAddress> now = interfaceAddresses();
  if (now != interfaces_) {
    interfaces_ = std::move(now);
    speaker_.setInterfaces(interfaces_);
    wake();
  }
  interfaces_timer_.expires_after(kInterfacesPause);
  interfaces_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) lookAtInterfaces();
  });
}

void SpeakerShell::wake() {
  if (!std::exchange(work_posted_, true)) boost::asio::post(context_, [this] { work(); });
}

/// A slice, and whatever else there is to do before the next.
void SpeakerShell::work() {
  work_posted_ = false;
  if (speaker_.hasWork() && speaker_.work(Clock::now())) wake();
  sleep();
}

void SpeakerShell::sleep() {
  const std::optional<TimePoint> until = speaker_.deadline();
  if (until == asleep_until_) return;
  asleep_until_ = until;
  timer_.cancel();
  if (!until) return;
  timer_.expires_at(*until);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) timeIsUp();
  });
}

void SpeakerShell::timeIsUp() {
  if (asleep_until_ && Clock::now() > *asleep_until_ + kLate) pool_.readAll();
  asleep_until_.reset();
  speaker_.run(Clock::now());
  wake();
}

void SpeakerShell::connect(PeerIndex peer, AttemptId attempt, const PeerSettings& settings) {
  pool_.connect(tokenOf(peer, attempt), settings.remote, optionsOf(settings));
}

void SpeakerShell::cancel(PeerIndex peer, AttemptId attempt) {
  pool_.cancel(tokenOf(peer, attempt));
}

void SpeakerShell::wantWrite(ConnectionId id) {
  pool_.wantWrite(id);
}

void SpeakerShell::close(ConnectionId id) {
  pool_.close(id);
}

void SpeakerShell::accepted(ConnectionId id, const Endpoint& remote, const Endpoint& local) {
  speaker_.accepted(id, remote, local, Clock::now());
  wake();
}

void SpeakerShell::connected(Token token, ConnectionId id, const Endpoint& local) {
  const auto peer = static_cast<PeerIndex>(token >> 32);
  const AttemptId attempt{static_cast<std::uint32_t>(token)};
  speaker_.connected(peer, attempt, id, local, Clock::now());
  wake();
}

void SpeakerShell::connectFailed(Token token, const std::string& why) {
  const auto peer = static_cast<PeerIndex>(token >> 32);
  speaker_.connectFailed(peer, AttemptId{static_cast<std::uint32_t>(token)}, why, Clock::now());
  wake();
}

void SpeakerShell::received(ConnectionId id, Octets octets) {
  speaker_.received(id, octets, Clock::now());
  wake();
}

void SpeakerShell::closed(ConnectionId id, const std::string& why) {
  speaker_.closed(id, why, Clock::now());
  wake();
}

std::span<const boost::asio::const_buffer> SpeakerShell::outgoing(ConnectionId id) {
  std::array<Octets, kMaxPieces> pieces;
  const std::size_t count = speaker_.outgoing(id, pieces);
  buffers_.clear();
  for (std::size_t i = 0; i < count; ++i) buffers_.emplace_back(pieces[i].data(), pieces[i].size());
  return buffers_;
}

void SpeakerShell::sent(ConnectionId id, std::size_t octets) {
  speaker_.sent(id, octets, Clock::now());
  if (speaker_.hasWork()) wake();
}

void SpeakerShell::refused(const Endpoint& remote, const std::string& why) {
  tell_({"bgp.refused", NewsLevel::warning, "", toString(remote) + ": " + why});
}

}  // namespace poplink::host::bgp
