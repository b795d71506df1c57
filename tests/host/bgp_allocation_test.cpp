// SPDX-License-Identifier: Apache-2.0
// Reading an UPDATE allocates nothing, whether it is right or wrong, and judging a route neither: a program of its own,
// for it counts what operator new is asked for.
#include <gmock/gmock.h>

#include <cstdlib>
#include <new>

#include "bgp_policy_lab.h"
#include "bgp_policy_samples.h"
#include "bgp_update_lab.h"

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* room = std::malloc(size)) return room;
  throw std::bad_alloc();
}
void operator delete(void* room) noexcept {
  std::free(room);
}
void operator delete(void* room, std::size_t) noexcept {
  std::free(room);
}

namespace poplink::host::bgp {
namespace {

/// Decodes and walks; the allocations that this took.
std::size_t allocationsOf(const Bytes& body, ErrorAction expected) {
  UpdateContext context;
  context.ipv6_unicast = true;
  const auto space = std::make_unique<DecodeSpace>();
  const std::size_t before = allocations;
  const Update update = decodeUpdate(body, context, *space);
  std::size_t seen = 0;
  forEachPrefix<Prefix4>(update.announced.nlri, [&seen](const Prefix4&) { ++seen; });
  forEachPrefix<Prefix6>(update.mp_announced.nlri, [&seen](const Prefix6&) { ++seen; });
  forEachAttribute(update.canonical, [&seen](const Attribute&) { ++seen; });
  const std::size_t taken = allocations - before;
  EXPECT_EQ(update.findings.action(), expected);
  EXPECT_GT(seen + update.findings.count(), 0u);
  return taken;
}

TEST(BgpAllocation, the_counter_counts) {
  const std::size_t before = allocations;
  const auto one = std::make_unique<DecodeSpace>();
  EXPECT_EQ(allocations, before + 1);
}

TEST(BgpAllocation, an_update_takes_none) {
  const Bytes reach = attribute(0x80, 14, "00020110 20010db8000000000000000000000001 00 2020010db8");
  Bytes nlri;
  for (unsigned i = 0; i < 900; ++i) put(nlri, oneRoute());
  const Bytes list = reach + joined(mandatory({})) + attribute(0xc0, 8, Bytes(200, 1)) + attribute(0xc0, 99, "01");
  EXPECT_EQ(allocationsOf(updateBody({}, list, nlri), ErrorAction::none), 0u);
}

TEST(BgpAllocation, errors_take_none) {
  AttributeMap attributes = mandatory({});
  Bytes many = joined(attributes);
  for (unsigned i = 0; i < 500; ++i) put(many, attribute(0x40, 1, "00"));
  EXPECT_EQ(allocationsOf(updateBody({}, many, oneRoute()), ErrorAction::attribute_discard), 0u);
  attributes[2] = attribute(0x40, 2, "0101 0000fde9");
  EXPECT_EQ(allocationsOf(updateBody({}, joined(attributes), oneRoute()), ErrorAction::treat_as_withdraw), 0u);
  EXPECT_EQ(allocationsOf(updateBody({}, joined(attributes), Bytes{33}), ErrorAction::session_reset), 0u);
}

/// The states of the expressions' automata are there when a path like it has been seen.
TEST(BgpAllocation, judging_a_route_takes_none) {
  const auto policy = Policies(bookOfEverything()).find("everything");
  const Bytes route =
      RouteParts{std::vector<Asn>(2000, 4294967295), communities({"64600:1", "rt:64600:7"})}.canonical();
  const PathFacts facts = readFacts(route);
  const Verdict expected = policy->judge(kSomePrefix, facts);
  ASSERT_TRUE(expected.accept);
  const std::size_t before = allocations;
  const Verdict again = policy->judge(kSomePrefix, facts);
  Policy::Memo memo;
  std::size_t accepted = 0;
  for (Ipv4 i = 0; i < 1000; ++i) accepted += policy->judge(Prefix4{i << 20, 12}, facts, memo).accept ? 1 : 0;
  const std::size_t taken = allocations - before;
  EXPECT_EQ(taken, 0u);
  EXPECT_EQ(again, expected);
  EXPECT_EQ(accepted, 1000u);
}

}  // namespace
}  // namespace poplink::host::bgp
