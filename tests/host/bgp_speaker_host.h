// SPDX-License-Identifier: Apache-2.0
// A Speaker on a virtual network, with a loop around it as a program has one. What it does costs time, if a test says
// so.
#pragma once

#include <deque>

#include "bgp_hash_lab.h"
#include "bgp_virtual_net.h"
#include "speaker.h"

namespace poplink::host::bgp {

class SpeakerHost : public VirtualHost, public SpeakerNet {
 public:
  SpeakerHost(VirtualNet& net, const SpeakerSettings& settings, std::vector<InterfaceAddress> interfaces, Random random,
              bool restarting)
      : net_(net), interfaces_(std::move(interfaces)), clock_(net.now()) {
    speaker_ = std::make_unique<Speaker>(
        settings, static_cast<SpeakerNet&>(*this), [this](const PeerNews& one) { news.push_back(one); },
        std::move(random), kLabHashKey, restarting, clock());
    speaker_->setInterfaces(interfaces_);
    net.add(*this);
  }

  Duration cost{};             ///< of each received() and each work()
  std::vector<PeerNews> news;  ///< all that it has told

  Speaker& speaker() { return *speaker_; }
  const Speaker& speaker() const { return *speaker_; }
  const Peering& peering(const std::string& name) const { return *speaker_->peering(name); }
  State state(const std::string& name) const { return peering(name).machine.state(); }
  std::size_t countNews(const std::string& kind, const std::string& part) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        news, [&](const PeerNews& one) { return one.kind == kind && one.text.find(part) != std::string::npos; }));
  }

  /// Octets that wait for TCP.
  std::size_t backlog(const std::string& name) const {
    std::array<Octets, 4096> pieces;
    std::size_t octets = 0;
    const auto session = peering(name).session;
    for (std::size_t i = 0, count = session ? speaker_->outgoing(*session, pieces) : 0; i < count; ++i)
      octets += pieces[i].size();
    return octets;
  }

  void start() {
    tell([](Speaker& speaker, TimePoint now) { speaker.start(now); });
  }
  std::vector<std::string> apply(const SpeakerSettings& settings) {
    std::vector<std::string> changes;
    tell([&](Speaker& speaker, TimePoint now) { changes = speaker.apply(settings, now); });
    return changes;
  }
  /// Anything else that its caller does.
  template <class What>
  void tell(What&& what) {
    what(*speaker_, clock());
    wake(clock());
  }

  // VirtualHost.
  bool has(const Address& address) const override {
    return std::ranges::find(interfaces_, address, &InterfaceAddress::address) != interfaces_.end();
  }
  TimePoint clock() const override { return std::max(clock_, net_.now()); }
  void accepted(ConnectionId id, const Endpoint& remote, const Endpoint& local) override {
    inbox([=, this] { speaker_->accepted(id, remote, local, clock()); });
  }
  void received(ConnectionId id, Bytes octets) override {
    inbox([this, id, octets = std::move(octets)] { speaker_->received(id, octets, clock()); });
  }
  void writable(ConnectionId id) override {
    inbox([this, id] { pump(id); });
  }
  void closed(ConnectionId id) override {
    inbox([this, id] { speaker_->closed(id, "", clock()); });
  }

 private:
  // SpeakerNet.
  void connect(PeerIndex peer, AttemptId attempt, const PeerSettings& settings) override {
    attempts_[peer] = attempt;
    net_.connect(*this, localFor(settings), settings.remote,
                 [this, peer, attempt](std::optional<ConnectionId> id, Endpoint local) {
                   inbox([=, this] { finish(peer, attempt, id, local); });
                 });
  }
  void cancel(PeerIndex peer, AttemptId) override { attempts_.erase(peer); }
  void wantWrite(ConnectionId id) override {
    net_.at(clock(), [this, id] { pump(id); });
  }
  void close(ConnectionId id) override {
    std::array<Octets, 16> pieces;
    Bytes last;
    for (std::size_t i = 0, count = speaker_->outgoing(id, pieces); i < count; ++i) put(last, pieces[i]);
    if (!last.empty() && last.size() <= net_.room(id)) net_.write(id, last);
    net_.close(id);
  }

  void finish(PeerIndex peer, AttemptId attempt, std::optional<ConnectionId> id, Endpoint local) {
    const auto place = attempts_.find(peer);
    if (place == attempts_.end() || place->second != attempt) {
      if (id) net_.close(*id);
      return;
    }
    attempts_.erase(place);
    if (id)
      speaker_->connected(peer, attempt, *id, local, clock());
    else
      speaker_->connectFailed(peer, attempt, "connection refused", clock());
  }
  Address localFor(const PeerSettings& settings) const {
    if (settings.local_address) return *settings.local_address;
    for (const InterfaceAddress& one : interfaces_)
      if (one.address.index() == settings.remote.address.index()) return one.address;
    return {};
  }
  void pump(ConnectionId id) {
    std::array<Octets, 16> pieces;
    bool wrote = false;
    while (std::size_t room = net_.room(id)) {
      const std::size_t count = speaker_->outgoing(id, pieces);
      if (count == 0) break;
      Bytes octets;
      for (std::size_t i = 0; i < count && octets.size() < room; ++i)
        put(octets, pieces[i].first(std::min(pieces[i].size(), room - octets.size())));
      wrote = true;
      net_.write(id, octets);
      speaker_->sent(id, octets.size(), clock());
    }
    if (wrote) wake(clock());
  }

  void inbox(std::function<void()> what) {
    inbox_.push_back(std::move(what));
    wake(clock());
  }
  void wake(TimePoint when) {
    if (next_ && *next_ <= when) return;
    next_ = when;
    net_.at(when, [this, when] {
      if (next_ == when) turn();
    });
  }
  /// What has come, then what is due, then a slice of work.
  void turn() {
    next_.reset();
    for (auto batch = std::exchange(inbox_, {}); const auto& what : batch) {
      what();
      clock_ = clock() + cost;
    }
    if (const auto due = speaker_->deadline(); due && *due <= clock()) {
      speaker_->run(clock());
      const auto next = speaker_->deadline();
      EXPECT_TRUE(!next || *next > clock()) << "a deadline that does not pass";
    }
    if (speaker_->hasWork()) {
      speaker_->work(clock());
      clock_ = clock() + cost;
    }
    if (!inbox_.empty() || speaker_->hasWork()) wake(clock());
    if (const auto due = speaker_->deadline()) wake(std::max(*due, clock()));
  }

  VirtualNet& net_;
  std::vector<InterfaceAddress> interfaces_;
  TimePoint clock_;
  std::unique_ptr<Speaker> speaker_;
  std::map<PeerIndex, AttemptId> attempts_;
  std::deque<std::function<void()>> inbox_;
  std::optional<TimePoint> next_;  ///< when turn() is to be called
};

}  // namespace poplink::host::bgp
