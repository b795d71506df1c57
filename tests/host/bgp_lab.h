// SPDX-License-Identifier: Apache-2.0
// Session machines in virtual time, with TCP between them as it is on bad days: slow, broken off, half open, cut.
#pragma once

#include <map>
#include <queue>

#include "bgp_rows.h"
#include "bgp_watch.h"

namespace poplink::host::bgp {

/// How TCP does between two nodes. Bytes are never lost or reordered while a connection lives.
struct Weather {
  Duration delay_min = 1ms, delay_max = 5ms;
  double lost_attempts = 0;  ///< part of the attempts that are never answered
  double broken = 0;         ///< part of the messages at which the connection breaks, told to both ends
  double half_open = 0;      ///< at which one end forgets it; the other one learns that when it sends
  bool cut = false;          ///< what is sent is lost, and nobody is told
};

class Lab {
 public:
  explicit Lab(std::uint64_t seed) : random_(seed), dice_(seeded(seed)) {}

  std::size_t add(const SessionSettings& settings) {
    nodes_.push_back({Peer(settings, seeded(random_())), {}, {}});
    return nodes_.size() - 1;
  }
  /// Every node has one peer. The first one of the pair is named by it.
  void join(std::size_t a, std::size_t b) {
    other_[a] = b;
    other_[b] = a;
  }

  void tell(std::size_t node, const Event& event) { obey(node, nodes_[node].peer.handle(event, now_)); }
  void start(std::size_t node) { tell(node, event::Start{}); }
  void configure(std::size_t node, const SessionSettings& settings) {
    obey(node, nodes_[node].peer.configure(settings, now_));
  }
  /// The program dies and is there again: its end of every connection is gone.
  void restart(std::size_t node) {
    const SessionSettings settings = nodes_[node].peer.settings();
    for (auto& [number, tcp] : tcps_)
      for (End& end : tcp.ends)
        if (end.node == node) end = {node, false, {}, end.arrival};
    nodes_[node].peer = Peer(settings, seeded(random_()));
    nodes_[node].watch = {};
    nodes_[node].attempt.reset();
    start(node);
  }
  Weather& weather() { return weather_; }
  const Peer& peer(std::size_t node) const { return nodes_[node].peer; }
  /// When sessions of this node ended, and how.
  const std::vector<std::pair<TimePoint, action::SessionDown>>& downs(std::size_t node) const {
    return nodes_[node].downs;
  }
  TimePoint now() const { return now_; }

  bool inSession(std::size_t a) const {
    const auto session = [this](std::size_t node) -> std::optional<std::uint64_t> {
      for (const Connection& connection : nodes_[node].peer.connections())
        if (connection.state == State::Established) return static_cast<std::uint64_t>(connection.id) / 2;
      return std::nullopt;
    };
    const auto mine = session(a);
    return mine && mine == session(other_.at(a));
  }

  void runFor(Duration time) {
    const TimePoint end = now_ + time;
    while (const auto next = nextTime()) {
      if (*next > end) break;
      now_ = std::max(now_, *next);
      step();
      if (testing::Test::HasFailure()) return;
    }
    now_ = end;
  }

 private:
  struct Node {
    Peer peer;
    SessionWatch watch;
    std::optional<AttemptId> attempt;
    std::vector<std::pair<TimePoint, action::SessionDown>> downs{};
  };
  struct End {
    std::size_t node = 0;
    bool open = false;
    TimePoint lingers{};  ///< closed here, and reads on until then, so that no reset overtakes a NOTIFICATION
    TimePoint arrival{};  ///< of the last that has been sent to it: TCP keeps the order
  };
  struct Tcp {
    std::array<End, 2> ends;
  };
  struct Delivery {
    TimePoint at;
    std::uint64_t order = 0;
    std::function<void()> happen;
    bool operator>(const Delivery& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  Duration delay() {
    const auto span = static_cast<double>((weather_.delay_max - weather_.delay_min).count());
    return weather_.delay_min + Duration(static_cast<Duration::rep>(span * dice_()));
  }
  void later(TimePoint at, std::function<void()> happen) { due_.push({at, order_++, std::move(happen)}); }

  std::optional<TimePoint> nextTime() const {
    std::optional<TimePoint> next;
    if (!due_.empty()) next = due_.top().at;
    for (const Node& node : nodes_)
      if (const auto deadline = node.peer.deadline(); deadline && (!next || *deadline < *next)) next = deadline;
    return next;
  }

  /// What has arrived comes before timers.
  void step() {
    if (!due_.empty() && due_.top().at <= now_) {
      const auto happen = due_.top().happen;
      due_.pop();
      happen();
      return;
    }
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      const auto deadline = nodes_[node].peer.deadline();
      if (!deadline || *deadline > now_) continue;
      obey(node, nodes_[node].peer.run(now_));
      const auto next = nodes_[node].peer.deadline();
      EXPECT_TRUE(!next || *next > now_) << "a deadline that does not pass";
    }
  }

  void obey(std::size_t node, const Actions& actions) {
    EXPECT_EQ(nodes_[node].watch.check(nodes_[node].peer, actions), "");
    for (const SessionAction& action : actions)
      std::visit([this, node](const auto& what) { this->on(node, what); }, action);
  }
  void on(std::size_t node, const action::Connect& connect) {
    nodes_[node].attempt = connect.attempt;
    if (weather_.cut || dice_() < weather_.lost_attempts) return;
    const std::uint64_t number = ++tcp_numbers_;
    later(now_ + delay(), [this, node, number, attempt = connect.attempt] { arrive(node, number, attempt); });
  }
  /// The peer's system answers, and its program learns of it a little later.
  void arrive(std::size_t node, std::uint64_t number, AttemptId attempt) {
    Tcp& tcp = tcps_[number];
    tcp.ends[0] = {node, true, {}, now_};
    tcp.ends[1] = {other_.at(node), true, {}, now_ + delay()};
    later(tcp.ends[1].arrival, [this, number] {
      if (!tcps_[number].ends[1].open) return;
      deliver(number, 1, event::Accepted{idOf(number, 1)});
    });
    tcp.ends[0].arrival = now_ + delay();
    later(tcp.ends[0].arrival, [this, node, number, attempt] {
      if (nodes_[node].attempt != attempt) {
        closeEnd(number, 0);
        return;
      }
      nodes_[node].attempt.reset();
      deliver(number, 0, event::ConnectSucceeded{attempt, idOf(number, 0)});
    });
  }
  void on(std::size_t node, const action::CancelConnect&) { nodes_[node].attempt.reset(); }
  void on(std::size_t, const action::SendOpen& send) { transmit(send.id, event::OpenArrived{{}, send.open}); }
  void on(std::size_t, const action::SendKeepalive& send) { transmit(send.id, event::KeepaliveArrived{}); }
  void on(std::size_t, const action::SendNotification& send) {
    transmit(send.id, event::NotificationArrived{{}, send.notification});
  }
  void on(std::size_t, const action::SendRouteRefresh& send) { transmit(send.id, event::RouteRefreshArrived{}); }
  void on(std::size_t, const action::CloseConnection& close) {
    closeEnd(static_cast<std::uint64_t>(close.id) / 2, static_cast<std::size_t>(close.id) % 2);
  }
  void on(std::size_t, const action::SessionEstablished&) {}
  void on(std::size_t node, const action::SessionDown& down) { nodes_[node].downs.emplace_back(now_, down); }
  void on(std::size_t, const action::Tell&) {}

  static ConnectionId idOf(std::uint64_t number, std::size_t end) { return ConnectionId{number * 2 + end}; }

  template <class Message>
  void transmit(ConnectionId id, Message message) {
    const std::uint64_t number = static_cast<std::uint64_t>(id) / 2;
    const std::size_t from = static_cast<std::size_t>(id) % 2;
    if (weather_.cut) return;
    if (dice_() < weather_.broken) {
      closeEnd(number, 1 - from);
      closeEnd(number, from);
      later(now_, [this, number, from] { lose(number, from); });
      later(now_ + delay(), [this, number, from] { lose(number, 1 - from); });
      return;
    }
    if (dice_() < weather_.half_open) tcps_[number].ends[1 - from].open = false;
    message.id = idOf(number, 1 - from);
    send(number, 1 - from, message);
  }
  void send(std::uint64_t number, std::size_t to, const Event& event) {
    End& end = tcps_[number].ends[to];
    end.arrival = std::max(end.arrival + 1ns, now_ + delay());
    later(end.arrival, [this, number, to, event] {
      if (weather_.cut) return;
      if (tcps_[number].ends[to].open) {
        deliver(number, to, event);
      } else if (tcps_[number].ends[to].lingers < now_) {
        lose(number, 1 - to);  // a reset comes back
      }
    });
  }
  /// One end learns that the connection is gone, if it still has it.
  void lose(std::uint64_t number, std::size_t end) {
    const std::size_t node = tcps_[number].ends[end].node;
    tcps_[number].ends[end].open = false;
    nodes_[node].watch.gone(idOf(number, end));
    tell(node, event::Closed{idOf(number, end)});
  }
  void closeEnd(std::uint64_t number, std::size_t end) {
    tcps_[number].ends[end].open = false;
    tcps_[number].ends[end].lingers = now_ + 5s;
    send(number, 1 - end, event::Closed{idOf(number, 1 - end)});
  }
  void deliver(std::uint64_t number, std::size_t to, const Event& event) {
    const std::size_t node = tcps_[number].ends[to].node;
    const ConnectionId id = idOf(number, to);
    SessionWatch& watch = nodes_[node].watch;
    if (std::holds_alternative<event::Closed>(event)) {
      lose(number, to);
      return;
    }
    if (std::holds_alternative<event::Accepted>(event) || std::holds_alternative<event::ConnectSucceeded>(event))
      watch.connected(id);
    if (std::holds_alternative<event::OpenArrived>(event)) watch.openArrived(id);
    tell(node, event);
    if (peer(node).established(id)) tell(node, event::SendProgressed{id});
  }

  std::mt19937_64 random_;
  Random dice_;
  TimePoint now_ = kStart;
  Weather weather_;
  std::vector<Node> nodes_;
  std::map<std::size_t, std::size_t> other_;
  std::map<std::uint64_t, Tcp> tcps_;
  std::uint64_t tcp_numbers_ = 0, order_ = 0;
  std::priority_queue<Delivery, std::vector<Delivery>, std::greater<>> due_;
};

}  // namespace poplink::host::bgp
