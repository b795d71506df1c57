// SPDX-License-Identifier: Apache-2.0
// Two speakers with three raw peers each, and anything at any time. At rest everybody knows the best routes and nothing
// else, and the speakers' counters are what counting comes to.
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

constexpr std::uint32_t kPrefixes = 40;

/// What the decision process makes of a route here: the shortest path, then the lowest identifier.
struct Choice {
  std::size_t length = 0;
  RouterId from = 0;
  std::vector<Asn> path;
  friend auto operator<=>(const Choice&, const Choice&) = default;
};
using Choices = std::map<Prefix4, Choice>;

class RandomLab {
 public:
  explicit RandomLab(std::uint64_t seed) : random_(seed) {
    for (std::uint8_t n = 1; n <= 2; ++n) {
      Side& side = sides_[n - 1u];
      for (std::uint8_t i = 1; i <= 3; ++i) {
        const auto raw = static_cast<std::uint8_t>(10 * n + i);
        side.raws.emplace(raw, Raw{&lab_.raw(raw, n)});
      }
      side.all = settings(n);
      side.now = side.all;
      side.host = &lab_.speaker(n, side.all);
      side.host->cost = std::chrono::milliseconds(pick(20));
      side.host->start();
    }
    lab_.runFor(5s);
  }

  void step() {
    Side& side = sides_[pick(2)];
    auto place = side.raws.begin();
    std::advance(place, pick(side.raws.size()));
    auto& [n, raw] = *place;
    switch (pick(12)) {
      case 0:
        return raw.peer->lose();
      case 1:
        return raw.peer->send(encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::request}));
      case 2:
        return operate(side, std::to_string(n));
      case 3:
        return operate(side, std::to_string(3 - side.now.router_id));
      case 4:
        return reload(side, n);
      case 5:
        return tellAgain(n, raw);
      case 6:
      case 7:
        return withdraw(raw);
      default:
        return announce(n, raw);
    }
  }
  void runFor(Duration time) { lab_.runFor(time); }

  void settle() {
    for (Side& side : sides_) {
      side.now = side.all;
      side.host->apply(side.now);
    }
    lab_.runFor(2min);
    for (Side& side : sides_)
      for (auto& [n, raw] : side.raws) {
        ASSERT_TRUE(raw.peer->up()) << unsigned{n};
        forgetLastSession(raw);
      }
    for (std::size_t i = 0; i < 2; ++i) check(sides_[i], i + 1, sides_[1 - i], 2 - i);
  }
  void removeAll() {
    for (Side& side : sides_) {
      side.now.peers.clear();
      side.host->apply(side.now);
    }
    lab_.runFor(1min);
    for (Side& side : sides_) {
      EXPECT_EQ(side.host->speaker().attributes().size(), 0u);
      EXPECT_EQ(side.host->speaker().table<Prefix4>().prefixes(), 0u);
    }
  }

 private:
  struct Raw {
    RawPeer* peer;
    std::size_t session = 0;
    std::map<Prefix4, std::vector<Asn>> routes{};  ///< that it has told in it
  };
  struct Side {
    SpeakerHost* host = nullptr;
    SpeakerSettings all, now;
    std::map<std::uint8_t, Raw> raws;
  };

  std::size_t pick(std::size_t below) { return random_() % below; }
  static SpeakerSettings settings(std::uint8_t n) {
    const auto raw = static_cast<std::uint8_t>(10 * n);
    SpeakerSettings result =
        speakerSettings(n, {static_cast<std::uint8_t>(3 - n), static_cast<std::uint8_t>(raw + 1),
                            static_cast<std::uint8_t>(raw + 2), static_cast<std::uint8_t>(raw + 3)});
    for (PeerSettings& peer : result.peers) peer.session.idle_hold_longest = peer.session.idle_hold_first;
    return result;
  }

  static void forgetLastSession(Raw& raw) {
    if (std::exchange(raw.session, raw.peer->sessions()) != raw.peer->sessions()) raw.routes.clear();
  }
  void announce(std::uint8_t n, Raw& raw) {
    if (!raw.peer->up()) return;
    forgetLastSession(raw);
    std::vector<Asn> path{65000u + n};
    for (std::size_t more = pick(3); more != 0; --more) path.push_back(static_cast<Asn>(100 + pick(3)));
    const std::vector<Prefix4> prefixes = some();
    raw.peer->send(announcement(prefixes, v4(n), attributesOf(path)));
    for (const Prefix4& prefix : prefixes) raw.routes[prefix] = path;
  }
  void withdraw(Raw& raw) {
    if (!raw.peer->up()) return;
    forgetLastSession(raw);
    const std::vector<Prefix4> prefixes = some();
    raw.peer->send(withdrawal(prefixes));
    for (const Prefix4& prefix : prefixes) raw.routes.erase(prefix);
  }
  /// A refresh in which a part is not repeated.
  void tellAgain(std::uint8_t n, Raw& raw) {
    if (!raw.peer->up()) return;
    forgetLastSession(raw);
    raw.peer->send(encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::begin}));
    std::erase_if(raw.routes, [&](const auto&) { return pick(4) == 0; });
    for (const auto& [prefix, path] : raw.routes)
      raw.peer->send(announcement<Prefix4>({prefix}, v4(n), attributesOf(path)));
    raw.peer->send(encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::end}));
  }
  std::vector<Prefix4> some() {
    return nets4(static_cast<std::uint32_t>(pick(kPrefixes)), static_cast<std::uint32_t>(1 + pick(10)));
  }
  void operate(Side& side, const std::string& name) {
    const std::size_t what = pick(4);
    side.host->tell([&](Speaker& speaker, TimePoint now) {
      const Peering* peering = speaker.peering(name);
      if (peering == nullptr) return;
      if (what == 0) speaker.clear(peering->index, "", now);
      if (what == 1) speaker.clearSoftIn(peering->index, now);
      if (what == 2) speaker.clearSoftOut(peering->index);
      if (what == 3) speaker.setInterfaces(interfacesOf(static_cast<std::uint8_t>(side.now.router_id)));
    });
  }
  void reload(Side& side, std::uint8_t n) {
    side.now = side.all;
    PeerSettings& peer = settingsFor(side.now, n);
    switch (pick(6)) {
      case 0:
        std::erase(side.now.peers, PeerSettings(peer));
        break;
      case 1:
        peer.export_policy.reset();
        break;
      case 2:
        peer.import_policy.reset();
        break;
      case 3:
        peer.shutdown = true;
        break;
      case 4:
        peer.drain = true;
        break;
      default:
        side.now.decision.multipath = 1 + pick(4);
    }
    side.host->apply(side.now);
  }

  static Choices ofRaws(const Side& side) {
    Choices best;
    for (const auto& [n, raw] : side.raws)
      for (const auto& [prefix, path] : raw.routes) take(best, prefix, {path.size(), n, path});
    return best;
  }
  static void take(Choices& best, const Prefix4& prefix, const Choice& choice) {
    const auto place = best.try_emplace(prefix, choice).first;
    place->second = std::min(place->second, choice);
  }
  static void check(const Side& side, std::size_t self, const Side& other, std::size_t there) {
    Choices best = ofRaws(side);
    for (const auto& [prefix, choice] : ofRaws(other)) {
      std::vector<Asn> path = choice.path;
      path.insert(path.begin(), static_cast<Asn>(65000 + there));
      take(best, prefix, {path.size(), static_cast<RouterId>(there), path});
    }
    for (const auto& [n, raw] : side.raws) {
      std::map<Prefix4, Known> expected;
      for (const auto& [prefix, choice] : best) {
        if (choice.from == n) continue;
        std::vector<Asn> path = choice.path;
        path.insert(path.begin(), static_cast<Asn>(65000 + self));
        expected[prefix] = {{v4(static_cast<std::uint8_t>(self)), {}}, attributesOf(path)};
      }
      EXPECT_TRUE(raw.peer->known4 == expected) << unsigned{n};
      const Peering& peering = side.host->peering(std::to_string(n));
      EXPECT_EQ(side.host->speaker().advertised(peering, kIpv4Unicast), expected.size());
      EXPECT_EQ(side.host->speaker().routes(peering, kIpv4Unicast).paths, raw.routes.size());
    }
    count(side.host->speaker());
  }
  static void count(const Speaker& speaker) {
    const RouteTable<Prefix4>& table = speaker.table<Prefix4>();
    std::map<PeerIndex, PeerRoutes> counted;
    for (PrefixId id = 0; id < table.bound(); ++id) {
      for (PathId path = table.firstPath(id); path != kNoPath; path = table.path(path).next) {
        PeerRoutes& routes = counted[table.path(path).peer];
        ++routes.paths;
        routes.eligible += table.path(path).used != kNoAttributes;
      }
      if (table.best(id).peer != kNoPeer) ++counted[table.best(id).peer].best;
    }
    for (const Peering* peering : speaker.peerings()) {
      const PeerRoutes said = speaker.routes(*peering, kIpv4Unicast), is = counted[peering->index];
      EXPECT_EQ(std::tie(said.paths, said.eligible, said.best), std::tie(is.paths, is.eligible, is.best));
    }
  }

  std::mt19937_64 random_;
  SpeakerLab lab_;
  std::array<Side, 2> sides_;
};

TEST(SpeakerRandom, whatever_happens_everybody_knows_the_best_routes_at_rest) {
  for (std::uint64_t seed = 1; seed <= 100 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomLab lab(seed);
    for (int burst = 0; burst < 5 && !HasFailure(); ++burst) {
      std::mt19937_64 random(seed * 100 + static_cast<std::uint64_t>(burst));
      for (int i = 0; i < 30; ++i) {
        lab.step();
        lab.runFor(std::chrono::milliseconds(random() % 4 == 0 ? random() % 3000 : random() % 5));
      }
      lab.settle();
    }
    lab.removeAll();
  }
}

}  // namespace
}  // namespace poplink::host::bgp
