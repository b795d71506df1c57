// SPDX-License-Identifier: Apache-2.0
// Regions of two sites in which everything about ports, LAGs, services and cables is random, and everything is valid.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "members.h"
#include "validate.h"

namespace poplink::host {

class RandomRegion {
 public:
  static constexpr unsigned kCardPorts = 16;
  static constexpr unsigned kVids = 10;  ///< tunnel ids and VLANs are 1..kVids: few, so that they meet

  explicit RandomRegion(std::uint64_t seed) : random_(seed) {}

  Region next() {
    Region region;
    region.name = "r";
    region.ecmp.buckets = 64;
    region.sites = {{{}, "pop", Role::entrypoint, {}}, {{}, "dc", Role::endpoint, {}}};
    ends_ = {};
    for (Site& site : region.sites) addPorts(site);
    addServices(region);
    Problems problems("");
    validate(region, problems);
    problems.stop();
    return region;
  }

  /// Of all ports, as LACP could have them, and of some that are in no LAG.
  MemberStates states() {
    MemberStates states;
    for (unsigned port = 0; port < kCardPorts; ++port) states[port_(port)] = state();
    return states;
  }
  MemberState state() {
    const unsigned what = below(3);
    return {what > 0, what > 1};
  }
  unsigned below(unsigned number) { return static_cast<unsigned>(random_() % number); }

 private:
  static PortId port_(unsigned number) { return {static_cast<std::uint8_t>(number)}; }

  /// Ports 4..7 are cables at both sites or customers' at both, 0..3 customers'; some are not there at all.
  void addPorts(Site& site) {
    const bool pop = site.role == Role::entrypoint;
    if (pop) cables_ = below(16);
    std::vector<std::vector<PortId>>& ends = ends_[pop ? 0 : 1];
    for (unsigned number = 0; number < 8; ++number) {
      Port port;
      port.id = port_(number);
      port.use = pop ? Use::cross_connect : Use::vrack;
      if (number >= 4 && (cables_ >> (number - 4) & 1) != 0) {
        port.use = Use::backbone;
        port.peer = Peer{pop ? "dc" : "pop", port.id};
      } else if (below(4) != 0) {
        // Joins a LAG that is there, or not.
        if (ends.empty() || below(2) == 0) ends.emplace_back();
        ends[below(static_cast<unsigned>(ends.size()))].push_back(port.id);
      }
      site.ports.push_back(port);
    }
    std::erase_if(ends, [](const auto& ports) { return ports.empty(); });
    for (const std::vector<PortId>& ports : ends)
      if (below(3) == 0) site.lags.push_back({{}, ports.front(), ports, {}});
  }

  void addServices(Region& region) {
    if (cables_ == 0) return;
    std::array<std::vector<Attachment>, 2> sides = {attachments("pop", 0), attachments("dc", 1)};
    std::vector<unsigned> tunnels(kVids);
    for (unsigned i = 0; i < kVids; ++i) tunnels[i] = i + 1;
    for (auto* list : {&sides[0], &sides[1]}) std::shuffle(list->begin(), list->end(), random_);
    std::shuffle(tunnels.begin(), tunnels.end(), random_);
    for (std::size_t i = 0; i < std::min({sides[0].size(), sides[1].size(), tunnels.size()}); ++i) {
      Service service;
      service.name = service.vrack = std::to_string(i);
      service.tunnel_id = {static_cast<std::uint16_t>(tunnels[i])};
      service.pop = sides[0][i];
      service.dc = sides[1][i];
      region.vracks.push_back({{}, service.vrack});
      region.services.push_back(service);
    }
  }

  std::vector<Attachment> attachments(const char* site, std::size_t which) {
    std::vector<Attachment> list;
    for (const std::vector<PortId>& ports : ends_[which]) {
      Attachment side{{}, site, {}, ports, {}};
      const unsigned kind = below(4);
      if (kind == 0) list.push_back(side);
      if (kind < 2) continue;
      std::set<unsigned> vlans;
      for (unsigned i = below(3); i > 0; --i) vlans.insert(1 + below(kVids));
      for (const unsigned vlan : vlans) {
        side.vlan = VlanId{static_cast<std::uint16_t>(vlan)};
        list.push_back(side);
      }
      side.vlan.reset();
      side.untagged = true;
      if (kind == 3) list.push_back(side);
    }
    return list;
  }

  std::mt19937_64 random_;
  unsigned cables_ = 0;
  std::array<std::vector<std::vector<PortId>>, 2> ends_;  ///< ports and LAGs of customers, by site
};

}  // namespace poplink::host
