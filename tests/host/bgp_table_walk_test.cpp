// SPDX-License-Identifier: Apache-2.0
// Walks over both tables, and what is written on the way.
#include <gtest/gtest.h>

#include "bgp_report_lab.h"
#include "mrt_dump.h"
#include "table_walk.h"

namespace poplink::host::bgp {
namespace {

TEST(BgpTableWalk, sees_each_prefix_of_both_families_once_in_slices) {
  SpeakerSettings settings = ReportLab::settings({ReportLab::peer("a", 2)});
  settings.originate.push_back({Prefix6{ipv6(0x100, 0), 48}, {}, {}, {}});
  ReportLab lab(settings);
  lab.up("a");
  std::vector<Prefix4> many;
  for (unsigned i = 0; i < 100; ++i) many.push_back(net(10, i, 16));
  lab.announce("a", many, {});
  TableWalk walk(std::nullopt);
  std::set<std::string> seen;
  std::size_t slices = 0, visits = 0;
  for (; !walk.done(); ++slices) {
    ASSERT_LT(slices, 100U);
    walk.slice(lab.speaker, 7, [&]<class Prefix>(PrefixId id) {
      seen.insert(toString(lab.speaker.table<Prefix>().prefix(id)));
      return ++visits % 3 != 0;
    });
  }
  EXPECT_EQ(visits, 101U);
  EXPECT_EQ(seen.size(), 101U);
  EXPECT_GE(slices, 34U) << "a slice ends when there is no room for more";
}

TEST(BgpMrtDump, comes_in_slices_and_leaves_out_peers_that_came_or_changed_meanwhile) {
  SpeakerSettings settings = ReportLab::settings({ReportLab::peer("a", 2), ReportLab::peer("b", 3)});
  settings.originate.push_back({Prefix6{ipv6(0x100, 0), 48}, {}, {}, {}});
  ReportLab lab(settings);
  lab.up("a");
  lab.up("b");
  std::vector<Prefix4> many;
  for (unsigned i = 0; i < 1500; ++i) many.push_back({ipv4(10, i >> 8, i & 255, 0), 24});
  for (const Prefix4& prefix : many) lab.announce("a", {prefix}, {});
  MrtDump dump(lab.speaker, lab.time());
  std::vector<std::uint8_t> file;
  ASSERT_TRUE(dump.next(lab.speaker, lab.time(), file));
  const std::size_t first = file.size();
  EXPECT_LT(dump.prefixes(), many.size());
  EXPECT_GT(dump.prefixes(), 0U);
  lab.announce("b", {many.back()}, {});
  settings.peers[1].name = "c";  // takes the number of "b"
  lab.speaker.apply(settings, lab.time().now);
  lab.pass(0s);
  settings.peers.push_back(ReportLab::peer("late", 4));
  lab.speaker.apply(settings, lab.time().now);
  lab.up("late");
  lab.announce("late", {many.back()}, {});
  while (dump.next(lab.speaker, lab.time(), file)) {
  }
  EXPECT_EQ(dump.prefixes(), many.size() + 1);
  EXPECT_EQ(dump.paths(), many.size() + 1);
  EXPECT_EQ(dump.leftOut(), 1U);
  EXPECT_GT(file.size(), first);
}

}  // namespace
}  // namespace poplink::host::bgp
