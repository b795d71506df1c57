// SPDX-License-Identifier: Apache-2.0
// What is wrong with a book of policies, and where.
#include <gmock/gmock.h>

#include "bgp_policy_lab.h"
#include "policy_problems.h"

namespace poplink::host::bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

/// As "policies.from-customers[0].match.as_path: ...".
std::vector<std::string> problems(const PolicyBook& book) {
  std::vector<std::string> all;
  for (const auto& [path, text] : findProblems(book)) {
    std::string place;
    for (const auto& step : path) {
      if (const auto* key = std::get_if<std::string>(&step))
        place += (place.empty() ? "" : ".") + *key;
      else
        place += "[" + std::to_string(std::get<std::size_t>(step)) + "]";
    }
    all.push_back(place + ": " + text);
  }
  return all;
}
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
  EXPECT_THAT(problemsOf(PrefixRange{Prefix4{}, 0, 31}), IsEmpty()) << "another range of the same prefix";
  EXPECT_THAT(problemsOf(MatchSettings{
                  .prefix_list = "customers", .as_path = "^65010_", .path_length_min = 1, .path_length_max = 1}),
              IsEmpty());
  EXPECT_THAT(problemsOf({term("no", {}, {}, TermEnd::reject), term("yes", {}, {.med = 1, .prepend = kMostPrepended})}),
              IsEmpty());
}

TEST(PolicyProblems, ranges) {
  const Prefix4 ten{0x0A000000, 8};
  EXPECT_THAT(problemsOf(PrefixRange{ten, 7, 8}),
              ElementsAre("prefix_lists.customers[1].from: must not be below the prefix's own length, 8"));
  EXPECT_THAT(problemsOf(PrefixRange{ten, 16, 15}),
              ElementsAre("prefix_lists.customers[1].to: must not be below from, 16"));
  EXPECT_THAT(problemsOf(PrefixRange{ten, 8, 33}), ElementsAre("prefix_lists.customers[1].to: must not exceed 32"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix6{}, 0, 129}),
              ElementsAre("prefix_lists.customers[1].to: must not exceed 128"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix4{0x0A000001, 8}, 8, 8}),
              ElementsAre("prefix_lists.customers[1].prefix: 10.0.0.1/8 has bits behind its length"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix6{{1, 1}, 8}, 8, 8}),
              ElementsAre("prefix_lists.customers[1].prefix: 101::/8 has bits behind its length"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix4{0, 33}, 33, 33}),
              ElementsAre("prefix_lists.customers[1].prefix: its length, 33, must not exceed 32"));
  EXPECT_THAT(problemsOf(PrefixRange{Prefix6{{}, 255}, 0, 0}),
              ElementsAre("prefix_lists.customers[1].prefix: its length, 255, must not exceed 128"));
}

TEST(PolicyProblems, ranges_that_are_there_twice) {
  EXPECT_THAT(problemsOf(PrefixRange{Prefix4{}, 0, 32, true}),
              ElementsAre("prefix_lists.customers[1]: is there twice: the first one decides"));
}

TEST(PolicyProblems, names_of_terms) {
  EXPECT_THAT(problemsOf({term("a", {}), term("b", {}), term("a", {})}),
              ElementsAre("policies.from-customers[2].name: 'a' is there twice in this policy"));
  EXPECT_THAT(problemsOf({term("", {}), term("a b", {}), term("", {})}),
              ElementsAre("policies.from-customers[0].name: a name has 1 to 64 letters, digits and -._:",
                          "policies.from-customers[1].name: a name has 1 to 64 letters, digits and -._:",
                          "policies.from-customers[2].name: a name has 1 to 64 letters, digits and -._:"));
}

TEST(PolicyProblems, names_of_lists_and_policies) {
  const std::string longest(64, 'x'), longer(65, 'x');
  PolicyBook book;
  book.prefix_lists[longest] = book.prefix_lists["a/b"] = {};
  book.policies[longest] = book.policies[longer] = {};
  EXPECT_THAT(problems(book), ElementsAre("prefix_lists.a/b: a name has 1 to 64 letters, digits and -._:",
                                          "policies." + longer + ": a name has 1 to 64 letters, digits and -._:"));
}

TEST(PolicyProblems, too_many_terms) {
  std::vector<TermSettings> terms;
  for (std::size_t i = 0; i < kMaxTerms; ++i) terms.push_back(term(std::to_string(i).c_str(), {}));
  EXPECT_THAT(problemsOf(terms), IsEmpty());
  terms.push_back(term("last", {}));
  EXPECT_THAT(problemsOf(terms),
              ElementsAre("policies.from-customers: has 64 terms; 63 are the most that a policy may have"));
}

TEST(PolicyProblems, what_a_term_matches) {
  EXPECT_THAT(problemsOf(MatchSettings{.prefix_list = "x"}),
              ElementsAre("policies.from-customers[0].match.prefix_list: there is no prefix list 'x'"));
  const std::string no_expression = "' is no regular expression (POSIX, extended): ";
  EXPECT_THAT(problemsOf(MatchSettings{.as_path = "(65010"}),
              ElementsAre(StartsWith("policies.from-customers[0].match.as_path: '(65010" + no_expression)));
  EXPECT_THAT(
      problemsOf(MatchSettings{.as_path = "[_]"}),
      ElementsAre("policies.from-customers[0].match.as_path: '[_]" + no_expression + "_ has no meaning in brackets"));
  EXPECT_THAT(problemsOf(MatchSettings{.origin_as = 0, .neighbor_as = 0}),
              ElementsAre("policies.from-customers[0].match.origin_as: must not be 0 (RFC 7607)",
                          "policies.from-customers[0].match.neighbor_as: must not be 0 (RFC 7607)"));
  EXPECT_THAT(problemsOf(MatchSettings{.path_length_min = 3, .path_length_max = 2}),
              ElementsAre("policies.from-customers[0].match.path_length.max: must not be below min"));
}

TEST(PolicyProblems, what_a_term_sets) {
  EXPECT_THAT(problemsOf({term("backup", {}, {.med = 1, .remove_med = true})}),
              ElementsAre("policies.from-customers[0].set.med: cannot be set and removed"));
  EXPECT_THAT(problemsOf({term("backup", {}, {.prepend = kMostPrepended + 1})}),
              ElementsAre("policies.from-customers[0].set.prepend: must not exceed 32"));
  EXPECT_THAT(problemsOf({term("backup", {}, {.med = 1}, TermEnd::reject)}),
              ElementsAre("policies.from-customers[0].set: nothing is set in a route that is refused"));
}

TEST(PolicyProblems, names_that_are_taken) {
  PolicyBook book;
  book.policies[kAcceptAll] = book.policies[kDenyAll] = {};
  EXPECT_THAT(problems(book),
              ElementsAre("policies.accept-all: is there without being written down, and stays as it is",
                          "policies.deny-all: is there without being written down, and stays as it is"));
}

TEST(PolicyProblems, policies_that_are_there) {
  PolicyBook book;
  book.policies["p"] = {};
  for (const char* name : {"p", kAcceptAll, kDenyAll}) EXPECT_TRUE(hasPolicy(book, name)) << name;
  for (const char* name : {"q", ""}) EXPECT_FALSE(hasPolicy(book, name)) << name;
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
