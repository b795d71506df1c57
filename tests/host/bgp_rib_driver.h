// SPDX-License-Identifier: Apache-2.0
// A table of routes and groups of peers that are told of it, octet by octet: for random sequences and for the fuzzer.
// After each step it says what was wrong.
#pragma once

#include "bgp_group_lab.h"
#include "bgp_route_lab.h"

namespace poplink::host::bgp {

template <class Prefix>
class RibDriver {
 public:
  /// So many prefixes there are.
  explicit RibDriver(unsigned space) : space_(space) {}
  RibDriver(const RibDriver&) = delete;
  RibDriver& operator=(const RibDriver&) = delete;

  /// One of all things that can happen. What is wrong with what came of it; empty: nothing.
  std::string happen(std::uint8_t what, std::uint8_t who, std::uint8_t detail) {
    const auto source = static_cast<PeerIndex>(who % lab_.kPeers);
    const unsigned prefix = who / lab_.kPeers % space_;
    switch (what % 32) {
      case 0:
        lab_.age(source);
        break;
      case 1:
        lab_.sweep(source);
        break;
      case 2:
        lab_.reimport(source, detail);
        break;
      case 3:
        lab_.configure({detail % 2 == 1, detail % 8 >= 6, 1});
        break;
      case 4:
        lab_.moveSource(source, detail % 3);
        break;
      case 5:
        lab_.locateAndLeave(source, prefix);
        break;
      case 6:
      case 7:
      case 8:
        lab_.walk(detail % 16);
        break;
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
        lab_.withdraw(source, prefix);
        break;
      case 14:
      case 15:
      case 16:
      case 17:
      case 18:
      case 19:
      case 20:
        lab_.put(source, prefix, detail % kLabSets);
        break;
      default:
        return happenToGroup(what % 32U - 21, who, detail);
    }
    return check();
  }

  /// All is told; then all goes, and nothing is left.
  std::string settle() {
    lab_.walkAll(3);
    for (auto& group : groups_)
      if (std::string problem = group->rest(2); !problem.empty()) return problem;
    for (PeerIndex peer = 0; peer < lab_.kPeers; ++peer)
      for (unsigned prefix = 0; prefix < space_; ++prefix) lab_.withdraw(peer, prefix);
    for (auto& group : groups_)
      if (std::string problem = group->rest(5); !problem.empty()) return problem;
    if (std::string problem = check(); !problem.empty()) return problem;
    if (lab_.table().prefixes() != 0) return "prefixes are left";
    groups_.clear();
    return lab_.close();
  }

 private:
  static constexpr PeerIndex kFirstMember = 1, kMembers = 6;  ///< four that have routes, and two that have none
  using Group = GroupLab<Prefix>;

  std::string check() {
    return lab_.check([&](PrefixId id) {
      return std::ranges::any_of(groups_, [id](const auto& group) { return group->out().needs(id); });
    });
  }

  std::string happenToGroup(unsigned what, std::uint8_t who, std::uint8_t detail) {
    const auto peer = static_cast<PeerIndex>(kFirstMember + who % kMembers);
    const auto found = std::ranges::find_if(
        groups_, [peer](const auto& group) { return std::ranges::count(group->members(), peer) != 0; });
    if (found == groups_.end()) {
      groups_.push_back(std::make_unique<Group>(lab_.table(), detail % 4U, form(detail), peer));
      return check();
    }
    Group& group = **found;
    std::string problem;
    switch (what) {
      case 0:
        group.leave(peer);
        if (group.members().empty()) groups_.erase(found);
        break;
      case 1:
        if (group.members().size() > 1) groups_.push_back(std::make_unique<Group>(group, peer));
        break;
      case 2:
      case 3:
        merge(group);
        break;
      case 4:
        group.walk(detail % 2 == 1);
        break;
      case 5:
        group.changeRule(detail % 4U);
        break;
      case 6:
        problem = group.rest(1 + detail % 8U);
        break;
      default:
        problem = group.flush(detail % 16);
    }
    return problem.empty() ? check() : problem;
  }
  /// With any other that it can be one with.
  void merge(Group& group) {
    const auto other =
        std::ranges::find_if(groups_, [&](const auto& one) { return one.get() != &group && one->canMerge(group); });
    if (other == groups_.end()) return;
    group.takeAll(**other);
    groups_.erase(other);
  }
  static UpdateForm form(std::uint8_t detail) {
    if (std::is_same_v<Prefix, Prefix6>) return UpdateForm::ipv6_multiprotocol;
    return detail % 16 < 12 ? UpdateForm::ipv4 : UpdateForm::ipv4_multiprotocol;
  }

  unsigned space_;
  RouteLab<Prefix> lab_;
  std::vector<std::unique_ptr<Group>> groups_;
};

}  // namespace poplink::host::bgp
