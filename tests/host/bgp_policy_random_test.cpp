// SPDX-License-Identifier: Apache-2.0
// Random policies and routes say what the policy says word by word; the longest paths go through every operator.
#include <gmock/gmock.h>

#include <random>

#include "bgp_policy_lab.h"
#include "bgp_policy_reference.h"
#include "bgp_policy_samples.h"
#include "policy_problems.h"

namespace poplink::host::bgp {
namespace {

/// Few different values, so that much matches and much is undone.
class Chance {
 public:
  explicit Chance(unsigned seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }
  bool once(std::uint32_t in) { return below(in) == 0; }

  std::vector<AnyCommunity> someCommunities() {
    std::vector<AnyCommunity> all = communities({"1:1", "1:2", "1:1:1", "rt:1:1"}), some;
    for (const AnyCommunity& one : all)
      if (once(3)) some.push_back(one);
    std::shuffle(some.begin(), some.end(), random_);
    return some;
  }
  Origin someOrigin() { return static_cast<Origin>(below(3)); }

  RouteParts route() {
    RouteParts parts{std::vector<Asn>(below(4)), someCommunities(), someOrigin()};
    for (Asn& asn : parts.path) asn = 1 + below(3);
    if (once(2)) parts.med = below(3);
    if (once(2)) parts.local_pref = below(3);
    return parts;
  }

  MatchSettings match() {
    MatchSettings match;
    if (once(4)) match.prefix_list = once(2) ? "a" : "b";
    if (once(3)) match.all_of = someCommunities();
    if (once(3)) match.any_of = someCommunities();
    if (once(5)) match.as_path = once(2) ? "_1_" : "^2";
    if (once(8)) match.origin_as = 1 + below(3);
    if (once(8)) match.neighbor_as = 1 + below(3);
    if (once(8)) match.path_length_min = below(3);
    if (once(8)) match.path_length_max = match.path_length_min.value_or(0) + below(3);
    if (once(4)) match.origin = someOrigin();
    if (once(8)) match.family = once(2) ? kIpv4Unicast : kIpv6Unicast;
    return match;
  }

  SetSettings set() {
    SetSettings set;
    if (once(5)) set.local_pref = below(3);
    if (once(5)) set.med = below(3);
    set.remove_med = !set.med && once(5);
    if (once(5)) set.prepend = static_cast<std::uint8_t>(below(3));
    if (once(3)) set.remove = someCommunities();
    set.remove_all_communities = once(8);
    if (once(3)) set.add = someCommunities();
    if (once(4)) set.origin = someOrigin();
    return set;
  }

  PolicyBook book() {
    PolicyBook book;
    book.prefix_lists["a"] = {{Prefix4{0x0A000000, 8}, 8, 24}, {Prefix6{{0x20}, 8}, 8, 64}};
    book.prefix_lists["b"] = {{Prefix4{0x0A000000, 8}, 16, 16, true}, {Prefix4{}, 0, 32}};
    std::vector<TermSettings>& terms = book.policies["p"].terms;
    for (std::uint32_t left = below(12); left > 0; --left) {
      const TermEnd then = once(8) ? TermEnd::reject : once(6) ? TermEnd::accept : TermEnd::next;
      terms.push_back({std::to_string(left), match(), then == TermEnd::reject ? SetSettings{} : set(), then});
    }
    terms.push_back({"last", {}, set(), TermEnd::accept});
    return book;
  }

 private:
  std::mt19937_64 random_;
};

TEST(PolicyRandom, says_what_the_terms_say_word_by_word) {
  Chance chance(1);
  const Prefix4 prefixes[] = {{0x0A000000, 8}, {0x0A010000, 16}, {0x0B000000, 16}};
  const Prefix6 prefix6{{0x20}, 16};
  for (int round = 0; round < 4000; ++round) {
    const PolicyBook book = chance.book();
    ASSERT_THAT(findProblems(book), testing::IsEmpty());
    const auto policy = Policies(book).find("p");
    const PolicySettings& settings = book.policies.at("p");
    const Bytes route = chance.route().canonical();
    const PathFacts facts = readFacts(route);
    Policy::Memo memo;
    const auto check = [&](const auto& prefix) {
      const Outcome expected = outcomeOf(settings, book, *policy, prefix, route);
      const Verdict verdict = policy->judge(prefix, facts, memo);
      EXPECT_EQ(verdict, expected.verdict) << round;
      EXPECT_EQ(policy->judge(prefix, facts), verdict) << round;
      if (verdict.accept) EXPECT_EQ(policy->apply(route, verdict.terms, 0), expected.canonical) << round;
      return verdict;
    };
    check(prefix6);
    const Verdict first = check(prefixes[0]);
    for (const Prefix4& prefix : prefixes)
      if (check(prefix) != first) EXPECT_TRUE(policy->dependsOnPrefix()) << round;
    if (testing::Test::HasFailure()) return;
  }
}

TEST(PolicyLongPath, goes_through_every_operator) {
  const PolicyBook book = bookOfEverything();
  ASSERT_THAT(findProblems(book), testing::IsEmpty());
  const auto policy = Policies(book).find("everything");
  const std::size_t terms = policy->settings().terms.size();
  for (const std::size_t asns : {2040u, 2049u, 5000u, 13000u}) {
    RouteParts parts{std::vector<Asn>(asns, 4294967295), communities({"64600:1"})};
    parts.path.back() = 65010;
    const Bytes route = parts.canonical();
    const Verdict verdict = policy->judge(kSomePrefix, readFacts(route));
    EXPECT_EQ(verdict, outcomeOf(policy->settings(), book, *policy, kSomePrefix, route).verdict);
    ASSERT_TRUE(verdict.accept);
    EXPECT_EQ(verdict.decided_by, static_cast<int>(terms - 1));
    EXPECT_EQ(policy->prepend(verdict.terms), 3);
    const PathFacts changed = readFacts(policy->apply(route, verdict.terms, 64600));
    EXPECT_EQ(changed.path_length, asns + 3);
    EXPECT_EQ(changed.first_as, 64600u);
  }
}

/// Behind the longest path that an attribute has room for, nothing is prepended, and nothing else is lost.
TEST(PolicyLongPath, has_no_room_for_more) {
  const auto policy = Policies(bookOfEverything()).find("everything");
  const Bytes route = RouteParts{std::vector<Asn>(13105, 1), communities({"64600:1"})}.canonical();
  const Verdict verdict = policy->judge(kSomePrefix, readFacts(route));
  ASSERT_EQ(policy->prepend(verdict.terms), 3);
  const Bytes changed = policy->apply(route, verdict.terms, 64600);
  EXPECT_EQ(readFacts(changed).path_length, 13105u);
  EXPECT_EQ(readFacts(changed).med, 5u);
}

}  // namespace
}  // namespace poplink::host::bgp
