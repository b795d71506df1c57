// SPDX-License-Identifier: Apache-2.0
// BGP's TCP connections: made, accepted, read, written, closed.
#include <fcntl.h>

#include "bgp_net_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(BgpNet, a_peer_that_connects_is_accepted_and_heard) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  const ConnectionId id = acceptedFrom(peer, here);
  EXPECT_EQ(owner.connections.at(id).remote, peer.local());
  EXPECT_EQ(owner.connections.at(id).local, here);
  peer.say("open");
  EXPECT_TRUE(until([&] { return owner.connections.at(id).heard == "open"; }));
  peer.say("keepalive");
  EXPECT_TRUE(until([&] { return owner.connections.at(id).heard == "openkeepalive"; }));
  EXPECT_EQ(pool->counters().accepted, 1U);
}

TEST_F(BgpNet, it_connects_to_a_peer) {
  Plain peer(loopback(2));
  peer.listen();
  pool->connect(7, peer.local(), {.local_address = loopback(9)});
  ASSERT_TRUE(until([&] { return owner.attempts.contains(7); }));
  std::optional<Plain> end = peer.accept();
  ASSERT_TRUE(end);
  const ConnectionId id = owner.attempts.at(7);
  EXPECT_EQ(owner.connections.at(id).local.address, loopback(9));
  owner.connections.at(id).to_send = "open";
  pool->wantWrite(id);
  EXPECT_EQ(end->hear(), "open") << "sent at once";
  EXPECT_EQ(pool->counters().connected, 1U);
}

TEST_F(BgpNet, it_connects_and_accepts_over_ipv6) {
  pool->setPeers({{kLoopback6, {}}});
  const Endpoint here = listenAt(kLoopback6);
  pool->connect(1, here, {.local_address = kLoopback6});
  ASSERT_TRUE(until([&] { return owner.attempts.contains(1) && owner.connections.size() == 2; }));
  const ConnectionId id = owner.attempts.at(1);
  owner.connections.at(id).to_send = "open";
  pool->wantWrite(id);
  EXPECT_TRUE(until([&] {
    return std::any_of(owner.connections.begin(), owner.connections.end(),
                       [](const auto& connection) { return connection.second.heard == "open"; });
  }));
}

TEST_F(BgpNet, the_wildcard_of_ipv6_takes_no_ipv4) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(Ipv6{});
  Plain peer(loopback(2));
  peer.connect({loopback(1), here.port});
  EXPECT_TRUE(peer.isOver());
  run();
  EXPECT_THAT(owner.connections, IsEmpty());
}

TEST_F(BgpNet, sockets_are_as_bgp_wants_them) {
  const auto look = [](const Endpoint& remote) {
    const int socket = descriptorTo(remote);
    const bool v6 = isV6(remote.address);
    int delay = 0, tos = 0;
    socklen_t size = sizeof delay;
    EXPECT_EQ(::getsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &delay, &size), 0);
    EXPECT_EQ(::getsockopt(socket, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &tos, &size), 0);
    EXPECT_EQ(delay, 1);
    EXPECT_EQ(tos, 0xc0);
    EXPECT_TRUE(::fcntl(socket, F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(::fcntl(socket, F_GETFL) & O_NONBLOCK);
  };
  pool->setPeers({{loopback(2), {}}, {kLoopback6, {}}});
  for (const bool v6 : {false, true}) {
    const Address there = v6 ? kLoopback6 : loopback(2);
    Plain peer(there), listener(there);
    acceptedFrom(peer, listenAt(v6 ? kLoopback6 : loopback(1)));
    look(peer.local());
    listener.listen();
    pool->connect(v6, listener.local(), {});
    ASSERT_TRUE(until([&] { return owner.attempts.contains(v6); }));
    look(listener.local());
  }
}

TEST_F(BgpNet, an_attempt_that_fails_says_why_and_not_at_once) {
  Plain nobody(loopback(2));
  pool->connect(1, nobody.local(), {});
  pool->connect(2, nobody.local(), {.local_address = Ipv4(0xc0000201)});
  pool->connect(3, nobody.local(), {.local_address = kLoopback6});
  pool->connect(4, nobody.local(), {.md5_key = std::string(kMd5KeyOctets + 1, 'k')});
  EXPECT_THAT(owner.failures, IsEmpty());
  ASSERT_TRUE(until([&] { return owner.failures.size() == 4; }));
  EXPECT_EQ(owner.failures.at(1), "Connection refused");
  EXPECT_THAT(owner.failures.at(2), HasSubstr("cannot connect from 192.0.2.1: "));
  EXPECT_THAT(owner.failures.at(3), HasSubstr("cannot connect from ::1: "));
  EXPECT_THAT(owner.failures.at(4), HasSubstr("the MD5 key for 127.0.0.2 has more than 80 octets"));
}

TEST_F(BgpNet, nothing_is_told_of_an_attempt_that_was_given_up) {
  Plain peer(loopback(2)), nobody(loopback(3));
  peer.listen();
  pool->connect(1, peer.local(), {});
  pool->connect(2, nobody.local(), {});
  pool->connect(3, nobody.local(), {.local_address = Ipv4(0xc0000201)});
  for (const Token token : {1U, 2U, 3U, 4U}) pool->cancel(token);
  pool->connect(5, peer.local(), {});
  ASSERT_TRUE(until([&] { return owner.attempts.contains(5); }));
  EXPECT_EQ(owner.attempts.size(), 1U);
  EXPECT_THAT(owner.failures, IsEmpty());
}

TEST_F(BgpNet, an_attempt_takes_the_place_of_one_of_the_same_token) {
  Plain peer(loopback(2)), nobody(loopback(3));
  peer.listen();
  pool->connect(1, nobody.local(), {});
  pool->connect(1, peer.local(), {});
  ASSERT_TRUE(until([&] { return owner.attempts.contains(1); }));
  EXPECT_THAT(owner.failures, IsEmpty());
}

TEST_F(BgpNet, the_end_of_a_connection_is_told_after_what_came_before_it) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  const ConnectionId id = acceptedFrom(peer, here);
  peer.say("notification");
  peer.hangUp();
  ASSERT_TRUE(until([&] { return owner.connections.at(id).closed.has_value(); }));
  EXPECT_EQ(owner.connections.at(id).heard, "notification");
  EXPECT_EQ(owner.connections.at(id).closed, "closed by the other side");
}

TEST_F(BgpNet, a_reset_is_told_as_one) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain reader(loopback(2)), writer(loopback(2));
  const ConnectionId read = acceptedFrom(reader, here), written = acceptedFrom(writer, here);
  reader.reset();
  writer.say("notification");
  writer.reset();
  // Writing sees it first, in here, but tells it later.
  owner.connections.at(written).to_send = "keepalive";
  pool->wantWrite(written);
  EXPECT_FALSE(owner.connections.at(written).closed);
  ASSERT_TRUE(until([&] { return owner.connections.at(read).closed && owner.connections.at(written).closed; }));
  EXPECT_EQ(owner.connections.at(read).closed, "Connection reset by peer");
  EXPECT_EQ(owner.connections.at(written).closed, "Connection reset by peer");
}

TEST_F(BgpNet, calls_for_a_connection_that_is_gone_do_nothing) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  const ConnectionId id = acceptedFrom(peer, here);
  peer.hangUp();
  owner.on_closed = [&](ConnectionId closed) {
    pool->wantWrite(closed);
    pool->close(closed);
  };
  ASSERT_TRUE(until([&] { return owner.connections.at(id).closed.has_value(); }));
  pool->close(id);
  pool->close(ConnectionId(99));
  pool->wantWrite(ConnectionId(99));
  EXPECT_EQ(pool->closing(), 0U);
}

TEST_F(BgpNet, what_has_come_is_read_without_the_loop) {
  pool->setPeers({{loopback(2), {}}, {loopback(3), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain a(loopback(2)), b(loopback(3)), c(loopback(3)), d(loopback(3));
  const ConnectionId first = acceptedFrom(a, here), second = acceptedFrom(b, here), third = acceptedFrom(c, here),
                     fourth = acceptedFrom(d, here);
  a.say("keepalive");
  b.say("keepalive");
  c.hangUp();
  d.say("an update");
  // The first to be heard closes the second, and reading again within reading does not disturb it.
  owner.on_received = [&](ConnectionId) {
    pool->close(second);
    pool->readAll();
  };
  pool->readAll();
  EXPECT_EQ(owner.connections.at(first).heard, "keepalive");
  EXPECT_EQ(owner.connections.at(second).heard, "");
  EXPECT_TRUE(owner.connections.at(third).closed);
  EXPECT_EQ(owner.connections.at(fourth).heard, "an update");
}

TEST_F(BgpNet, an_owner_may_close_within_every_event) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  const auto close = [&](ConnectionId id) { pool->close(id); };
  {
    Plain peer(loopback(2));
    owner.on_accepted = close;
    acceptedFrom(peer, here);
    EXPECT_TRUE(until([&] { return peer.isOver(); }));
    owner.on_accepted = nullptr;
  }
  {
    Plain peer(loopback(2));
    const ConnectionId id = acceptedFrom(peer, here);
    owner.on_received = close;
    peer.say("open");
    EXPECT_TRUE(until([&] { return peer.isOver(); }));
    EXPECT_FALSE(owner.connections.at(id).closed);
    owner.on_received = nullptr;
  }
  {
    Plain peer(loopback(2));
    const ConnectionId id = acceptedFrom(peer, here);
    owner.piece = 1;
    owner.most_pieces = 1;
    owner.connections.at(id).to_send = "notification";
    owner.on_sent = close;
    pool->wantWrite(id);
    EXPECT_TRUE(until([&] { return peer.isOver(); }));
    EXPECT_EQ(peer.hear(), "notification");
    owner.on_sent = nullptr;
  }
  Plain peer(loopback(3));
  peer.listen();
  owner.on_connected = close;
  pool->connect(1, peer.local(), {});
  ASSERT_TRUE(until([&] { return owner.attempts.contains(1); }));
  std::optional<Plain> end = peer.accept();
  EXPECT_TRUE(until([&] { return end->isOver(); }));
}

TEST_F(BgpNet, addresses_at_which_it_listens_change_and_those_that_stay_are_not_disturbed) {
  pool->setPeers({{loopback(2), {}}});
  pool->listen({{loopback(1), 0}, {loopback(4), 0}});
  const Endpoint stays = pool->listening().at(0), goes = pool->listening().at(1);
  Plain waiting(loopback(2));
  waiting.connect(stays);  // and the pool has not run since
  pool->listen({{loopback(1), 0}, {loopback(5), 0}});
  EXPECT_EQ(pool->listening().at(0), stays);
  ASSERT_EQ(pool->listening().size(), 2U);
  EXPECT_TRUE(until([&] { return owner.connections.size() == 1; }));
  Plain late(loopback(2));
  late.connect(goes);
  EXPECT_TRUE(late.isOver());
  Plain peer(loopback(2));
  acceptedFrom(peer, pool->listening().at(1));
  // From an address to the wildcard and back: they cannot be there together.
  const std::uint16_t port = pool->listening().at(1).port;
  pool->listen({{Ipv4(0), port}});
  pool->listen({{loopback(5), port}});
  EXPECT_THAT(pool->listening(), ElementsAre(Endpoint{loopback(5), port}));
}

TEST_F(BgpNet, an_address_that_is_not_there_is_named_and_the_others_work) {
  pool->setPeers({{loopback(2), {}}});
  try {
    pool->listen({{Ipv4(0xc0000201), 179}, {loopback(1), 0}});
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_not_available);
    EXPECT_THAT(error.what(), HasSubstr("cannot listen at 192.0.2.1 port 179: "));
  }
  ASSERT_EQ(pool->listening().size(), 1U);
  Plain peer(loopback(2));
  acceptedFrom(peer, pool->listening().at(0));
  // Somebody else listens there.
  TcpPool other(*context, owner);
  EXPECT_THROW(other.listen(pool->listening()), std::system_error);
}

TEST(BgpNetEnd, a_pool_that_goes_leaves_no_descriptors) {
  const std::size_t before = descriptors();
  {
    Owner owner;
    boost::asio::io_context context;
    std::optional<TcpPool> pool(std::in_place, context, owner);
    pool->setPeers({{loopback(2), {}}});
    pool->listen({{loopback(1), 0}});
    Plain peer(loopback(2)), closed(loopback(2)), waiting(loopback(2));
    owner.on_accepted = [&](ConnectionId id) {
      if (owner.connections.size() == 2) pool->close(id);
    };
    peer.connect(pool->listening().at(0));
    closed.connect(pool->listening().at(0));
    while (owner.connections.size() < 2) context.run_one();
    waiting.connect(pool->listening().at(0));
    pool->connect(1, pool->listening().at(0), {});
    EXPECT_EQ(pool->closing(), 1U);
    pool.reset();
    context.poll();
  }
  EXPECT_EQ(descriptors(), before);
}

}  // namespace
}  // namespace poplink::host::bgp
