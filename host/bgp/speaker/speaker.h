// SPDX-License-Identifier: Apache-2.0
// A BGP speaker: peers, their sessions, one table for each family, and what each peer is told of it. Pure: octets, the
// time and what becomes of TCP connections go in; octets and wishes for connections come out. The caller
//
// - hands in what has come before it calls run() at deadline(), so that a late caller finds no peer silent;
// - calls work() as long as it says that there is more, with everything else in between: a slice of it takes a
//   millisecond or so, however large the table is, so KEEPALIVEs and timers do not wait for routes.
#pragma once

#include <memory>
#include <unordered_map>
#include <variant>
#include <vector>

#include "peering.h"
#include "update_groups.h"

namespace poplink::host::bgp {

/// What a speaker wants of TCP. May be called out of any call to it.
class SpeakerNet {
 public:
  virtual ~SpeakerNet() = default;
  virtual void connect(PeerIndex peer, AttemptId attempt, const PeerSettings& settings) = 0;
  /// Nothing comes of the attempt any more: its number may be another peer's next one.
  virtual void cancel(PeerIndex peer, AttemptId attempt) = 0;
  /// outgoing() has something.
  virtual void wantWrite(ConnectionId id) = 0;
  /// After what outgoing() still has, if that can be sent at once. The connection is unknown here afterwards.
  virtual void close(ConnectionId id) = 0;
};

enum class NewsLevel : std::uint8_t { info, warning, error };
/// For the log.
struct PeerNews {
  const char* kind = "";  ///< "bgp.session", "bgp.limit", "bgp.update", "bgp.stale", "bgp.restart"
  NewsLevel level = NewsLevel::info;
  std::string peer;  ///< name; empty: of all
  std::string text;
};
using TellNews = std::function<void(const PeerNews&)>;

struct InterfaceAddress {
  std::string interface;
  Address address{};
  std::uint8_t length = 0;  ///< of its network
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

class Speaker : private PeerLines, private RouteOwner<Prefix4>, private RouteOwner<Prefix6> {
 public:
  /// `settings` have no problems(). `restarting`: this program has run a moment ago, and peers may have kept our routes
  /// (RFC 4724): nothing is advertised before they have sent theirs. `hash_key`: of all tables that peers fill; jitter
  /// by `random` can be seen from outside, so the key must not be worked out from that.
  Speaker(const SpeakerSettings& settings, SpeakerNet& net, TellNews tell, Random random, const HashKey& hash_key,
          bool restarting, TimePoint now);
  ~Speaker() override;

  /// All peers that are not shut down begin.
  void start(TimePoint now);
  /// New settings, without problems(): only what is different changes. What that is, a line each.
  std::vector<std::string> apply(const SpeakerSettings& settings, TimePoint now);
  /// Of this host. Next hops on their networks are reachable.
  void setInterfaces(const std::vector<InterfaceAddress>& addresses);
  /// The program ends. With graceful restart sessions are left to break, otherwise they get a Cease.
  void stop(TimePoint now);
  /// Sessions end, and with them the tables: what is in them is not what the peers have told any more.
  bool stopped() const { return stopped_; }

  // TCP.

  /// The peer that may connect from there; nullptr: nobody.
  const Peering* peerAt(const Address& remote) const;
  void accepted(ConnectionId id, const Endpoint& remote, const Endpoint& local, TimePoint now);
  void connected(PeerIndex peer, AttemptId attempt, ConnectionId id, const Endpoint& local, TimePoint now);
  void connectFailed(PeerIndex peer, AttemptId attempt, const std::string& why, TimePoint now);
  void received(ConnectionId id, Octets octets, TimePoint now);
  void closed(ConnectionId id, const std::string& why, TimePoint now);
  /// What is to be sent, in pieces, until sent(); as many as there is room for.
  std::size_t outgoing(ConnectionId id, std::span<Octets> room) const;
  void sent(ConnectionId id, std::size_t octets, TimePoint now);

  // Time and work.

  std::optional<TimePoint> deadline() const;
  void run(TimePoint now);
  /// Some of what there is to do with tables. Is there more?
  bool work(TimePoint now);
  bool hasWork() const { return has_work_; }

  // The operator. Peers are those of peerings().

  /// Ends the session, it begins anew (RFC 4486: administrative reset).
  void clear(PeerIndex peer, const std::string& text, TimePoint now);
  /// Its routes again through import policy; asks it for them, too, if it can be asked and something was discarded.
  void clearSoftIn(PeerIndex peer, TimePoint now);
  /// Asks it for all its routes (RFC 2918); nothing if it cannot be asked.
  void askAgain(PeerIndex peer, TimePoint now);
  /// Everything to it again.
  void clearSoftOut(PeerIndex peer);
  /// Ends the session (RFC 4486: administrative shutdown) and makes no other, until start() or new settings.
  void shutdown(PeerIndex peer, const std::string& text, TimePoint now);
  /// Ends that, and what the settings say of shutdown, until new ones come.
  void start(PeerIndex peer, TimePoint now);
  /// Everything goes out with GRACEFUL_SHUTDOWN (RFC 8326), or not, until new settings come.
  void drain(bool on);
  void bfd(PeerIndex peer, bool up, bool control_plane_independent, TimePoint now);

  // To be looked at.

  const SpeakerSettings& settings() const { return settings_; }
  /// In the order of their names' first mention; without those that are on their way out.
  std::vector<const Peering*> peerings() const;
  const Peering* peering(const std::string& name) const;
  const Peering* peering(PeerIndex index) const;
  template <class Prefix>
  const RouteTable<Prefix>& table() const {
    return tableOf<Prefix>(*this);
  }
  template <class Prefix>
  const UpdateGroups<Prefix>& groups() const {
    if constexpr (std::is_same_v<Prefix, Prefix4>)
      return groups4_;
    else
      return groups6_;
  }
  const AttributeStore& attributes() const { return store_; }
  PeerRoutes routes(const Peering& peering, Family family) const;
  /// Prefixes that it has been told.
  std::size_t advertised(const Peering& peering, Family family) const;
  /// Octets that wait for TCP.
  std::size_t queued(const Peering& peering) const { return backlog(peering.index); }
  /// Of Path::since.
  std::uint32_t seconds(TimePoint at) const;
  /// When a path came to be what it is, to the second.
  TimePoint since(const Path& path) const { return began_ + std::chrono::seconds(path.since); }
  bool deferred(Family family) const { return deferral_ && deferral_->deferred(family); }

 private:
  // speaker.cpp: settings.
  Peering& addPeer(const PeerSettings& settings, TimePoint now);
  void removePeer(Peering& peering, TimePoint now);
  void stopPeer(Peering& peering, const std::string& text, TimePoint now);
  void changePeer(Peering& peering, const PeerSettings& settings, std::vector<std::string>& changes, TimePoint now);
  void compilePolicies(const PolicyBook& before, const PolicyBook& book);
  std::shared_ptr<const Policy> policy(const std::optional<std::string>& name, bool external) const;
  SessionSettings sessionSettings(const PeerSettings& settings) const;
  ImportRules importRules(const Peering& peering) const;
  ExportRules exportRules(const Peering& peering) const;
  void setRules(Peering& peering);
  void setLimits(Peering& peering, TimePoint now);

  // speaker_tcp.cpp: connections and messages.
  void handle(Peering& peering, const Event& event, TimePoint now);
  void act(Peering& peering, const Actions& actions, TimePoint now);
  void say(ConnectionId id, MessageType type, std::vector<std::uint8_t> message);
  void ask(ConnectionId id, Family family);
  void drop(ConnectionId id);
  void writeOut();
  void take(Peering& peering, ConnectionId id, const Message& message, TimePoint now);
  void takeUpdate(Peering& peering, ConnectionId id, Octets body, TimePoint now);
  void takeRefresh(Peering& peering, ConnectionId id, Octets body, TimePoint now);
  void news(Peering& peering, const action::Tell& told);
  void tellSome(Peering& peering, PeerNews news, TimePoint now);

  // speaker_routes.cpp: tables.
  void up(Peering& peering, const action::SessionEstablished& established, TimePoint now);
  void down(Peering& peering, const action::SessionDown& down, TimePoint now);
  void change(Peering& peering, const RouteChanges& changes);
  void apply(Peering& peering, const Update& update, TimePoint now);
  template <class Prefix>
  void announce(Peering& peering, const AnnouncedRoutes& routes, Octets canonical, TimePoint now);
  void originate(const std::vector<OriginatedRoute>& before, const std::vector<OriginatedRoute>& routes,
                 std::vector<std::string>& changes, TimePoint now);
  template <class Prefix>
  void withdraw(Peering& peering, const Routes& routes, TimePoint now);
  void withdraw(Peering& peering, const Routes& routes, TimePoint now);
  void limitEvent(Peering& peering, Family family, LimitEvent event, TimePoint now);
  void endOfRib(Peering& peering, Family family, TimePoint now);
  void beginRefresh(Peering& peering, Family family, TimePoint now);
  void runStale(Peering& peering, TimePoint now);
  void release(const std::set<Family>& families, TimePoint now);
  void forget(Family family, PeerIndex peer);
  template <class Prefix, class Self>
  static auto& tableOf(Self& self) {
    if constexpr (std::is_same_v<Prefix, Prefix4>)
      return self.ipv4_;
    else
      return self.ipv6_;
  }
  template <class Prefix>
  RouteTable<Prefix>& own() {
    return tableOf<Prefix>(*this);
  }
  template <class Visit>
  void forTables(Visit&& visit) {
    visit(ipv4_, groups4_);
    visit(ipv6_, groups6_);
  }
  template <class Visit>
  void forTable(Family family, Visit&& visit) {
    if (family.afi == Afi::ipv4)
      visit(ipv4_, groups4_);
    else
      visit(ipv6_, groups6_);
  }

  // What tables ask.
  std::size_t backlog(PeerIndex peer) const override;
  void send(PeerIndex peer, const Piece& messages) override;
  void tooLong(PeerIndex peer) override;
  Imported import(PeerIndex peer, const Prefix4& prefix, AttributesId received) override;
  Imported import(PeerIndex peer, const Prefix6& prefix, AttributesId received) override;
  void removed(PeerIndex peer, const Prefix4&) override { forget(kIpv4Unicast, peer); }
  void removed(PeerIndex peer, const Prefix6&) override { forget(kIpv6Unicast, peer); }

  SpeakerSettings settings_;
  SpeakerNet& net_;
  TellNews tell_;
  Random random_;
  TimePoint began_;
  std::map<std::string, std::shared_ptr<const Policy>> policies_;
  std::vector<InterfaceAddress> interfaces_;
  Reachable reachable_;
  AttributeStore store_;
  std::vector<PathSource> sources_;  ///< by PeerIndex
  RouteTable<Prefix4> ipv4_;
  RouteTable<Prefix6> ipv6_;
  UpdateGroups<Prefix4> groups4_;
  UpdateGroups<Prefix6> groups6_;
  Importer importer_;
  std::vector<std::unique_ptr<Peering>> peerings_;  ///< by PeerIndex; nullptr: free
  std::unordered_map<std::uint64_t, Line> lines_;   ///< by ConnectionId: our numbers, no peer chooses them
  std::vector<ConnectionId> dirty_;
  std::vector<std::pair<PeerIndex, Family>> room_;  ///< limits under which a sweep has made room
  std::optional<SelectionDeferral> deferral_;
  std::unique_ptr<DecodeSpace> space_;
  bool started_ = false, stopped_ = false, has_work_ = false;
};

}  // namespace poplink::host::bgp
