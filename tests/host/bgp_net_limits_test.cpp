// SPDX-License-Identifier: Apache-2.0
// BGP's TCP connections under load: many at once, peers that do not read or do not stop.
#include "bgp_net_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

/// No two parts of it are alike.
std::string text(std::size_t size) {
  std::string all;
  for (std::uint64_t i = 0; all.size() < size; ++i) all += std::to_string(i * 0x9e3779b97f4a7c15);
  all.resize(size);
  return all;
}

TEST_F(BgpNet, three_hundred_peers_that_connect_at_once_are_all_accepted) {
  constexpr std::uint32_t kPeers = 300;
  std::map<Address, TcpOptions> peers;
  for (std::uint32_t i = 0; i < kPeers; ++i) peers[loopback(0x10000 + i)] = {};
  pool->setPeers(peers);
  const Endpoint here = listenAt(loopback(1));
  std::vector<Plain> all;
  for (const auto& [address, options] : peers) all.emplace_back(address).connect(here);
  EXPECT_TRUE(until([&] { return owner.connections.size() == kPeers; }));
  for (Plain& peer : all) EXPECT_TRUE(peer.established());
  EXPECT_EQ(pool->counters().accepted, kPeers);
  EXPECT_EQ(pool->counters().refused, 0U);
}

TEST_F(BgpNet, somebody_who_is_no_peer_is_reset_and_told_about) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain stranger(loopback(3));
  stranger.connect(here);
  const Endpoint from = stranger.local();
  EXPECT_TRUE(until([&] { return stranger.wasReset(); }));
  EXPECT_THAT(owner.refusals, ElementsAre(std::pair(from, std::string("no peer has this address"))));
  EXPECT_THAT(owner.connections, IsEmpty());
}

TEST_F(BgpNet, a_hundred_strangers_are_counted_but_not_told_one_by_one) {
  const Endpoint here = listenAt(loopback(1));
  for (int i = 0; i < 100; ++i) {
    Plain stranger(loopback(3));
    stranger.connect(here);
    ASSERT_TRUE(until([&] { return stranger.wasReset(); }));
  }
  EXPECT_EQ(pool->counters().refused, 100U);
  EXPECT_THAT(owner.refusals, testing::Not(IsEmpty()));
  EXPECT_LT(owner.refusals.size(), 100U);
}

TEST(BgpNetRefusals, so_many_are_told_in_a_window_and_again_in_the_next) {
  RateLimit limit(2, std::chrono::seconds(10));
  const RateLimit::TimePoint start(std::chrono::seconds(5));
  EXPECT_TRUE(limit.allow(start));
  EXPECT_TRUE(limit.allow(start + std::chrono::seconds(9)));
  EXPECT_FALSE(limit.allow(start + std::chrono::seconds(9)));
  EXPECT_FALSE(limit.allow(start + std::chrono::milliseconds(9999)));
  EXPECT_TRUE(limit.allow(start + std::chrono::seconds(10)));
  EXPECT_TRUE(limit.allow(start + std::chrono::seconds(10)));
  EXPECT_FALSE(limit.allow(start + std::chrono::seconds(19)));
  EXPECT_TRUE(limit.allow(start + std::chrono::seconds(100)));
}

TEST_F(BgpNet, a_peer_that_is_none_any_more_cannot_connect_again_but_stays) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2)), again(loopback(2));
  const ConnectionId id = acceptedFrom(peer, here);
  pool->setPeers({});
  again.connect(here);
  EXPECT_TRUE(until([&] { return again.wasReset(); }));
  peer.say("keepalive");
  EXPECT_TRUE(until([&] { return owner.connections.at(id).heard == "keepalive"; }));
}

TEST_F(BgpNet, a_peer_with_a_local_address_must_connect_to_that_one) {
  pool->setPeers({{loopback(2), {.local_address = loopback(4)}}});
  const Endpoint here = listenAt(Ipv4(0));
  Plain wrong(loopback(2)), right(loopback(2));
  wrong.connect({loopback(1), here.port});
  EXPECT_TRUE(until([&] { return wrong.wasReset(); }));
  const ConnectionId id = acceptedFrom(right, {loopback(4), here.port});
  EXPECT_EQ(owner.connections.at(id).local.address, loopback(4));
  ASSERT_THAT(owner.refusals, SizeIs(1));
  EXPECT_EQ(owner.refusals[0].second, "it has connected to 127.0.0.1, not to 127.0.0.4");
}

TEST_F(BgpNet, an_address_has_four_connections_at_most_and_others_theirs) {
  pool->setPeers({{loopback(2), {}}, {loopback(3), {}}});
  const Endpoint here = listenAt(loopback(1));
  std::vector<Plain> peers;
  std::vector<ConnectionId> ids;
  for (unsigned i = 0; i < TcpPool::kOpenPerPeer; ++i)
    ids.push_back(acceptedFrom(peers.emplace_back(loopback(2)), here));
  Plain more(loopback(2)), other(loopback(3));
  more.connect(here);
  EXPECT_TRUE(until([&] { return more.wasReset(); }));
  EXPECT_EQ(pool->counters().refused, 1U);
  acceptedFrom(other, here);
  // One that we have closed counts until the peer has closed it too.
  pool->close(ids[0]);
  Plain early(loopback(2));
  early.connect(here);
  const std::size_t before = owner.connections.size();
  EXPECT_TRUE(until([&] { return pool->counters().refused == 2 || owner.connections.size() > before; }));
  EXPECT_TRUE(owner.connections.size() == before || pool->closing() == 0);
  peers[0].hangUp();
  EXPECT_TRUE(until([&] { return pool->closing() == 0; }));
  Plain late(loopback(2));
  acceptedFrom(late, here);
  EXPECT_TRUE(late.established());
}

TEST_F(BgpNet, the_last_octets_arrive_though_the_peer_does_not_stop_sending) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  const ConnectionId id = acceptedFrom(peer, here);
  ASSERT_GT(peer.shout(), 0U);
  owner.connections.at(id).to_send = "notification";
  pool->close(id);
  // Nothing is read by the peer yet: a reset would throw away what waits for it.
  for (int i = 0; i < 20; ++i) {
    run();
    peer.shout();
  }
  EXPECT_TRUE(until([&] { return peer.shout(), peer.isOver(); }));
  EXPECT_EQ(peer.hear(), "notification");
  EXPECT_FALSE(peer.wasReset());
  EXPECT_TRUE(until([&] { return pool->closing() == 0; }));
  EXPECT_FALSE(owner.connections.at(id).closed);
}

TEST_F(BgpNet, a_peer_that_never_closes_is_let_go) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  pool->close(acceptedFrom(peer, here));
  EXPECT_EQ(pool->closing(), 1U);
  EXPECT_TRUE(until([&] { return pool->closing() == 0; }));
}

TEST_F(BgpNet, a_peer_that_never_reads_holds_up_neither_another_nor_its_own_end) {
  pool->setPeers({{loopback(2), {}}, {loopback(3), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain deaf(loopback(2)), other(loopback(3));
  const ConnectionId stuck = acceptedFrom(deaf, here), id = acceptedFrom(other, here);
  constexpr std::size_t kMuch = 32 << 20;  // more than both ends' kernels take
  owner.connections.at(stuck).to_send = std::string(kMuch, 'x');
  pool->wantWrite(stuck);
  owner.connections.at(id).to_send = text(kMuch / 8);
  pool->wantWrite(id);
  EXPECT_TRUE(until([&] { return other.hear().size() == kMuch / 8; }));
  EXPECT_EQ(other.hear(), text(kMuch / 8));
  EXPECT_FALSE(owner.connections.at(stuck).to_send.empty());
  pool->close(stuck);
  EXPECT_FALSE(owner.connections.at(stuck).to_send.empty());
  EXPECT_TRUE(until([&] { return pool->closing() == 0; }));
}

TEST_F(BgpNet, many_odd_pieces_arrive_whole_through_a_small_window) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  peer.set(SOL_SOCKET, SO_RCVBUF, 4096);
  const ConnectionId id = acceptedFrom(peer, here);
  owner.piece = 977;
  owner.most_pieces = 200;  // 64 go at a time
  const std::string all = text(6 << 20);
  owner.connections.at(id).to_send = all;
  pool->wantWrite(id);
  pool->wantWrite(id);
  EXPECT_TRUE(until([&] { return peer.hear(100'000).size() == all.size(); }));
  EXPECT_EQ(peer.hear(), all);
  EXPECT_THAT(owner.shares, Each(Le(64 * owner.piece)));
  EXPECT_THAT(owner.shares,
              testing::Contains(testing::ResultOf([&](auto n) { return n % owner.piece; }, testing::Gt(0U))))
      << "TCP has taken a part of a piece";
}

TEST_F(BgpNet, what_is_written_within_an_event_goes_too) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  const ConnectionId id = acceptedFrom(peer, here);
  constexpr int kRounds = 25'000;  // too deep for one within the other
  int rounds = 0;
  owner.on_sent = [&](ConnectionId) {
    if (++rounds < kRounds) owner.connections.at(id).to_send = "x";
    pool->wantWrite(id);
  };
  owner.connections.at(id).to_send = "x";
  pool->wantWrite(id);
  EXPECT_TRUE(until([&] { return peer.hear().size() == kRounds; }));
}

TEST_F(BgpNet, one_that_reads_fast_leaves_others_their_turn) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  const ConnectionId id = acceptedFrom(peer, here);
  const std::string all = text(4 << 20);
  owner.on_sent = [&](ConnectionId) { peer.hear(); };
  owner.most_pieces = 1;
  owner.connections.at(id).to_send = all;
  pool->wantWrite(id);
  EXPECT_GT(owner.connections.at(id).to_send.size(), all.size() / 2);
  EXPECT_TRUE(until([&] { return peer.hear() == all; }));
}

TEST_F(BgpNet, one_that_floods_leaves_others_their_turn) {
  pool->setPeers({{loopback(2), {}}, {loopback(3), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain flooding(loopback(2)), other(loopback(3));
  const ConnectionId flood = acceptedFrom(flooding, here), id = acceptedFrom(other, here);
  ASSERT_GT(flooding.shout(), std::size_t{128} << 10);
  other.say("keepalive");
  std::optional<std::size_t> before_other;
  owner.on_received = [&](ConnectionId from) {
    const std::size_t heard = owner.connections.at(flood).heard.size();
    if (from == id) before_other = heard;
    if (!before_other && heard < std::size_t{16} << 20) flooding.shout();
  };
  ASSERT_TRUE(until([&] { return before_other.has_value(); }));
  EXPECT_LE(*before_other, std::size_t{2 * 64} << 10);
}

}  // namespace
}  // namespace poplink::host::bgp
