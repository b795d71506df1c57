// SPDX-License-Identifier: Apache-2.0
// Regular expressions over AS paths: borders of numbers, ends of paths, what is refused, and paths of any length.
#include <gtest/gtest.h>

#include "bgp_policy_lab.h"
#include "bgp_policy_samples.h"
#include "path_expression.h"

namespace poplink::host::bgp {
namespace {

bool matches(std::string_view expression, const std::vector<Asn>& path) {
  const PathExpression compiled(expression);
  EXPECT_EQ(compiled.problem(), "") << expression;
  return compiled.matches(PathText(pathOf(path)));
}

TEST(PathText, has_a_space_between_numbers) {
  EXPECT_EQ(PathText({}).text(), "");
  EXPECT_EQ(PathText(pathOf({65010})).text(), "65010");
  EXPECT_EQ(PathText(pathOf({1, 4294967295, 65010})).text(), "1 4294967295 65010");
}

TEST(PathText, may_be_longer_than_its_room) {
  for (const std::size_t asns : {255u, 256u, 2047u, 2048u, 2049u, 13000u}) {
    std::string expected;
    for (std::size_t i = 0; i < asns; ++i) expected += i == 0 ? "4294967295" : " 4294967295";
    const auto text = std::make_unique<PathText>(pathOf(std::vector<Asn>(asns, 4294967295)));
    EXPECT_EQ(text->text(), expected) << asns;
  }
}

TEST(PathExpression, underscores_are_borders_of_numbers) {
  EXPECT_TRUE(matches("_65020_", {65010, 65020, 65030}));
  EXPECT_TRUE(matches("_65020_", {65020}));
  EXPECT_FALSE(matches("_65020_", {165020, 650200}));
  EXPECT_TRUE(matches("65020", {165020}));
  EXPECT_TRUE(matches("_65010_65020_", {1, 65010, 65020, 2}));
  EXPECT_FALSE(matches("_65010_65020_", {65010, 1, 65020}));
  EXPECT_TRUE(matches("^65010_", {65010}));
  EXPECT_TRUE(matches("^65010_", {65010, 65020}));
  EXPECT_FALSE(matches("^65010_", {650100}));
  EXPECT_FALSE(matches("^65010_", {1, 65010}));
  EXPECT_TRUE(matches("_65020$", {65010, 65020}));
  EXPECT_FALSE(matches("_65020$", {65020, 65010}));
  EXPECT_TRUE(matches("^(65010_)+$", {65010, 65010, 65010}));
  EXPECT_FALSE(matches("^(65010_)+$", {65010, 65010, 650}));
}

TEST(PathExpression, an_empty_path_matches_too) {
  EXPECT_TRUE(matches("^$", {}));
  EXPECT_TRUE(matches("", {}));
  EXPECT_TRUE(matches("_", {}));
  EXPECT_FALSE(matches("^$", {0}));
  EXPECT_FALSE(matches("[0-9]", {}));
}

TEST(PathExpression, has_what_posix_has) {
  EXPECT_TRUE(matches("^6501[0-4]$", {65014}));
  EXPECT_FALSE(matches("^6501[^0-4]$", {65014}));
  EXPECT_TRUE(matches("^[[:digit:]]{5}$", {65014}));
  EXPECT_FALSE(matches("^[[:digit:]]{6}$", {65014}));
  EXPECT_TRUE(matches("_(65010|65020)_", {1, 65020}));
  EXPECT_TRUE(matches("^[0-9]+ [0-9]+$", {1, 2}));
  EXPECT_TRUE(matches("^1.?$", {12}));
  EXPECT_FALSE(matches("^1\\.2$", {102}));
  EXPECT_FALSE(matches("^1\\_2$", {1, 2})) << "an escaped _ is a character that no path has";
  EXPECT_TRUE(matches("^[]1]_2$", {1, 2})) << "a first ] stands for itself";
  EXPECT_TRUE(matches("^[\\]1]_2$", {1, 2}));
}

TEST(PathExpression, problems_are_told_and_match_nothing) {
  for (const char* expression :
       {"(",         ")",         "[",          "[0-9",         "a{2,1}", "*",      "65010\\",
        "\\",        "[_]",       "[^_0-9]+",   "[[:digit:]_]", "[]_]",   "[\\]_]", "[[:nothing:]]",
        "(?i)65010", "(?=65010)", "(65010)\\1", "[[:",          "\\d",    "a{1001}"}) {
    const PathExpression compiled(expression);
    EXPECT_NE(compiled.problem(), "") << expression;
    EXPECT_FALSE(compiled.matches(PathText(pathOf({65010})))) << expression;
  }
  EXPECT_EQ(PathExpression("[_]").problem(), "_ has no meaning in brackets");
}

TEST(PathExpression, one_that_needs_too_much_memory_is_a_problem) {
  std::string nested = "1";
  for (int i = 0; i < 6; ++i) nested = "(" + nested + "{20}|2)";
  EXPECT_NE(PathExpression(nested).problem(), "");
  EXPECT_NE(PathExpression(std::string(100000, '(')).problem(), "");
}

TEST(PathExpression, hard_ones_over_the_longest_paths_end) {
  std::vector<Asn> path(13000, 1111111111);
  path.back() = 2;
  for (const char* expression : kHardExpressions) EXPECT_FALSE(matches(expression, path)) << expression;
  EXPECT_TRUE(matches("^([0-9]+_)*2$", path));
  EXPECT_TRUE(matches("^(.*)*2$", path));
}

}  // namespace
}  // namespace poplink::host::bgp
