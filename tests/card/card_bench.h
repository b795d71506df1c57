// SPDX-License-Identifier: Apache-2.0
// A card under test beside the golden model: programs both from the same tables, compares what leaves with what
// forward() says.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "card_access.h"

namespace poplink::tests {

template <class Model>
class CardBench : public CardAccess<Model> {
  using Access = CardAccess<Model>;

 public:
  using Access::card;

  explicit CardBench(sim::PortSpeed speed = sim::PortSpeed::bus, int seed = 1) : Access(speed, seed) {
    card.on_sent = [this](sim::SentFrame&& frame) { sent(std::move(frame)); };
  }

  /// Programs card and golden model with everything in `tables` that is valid.
  void program(const Tables& tables) {
    golden = tables;
    golden.live_ports = static_cast<std::uint16_t>((1U << Model::kPortCount) - 1);
    Access::program(tables);
  }
  /// The link of a port, in card and golden model.
  void setPortUp(unsigned port, bool up) {
    card.setPortUp(port, up);
    const unsigned bit = 1U << port;
    golden.live_ports = static_cast<std::uint16_t>(up ? golden.live_ports | bit : golden.live_ports & ~bit);
  }

  // ---- traffic

  /// Sends a frame in and expects what forward() says to come out, in order per (ingress, egress) pair of ports.
  Decision send(unsigned port, const Frame& frame) {
    Decision decision = decide(golden, frame, port);
    const auto drop = static_cast<unsigned>(decision.out.drop);
    if (drop == 0) {
      const auto egress = static_cast<unsigned>(decision.out.egress_port);
      Frame padded = decision.frame;
      if (padded.size() < sim::kMinFrameBytes) padded.resize(sim::kMinFrameBytes);
      expected_[egress][port].push_back(std::move(padded));
      ++outstanding;
    } else {
      ++expected_drops[{port, drop}];
    }
    card.receive(port, frame);
    return decision;
  }

  /// Runs until the card is quiescent and checks that everything expected has come.
  void finish(std::uint64_t limit = 2'000'000) {
    ASSERT_TRUE(card.drain(limit)) << "the card did not come to rest";
    EXPECT_EQ(outstanding, 0U) << "frames that never came out";
    EXPECT_EQ(unexpected, 0U);
  }
  void checkDropCounters() {
    for (const auto& [key, frames] : expected_drops) {
      EXPECT_EQ(this->dropped(key.first, key.second).frames, frames)
          << "port " << key.first << " reason " << key.second;
    }
  }

  Tables golden;
  std::uint64_t outstanding = 0;
  std::uint64_t unexpected = 0;
  std::uint64_t frames_out = 0;
  std::map<std::pair<unsigned, unsigned>, std::uint64_t> expected_drops;
  std::function<void(const sim::SentFrame&)> on_sent;

 private:
  void sent(sim::SentFrame&& frame) {
    ++frames_out;
    if (on_sent) on_sent(frame);
    if (expected_.empty()) return;
    // Order holds per ingress port; between ingress ports any may be next.
    for (auto& [ingress, queue] : expected_[frame.port]) {
      if (queue.empty() || queue.front() != frame.bytes) continue;
      queue.pop_front();
      --outstanding;
      return;
    }
    if (++unexpected == 1)
      ADD_FAILURE() << "port " << frame.port << " sent a frame of " << frame.bytes.size()
                    << " bytes that nobody expects";
  }

  std::map<unsigned, std::map<unsigned, std::deque<Frame>>> expected_;  ///< by egress, by ingress port
};

using Bench = CardBench<sim::CardModel>;

}  // namespace poplink::tests
