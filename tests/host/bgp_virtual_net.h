// SPDX-License-Identifier: Apache-2.0
// TCP between hosts in virtual time: in order, slow, with a window, and broken off when a test says so.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <queue>
#include <string>
#include <tuple>

#include "bgp_octets.h"
#include "speaker_settings.h"

namespace poplink::host::bgp {

/// Something with addresses that has connections.
class VirtualHost {
 public:
  virtual ~VirtualHost() = default;
  virtual bool has(const Address& address) const = 0;
  /// What it does happens then; not before the network's now().
  virtual TimePoint clock() const = 0;
  virtual void accepted(ConnectionId id, const Endpoint& remote, const Endpoint& local) = 0;
  virtual void received(ConnectionId id, Bytes octets) = 0;
  /// There is room again.
  virtual void writable(ConnectionId id) = 0;
  virtual void closed(ConnectionId id) = 0;
};

class VirtualNet {
 public:
  static constexpr std::size_t kWindow = std::size_t{256} << 10;
  using Connected = std::function<void(std::optional<ConnectionId>, Endpoint local)>;

  explicit VirtualNet(TimePoint now) : now_(now) {}

  TimePoint now() const { return now_; }
  Duration delay = std::chrono::milliseconds(1);  ///< of anything on its way

  void add(VirtualHost& host) { hosts_.push_back(&host); }
  void at(TimePoint when, std::function<void()> happen) {
    due_.push({std::max(when, now_), order_++, std::move(happen)});
  }
  void runUntil(TimePoint end) {
    while (!due_.empty() && due_.top().at <= end) {
      now_ = due_.top().at;
      const auto happen = due_.top().happen;
      due_.pop();
      happen();
    }
    now_ = end;
  }

  /// nullopt to `done`: nobody is there.
  void connect(VirtualHost& from, const Address& local, const Endpoint& remote, Connected done) {
    at(from.clock() + delay, [this, &from, local, remote, done = std::move(done)] {
      VirtualHost* to = hostAt(remote.address);
      const Endpoint here{local, static_cast<std::uint16_t>(50000 + tcps_.size() % 10000)};
      if (to == nullptr) {
        at(now_ + delay, [=] { done(std::nullopt, here); });
        return;
      }
      const std::uint64_t number = ++numbers_;
      tcps_[number] = {{End{&from}, End{to}}};
      tcps_[number].ends[0].arrival = tcps_[number].ends[1].arrival = now_ + delay;
      at(now_ + delay, [=] { done(idOf(number, 0), here); });
      at(now_ + delay, [=, this] {
        if (tcps_[number].ends[1].open) to->accepted(idOf(number, 1), here, remote);
      });
    });
  }

  /// A connection to which nobody is at the other end.
  ConnectionId lone(VirtualHost& host) {
    const std::uint64_t number = ++numbers_;
    tcps_[number] = {{End{&host}, End{&host, false}}};
    return idOf(number, 0);
  }

  /// Octets that the other end still has room for.
  std::size_t room(ConnectionId id) const {
    const Tcp& tcp = tcps_.at(numberOf(id));
    const End& to = tcp.ends[1 - endOf(id)];
    return tcp.ends[endOf(id)].open && to.window > to.in_flight ? to.window - to.in_flight : 0;
  }
  void write(ConnectionId id, Bytes octets) {
    const std::size_t size = octets.size();
    tcps_[numberOf(id)].ends[1 - endOf(id)].in_flight += size;
    deliver(id, [this, id, octets = std::move(octets), size](End& to, VirtualHost& from) {
      to.in_flight -= size;
      if (to.open) to.host->received(other(id), octets);
      if (tcps_[numberOf(id)].ends[endOf(id)].open) from.writable(id);
    });
  }
  /// What was written goes on its way, and then the end.
  void close(ConnectionId id) {
    tcps_[numberOf(id)].ends[endOf(id)].open = false;
    deliver(id, [id](End& to, VirtualHost&) {
      if (std::exchange(to.open, false)) to.host->closed(other(id));
    });
  }
  /// Both ends learn that it is gone.
  void lose(ConnectionId id) {
    for (const ConnectionId end : {id, other(id)}) {
      End& one = tcps_[numberOf(end)].ends[endOf(end)];
      if (std::exchange(one.open, false)) one.host->closed(end);
    }
  }
  /// Octets that this end takes before it has read them; 0: it does not read at all.
  void setWindow(ConnectionId id, std::size_t window) {
    Tcp& tcp = tcps_[numberOf(id)];
    tcp.ends[endOf(id)].window = window;
    const End& from = tcp.ends[1 - endOf(id)];
    if (window != 0 && from.open) from.host->writable(other(id));
  }

 private:
  struct End {
    VirtualHost* host = nullptr;
    bool open = true;
    std::size_t window = kWindow, in_flight = 0;
    TimePoint arrival{};  ///< of the last that is on its way to it
  };
  struct Tcp {
    std::array<End, 2> ends;
  };
  struct Due {
    TimePoint at;
    std::uint64_t order = 0;
    std::function<void()> happen;
    bool operator>(const Due& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  static ConnectionId idOf(std::uint64_t number, std::size_t end) { return ConnectionId{number * 2 + end}; }
  static std::uint64_t numberOf(ConnectionId id) { return static_cast<std::uint64_t>(id) / 2; }
  static std::size_t endOf(ConnectionId id) { return static_cast<std::size_t>(id) % 2; }
  static ConnectionId other(ConnectionId id) { return ConnectionId{static_cast<std::uint64_t>(id) ^ 1}; }

  VirtualHost* hostAt(const Address& address) const {
    for (VirtualHost* host : hosts_)
      if (host->has(address)) return host;
    return nullptr;
  }
  template <class Happen>
  void deliver(ConnectionId id, Happen happen) {
    Tcp& tcp = tcps_[numberOf(id)];
    End& to = tcp.ends[1 - endOf(id)];
    VirtualHost& from = *tcp.ends[endOf(id)].host;
    to.arrival = std::max(to.arrival, std::max(now_, from.clock()) + delay);
    at(to.arrival,
       [this, id, &from, happen = std::move(happen)] { happen(tcps_[numberOf(id)].ends[1 - endOf(id)], from); });
  }

  TimePoint now_;
  std::vector<VirtualHost*> hosts_;
  std::map<std::uint64_t, Tcp> tcps_;
  std::uint64_t numbers_ = 0, order_ = 0;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace poplink::host::bgp
