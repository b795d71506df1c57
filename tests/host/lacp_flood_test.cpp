// SPDX-License-Identifier: Apache-2.0
// A million frames a second to LACP's address on one port of the Verilated card, for ten seconds of card time: the LAG
// on its other ports notices nothing. The card's clock is slowed down to 40 cycles a microsecond, so that it has a
// sixth of its time for each frame, and this test ends within minutes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "agent_lab.h"
#include "verilated_transport.h"

namespace poplink::host {
namespace {

constexpr unsigned kCyclesPerUs = 40;
constexpr unsigned kAttacked = 2;

unsigned seconds() {
  const char* wanted = std::getenv("POPLINK_FLOOD_SECONDS");
  return wanted == nullptr ? 1 : static_cast<unsigned>(std::atoi(wanted));
}

class Flood {
 public:
  Flood() {
    auto transport = std::make_unique<driver::VerilatedTransport>();
    model_ = &transport->model;
    for (unsigned port = 0; port < 8; ++port) model_->setPortUp(port, false);
    model_->on_sent = [this](sim::SentFrame&& frame) { sent(frame.port, frame.bytes); };
    model_->setNow(us_);
    card_.emplace(std::move(transport));
    RegionText text;
    text.more_lags = "[{ports: [2]}]";
    const Node node{"par-th2", 0, "none", ""};
    agent_.emplace(*card_, regionOf(text()), node, LagSnapshots{}, AgentHooks{}, now());
    LagConfig config;
    config.link = 0;
    config.settings.system = {2, 0, 0, 0, 9, 0};
    for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{1}})
      config.ports.push_back({lacp::PortId{port}, static_cast<std::uint16_t>(port + 1), 32768, true});
    partner_.emplace(std::vector{config}, LagSnapshots{}, std::set<unsigned>{}, now());
    for (const unsigned port : {0U, 1U, kAttacked}) model_->setPortUp(port, true);
    agent_->portsChanged();
    for (const unsigned port : {0U, 1U}) obey(partner_->linkChanged(port, {true, 10000, true}, now()));
  }

  void run(unsigned milliseconds, bool attack) {
    for (unsigned ms = 0; ms < milliseconds; ++ms) {
      for (unsigned us = 0; us < 1000; ++us) {
        model_->setNow(++us_);
        if (attack) model_->receive(kAttacked, garbage_[attacks_++ % garbage_.size()]);
        model_->run(attack || us % 100 == 0 ? kCyclesPerUs : 1);
      }
      agent_->step(now());
      obey(partner_->run(now()));
    }
  }
  bool up() const {
    for (const lacp::Port& port : agent_->lags().lags().at(0).group.ports())
      if (!port.variables.actor.state.distributing) return false;
    for (const lacp::Port& port : partner_->lags().at(0).group.ports())
      if (!port.variables.actor.state.distributing) return false;
    return true;
  }
  const lacp::Counters& attacked() const { return agent_->lags().lags().at(kAttacked).group.ports().front().counters; }

  std::vector<std::uint64_t> pdus[2];  ///< times at which LACPDUs left the LAG's ports
  std::vector<LagEvent> events;        ///< of the partner
  std::uint64_t attacks() const { return attacks_; }

 private:
  lacp::TimePoint now() const { return lacp::TimePoint(std::chrono::microseconds(us_)); }
  void sent(unsigned port, const std::vector<std::uint8_t>& frame) {
    if (port > 1) return;
    pdus[port].push_back(us_);
    obey(partner_->receive(port, frame, now()));
  }
  void obey(const LagActions& actions) {
    for (const LagAction& action : actions) {
      if (const auto* frame = std::get_if<SendFrame>(&action)) model_->receive(frame->port, frame->bytes);
      if (const auto* event = std::get_if<LagEvent>(&action)) events.push_back(*event);
    }
  }
  static std::vector<std::vector<std::uint8_t>> makeGarbage() {
    std::mt19937 random(1);
    std::vector<std::vector<std::uint8_t>> all(64, std::vector<std::uint8_t>(124));
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::uint8_t& byte : all[i]) byte = static_cast<std::uint8_t>(random());
      const std::uint8_t head[] = {0x01, 0x80, 0xC2, 0, 0, 2, 2, 0, 0, 0, 0, 9, 0x88, 0x09, 1, 1, 1, 20};
      std::copy(std::begin(head), std::end(head), all[i].begin());
    }
    return all;
  }

  std::uint64_t us_ = 1'000'000;
  std::uint64_t attacks_ = 0;
  std::vector<std::vector<std::uint8_t>> garbage_ = makeGarbage();
  sim::CardModel* model_ = nullptr;
  std::optional<driver::Card> card_;
  std::optional<LagService> partner_;
  std::optional<CardAgent> agent_;
};

TEST(LacpFlood, a_million_garbage_pdus_a_second_disturb_no_other_lag) {
  Flood flood;
  flood.run(4500, false);
  ASSERT_TRUE(flood.up());
  const std::size_t first[] = {flood.pdus[0].size(), flood.pdus[1].size()};
  const std::size_t events = flood.events.size();
  flood.run(seconds() * 1000, true);
  EXPECT_EQ(flood.attacks(), seconds() * 1'000'000ULL);
  EXPECT_TRUE(flood.up());
  EXPECT_EQ(flood.events.size(), events) << "the partner noticed";
  double worst = 0;
  for (const std::size_t port : {0U, 1U}) {
    const auto& times = flood.pdus[port];
    ASSERT_GE(times.size() + 1, first[port] + seconds());
    for (std::size_t i = first[port]; i < times.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(times[i] - times[i - 1]) - 1e6));
  }
  EXPECT_LE(worst, 1e5) << "us from the period";
  const std::uint64_t given = flood.attacked().malformed + flood.attacked().lacpdus_received;
  EXPECT_LE(given, 100 * seconds() + 100) << "policed in the card";
  std::printf("%u s: PDUs at most %.0f us off their period; of %llu frames LACP got %llu\n", seconds(), worst,
              static_cast<unsigned long long>(flood.attacks()), static_cast<unsigned long long>(given));
}

}  // namespace
}  // namespace poplink::host
