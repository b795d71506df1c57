// SPDX-License-Identifier: Apache-2.0
#include "capture_hub.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "poplink/card_map.h"

namespace poplink::host {

namespace {

using driver::HostFrame;

constexpr unsigned kForwarded = 0;

struct Member {
  CaptureWish wish;
  CaptureHub::Take take;
  std::uint64_t since_us;  ///< card time when it joined
  struct OfClass {
    bool begun = false;      ///< a frame of the class has come since
    std::uint32_t lost = 0;  ///< missing in front of what this one gets next
  };
  std::array<OfClass, driver::kHostClasses> classes{};
  bool left = false;

  /// What the frame, of those that came since this one joined, tells it of lost ones.
  OfClass& count(const HostFrame& frame) {
    OfClass& of_class = classes[static_cast<unsigned>(frame.host_class)];
    // When those in front of the first were lost nobody knows: maybe before.
    if (std::exchange(of_class.begun, true)) of_class.lost += frame.lost;
    return of_class;
  }
};
using MemberList = std::vector<std::shared_ptr<Member>>;

std::bitset<16> learningPorts(const CaptureWish& wish) {
  return wish.new_addresses ? wish.frames.ports.to_ulong() & 0xFFFF : 0;
}

}  // namespace

CaptureWish captureWish(const std::vector<unsigned>& ports, const std::vector<std::string>& outcomes,
                        std::optional<unsigned> service, bool new_addresses) {
  CaptureWish wish{{}, new_addresses};
  driver::Capture& frames = wish.frames;
  if (ports.empty()) frames.ports.set();
  for (const unsigned port : ports) {
    if (port >= frames.ports.size())
      throw std::invalid_argument("there is no port " + std::to_string(port) + ": 0 to 15, or 16 for the host");
    frames.ports.set(port);
  }
  for (const std::string& name : outcomes) {
    const bool all = name == "all";
    bool known = all || name == "dropped" || name == "forwarded";
    if (all || name == "forwarded") frames.outcomes.set(kForwarded);
    for (const card_map::DropReason& reason : card_map::kDropReasons) {
      if (reason.name != name && !all && name != "dropped") continue;
      if (reason.name == name && !driver::canCapture(reason.number))
        throw std::invalid_argument("frames dropped as '" + name + "' cannot be captured");
      frames.outcomes.set(reason.number);
      known = true;
    }
    if (!known) throw std::invalid_argument("there is no outcome '" + name + "'");
  }
  frames.service = service;
  return wish;
}

std::string outcomeName(unsigned reason) {
  if (reason == kForwarded) return "forwarded";
  for (const card_map::DropReason& one : card_map::kDropReasons) {
    if (one.number == reason) return std::string(one.name);
  }
  return std::to_string(reason);
}

bool isWanted(const CaptureWish& wish, const HostFrame& frame) {
  if (!wish.frames.ports.test(frame.port)) return false;
  if (wish.frames.service && frame.service != wish.frames.service) return false;
  return wish.frames.outcomes.test(frame.reason) || (frame.learned && wish.new_addresses);
}

struct CaptureHub::Members {
  explicit Members(driver::Transport& transport) : card(&transport) {}

  /// Tells the card what all want together.
  void program(const MemberList& given) const {
    if (given.empty()) {
      driver::stopCapture(*card);
      driver::learnAddresses(*card, {});
      return;
    }
    driver::Capture wanted = given.front()->wish.frames;
    std::bitset<16> learning;
    for (const auto& member : given) {
      const driver::Capture& one = member->wish.frames;
      wanted.ports |= one.ports;
      wanted.outcomes |= one.outcomes;
      if (one.service != wanted.service) wanted.service.reset();
      learning |= learningPorts(member->wish);
    }
    driver::startCapture(*card, wanted);
    driver::learnAddresses(*card, learning);
  }
  void programQuietly(const MemberList& given) const {
    try {
      if (card != nullptr) program(given);
    } catch (const driver::DriverError&) {  // who polls the ring is told, too
    }
  }
  void leave(const std::shared_ptr<Member>& member) {
    member->left = true;
    auto others = std::make_shared<MemberList>(*list);
    std::erase(*others, member);
    list = others;
    programQuietly(*list);
  }
  void give(const HostFrame& frame) const {
    const auto now = list;  // somebody may leave meanwhile
    for (const auto& member : *now) {
      if (member->left || frame.us < member->since_us) continue;
      Member::OfClass& of_class = member->count(frame);
      if (!isWanted(member->wish, frame)) continue;
      HostFrame one = frame;
      one.lost = std::exchange(of_class.lost, 0);
      if (frame.copy && !member->wish.new_addresses) one.learned = false;  // another one's wish
      member->take(one);
    }
  }

  driver::Transport* card;  ///< null: the hub is gone
  std::shared_ptr<const MemberList> list = std::make_shared<MemberList>();
};

CaptureHub::CaptureHub(driver::Transport& card, const driver::RingOptions& ring)
    : ring_(card, driver::HostClass::digests, ring), members_(std::make_shared<Members>(card)) {}

CaptureHub::~CaptureHub() {
  members_->programQuietly({});
  members_->card = nullptr;
}

std::unique_ptr<CaptureHub::Membership> CaptureHub::join(const CaptureWish& wish, Take take) {
  struct Joined : Membership {
    Joined(std::shared_ptr<Members> all, std::shared_ptr<Member> one)
        : members(std::move(all)), member(std::move(one)) {}
    ~Joined() override { members->leave(member); }
    Joined(const Joined&) = delete;
    Joined& operator=(const Joined&) = delete;
    std::shared_ptr<Members> members;
    std::shared_ptr<Member> member;
  };
  auto member = std::make_shared<Member>(Member{wish, std::move(take), driver::cardTime(*members_->card)});
  auto others = std::make_shared<MemberList>(*members_->list);
  others->push_back(member);
  try {
    members_->program(*others);
  } catch (const driver::DriverError&) {
    members_->programQuietly(*members_->list);
    throw;
  }
  members_->list = others;
  return std::make_unique<Joined>(members_, std::move(member));
}

unsigned CaptureHub::members() const {
  return static_cast<unsigned>(members_->list->size());
}

void CaptureHub::frame(const HostFrame& frame) {
  members_->give(frame);
}

std::size_t CaptureHub::poll(std::size_t limit) {
  return ring_.poll([this](const HostFrame& one) { members_->give(one); }, limit);
}

}  // namespace poplink::host
