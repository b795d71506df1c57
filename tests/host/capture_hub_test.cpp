// SPDX-License-Identifier: Apache-2.0
// One card's captured frames for several, over a native card; and the API's route to it.
#include "capture_hub.h"

#include <gmock/gmock.h>

#include "capture_routes.h"
#include "changes.h"
#include "model_card.h"
#include "model_transport.h"
#include "poplink/driver/card.h"
#include "read_region.h"
#include "stream.h"

namespace poplink::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Frame = std::vector<std::uint8_t>;

Frame frameOf(std::uint8_t source, std::initializer_list<std::uint8_t> type, std::uint8_t last_of_group = 0xFF) {
  Frame frame = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, source};
  if (last_of_group != 0xFF) frame = {0x01, 0x80, 0xC2, 0, 0, last_of_group, 0x02, 0, 0, 0, 0, source};
  frame.insert(frame.end(), type);
  frame.resize(64);
  return frame;
}
const Frame kStp = frameOf(7, {0, 38}, 0);
const Frame kReserved = frameOf(7, {0x81, 0, 0x0F, 0xFF, 0x08, 0});
const Frame kGood = frameOf(7, {0x88, 0xB5});                  // service of port 0
const Frame kVoice = frameOf(8, {0x81, 0, 0x01, 0x2C, 8, 0});  // that of port 1, VLAN 300

class CaptureHubTest : public testing::Test {
 protected:
  CaptureHubTest() {
    const Region region = readRegion(POPLINK_EXAMPLES "/region.yaml");
    Changes changes{"par-th2", false, {}};
    changes.steps = plan({}, desiredTables(region, Node{"par-th2", 0, "none", ""}, card_.ports()).tables);
    carryOut(changes, card_);
    hub_.emplace(card_.transport(), driver::RingOptions{.entries = 8});
  }

  /// Who joins, what came for whom as "port reason", and how many were lost in front of each.
  struct Heard {
    std::vector<std::string> frames;
    std::vector<std::uint32_t> lost;
    std::unique_ptr<CaptureHub::Membership> membership;
  };
  static std::string words(const driver::HostFrame& frame) {
    return std::to_string(frame.port) + " " + outcomeName(frame.reason) + (frame.learned ? " new" : "");
  }
  void join(Heard& one, const std::vector<unsigned>& ports, const std::vector<std::string>& outcomes,
            std::optional<unsigned> service = {}, bool new_addresses = false) {
    one.membership =
        hub_->join(captureWish(ports, outcomes, service, new_addresses), [&one](const driver::HostFrame& frame) {
          one.frames.push_back(words(frame));
          one.lost.push_back(frame.lost);
        });
  }
  void send(unsigned port, const Frame& frame) {
    us_ += 1000;
    model_.receive(port, frame);
  }
  /// All four kinds, taken at once: what the card copies.
  std::size_t sendAll() {
    for (const auto& [port, frame] :
         {std::pair(0U, kStp), std::pair(1U, kReserved), std::pair(0U, kGood), std::pair(1U, kVoice)})
      send(port, frame);
    return hub_->poll();
  }

  std::uint64_t us_ = 1'000'000'000;
  sim::ModelCard model_{[this] { return us_; }, 7};
  driver::Card card_{sim::openModelCard(model_, "card", "test")};
  std::optional<CaptureHub> hub_;
};

TEST_F(CaptureHubTest, WithoutMembersNothingIsCopied) {
  EXPECT_EQ(sendAll(), 0U);
  EXPECT_EQ(hub_->members(), 0U);
}

TEST_F(CaptureHubTest, EachGetsWhatItWantsAndTheCardCopiesTheirUnion) {
  Heard drops, of_port_1, stp;
  join(drops, {}, {"dropped"});
  join(of_port_1, {1}, {"all"});
  join(stp, {0}, {"stp"});
  EXPECT_EQ(hub_->members(), 3U);
  EXPECT_EQ(sendAll(), 4U);
  EXPECT_THAT(drops.frames, ElementsAre("0 stp", "1 reserved_vid"));
  EXPECT_THAT(of_port_1.frames, ElementsAre("1 reserved_vid", "1 forwarded"));
  EXPECT_THAT(stp.frames, ElementsAre("0 stp"));
}

TEST_F(CaptureHubTest, WhoLeavesLeavesTheOthersWhatTheyWant) {
  Heard stp, forwarded;
  join(stp, {}, {"stp"});
  join(forwarded, {}, {"forwarded"});
  EXPECT_EQ(sendAll(), 3U);
  forwarded.membership.reset();
  EXPECT_EQ(sendAll(), 1U);
  EXPECT_THAT(stp.frames, ElementsAre("0 stp", "0 stp"));
  EXPECT_THAT(forwarded.frames, ElementsAre("0 forwarded", "1 forwarded"));
  stp.membership.reset();
  EXPECT_EQ(sendAll(), 0U);
  join(forwarded, {}, {"forwarded"});
  EXPECT_EQ(sendAll(), 2U);
}

TEST_F(CaptureHubTest, AMemberMayEndItselfOrAnotherWithinAFrame) {
  Heard other, last;
  std::unique_ptr<CaptureHub::Membership> first;
  int frames = 0;
  first = hub_->join(captureWish({}, {"all"}, {}, false), [&](const driver::HostFrame&) {
    ++frames;
    other.membership.reset();
    first.reset();
  });
  join(other, {}, {"all"});
  join(last, {}, {"all"});
  sendAll();
  EXPECT_EQ(frames, 1);
  EXPECT_THAT(other.frames, IsEmpty());
  EXPECT_EQ(last.frames.size(), 4U);
  EXPECT_EQ(hub_->members(), 1U);
}

TEST_F(CaptureHubTest, OfOneServiceAlsoBesideOthers) {
  Heard voice;
  std::optional<unsigned> number;
  const auto found = hub_->join(captureWish({1}, {"forwarded"}, {}, false),
                                [&](const driver::HostFrame& frame) { number = frame.service; });
  send(1, kVoice);
  hub_->poll();
  ASSERT_TRUE(number);
  join(voice, {}, {"forwarded"}, number);
  EXPECT_EQ(sendAll(), 2U) << "ports 0 and 1 by one filter";
  EXPECT_THAT(voice.frames, ElementsAre("1 forwarded"));
  Heard both;
  join(both, {}, {"forwarded"});
  sendAll();
  EXPECT_THAT(both.frames, ElementsAre("0 forwarded", "1 forwarded"));
  EXPECT_THAT(voice.frames, ElementsAre("1 forwarded", "1 forwarded"));
}

TEST_F(CaptureHubTest, NewAddressesComeOnceAndOnlyForThoseWhoWantThem) {
  Heard learner, drops, all;
  join(learner, {}, {"stp"}, {}, true);
  join(drops, {}, {"dropped"});
  sendAll();
  sendAll();
  EXPECT_THAT(learner.frames, ElementsAre("0 stp", "0 forwarded new", "1 forwarded new", "0 stp"));
  EXPECT_THAT(drops.frames, UnorderedElementsAre("0 stp", "1 reserved_vid", "0 stp", "1 reserved_vid"));
  join(all, {}, {"forwarded"});
  send(0, frameOf(99, {0x88, 0xB5}));
  hub_->poll();
  EXPECT_THAT(all.frames, ElementsAre("0 forwarded")) << "that it is new is another one's wish";
  EXPECT_EQ(learner.frames.back(), "0 forwarded new");
}

TEST_F(CaptureHubTest, LostFramesAreToldToEachWithItsNextOne) {
  Heard stp, reserved;
  join(stp, {}, {"stp"});
  join(reserved, {}, {"reserved_vid"});
  constexpr std::uint32_t kSent = 5000;  // more than the card's own queue holds
  for (std::uint32_t i = 0; i < kSent; ++i) send(0, kStp);
  while (hub_->poll() != 0) {
  }
  const std::size_t came = stp.frames.size();
  ASSERT_LT(came, kSent);
  send(0, kStp);
  send(1, kReserved);
  hub_->poll();
  send(1, kReserved);
  hub_->poll();
  ASSERT_EQ(stp.lost.size(), came + 1);
  EXPECT_EQ(stp.lost.back(), kSent - came);
  EXPECT_THAT(reserved.lost, ElementsAre(kSent - came, 0)) << "it cannot know that none of them was its own";
}

TEST_F(CaptureHubTest, WhoJoinsIsNotToldOfWhatWasLostBefore) {
  const auto flood = [this] {
    constexpr std::uint32_t kSent = 2000;  // more than the card's own queue holds
    for (std::uint32_t i = 0; i < kSent; ++i) send(0, kStp);
    us_ += 1000;
  };
  const auto pollAll = [this] {
    while (hub_->poll() != 0) {
    }
  };
  Heard first, second, third;
  join(first, {}, {"stp"});
  flood();
  join(second, {}, {"stp"});  // what waits in the ring and in the card is not for it
  pollAll();
  const auto came = static_cast<std::uint32_t>(first.frames.size());
  ASSERT_LT(came, 2000U);
  EXPECT_THAT(second.frames, IsEmpty());
  send(0, kStp);
  pollAll();
  EXPECT_EQ(first.lost.back(), 2000 - came);
  EXPECT_THAT(second.lost, ElementsAre(0U));
  flood();
  pollAll();
  // Nor is one that is the only one then: the ring still runs.
  first.membership.reset();
  second.membership.reset();
  join(third, {}, {"stp"});
  send(0, kStp);
  pollAll();
  EXPECT_THAT(third.lost, ElementsAre(0U));
  flood();
  pollAll();
  send(0, kStp);
  pollAll();
  EXPECT_EQ(third.lost.back(), 2002 - third.frames.size());
  EXPECT_GT(third.lost.back(), 0U);
}

TEST_F(CaptureHubTest, ANewRingKnowsNothingOfTheOneBefore) {
  const auto slowRing = [this] {
    return driver::RxRing(card_.transport(), driver::HostClass::slow_protocols, {.entries = 4});
  };
  const Frame slow = frameOf(7, {0x88, 0x09}, 2);
  const auto told = [](driver::RxRing& ring) {
    std::vector<std::uint32_t> lost;
    while (ring.poll([&](const driver::HostFrame& frame) { lost.push_back(frame.lost); }) != 0) {
    }
    return lost;
  };
  {
    driver::RxRing ring = slowRing();
    for (int i = 0; i < 300; ++i) send(2, slow);
  }
  driver::RxRing ring = slowRing();
  send(2, slow);
  EXPECT_THAT(told(ring), ElementsAre(0U));
}

TEST_F(CaptureHubTest, FramesOfOtherRingsGoToWhoWantsThem) {
  Heard slow, stp;
  join(slow, {2}, {"slow_protocol"});
  join(stp, {}, {"stp"});
  driver::HostFrame frame;
  frame.bytes = kStp;
  frame.port = 2;
  frame.host_class = driver::HostClass::slow_protocols;
  frame.us = us_;
  frame.lost = 5;
  for (const card_map::DropReason& one : card_map::kDropReasons) {
    if (one.name == "slow_protocol") frame.reason = one.number;
  }
  hub_->frame(frame);
  frame.port = 3;  // not its port, but of the class of its next one
  hub_->frame(frame);
  frame.port = 2;
  hub_->frame(frame);
  EXPECT_THAT(slow.frames, ElementsAre("2 slow_protocol", "2 slow_protocol"));
  EXPECT_THAT(slow.lost, ElementsAre(0U, 10U)) << "when those in front of the first were lost nobody knows";
  send(0, kStp);
  hub_->poll();
  EXPECT_THAT(stp.lost, ElementsAre(0U)) << "those were of another class";
}

TEST_F(CaptureHubTest, AMembershipMayOutliveTheHub) {
  Heard one;
  join(one, {}, {"all"});
  hub_.reset();
  one.membership.reset();
  hub_.emplace(card_.transport());
  EXPECT_EQ(sendAll(), 0U);
}

TEST(CaptureWishes, NameWhatIsNotThere) {
  const auto why = [](const std::vector<unsigned>& ports, const std::vector<std::string>& outcomes) -> std::string {
    try {
      captureWish(ports, outcomes, {}, false);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(why({17}, {"all"}), "there is no port 17: 0 to 15, or 16 for the host");
  EXPECT_EQ(why({}, {"no"}), "there is no outcome 'no'");
  EXPECT_EQ(why({}, {""}), "there is no outcome ''");
  EXPECT_EQ(why({}, {"runt"}), "frames dropped as 'runt' cannot be captured");
  EXPECT_EQ(why({16, 0}, {"dropped", "forwarded"}), "");
}

// ---- the route

class CaptureRouteTest : public CaptureHubTest {
 protected:
  CaptureRouteTest() {
    api::captureRoutes(router_, *hub_, card_.transport(), [] { return std::uint64_t{1'764'000'000'000'000}; });
  }
  std::shared_ptr<api::Stream> open(const std::string& query) {
    auto stream = std::make_shared<api::Stream>(api::Stream::Format::lines, 1 << 20, [] {});
    router_.answer(api::parseRequest("GET", "/v1/capture" + query, "")).stream(stream);
    return stream;
  }
  static std::vector<std::string> names(api::Stream& stream) {
    std::vector<std::string> found;
    std::istringstream lines(stream.take());
    for (std::string line; std::getline(lines, line);) {
      const api::Json record = api::Json::parse(line);
      found.push_back(record["port"].dump() + " " + record["reason_name"].get<std::string>());
    }
    return found;
  }

  api::Router router_;
};

TEST_F(CaptureRouteTest, GivesWhatTheQueryWants) {
  const auto drops = open(""), listed = open("?outcomes=stp,forwarded&ports=0,16"),
             twice = open("?outcomes=stp&outcomes=reserved_vid");
  EXPECT_EQ(hub_->members(), 3U);
  sendAll();
  EXPECT_THAT(names(*drops), ElementsAre("0 stp", "1 reserved_vid"));
  EXPECT_THAT(names(*listed), ElementsAre("0 stp", "0 forwarded"));
  EXPECT_THAT(names(*twice), ElementsAre("0 stp", "1 reserved_vid"));
  listed->close();
  EXPECT_EQ(hub_->members(), 2U);
}

TEST_F(CaptureRouteTest, TimesAreOfTheDay) {
  const auto stream = open("");
  us_ += 500'000;
  send(0, kStp);
  hub_->poll();
  EXPECT_EQ(api::Json::parse(stream->take())["time_us"], 1'764'000'000'501'000U);
}

TEST_F(CaptureRouteTest, WrongWishesAreRefusedByName) {
  const std::pair<const char*, const char*> wrong[] = {
      {"?ports=17", "'ports' must be a number from 0 to 16, not '17'"},
      {"?ports=", "'ports' must be a number from 0 to 16, not ''"},
      {"?ports=0,,1", "not ''"},
      {"?ports=-1", "not '-1'"},
      {"?ports=99999999999", "not '99999999999'"},
      {"?service=4096", "'service' must be a number from 0 to 4095, not '4096'"},
      {"?service=1&service=2", "'service' is there more than once"},
      {"?outcomes=runt", "frames dropped as 'runt' cannot be captured"},
      {"?outcomes=no", "there is no outcome 'no'"},
      {"?new_addresses=maybe", "'new_addresses' is 0 or 1, not 'maybe'"},
      {"?port=1", "/v1/capture knows no 'port'"}};
  for (const auto& [query, words] : wrong) {
    try {
      open(query);
      ADD_FAILURE() << query;
    } catch (const api::Refused& why) {
      EXPECT_EQ(why.status, api::Status::bad_request);
      EXPECT_THAT(why.what(), HasSubstr(words));
      EXPECT_THAT(query, HasSubstr(why.field));
    }
  }
  EXPECT_EQ(hub_->members(), 0U);
}

}  // namespace
}  // namespace poplink::host
