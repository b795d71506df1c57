// SPDX-License-Identifier: Apache-2.0
// From any region to any other, whatever LACP has done meanwhile: where the steps end, and what a frame meets between
// any two of them.
#include <gtest/gtest.h>

#include <optional>

#include "image_card.h"
#include "random_region.h"

namespace poplink::host {
namespace {

constexpr unsigned kRegions = 120;
constexpr unsigned kKinds = 1 + RandomRegion::kVids;  ///< of frames on a port: untagged, and one for each VID

class AnyToAny : public ::testing::TestWithParam<const char*> {
 protected:
  TableImage wanted(const Region& region, const TableImage& current, const MemberStates& members) const {
    return desiredTables(region, {GetParam(), 0, "none", ""}, RandomRegion::kCardPorts, current, members).tables;
  }
  std::vector<Lag> lags(const Region& region) const { return lagsOf(region, *region.site(GetParam())); }
};

/// A link names only ports that are there and belong to it.
void expectOwnPorts(const ImageCard& card) {
  for (const auto& [link, entry] : card.entries("link")) {
    for (unsigned port = 0; port < 16; ++port) {
      if ((entry.at("ports") >> port & 1) == 0) continue;
      const auto found = card.entries("port").find(port);
      ASSERT_NE(found, card.entries("port").end()) << "link " << link << " names port " << port;
      ASSERT_EQ(found->second.at("attachment"), link) << "of port " << port;
    }
  }
}

/// Where frames may go: what a region makes of each kind, by the port they come on.
struct Outcome {
  unsigned drop;
  std::optional<unsigned> service;
  bool to_backbone;
  unsigned egress;
};

std::vector<Outcome> outcomes(const ImageCard& card) {
  static const std::vector<tests::Frame> kFrames = [] {
    std::vector<tests::Frame> frames = {flowFrame(1)};
    for (unsigned vid = 1; vid <= RandomRegion::kVids; ++vid) frames.push_back(flowFrame(vid, vid, 0x88A8));
    return frames;
  }();
  std::vector<Outcome> all;
  for (unsigned port = 0; port < 8; ++port) {
    for (const tests::Frame& frame : kFrames) {
      const kernels::ForwardOut out = card.decide(frame, port).out;
      all.push_back({static_cast<unsigned>(out.drop), {}, out.to_backbone, static_cast<unsigned>(out.egress_port)});
      if (out.service_valid) all.back().service = static_cast<unsigned>(out.service);
    }
  }
  return all;
}

struct Picture {
  TableImage image;
  std::vector<Outcome> outcomes;

  bool isCable(unsigned port) const {
    const auto& ports = entriesOf(image, "port");
    return ports.count(port) != 0 && ports.at(port).at("role") == 2;
  }
  bool isCustomers(unsigned port, unsigned service) const {
    const auto& ports = entriesOf(image, "port");
    const auto& services = entriesOf(image, "service");
    return ports.count(port) != 0 && services.count(service) != 0 &&
           ports.at(port).at("attachment") == services.at(service).at("attachment");
  }
};

/// A customer's frame that is delivered is of the service that it was of before, or is of afterwards, and leaves by a
/// cable. One from a cable is of the service with its S-VID, and leaves where that was before, or is afterwards.
void expectNoHalfWay(const std::vector<Outcome>& now, const Picture& before, const Picture& after) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i].drop != 0) continue;
    const auto ingress = static_cast<unsigned>(i / kKinds), vid = static_cast<unsigned>(i % kKinds);
    const unsigned service = now[i].service.value(), egress = now[i].egress;
    const auto good = [&](const Picture& one) {
      if (now[i].to_backbone) return one.outcomes[i].service == service && one.outcomes[i].to_backbone;
      return one.isCustomers(egress, service) && service == vid;
    };
    const unsigned cable = now[i].to_backbone ? egress : ingress;
    ASSERT_TRUE(good(before) || good(after))
        << "VID " << vid << " on port " << ingress << ": service " << service << " by port " << egress;
    ASSERT_TRUE(before.isCable(cable) || after.isCable(cable)) << cable;
  }
}

/// A frame that has the same way before and afterwards is delivered all the time.
void expectNoGap(const std::vector<Outcome>& now, const Picture& before, const Picture& after) {
  const auto untouched = [&](unsigned port) {
    return entriesOf(before.image, "port").at(port) == entriesOf(after.image, "port").at(port);
  };
  for (std::size_t i = 0; i < now.size(); ++i) {
    const Outcome &a = before.outcomes[i], &b = after.outcomes[i];
    const auto ingress = static_cast<unsigned>(i / kKinds);
    if (a.drop != 0 || b.drop != 0 || a.service != b.service || a.egress != b.egress) continue;
    if (!untouched(ingress) || !untouched(a.egress)) continue;
    ASSERT_EQ(now[i].drop, 0U) << "frame " << i << " of service " << *a.service;
  }
}

TEST_P(AnyToAny, ends_at_the_desired_tables_and_shows_no_frame_half_of_two_regions) {
  RandomRegion random(1);
  ImageCard card;
  Picture before{{}, outcomes(card)};
  for (unsigned i = 0; i < kRegions; ++i) {
    const Region region = random.next();
    const MemberStates members = memberStates(before.image, lags(region));
    const TableImage desired = wanted(region, before.image, members);
    const std::vector<Step> steps = plan(before.image, desired);
    ImageCard finished = card;
    finished.carryOut(steps);
    ASSERT_EQ(finished.image(), desired);
    ASSERT_TRUE(plan(finished.image(), desired).empty());
    ASSERT_EQ(wanted(region, desired, members), desired) << "buckets moved again";
    const Picture after{desired, outcomes(finished)};
    for (std::size_t at = 0; at < steps.size(); ++at) {
      card.carryOut(steps[at]);
      const bool bucket = steps[at].table == "bucket" || steps[at].table == "lag";
      if (bucket && at % 32 != 0) continue;
      SCOPED_TRACE("region " + std::to_string(i) + ", step " + std::to_string(at) + ": " + describe({steps[at]})[0]);
      const std::vector<Outcome> now = outcomes(card);
      expectOwnPorts(card);
      expectNoHalfWay(now, before, after);
      expectNoGap(now, before, after);
      if (HasFatalFailure()) return;
    }
    // Then LACP has its say.
    for (const Lag& lag : lags(region)) {
      for (const PortId port : lag.ports) card.carryOut(memberSteps(card.image(), port, random.state()));
    }
    before = {card.image(), outcomes(card)};
  }
}

TEST_P(AnyToAny, plan_that_was_interrupted_is_finished_by_the_next) {
  RandomRegion random(2);
  TableImage current;
  for (unsigned i = 0; i < kRegions; ++i) {
    const Region region = random.next();
    const MemberStates members = random.states();
    const std::vector<Step> steps = plan(current, wanted(region, current, members));
    ImageCard card;
    card.carryOut(plan({}, current));
    const std::size_t done = steps.empty() ? 0 : random.below(static_cast<unsigned>(steps.size()));
    card.carryOut({steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(done)});
    const TableImage desired = wanted(region, card.image(), members);
    card.carryOut(plan(card.image(), desired));
    ASSERT_EQ(card.image(), desired);
    current = desired;
  }
}

TEST_P(AnyToAny, what_lacp_changes_one_by_one_is_what_a_plan_for_it_would_say) {
  RandomRegion random(3);
  unsigned changes = 0;
  for (unsigned i = 0; i < kRegions; ++i) {
    const Region region = random.next();
    const std::vector<Lag> of_site = lags(region);
    MemberStates states;
    ImageCard card;
    card.carryOut(plan({}, wanted(region, {}, states)));
    for (unsigned turn = 0; turn < 20 && !of_site.empty(); ++turn) {
      const Lag& lag = of_site[random.below(static_cast<unsigned>(of_site.size()))];
      const PortId port = lag.ports[random.below(static_cast<unsigned>(lag.ports.size()))];
      states[port] = random.state();
      for (const Step& step : memberSteps(card.image(), port, states[port])) {
        ASSERT_EQ(step.kind, Step::Kind::change);
        card.carryOut(step);
        expectOwnPorts(card);
        ++changes;
        // Distributing is Collecting too.
        const auto& entry = card.entries("port").at(port.value);
        ASSERT_LE(card.entries("link").at(lag.link.value).at("ports") >> port.value & 1, entry.at("collecting"));
      }
      ASSERT_EQ(card.image(), wanted(region, card.image(), states));
      for (const auto& [id, state] : memberStates(card.image(), of_site)) ASSERT_EQ(state, states[id]);
    }
  }
  EXPECT_GT(changes, 100U);
}

INSTANTIATE_TEST_SUITE_P(sites, AnyToAny, ::testing::Values("pop", "dc"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace poplink::host
