// SPDX-License-Identifier: Apache-2.0
// Two cards with their agents, customer port to customer port, in virtual time: the daemon's own code over native
// cards, without processes and clocks.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "../../sim/model/model_transport.h"
#include "card_agent.h"
#include "model_card.h"
#include "read_region.h"
#include "saved_state.h"

namespace poplink::host {

using namespace std::chrono_literals;

/// A region of two sites. Their LAGs (ports 0 and 1) are each other's customers; the backbone ports end in the test.
struct RegionText {
  std::string lacp = "{mode: active, rate: fast, min_links: 1}";
  std::string ports = "[0, 1]";
  std::string more_lags = "";  ///< of both sites, behind `lags:`

  std::string operator()() const {
    const std::string lags = more_lags.empty() ? "" : "    lags: " + more_lags + "\n";
    const auto site = [&](const std::string& name, const std::string& role, const std::string& use,
                          const std::string& other) {
      std::string text = "  - name: " + name + "\n    role: " + role + "\n" + lags + "    ports:\n";
      for (const char* id : {"0", "1", "2", "3"})
        text += std::string("      - {id: ") + id + ", speed: 10G, use: " + use + "}\n";
      for (const char* id : {"6", "7"})
        text += std::string("      - {id: ") + id + ", speed: 10G, use: backbone, peer: {site: " + other +
                ", port: " + id + "}}\n";
      return text;
    };
    return "region: test\ndefaults:\n  lacp: " + lacp + "\nsites:\n" +
           site("par-th2", "entrypoint", "cross_connect", "rbx") + site("rbx", "endpoint", "vrack", "par-th2") +
           "vracks:\n  - {id: pn-1}\nservices:\n  - name: acme-lan\n    vrack: pn-1\n    mode: l2\n    tunnel_id: "
           "101\n" +
           "    pop: {site: par-th2, ports: " + ports + "}\n    dc: {site: rbx, ports: " + ports + "}\n";
  }
};

inline Region regionOf(const std::string& text) {
  const std::string file = testing::TempDir() + "poplink-agent-" + std::to_string(::getpid()) + ".yaml";
  std::ofstream(file) << text;
  Region region = readRegion(file);
  std::remove(file.c_str());
  return region;
}

class AgentLab {
 public:
  static constexpr unsigned kPorts = sim::ModelCard::kPorts;
  using Us = std::uint64_t;

  explicit AgentLab(const RegionText& region = {}) : AgentLab(region, region) {}
  AgentLab(const RegionText& a, const RegionText& b) {
    regions_ = {regionOf(a()), regionOf(b())};
    for (const std::size_t side : {0U, 1U}) {
      sides_[side].card = std::make_unique<sim::ModelCard>([this] { return us_; }, 7 + side);
      for (unsigned port = 0; port < kPorts; ++port) sides_[side].card->setPortUp(port, false);
      sides_[side].card->on_sent = [this, side](unsigned port, std::span<const std::uint8_t> frame) {
        sent(side, port, frame);
      };
    }
  }

  void start(std::size_t side, const LagSnapshots& saved = {}) {
    Side& one = sides_[side];
    one.driver.emplace(sim::openModelCard(*one.card, "card", "test"));
    Node node{side == 0 ? "par-th2" : "rbx", 0, "none", ""};
    one.agent =
        std::make_unique<CardAgent>(*one.driver, regions_[side], node, saved,
                                    AgentHooks{[this, side](const News& news) { told(side, news); }, {}}, now());
  }
  void startBoth() {
    start(0);
    start(1);
  }
  /// As a program that is killed: what it had saved last is what its successor gets.
  LagSnapshots kill(std::size_t side) {
    std::string problem;
    const auto saved = decodeState(encodeState(sides_[side].agent->lags().snapshots()), problem);
    EXPECT_TRUE(saved) << problem;
    sides_[side].agent.reset();
    sides_[side].driver.reset();
    return saved.value_or(LagSnapshots{});
  }
  void restart(std::size_t side, lacp::Duration away) {
    const LagSnapshots saved = kill(side);
    runFor(away);
    start(side, saved);
  }

  void setLink(unsigned port, bool up) {
    for (Side& side : sides_) side.card->setPortUp(port, up);
    ports_changed_ = true;  // as its interrupt says
  }
  /// Frames of this side's port are lost on the way; both keep their link.
  void lose(std::size_t side, unsigned port, bool lost) { sides_[side].lost[port] = lost; }

  lacp::TimePoint now() const { return lacp::TimePoint(std::chrono::microseconds(us_)); }
  Us us() const { return us_; }
  void runFor(lacp::Duration time) {
    runUntil([] { return false; }, time);
  }
  /// How long it took; nothing: not within `limit`. Looks every millisecond.
  std::optional<lacp::Duration> runUntil(const std::function<bool()>& done, lacp::Duration limit) {
    const lacp::TimePoint begin = now();
    while (!done()) {
      if (now() - begin >= limit) return std::nullopt;
      us_ += 1000;
      if (every_ms) every_ms();
      for (Side& side : sides_) side.card->poll();
      for (int round = 0; round < 3; ++round) {  // a question, its answer, and what that changes
        for (Side& side : sides_) {
          if (!side.agent) continue;
          if (ports_changed_ || us_ % 50'000 == 0) side.agent->portsChanged();
          side.agent->step(now());
        }
      }
      ports_changed_ = false;
    }
    return now() - begin;
  }

  bool distributes(std::size_t side, unsigned port) { return member(side, port).distributing; }
  /// As it is programmed; also of a port that is in no LAG.
  MemberState member(std::size_t side, unsigned port) {
    driver::Card& card = driverOf(side);
    const driver::Entry entry = card.readEntry("port", port);
    const driver::Entry link = card.readEntry("link", static_cast<std::uint32_t>(entry.at("attachment")));
    return {entry.at("collecting") != 0, (link.at("ports") >> port & 1) != 0};
  }
  const lacp::Port& port(std::size_t side, unsigned port) {
    for (const auto& [link, lag] : agent(side).lags().lags()) {
      if (const lacp::Port* found = lag.group.find(lacp::PortId{static_cast<std::uint16_t>(port)})) return *found;
    }
    throw std::logic_error("no LAG has the port");
  }
  CardAgent& agent(std::size_t side) { return *sides_[side].agent; }
  sim::ModelCard& card(std::size_t side) { return *sides_[side].card; }
  driver::Card& driverOf(std::size_t side) { return *sides_[side].driver; }

  /// Card times at which LACPDUs left a port.
  const std::vector<Us>& pdus(std::size_t side, unsigned port) { return sides_[side].pdus[port]; }
  /// Frames that came out of a side's backbone.
  std::uint64_t arrived(std::size_t side) const { return sides_[side].arrived; }
  /// Frames that a side gave to one of its customer ports.
  std::uint64_t given(std::size_t side, unsigned port) const { return sides_[side].given[port]; }
  const std::vector<News>& news(std::size_t side) const { return sides_[side].news; }
  std::function<void()> every_ms;
  std::function<void(std::size_t side, unsigned port)> on_pdu;  ///< leaves

  /// A frame of flow number `flow` comes to `side` over the backbone.
  void fromBackbone(std::size_t side, unsigned flow) {
    std::vector<std::uint8_t> frame = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xA8, 0, 101, 0x08, 0x00};
    const std::array<std::uint8_t, 24> ip = {0x45,
                                             0,
                                             0,
                                             46,
                                             0,
                                             0,
                                             0,
                                             0,
                                             64,
                                             17,
                                             0,
                                             0,
                                             10,
                                             0,
                                             static_cast<std::uint8_t>(flow >> 8),
                                             static_cast<std::uint8_t>(flow),
                                             10,
                                             9,
                                             0,
                                             1,
                                             4,
                                             0,
                                             5,
                                             0};
    frame.insert(frame.end(), ip.begin(), ip.end());
    frame.resize(64);
    sides_[side].card->receive(6 + flow % 2, frame);
  }

 private:
  struct Side {
    std::unique_ptr<sim::ModelCard> card;
    std::optional<driver::Card> driver;
    std::unique_ptr<CardAgent> agent;
    std::array<bool, kPorts> lost{};
    std::array<std::vector<Us>, kPorts> pdus;
    std::array<std::uint64_t, kPorts> given{};
    std::uint64_t arrived = 0;
    std::vector<News> news;
  };

  void sent(std::size_t side, unsigned port, std::span<const std::uint8_t> frame) {
    if (port >= 6) {
      ++sides_[side].arrived;
      return;
    }
    const bool slow = frame[12] == 0x88 && frame[13] == 0x09;
    if (slow)
      sides_[side].pdus[port].push_back(us_);
    else
      ++sides_[side].given[port];
    if (slow && on_pdu) on_pdu(side, port);
    if (!sides_[side].lost[port]) sides_[1 - side].card->receive(port, frame);
  }
  void told(std::size_t side, const News& news) { sides_[side].news.push_back(news); }

  Us us_ = 1'000'000'000;
  bool ports_changed_ = false;
  std::array<Region, 2> regions_;
  std::array<Side, 2> sides_;
};

}  // namespace poplink::host
