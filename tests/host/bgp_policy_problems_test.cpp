// SPDX-License-Identifier: Apache-2.0
// What is wrong with a book of policies, and where.
#include <gmock/gmock.h>

#include "bgp_policy_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> problemsOf(PrefixRange range) {
  PolicyBook book;
  book.prefix_lists["customers"] = {{Prefix4{}, 0, 32}, range};
  return problems(book);
}
std::vector<std::string> problemsOf(std::vector<TermSettings> terms) {
  PolicyBook book;
  book.prefix_lists["customers"] = {};
  book.policies["from-customers"] = {std::move(terms)};
  return problems(book);
}
std::vector<std::string> problemsOf(MatchSettings match) {
  return problemsOf({term("backup", std::move(match))});
}

TEST(PolicyProblems, there_are_none) {
  EXPECT_THAT(problems(PolicyBook{}), IsEmpty());
  EXPECT_THAT(problemsOf(PrefixRange{Prefix6{}, 0, 128}), IsEmpty());
  EXPECT_THAT(problemsOf(PrefixRange{Prefix4{0xFFFFFFFF, 32}, 32, 32, true}), IsEmpty());
  EXPECT_THAT(problemsOf(MatchSettings{
                  .prefix_list = "customers", .as_path = "^65010_", .path_length_min = 1, .path_length_max = 1}),
              IsEmpty());
  EXPECT_THAT(problemsOf({term("no", {}, {}, TermEnd::reject), term("yes", {}, {.med = 1})}), IsEmpty());
}

TEST(PolicyProblems, ranges) {
  const Prefix4 ten{0x0A000000, 8};
  EXPECT_THAT(problemsOf(PrefixRange{ten, 7, 8}),
              ElementsAre("prefix_lists[customers][1].from: 7 is less than the prefix's length, 8"));
  EXPECT_THAT(problemsOf(PrefixRange{ten, 16, 15}),
              ElementsAre("prefix_lists[customers][1].to: 15 is less than from, 16"));
  EXPECT_THAT(problemsOf(PrefixRange{ten, 8, 33}), ElementsAre("prefix_lists[customers][1].to: 33 is more than 32"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix6{}, 0, 129}),
              ElementsAre("prefix_lists[customers][1].to: 129 is more than 128"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix4{0x0A000001, 8}, 8, 8}),
              ElementsAre("prefix_lists[customers][1].prefix: 10.0.0.1/8 has bits behind its length"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix6{{1, 1}, 8}, 8, 8}),
              ElementsAre("prefix_lists[customers][1].prefix: 101::/8 has bits behind its length"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix4{0, 33}, 33, 33}),
              ElementsAre("prefix_lists[customers][1].prefix: its length, 33, is more than 32"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix6{{}, 255}, 0, 0}),
              ElementsAre("prefix_lists[customers][1].prefix: its length, 255, is more than 128"));
}

TEST(PolicyProblems, names_of_terms) {
  EXPECT_THAT(problemsOf({term("a", {}), term("b", {}), term("a", {})}),
              ElementsAre("policies[from-customers].terms[a]: another term has this name"));
  EXPECT_THAT(problemsOf({term("a", {}), term("", {})}),
              ElementsAre("policies[from-customers].terms[1]: it has no name"));
}

TEST(PolicyProblems, too_many_terms) {
  std::vector<TermSettings> terms;
  for (std::size_t i = 0; i < kMaxTerms; ++i) terms.push_back(term(std::to_string(i).c_str(), {}));
  EXPECT_THAT(problemsOf(terms), IsEmpty());
  terms.push_back(term("last", {}));
  EXPECT_THAT(problemsOf(terms), ElementsAre("policies[from-customers].terms: 64 are more than 63"));
}

TEST(PolicyProblems, what_a_term_matches) {
  EXPECT_THAT(problemsOf(MatchSettings{.prefix_list = "x"}),
              ElementsAre("policies[from-customers].terms[backup].match.prefix_list: there is no prefix list 'x'"));
  EXPECT_THAT(problemsOf(MatchSettings{.as_path = "(65010"}),
              ElementsAre(StartsWith("policies[from-customers].terms[backup].match.as_path: '(65010': ")));
  EXPECT_THAT(problemsOf(MatchSettings{.as_path = "[_]"}),
              ElementsAre("policies[from-customers].terms[backup].match.as_path: '[_]': _ has no meaning in brackets"));
  EXPECT_THAT(problemsOf(MatchSettings{.origin_as = 0, .neighbor_as = 0}),
              ElementsAre("policies[from-customers].terms[backup].match.origin_as: 0 is no AS number",
                          "policies[from-customers].terms[backup].match.neighbor_as: 0 is no AS number"));
  EXPECT_THAT(problemsOf(MatchSettings{.path_length_min = 3, .path_length_max = 2}),
              ElementsAre("policies[from-customers].terms[backup].match.path_length: min, 3, is more than max, 2"));
}

TEST(PolicyProblems, what_a_term_sets) {
  EXPECT_THAT(problemsOf({term("backup", {}, {.med = 1, .remove_med = true})}),
              ElementsAre("policies[from-customers].terms[backup].set.med: it cannot be set and removed"));
  EXPECT_THAT(problemsOf({term("backup", {}, {.med = 1}, TermEnd::reject)}),
              ElementsAre("policies[from-customers].terms[backup].set: nothing is set in a route that is refused"));
}

TEST(PolicyProblems, names_that_are_taken) {
  PolicyBook book;
  book.policies[kAcceptAll] = book.policies[kDenyAll] = {};
  EXPECT_THAT(problems(book), ElementsAre("policies[accept-all]: the name is that of a policy which is always there",
                                          "policies[deny-all]: the name is that of a policy which is always there"));
}

TEST(PolicyProblems, all_of_them_are_told) {
  PolicyBook book;
  book.prefix_lists["a"] = {{Prefix4{0, 40}, 0, 0}, {Prefix4{1, 8}, 7, 33}};
  book.policies["p"] = {{term("x", {.prefix_list = "b", .as_path = "("}), term("x", {.as_path = ")"})}};
  book.policies["q"] = {{term("x", {.prefix_list = "c"})}};
  EXPECT_EQ(problems(book).size(), 1u + 3u + 2u + 2u + 1u);
}

}  // namespace
}  // namespace poplink::host::bgp
