// SPDX-License-Identifier: Apache-2.0
// What groups of peers are told, case by case; bgp_rib_random_test.cpp has all cases in any order.
#include <gtest/gtest.h>

#include "bgp_group_lab.h"
#include "bgp_route_lab.h"

namespace poplink::host::bgp {
namespace {

// Export rule 0 refuses sets that 6 divides and routes of the instance itself; import policy 0 those that 7 divides.
constexpr unsigned kPlain = 2;
constexpr unsigned kSame = 3;          ///< even rules make the same of it
constexpr unsigned kPreferred = 26;    ///< like kPlain, with a higher LOCAL_PREF
constexpr unsigned kNotExported = 30;  ///< preferred too
constexpr unsigned kLong = 95;         ///< preferred too

template <class Prefix>
constexpr UpdateForm kForm = std::is_same_v<Prefix, Prefix4> ? UpdateForm::ipv4 : UpdateForm::ipv6_multiprotocol;

template <class P>
class AdjRibOuts : public testing::Test {
 protected:
  using Group = GroupLab<P>;
  std::unique_ptr<Group> group(PeerIndex first, std::vector<PeerIndex> others = {}) {
    auto made = std::make_unique<Group>(lab_.table(), 0, kForm<P>, first);
    EXPECT_EQ(made->rest(100), "");
    for (const PeerIndex peer : others) {
      Group other(lab_.table(), 0, kForm<P>, peer);
      EXPECT_EQ(other.rest(100), "");
      made->takeAll(other);
    }
    return made;
  }
  bool isWaitedFor(Group& group, unsigned prefix) {
    const PrefixId id = lab_.table().find(labPrefix<P>(prefix));
    return id != kNoPrefix && group.out().needs(id);
  }
  RouteLab<P> lab_;
};

struct FamilyName {
  template <class Prefix>
  static std::string GetName(int) {
    return std::is_same_v<Prefix, Prefix4> ? "ipv4" : "ipv6";
  }
};
using Families = testing::Types<Prefix4, Prefix6>;
TYPED_TEST_SUITE(AdjRibOuts, Families, FamilyName);

TYPED_TEST(AdjRibOuts, a_route_goes_to_all_but_whom_it_came_from) {
  auto group = this->group(1, {2, 3});
  this->lab_.put(1, 0, kPlain);
  EXPECT_EQ(group->rest(1), "");
  EXPECT_EQ(group->knowledge(1).size(), 0U);
  EXPECT_EQ(group->knowledge(2).size(), 1U);
  EXPECT_EQ(group->out().advertised(1), 0U);
  EXPECT_EQ(group->out().advertised(3), 1U);
}

TYPED_TEST(AdjRibOuts, when_the_best_route_comes_from_another_peer_that_peer_loses_the_old_one) {
  auto group = this->group(1, {2});
  this->lab_.put(1, 0, kPlain);
  EXPECT_EQ(group->rest(1), "");
  this->lab_.put(2, 0, kPreferred);
  EXPECT_EQ(group->rest(1), "");
  EXPECT_EQ(group->knowledge(1).size(), 1U);
  EXPECT_EQ(group->knowledge(2).size(), 0U);
  this->lab_.withdraw(2, 0);
  EXPECT_EQ(group->rest(1), "");
  EXPECT_EQ(group->knowledge(1).size(), 0U);
  EXPECT_EQ(group->knowledge(2).size(), 1U);
}

TYPED_TEST(AdjRibOuts, what_changes_and_changes_back_is_not_told) {
  auto group = this->group(5);
  this->lab_.put(1, 0, kPlain);
  EXPECT_EQ(group->rest(1), "");
  const std::size_t before = group->messages();
  this->lab_.put(1, 0, kPreferred);
  this->lab_.put(1, 0, kPlain);
  this->lab_.put(1, 1, kPlain);
  this->lab_.withdraw(1, 1);
  EXPECT_EQ(group->out().waiting(), 2U) << "each prefix once";
  EXPECT_EQ(group->rest(1), "");
  EXPECT_EQ(group->messages(), before);
}

TYPED_TEST(AdjRibOuts, a_refused_best_route_withdraws_what_was_told_though_another_would_do) {
  auto group = this->group(5);
  this->lab_.put(1, 0, kPlain);
  EXPECT_EQ(group->rest(1), "");
  this->lab_.put(2, 0, kNotExported);
  EXPECT_EQ(group->rest(1), "");
  EXPECT_EQ(group->knowledge(5).size(), 0U) << "RFC 4271 section 9.1.3: only the Loc-RIB's route is told";
}

TYPED_TEST(AdjRibOuts, a_route_that_no_message_has_room_for_is_withdrawn_and_the_next_is_told) {
  auto group = this->group(5);
  this->lab_.put(1, 0, kPlain);
  EXPECT_EQ(group->rest(1), "");
  this->lab_.put(1, 0, kLong);
  EXPECT_EQ(group->rest(1), "");
  EXPECT_EQ(group->tooLongs(), 1U);
  EXPECT_EQ(group->knowledge(5).size(), 0U);
  EXPECT_EQ(group->out().advertised(5), 0U);
  this->lab_.put(1, 0, kPlain);
  EXPECT_EQ(group->rest(1), "");
  EXPECT_EQ(group->knowledge(5).size(), 1U);
}

TYPED_TEST(AdjRibOuts, a_refresh_tells_all_of_it_once_more) {
  auto group = this->group(5);
  for (unsigned prefix = 0; prefix < 50; ++prefix) this->lab_.put(1, prefix, kPlain);
  EXPECT_EQ(group->rest(100), "");
  const std::size_t before = group->messages();
  group->walk(false);
  EXPECT_EQ(group->rest(100), "");
  EXPECT_EQ(group->messages(), before);
  group->walk(true);
  EXPECT_EQ(group->rest(100), "");
  EXPECT_EQ(group->messages(), before + 1);
}

TYPED_TEST(AdjRibOuts, other_rules_and_a_refresh_withdraw_what_they_refuse) {
  auto group = this->group(5);
  this->lab_.put(1, 0, kPlain);
  this->lab_.put(2, 1, kPlain);
  EXPECT_EQ(group->rest(1), "");
  group->changeRule(2);  // refuses routes of peer 2
  EXPECT_EQ(group->rest(1), "");
  EXPECT_EQ(group->knowledge(5).size(), 1U);
}

TYPED_TEST(AdjRibOuts, other_rules_tell_only_what_they_make_something_else_of) {
  auto group = this->group(5);
  for (unsigned prefix = 0; prefix < 50; ++prefix) this->lab_.put(1, prefix, kSame);
  EXPECT_EQ(group->rest(100), "");
  std::size_t before = group->messages();
  group->changeRule(2);
  EXPECT_EQ(group->rest(7), "");
  EXPECT_EQ(group->messages(), before);
  this->lab_.put(1, 50, kPlain);
  EXPECT_EQ(group->rest(100), "");
  before = group->messages();
  group->changeRule(0);
  EXPECT_EQ(group->rest(7), "");
  EXPECT_EQ(group->messages(), before + 1);
}

TYPED_TEST(AdjRibOuts, what_waits_when_other_rules_come_is_told_once) {
  auto group = this->group(5);
  for (unsigned prefix = 0; prefix < 50; ++prefix) this->lab_.put(1, prefix, kPlain);
  EXPECT_EQ(group->rest(100), "");
  for (unsigned prefix = 0; prefix < 50; ++prefix) this->lab_.put(1, prefix, kPreferred);
  this->lab_.put(1, 60, kPlain);
  this->lab_.withdraw(1, 60);
  const std::size_t before = group->messages();
  group->changeRule(2);
  EXPECT_EQ(group->rest(100), "");
  EXPECT_EQ(group->messages(), before + 1);
  EXPECT_EQ(this->lab_.table().prefixes(), 50U) << "what nobody was told of is gone";
}

TYPED_TEST(AdjRibOuts, a_refresh_while_other_rules_are_told_tells_all) {
  auto group = this->group(5);
  for (unsigned prefix = 0; prefix < 50; ++prefix) this->lab_.put(1, prefix, kSame);
  EXPECT_EQ(group->rest(100), "");
  group->changeRule(2);
  EXPECT_EQ(group->flush(10), "");
  const std::size_t before = group->messages();
  group->walk(true);
  EXPECT_EQ(group->rest(100), "");
  EXPECT_EQ(group->messages(), before + 1);
}

TYPED_TEST(AdjRibOuts, a_prefix_that_a_walk_has_passed_waits_once) {
  auto group = this->group(5);
  for (unsigned prefix = 0; prefix < 20; ++prefix) this->lab_.put(1, prefix, kPlain);
  group->walk(false);
  EXPECT_EQ(group->flush(20), "") << "half of them from the queue, then half by the walk";
  for (unsigned prefix = 0; prefix < 20; ++prefix) this->lab_.withdraw(1, prefix);
  EXPECT_LE(group->out().waiting(), 30U);
  EXPECT_EQ(group->rest(3), "");
  EXPECT_EQ(this->lab_.table().prefixes(), 0U);
}

TYPED_TEST(AdjRibOuts, a_withdrawn_prefix_keeps_its_number_until_all_have_been_told) {
  auto one = this->group(5), other = this->group(6);
  this->lab_.put(1, 0, kPlain);
  EXPECT_EQ(one->rest(1), "");
  EXPECT_EQ(other->rest(1), "");
  this->lab_.withdraw(1, 0);
  EXPECT_EQ(one->rest(1), "");
  EXPECT_TRUE(this->isWaitedFor(*other, 0));
  this->lab_.put(2, 1, kPlain);
  EXPECT_TRUE(this->isWaitedFor(*other, 0)) << "the new prefix has another number";
  EXPECT_EQ(other->rest(1), "");
  EXPECT_EQ(this->lab_.table().prefixes(), 1U);
}

TYPED_TEST(AdjRibOuts, a_group_that_goes_lets_go_of_what_waits) {
  auto group = this->group(5);
  for (unsigned prefix = 0; prefix < 4; ++prefix) this->lab_.put(1, prefix, kPlain);
  EXPECT_EQ(group->flush(2), "");
  for (unsigned prefix = 0; prefix < 4; ++prefix) this->lab_.withdraw(1, prefix);
  EXPECT_EQ(this->lab_.table().prefixes(), 4U);
  group.reset();
  EXPECT_EQ(this->lab_.table().prefixes(), 0U);
  EXPECT_EQ(this->lab_.check(), "");
  EXPECT_EQ(this->lab_.close(), "");
}

TYPED_TEST(AdjRibOuts, a_slow_peer_split_off_is_told_what_waited) {
  auto group = this->group(5, {6});
  for (unsigned prefix = 0; prefix < 10; ++prefix) this->lab_.put(1, prefix, kPlain);
  EXPECT_EQ(group->flush(4), "");
  GroupLab<TypeParam> slow(*group, 6);
  this->lab_.withdraw(1, 0);
  EXPECT_EQ(group->rest(3), "");
  EXPECT_EQ(slow.knowledge(6).size(), 4U);
  EXPECT_EQ(slow.rest(3), "");
  EXPECT_EQ(slow.knowledge(6), group->knowledge(5));
}

TYPED_TEST(AdjRibOuts, a_flush_of_one_prefix_gets_on_with_both_the_walk_and_the_queue) {
  auto group = this->group(5);
  for (unsigned prefix = 0; prefix < 8; ++prefix) this->lab_.put(1, prefix, kPlain);
  EXPECT_EQ(group->rest(1), "");
  group->walk(true);
  for (unsigned turn = 0; turn < 100 && !group->out().walked(); ++turn) {
    this->lab_.put(1, 0, turn % 2 == 0 ? kPreferred : kPlain);  // a table that never rests
    EXPECT_EQ(group->flush(1), "");
  }
  EXPECT_TRUE(group->out().walked());
  EXPECT_EQ(group->rest(1), "");
}

TYPED_TEST(AdjRibOuts, a_thousand_prefixes_of_one_set_go_out_in_as_few_messages_as_fit) {
  auto group = this->group(5);
  for (unsigned prefix = 0; prefix < 1000; ++prefix) this->lab_.put(1, prefix, kPlain);
  std::size_t octets = 0;
  for (unsigned prefix = 0; prefix < 1000; ++prefix) octets += 1 + prefixBytes(labPrefix<TypeParam>(prefix).length);
  EXPECT_EQ(group->flush(1000), "");
  // No more than 200 octets of a message are header and attributes, and 16 at most stay empty.
  EXPECT_LE(group->messages(), octets / (kMaxMessageBytes - 216) + 1);
  EXPECT_GE(group->messages(), octets / kMaxMessageBytes + 1);
  EXPECT_EQ(group->knowledge(5).size(), 1000U);
  const std::size_t announced = group->messages();
  for (unsigned prefix = 0; prefix < 1000; ++prefix) this->lab_.withdraw(1, prefix);
  EXPECT_EQ(group->flush(1000), "");
  EXPECT_LE(group->messages() - announced, octets / (kMaxMessageBytes - 216) + 1);
}

}  // namespace
}  // namespace poplink::host::bgp
