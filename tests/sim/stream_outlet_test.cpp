// SPDX-License-Identifier: Apache-2.0
// A machine's NIC at a socket: frames both ways, what is no frame, machines that come, go and do not read.
#include "stream_outlet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "scratch.h"
#include "unix_peer.h"

namespace poplink::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Bytes framed(const Bytes& frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  Bytes bytes{static_cast<std::uint8_t>(size >> 24), static_cast<std::uint8_t>(size >> 16),
              static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  bytes.insert(bytes.end(), frame.begin(), frame.end());
  return bytes;
}

struct Sink : FrameSink {
  void deliver(std::span<const std::uint8_t> frame) override { got.emplace_back(frame.begin(), frame.end()); }
  std::vector<Bytes> got;
};

class StreamPort : public ::testing::Test {
 protected:
  /// As live mode does: handlers that are due, then what has come.
  void turn() {
    context.poll();
    context.restart();
    outlet.feed();
  }
  template <class Condition>
  void await(Condition condition) {
    for (int turns = 0; !condition() && turns < 20'000; ++turns) {
      turn();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    ASSERT_TRUE(condition());
  }

  Scratch scratch;
  const std::string path = scratch / "nic.sock";
  boost::asio::io_context context;
  Sink card;
  std::size_t room = 1'000'000;
  std::vector<bool> presence;
  std::vector<std::string> told;
  StreamOutlet outlet{
      context,
      path,
      {card, [this] { return card.got.size() < room; }, [this](bool there) { presence.push_back(there); }},
      [this](const std::string& text) { told.push_back(text); }};
};

TEST_F(StreamPort, carries_frames_of_all_lengths_both_ways) {
  const UnixPeer nic(path);
  for (const std::size_t size : {14U, 46U, 60U, 1514U, 9216U, 16'384U}) {
    const Bytes frame(size, static_cast<std::uint8_t>(size));
    nic.send(framed(frame));
    await([&] { return !card.got.empty(); });
    EXPECT_EQ(card.got, std::vector<Bytes>{frame});
    card.got.clear();
    outlet.deliver(frame);
    EXPECT_EQ(nic.receive(4 + size), framed(frame));
  }
  EXPECT_THAT(presence, ElementsAre(true));
  EXPECT_THAT(told, IsEmpty());
  EXPECT_EQ(outlet.refused(), 0U);
  EXPECT_EQ(outlet.name(), path);
}

TEST_F(StreamPort, takes_frames_however_the_bytes_are_cut) {
  const UnixPeer nic(path);
  Bytes bytes;
  std::vector<Bytes> frames;
  for (std::uint8_t i = 0; i < 20; ++i) {
    frames.emplace_back(14U + i, i);
    const Bytes one = framed(frames.back());
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  for (std::size_t at = 0, size = 1; at < bytes.size(); at += size, size = size % 7 + 1) {
    const auto end = std::min(bytes.size(), at + size);
    nic.send({bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(end)});
    turn();
  }
  await([&] { return card.got.size() == frames.size(); });
  EXPECT_EQ(card.got, frames);
}

TEST_F(StreamPort, leaves_with_the_machine_what_the_card_has_no_room_for) {
  const UnixPeer nic(path);
  room = 3;
  for (std::uint8_t i = 0; i < 10; ++i) nic.send(framed(Bytes(60, i)));
  await([&] { return card.got.size() == 3; });
  for (int turns = 0; turns < 10; ++turns) turn();
  EXPECT_EQ(card.got.size(), 3U);
  room = 10;
  await([&] { return card.got.size() == 10; });
  EXPECT_EQ(card.got.back(), Bytes(60, 9));
}

TEST_F(StreamPort, hangs_up_on_what_speaks_something_else_and_takes_the_next) {
  for (const std::uint32_t length : {0U, 13U, 16'385U, 0xFFFF'FFFFU, 0x4745'5420U /* "GET " */}) {
    UnixPeer stranger(path);
    Bytes bytes;
    for (unsigned shift = 32; shift != 0;) bytes.push_back(static_cast<std::uint8_t>(length >> (shift -= 8)));
    stranger.send(framed(Bytes(60, 1)));
    stranger.send(bytes);
    await([&] { return !told.empty(); });
    EXPECT_EQ(stranger.receive(1), std::nullopt) << "hung up";
    EXPECT_THAT(told, ElementsAre(::testing::AllOf(StartsWith(path + ": process "),
                                                   EndsWith(" announced a frame of " + std::to_string(length) +
                                                            " bytes, which are from 14 to 16384: it is hung up on"))));
    EXPECT_EQ(card.got, std::vector<Bytes>{Bytes(60, 1)}) << "what came before is a frame";
    EXPECT_THAT(presence, ElementsAre(true, false));
    told.clear();
    card.got.clear();
    presence.clear();
  }
  const UnixPeer nic(path);
  nic.send(framed(Bytes(60, 2)));
  await([&] { return card.got.size() == 1; });
}

TEST_F(StreamPort, machines_come_and_go_one_at_a_time) {
  UnixPeer first(path);
  await([&] { return presence.size() == 1; });
  {
    const UnixPeer second(path);
    await([&] { return !told.empty(); });
    EXPECT_EQ(second.receive(1), std::nullopt);
  }
  EXPECT_THAT(told[0],
              ::testing::ContainsRegex(": process [0-9]+ is turned away: process [0-9]+ is plugged in there$"));
  first.send({0, 0, 0, 60, 1, 2, 3});
  turn();
  first.close();
  await([&] { return presence.size() == 2; });
  const UnixPeer third(path);
  third.send(framed(Bytes(60, 3)));
  await([&] { return !card.got.empty(); });
  EXPECT_EQ(card.got, std::vector<Bytes>{Bytes(60, 3)}) << "nothing of the first one's half frame is left";
  EXPECT_THAT(presence, ElementsAre(true, false, true));
  EXPECT_EQ(told.size(), 1U) << "to come and go is no news";
}

TEST_F(StreamPort, next_machine_is_let_in_though_the_last_one_s_end_has_not_been_read) {
  auto first = std::make_unique<UnixPeer>(path);
  await([&] { return presence.size() == 1; });
  room = 0;
  first->send(framed(Bytes(60, 1)));
  first.reset();
  const UnixPeer second(path);
  await([&] { return presence.size() == 3; });
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(StreamPort, machine_that_does_not_read_loses_what_it_leaves_and_no_frame_is_broken) {
  const UnixPeer nic(path);
  await([&] { return presence.size() == 1; });
  const std::size_t count = 2'000;
  for (std::size_t i = 0; i < count; ++i) {
    Bytes frame(1'000, 0);
    frame[0] = static_cast<std::uint8_t>(i >> 8);
    frame[1] = static_cast<std::uint8_t>(i);
    outlet.deliver(frame);
  }
  const std::size_t kept = count - outlet.refused();
  EXPECT_GT(outlet.refused(), 0U);
  EXPECT_GE(kept * 1'004, StreamOutlet::kMostUnread - 1'004);
  std::atomic<std::size_t> in_order = 0;
  std::thread reader([&] {
    for (std::size_t i = 0; i < kept; ++i) {
      const auto bytes = nic.receive(1'004);
      if (!bytes || ((*bytes)[4] << 8 | (*bytes)[5]) != static_cast<int>(i)) return;
      ++in_order;
    }
  });
  await([&] { return in_order == kept; });
  reader.join();
  outlet.deliver(Bytes(60, 7));
  EXPECT_EQ(nic.receive(64), framed(Bytes(60, 7))) << "there is room again";
}

TEST_F(StreamPort, frames_for_nobody_are_refused) {
  outlet.deliver(Bytes(60, 1));
  EXPECT_EQ(outlet.refused(), 1U);
}

TEST_F(StreamPort, its_socket_is_refused_where_something_is_and_gone_with_it) {
  boost::asio::io_context other;
  const auto make = [&](const std::string& at) {
    StreamOutlet(other, at, {card, [] { return true; }, [](bool) {}}, {});
  };
  EXPECT_EQ(refusal([&] { make(path); }),
            path + ": another program listens there (sim_test, process " + std::to_string(::getpid()) + ")");
  EXPECT_TRUE(std::filesystem::exists(path));
  const std::string second = scratch / "second.sock";
  make(second);
  EXPECT_FALSE(std::filesystem::exists(second));
}

}  // namespace
}  // namespace poplink::sim
