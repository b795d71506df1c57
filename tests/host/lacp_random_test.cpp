// SPDX-License-Identifier: Apache-2.0
// Random sequences of links, losses, settings, restarts and forged PDUs, with the lab's invariants checked at each
// step; and whatever has happened, two systems that are left alone come up and rest.
#include "lacp_lab.h"

namespace poplink::host::lacp {
namespace {

void sequence(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto pick = [&random](std::uint64_t below) { return random() % below; };
  constexpr std::uint16_t kPorts = 3;
  Lab lab(seed);
  const auto settings = [&](std::uint8_t system) {
    GroupSettings result = lagSettings(system);
    result.active = system == 1 || pick(2) == 0;
    result.fast = pick(2) == 0;
    result.independent_control = pick(2) == 0;
    result.system_priority = static_cast<std::uint16_t>(pick(3));
    result.selection.max_active = pick(4);
    result.selection.min_links = pick(3);
    result.selection.min_links_up = pick(3);
    result.selection.min_links_hold = pick(3) * 1s;
    return result;
  };
  const std::size_t nodes[] = {lab.add(settings(1), kPorts), lab.add(settings(2), kPorts)};
  for (std::uint16_t i = 0; i < kPorts; ++i) lab.cable(nodes[0], i, nodes[1], i);

  for (int i = 0; i < 300; ++i) {
    const std::size_t node = nodes[pick(2)];
    const std::size_t cable = pick(kPorts);
    switch (pick(8)) {
      case 0:
        lab.setLink(cable, pick(3) != 0, pick(4) == 0 ? 1000 : 10000, pick(6) != 0);
        break;
      case 1:
        lab.cable(cable).loss[pick(2)] = pick(3) == 0 ? 1 : pick(2) == 0 ? 0.3 : 0;
        break;
      case 2:
        lab.cable(cable).delay_max = 1ms + pick(1500) * 1ms;
        break;
      case 3:
        lab.configure(node, settings(node == nodes[0] ? 1 : 2));
        break;
      case 4:
        lab.restart(node, 1s + pick(5000) * 1ms);
        break;
      case 5: {
        const Port& port = lab.port(node, static_cast<std::uint16_t>(cable));
        Lacpdu forged{1, port.variables.partner, port.variables.actor, 0};
        forged.actor.state = portState(static_cast<std::uint8_t>(random()));
        if (pick(3) == 0) forged.actor.key = static_cast<std::uint16_t>(pick(3));
        if (pick(3) == 0) forged.actor.system[5] = static_cast<std::uint8_t>(pick(4));
        if (pick(3) == 0) forged.partner.state = portState(static_cast<std::uint8_t>(random()));
        lab.inject(node, static_cast<std::uint16_t>(cable), encodeFrame(forged, {}));
        break;
      }
      default:
        break;
    }
    lab.runFor(pick(6) * pick(700) * 1ms);
    if (testing::Test::HasFailure()) return;
  }

  // Peace: good cables, settings that allow service.
  for (const std::size_t node : nodes) {
    GroupSettings last = settings(node == nodes[0] ? 1 : 2);
    last.selection.max_active = node == nodes[0] ? pick(2) * 2 : 0;
    lab.configure(node, last);
  }
  for (std::size_t i = 0; i < kPorts; ++i) {
    lab.cable(i) = {};
    lab.setLink(i, true);
  }
  lab.runFor(200s);
  EXPECT_TRUE(lab.group(nodes[0]).operational());
  EXPECT_TRUE(lab.group(nodes[1]).operational());
  for (std::uint16_t i = 0; i < kPorts; ++i) EXPECT_EQ(lab.distributes(nodes[0], i), lab.distributes(nodes[1], i));
  const std::size_t events = lab.events(nodes[0]).size() + lab.events(nodes[1]).size();
  lab.runFor(300s);
  EXPECT_EQ(lab.events(nodes[0]).size() + lab.events(nodes[1]).size(), events) << "no oscillation without input";
}

TEST(LacpRandom, invariants_hold_and_peace_ends_in_service) {
  for (std::uint64_t seed = 1; seed <= 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    sequence(seed);
  }
}

}  // namespace
}  // namespace poplink::host::lacp
