// SPDX-License-Identifier: Apache-2.0
// What can be said to a lab about its cables, and what it says then.
#include "cable_control.h"

#include <gtest/gtest.h>

namespace poplink::sim {
namespace {

struct FullOutlet : Outlet {
  void deliver(std::span<const std::uint8_t>) override {}
  void feed() override {}
  void setCarrier(bool) override {}
  std::uint64_t refused() const override { return 2; }
  std::string name() const override { return "e0"; }
};

class CableRequests : public ::testing::Test {
 protected:
  std::string ask(const std::string& request) { return answerCableRequest(cables, cards, request); }
  std::string error(const std::string& text) { return R"({"error":")" + text + R"("})"; }

  Cable first{0, [] { return std::uint64_t{0}; }, nullptr};
  Cable second{0, [] { return std::uint64_t{0}; }, nullptr};
  RegisterAccesses accesses{7, 3};
  LabCardAccesses cards = {{"par", &accesses}};
  FullOutlet outlet;
  std::map<std::string, LabCableEnds> cables = {{"one", {&first, {{{"par"}, {"rbx"}}}}},
                                                {"two", {&second, {{{"par"}, {"", &outlet}}}}}};
};

TEST_F(CableRequests, empty_one_shows_all_cables_and_cards) {
  EXPECT_EQ(ask("{}"),
            R"({"cables":[{"cable":"one","link":"up","loss_db":3.0,"ends":[{"card":"par","deaf":false,"lost":0},)"
            R"({"card":"rbx","deaf":false,"lost":0}]},{"cable":"two","link":"up","loss_db":3.0,"ends":[{"card":"par",)"
            R"("deaf":false,"lost":0},{"host":"e0","deaf":false,"lost":0,"refused":2}]}],)"
            R"("cards":[{"card":"par","register_reads":7,"register_writes":3}]})");
}

TEST_F(CableRequests, act_on_the_cable_that_they_name) {
  EXPECT_NE(ask(R"({"cable": "two", "action": "cut"})").find(R"("cable":"two","link":"down")"), std::string::npos);
  EXPECT_FALSE(first.isCut());
  EXPECT_TRUE(second.isCut());
  ask(R"({"cable": "two", "action": "mend"})");
  EXPECT_FALSE(second.isCut());
  ask(R"({"cable": "one", "action": "deafen", "end": "rbx"})");
  EXPECT_TRUE(first.isDeaf(1));
  EXPECT_FALSE(first.isDeaf(0));
  ask(R"({"cable": "two", "action": "deafen", "end": "host"})");
  EXPECT_TRUE(second.isDeaf(1));
  EXPECT_FALSE(second.isDeaf(0));
  EXPECT_NE(
      ask(R"({"cable": "two", "action": "attenuate", "loss_db": 12.5})").find(R"("two","link":"down","loss_db":12.5)"),
      std::string::npos);
  EXPECT_EQ(first.lossDb(), kUsualLossDb);
}

TEST_F(CableRequests, wrong_ones_are_told_why_and_change_nothing) {
  EXPECT_EQ(ask(R"({"cable": "three", "action": "cut"})"), error("there is no cable 'three'"));
  EXPECT_EQ(ask(R"({"cable": "one", "action": "bend"})"),
            error("a cable can be cut, mended, deafened or attenuated, not 'bend'"));
  EXPECT_EQ(ask(R"({"cable": "one", "action": "deafen", "end": "gra"})"), error("cable 'one' has no end 'gra'"));
  EXPECT_EQ(ask(R"({"cable": "one", "action": "deafen", "end": "host"})"), error("cable 'one' has no end 'host'"));
  EXPECT_EQ(ask(R"({"cable": "two", "action": "deafen", "end": "e0"})"), error("cable 'two' has no end 'e0'"));
  for (const char* loss : {"-1", "60.5"}) {
    EXPECT_EQ(ask(std::string(R"({"cable": "one", "action": "attenuate", "loss_db": )") + loss + "}"),
              error("a cable loses from 0 to 60 dB, not " + std::string(loss)));
  }
  const std::string form = error("a request is a line of JSON with cable and action");
  for (const char* nonsense : {"", "cut", "{", "[1]", R"({"cable": "one"})", R"({"cable": 1, "action": "cut"})",
                               R"({"cable": "one", "action": "deafen"})", R"({"cable": "one", "action": "attenuate"})",
                               R"({"cable": "one", "action": "attenuate", "loss_db": "3"})"})
    EXPECT_EQ(ask(nonsense), form) << nonsense;
  EXPECT_EQ(first.lossDb(), kUsualLossDb);
  EXPECT_FALSE(first.isCut() || second.isCut() || first.isDeaf(0) || first.isDeaf(1) || second.isDeaf(0) ||
               second.isDeaf(1));
}

}  // namespace
}  // namespace poplink::sim
