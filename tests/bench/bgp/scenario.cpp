// SPDX-License-Identifier: Apache-2.0
#include "scenario.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace poplink::bench {

namespace bgp = host::bgp;

namespace {

constexpr bgp::Asn kSpeakerAsn = 64600, kFirstSenderAsn = 64701, kFirstReceiverAsn = 64901;
constexpr std::uint32_t kNetwork4 = 0xc6120000;  // 198.18.0.0/15 (RFC 2544), as speakers take no next hops in 127/8

Identity identity(bgp::Family family, std::uint32_t number, bgp::Asn asn) {
  Identity one{.address = kNetwork4 + number, .asn = asn, .router_id = kNetwork4 + number};
  if (family == bgp::kIpv6Unicast) {
    one.address = bgp::Ipv6{0x20,
                            1,
                            0xd,
                            0xb8,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            static_cast<std::uint8_t>(number >> 8),
                            static_cast<std::uint8_t>(number)};
  }
  return one;
}

Scenario peers(bgp::Family family, std::size_t senders, std::size_t receivers, std::size_t routes, std::uint64_t seed) {
  Scenario scenario{.speaker = identity(family, 1, kSpeakerAsn),
                    .senders = {},
                    .receivers = {},
                    .table = RouteTable(family, routes, seed),
                    .phases = {}};
  for (std::uint32_t i = 0; i < senders; ++i)
    scenario.senders.push_back(identity(family, 0x101 + i, kFirstSenderAsn + i));
  for (std::uint32_t i = 0; i < receivers; ++i)
    scenario.receivers.push_back(identity(family, 0x201 + i, kFirstReceiverAsn + i));
  return scenario;
}

std::size_t fromTwoToSix(const RouteTable& table, std::size_t set, std::size_t /*sender*/) {
  return 2 + table.number(set) % 5;
}

// Who sends the shortest path changes from set to set, and it is the only one of that length: no speaker needs a rule
// of its own to choose.
constexpr std::size_t kSameSenders = 10;
std::size_t bestSender(std::size_t set) {
  return set % kSameSenders;
}
std::size_t oneShortest(const RouteTable& table, std::size_t set, std::size_t sender) {
  const std::uint64_t number = table.number(set);
  return 2 + number % 3 + (sender == bestSender(set) ? 0 : 1 + (number >> 8 ^ sender) % 2);
}

std::size_t secondLonger(const RouteTable& table, std::size_t set, std::size_t sender) {
  return 3 + table.number(set) % 3 + sender;
}
std::size_t secondShorter(const RouteTable& table, std::size_t set, std::size_t sender) {
  return 3 + table.number(set) % 3 - sender;
}

/// A receiver hears `sender`'s routes of a set with the speaker's AS in front and the speaker as their next hop.
void expect(Phase& phase, const Scenario& scenario, std::size_t set, std::size_t sender, LengthOf length) {
  const RouteTable& table = scenario.table;
  PathAttributes attributes = table.attributes(set, scenario.senders[sender].asn, length(table, set, sender));
  attributes.as_path.insert(attributes.as_path.begin(), scenario.speaker.asn);
  const auto first = phase.expected.begin();
  std::fill(first + static_cast<std::ptrdiff_t>(table.begin(set)), first + static_cast<std::ptrdiff_t>(table.end(set)),
            fingerprint(attributes, scenario.speaker.address));
}

Phase withdrawAll(const Scenario& scenario) {
  return {.name = "withdraw",
          .streams = std::vector(scenario.senders.size(), withdrawals(scenario.table)),
          .expected = std::vector<std::uint64_t>(scenario.table.prefixes().size())};
}

/// All senders announce all routes; `best(set)` is who has the best one.
template <class Best>
Phase announceAll(const Scenario& scenario, LengthOf length, Best best) {
  const RouteTable& table = scenario.table;
  Phase phase{.name = "announce", .streams = {}, .expected = std::vector<std::uint64_t>(table.prefixes().size())};
  for (std::size_t i = 0; i < scenario.senders.size(); ++i)
    phase.streams.push_back(announcements(table, table.sets(), scenario.senders[i], i, length));
  for (std::size_t set = 0; set < table.sets(); ++set) expect(phase, scenario, set, best(set), length);
  return phase;
}

constexpr auto kFirstSender = [](std::size_t) -> std::size_t { return 0; };

Scenario load(bgp::Family family, std::size_t receivers, std::size_t size, std::uint64_t seed) {
  Scenario scenario = peers(family, 1, receivers, size, seed);
  scenario.phases.push_back(announceAll(scenario, fromTwoToSix, kFirstSender));
  scenario.phases.push_back(withdrawAll(scenario));
  return scenario;
}

Scenario same(std::size_t size, std::uint64_t seed) {
  Scenario scenario = peers(bgp::kIpv4Unicast, kSameSenders, 1, size, seed);
  scenario.phases.push_back(announceAll(scenario, oneShortest, bestSender));
  scenario.phases.push_back(withdrawAll(scenario));
  return scenario;
}

/// The second of two senders gets better with the first half of the sets.
Scenario flips(std::size_t size, std::uint64_t seed) {
  Scenario scenario = peers(bgp::kIpv4Unicast, 2, 1, size, seed);
  scenario.phases.push_back(announceAll(scenario, secondLonger, kFirstSender));
  const std::size_t half = scenario.table.sets() / 2;
  Phase flip{.name = "flip", .streams = {{}}, .expected = scenario.phases.front().expected};
  flip.streams.push_back(announcements(scenario.table, half, scenario.senders[1], 1, secondShorter));
  for (std::size_t set = 0; set < half; ++set) expect(flip, scenario, set, 1, secondShorter);
  scenario.phases.push_back(std::move(flip));
  return scenario;
}

struct Named {
  std::string_view name;
  Scenario (*make)(std::size_t size, std::uint64_t seed);
};
constexpr std::array kScenarios{
    Named{"load", [](std::size_t size, std::uint64_t seed) { return load(bgp::kIpv4Unicast, 1, size, seed); }},
    Named{"same", same},
    Named{"ipv6", [](std::size_t size, std::uint64_t seed) { return load(bgp::kIpv6Unicast, 1, size, seed); }},
    Named{"flips", flips},
    Named{"fanout", [](std::size_t size, std::uint64_t seed) { return load(bgp::kIpv4Unicast, 20, size, seed); }},
    Named{"connect", [](std::size_t size, std::uint64_t seed) { return peers(bgp::kIpv4Unicast, size, 0, 1, seed); }}};

}  // namespace

std::vector<std::string_view> scenarioNames() {
  std::vector<std::string_view> names;
  for (const Named& one : kScenarios) names.push_back(one.name);
  return names;
}

Scenario makeScenario(std::string_view name, std::size_t size, std::uint64_t seed) {
  const auto* found = std::ranges::find(kScenarios, name, &Named::name);
  if (found == kScenarios.end()) throw std::invalid_argument("no scenario '" + std::string(name) + "'");
  return found->make(size, seed);
}

}  // namespace poplink::bench
