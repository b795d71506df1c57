// SPDX-License-Identifier: Apache-2.0
// Who may talk to us: MD5 signatures (RFC 2385) and TTL security (RFC 5082), against the kernel itself. What must not
// arrive is awaited by something that is sent later and arrives: loopback keeps the order.
#include "bgp_net_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(BgpNet, a_peer_with_the_right_key_is_accepted_and_one_with_another_or_none_is_not) {
  pool->setPeers({{loopback(2), {.md5_key = "secret"}},
                  {loopback(3), {.md5_key = "secret"}},
                  {loopback(4), {.md5_key = "secret"}},
                  {loopback(5), {}},
                  {loopback(6), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain wrong(loopback(2)), none(loopback(3)), right(loopback(4)), needless(loopback(5)), other(loopback(6));
  wrong.setKey(here.address, "guess");
  right.setKey(here.address, "secret");
  needless.setKey(here.address, "secret");
  for (Plain* peer : {&wrong, &none, &needless, &right, &other}) peer->connect(here);
  EXPECT_TRUE(until([&] { return owner.connections.size() == 2; }));
  EXPECT_THAT(remotes(), ElementsAre(loopback(4), loopback(6)));
  right.say("open");
  EXPECT_TRUE(until([&] { return owner.connections.begin()->second.heard == "open"; }));
  for (Plain* peer : {&wrong, &none, &needless}) EXPECT_FALSE(peer->established());
}

TEST_F(BgpNet, it_signs_what_it_connects_with) {
  Plain right(loopback(2)), wrong(loopback(3)), none(loopback(4)), control(loopback(5));
  right.setKey(loopback(1), "secret");
  wrong.setKey(loopback(1), "guess");
  for (Plain* peer : {&right, &wrong, &none, &control}) peer->listen();
  const TcpOptions options{.md5_key = "secret", .local_address = loopback(1)};
  pool->connect(1, right.local(), options);
  pool->connect(2, wrong.local(), options);
  pool->connect(3, none.local(), options);
  pool->connect(4, control.local(), {.local_address = loopback(1)});
  ASSERT_TRUE(until([&] { return owner.attempts.contains(1) && owner.attempts.contains(4); }));
  EXPECT_EQ(owner.attempts.size(), 2U);
  EXPECT_TRUE(right.accept());
  EXPECT_FALSE(wrong.accept());
  EXPECT_FALSE(none.accept());
}

TEST_F(BgpNet, keys_work_over_ipv6) {
  pool->setPeers({{kLoopback6, {.md5_key = "secret"}}, {loopback(2), {}}});
  pool->listen({{kLoopback6, 0}, {loopback(1), 0}});
  const Endpoint here = pool->listening().at(0);
  Plain wrong(kLoopback6), right(kLoopback6);
  wrong.setKey(kLoopback6, "guess");
  right.setKey(kLoopback6, "secret");
  wrong.connect(here);
  acceptedFrom(right, here);
  EXPECT_TRUE(right.established());
  EXPECT_FALSE(wrong.established());
}

TEST_F(BgpNet, a_changed_key_is_for_connections_to_come_and_those_that_are_there_live_on) {
  pool->setPeers({{loopback(2), {.md5_key = "old"}}, {loopback(3), {.md5_key = "stays"}}});
  const Endpoint here = listenAt(loopback(1));
  Plain first(loopback(2));
  first.setKey(here.address, "old");
  const ConnectionId id = acceptedFrom(first, here);

  pool->setPeers({{loopback(2), {.md5_key = "new"}}, {loopback(3), {.md5_key = "stays"}}});
  Plain old(loopback(2)), fresh(loopback(2)), other(loopback(3));
  old.setKey(here.address, "old");
  fresh.setKey(here.address, "new");
  other.setKey(here.address, "stays");
  old.connect(here);
  acceptedFrom(fresh, here);
  acceptedFrom(other, here);
  EXPECT_TRUE(fresh.established());
  EXPECT_TRUE(other.established());
  EXPECT_FALSE(old.established());

  pool->setPeers({{loopback(2), {}}, {loopback(4), {.md5_key = "added"}}});
  Plain signing(loopback(2)), plain(loopback(2)), added(loopback(4)), unsigned_one(loopback(4));
  signing.setKey(here.address, "new");
  added.setKey(here.address, "added");
  signing.connect(here);
  unsigned_one.connect(here);
  acceptedFrom(plain, here);
  acceptedFrom(added, here);
  EXPECT_TRUE(plain.established());
  EXPECT_TRUE(added.established());
  EXPECT_FALSE(signing.established());
  EXPECT_FALSE(unsigned_one.established());

  first.say("keepalive");
  EXPECT_TRUE(until([&] { return owner.connections.at(id).heard == "keepalive"; }));
}

TEST_F(BgpNet, a_listener_that_comes_later_has_the_keys_too) {
  pool->setPeers({{loopback(2), {.md5_key = "secret"}}, {kLoopback6, {.md5_key = "secret"}}});
  const Endpoint here = listenAt(loopback(1));
  Plain none(loopback(2)), right(loopback(2));
  right.setKey(here.address, "secret");
  none.connect(here);
  acceptedFrom(right, here);
  EXPECT_TRUE(right.established());
  EXPECT_FALSE(none.established());
}

TEST_F(BgpNet, a_peer_whose_key_cannot_be_set_is_refused_until_it_can) {
  const Endpoint here = listenAt(loopback(1));
  const std::string longest(kMd5KeyOctets, 'k');
  try {
    pool->setPeers({{loopback(2), {.md5_key = longest + "k"}}, {loopback(3), {.md5_key = longest}}});
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the MD5 key for 127.0.0.2 has more than 80 octets"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("kkk"))) << "it is a secret";
  }
  EXPECT_THROW(pool->setPeers({{loopback(2), {.md5_key = longest + "k"}}, {loopback(3), {.md5_key = longest}}}),
               std::system_error)
      << "it has tried again";
  Plain none(loopback(2)), other(loopback(3)), late(loopback(2));
  none.connect(here);
  EXPECT_TRUE(until([&] { return none.wasReset(); }));
  EXPECT_EQ(owner.refusals.at(0).second, "its MD5 key could not be set");
  other.setKey(here.address, longest);
  acceptedFrom(other, here);
  pool->setPeers({{loopback(2), {}}});
  acceptedFrom(late, here);
  EXPECT_TRUE(late.established());
}

/// Over IPv4 and IPv6.
class BgpNetTtl : public BgpNet, public testing::WithParamInterface<bool> {
 protected:
  Address here() const { return GetParam() ? kLoopback6 : loopback(1); }
  Address there() const { return GetParam() ? kLoopback6 : loopback(2); }
};
INSTANTIATE_TEST_SUITE_P(by, BgpNetTtl, testing::Bool(), [](const auto& v6) { return v6.param ? "ipv6" : "ipv4"; });

TEST_P(BgpNetTtl, who_comes_from_farther_away_than_allowed_is_refused) {
  pool->setPeers({{there(), {.hops = 3, .ttl_security = true}}});
  const Endpoint at = listenAt(here());
  Plain far(there()), near(there());
  far.setTtl(252);
  near.setTtl(253);
  far.connect(at);
  EXPECT_TRUE(until([&] { return far.isOver() || !owner.refusals.empty(); }));
  ASSERT_EQ(owner.refusals.size(), 1U);
  EXPECT_EQ(owner.refusals[0].second, "it came with TTL 252, and must have 253");
  acceptedFrom(near, at);
  EXPECT_EQ(owner.connections.size(), 1U);
}

TEST_P(BgpNetTtl, what_comes_from_too_far_away_later_is_not_taken) {
  pool->setPeers({{there(), {.ttl_security = true}}});
  const Endpoint at = listenAt(here());
  Plain peer(there());
  peer.setTtl(255);
  const ConnectionId id = acceptedFrom(peer, at);
  peer.setTtl(254);
  peer.say("open");
  // TCP has tried a second time when the TTL is right again.
  EXPECT_TRUE(until([&] { return peer.info().tcpi_total_retrans > 0; }));
  EXPECT_EQ(owner.connections.at(id).heard, "");
  peer.setTtl(255);
  EXPECT_TRUE(until([&] { return owner.connections.at(id).heard == "open"; }));
}

TEST_P(BgpNetTtl, it_sends_with_255_and_takes_no_answer_from_farther_away) {
  Plain far(there()), near(there());
  far.setTtl(254);
  near.setTtl(255);
  near.set(IPPROTO_TCP, TCP_SAVE_SYN, 1);
  far.listen();
  near.listen();
  pool->connect(1, far.local(), {.ttl_security = true});
  pool->connect(2, near.local(), {.ttl_security = true});
  ASSERT_TRUE(until([&] { return owner.attempts.contains(2); }));
  EXPECT_FALSE(owner.attempts.contains(1));
  EXPECT_EQ(near.accept()->ttlOfSyn(), 255);
  far.setTtl(255);
  EXPECT_TRUE(until([&] { return owner.attempts.contains(1); })) << "TCP tries again";
}

TEST_P(BgpNetTtl, two_pools_with_ttl_security_find_each_other) {
  const TcpOptions options{.ttl_security = true, .local_address = here()};
  pool->setPeers({{here(), options}});
  pool->connect(1, listenAt(here()), options);
  EXPECT_TRUE(until([&] { return owner.attempts.contains(1) && pool->counters().accepted == 1; }));
}

TEST_P(BgpNetTtl, without_it_the_ttl_is_as_the_peer_needs_it) {
  Plain peer(there());
  peer.set(IPPROTO_TCP, TCP_SAVE_SYN, 1);
  peer.listen();
  const std::map<Token, std::pair<TcpOptions, int>> expected{
      {1, {{}, 1}}, {2, {{.hops = 5}, 5}}, {3, {{.external = false}, 64}}, {4, {{.hops = 5, .external = false}, 64}}};
  for (const auto& [token, row] : expected) {
    pool->connect(token, peer.local(), row.first);
    ASSERT_TRUE(until([&] { return owner.attempts.contains(token); }));
    EXPECT_EQ(peer.accept()->ttlOfSyn(), row.second);
  }
}

TEST_P(BgpNetTtl, answers_to_a_peer_nearby_do_not_go_farther) {
  pool->setPeers({{there(), {}}});
  const Endpoint at = listenAt(here());
  Plain peer(there());
  const ConnectionId id = acceptedFrom(peer, at);
  // Were it 255, the peer could take it; one hop is TTL 1.
  peer.set(GetParam() ? IPPROTO_IPV6 : IPPROTO_IP, GetParam() ? IPV6_MINHOPCOUNT : IP_MINTTL, 2);
  owner.connections.at(id).to_send = "open";
  pool->wantWrite(id);
  EXPECT_EQ(peer.hear(), "");
  peer.set(GetParam() ? IPPROTO_IPV6 : IPPROTO_IP, GetParam() ? IPV6_MINHOPCOUNT : IP_MINTTL, 1);
  EXPECT_TRUE(until([&] { return peer.hear() == "open"; })) << "TCP tries again";
}

TEST(BgpNetTtlOfOptions, follows_rfc_5082) {
  EXPECT_EQ(ttlToSend({.hops = 1}), 1);
  EXPECT_EQ(ttlToSend({.hops = 255}), 255);
  EXPECT_EQ(ttlToSend({.external = false}), 64);
  EXPECT_EQ(ttlToSend({.ttl_security = true, .external = false}), 255);
  EXPECT_EQ(lowestTtl({.hops = 1}), 0);
  EXPECT_EQ(lowestTtl({.hops = 1, .ttl_security = true}), 255);
  EXPECT_EQ(lowestTtl({.hops = 255, .ttl_security = true}), 1);
}

}  // namespace
}  // namespace poplink::host::bgp
