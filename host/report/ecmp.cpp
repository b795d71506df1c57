// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <optional>

#include "report.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kLinks = 16;

bool has(std::uint64_t bits, unsigned number) {
  return (bits >> number & 1) != 0;
}

std::vector<unsigned> numbers(std::uint64_t bits) {
  std::vector<unsigned> list;
  for (unsigned i = 0; i < kLinks; ++i) {
    if (has(bits, i)) list.push_back(i);
  }
  return list;
}

std::uint64_t livePorts(driver::Card& card) {
  std::uint64_t live = 0;
  for (unsigned port = 0; port < card.ports(); ++port) {
    const driver::PortState state = card.port(port);
    if (state.up && state.enabled && !state.held) live |= std::uint64_t{1} << port;
  }
  return live;
}

/// Buckets by link: as the host has given them out, and as they are carried now. What neither a bucket nor its
/// stand-ins decide is any live link's; with several of them, the hash spreads it.
struct Load {
  std::array<unsigned, kLinks> own{}, carried{};
  unsigned spread = 0;
};

std::optional<unsigned> carrier(const driver::Entry& bucket, std::uint64_t live_links) {
  for (const char* choice : {"link", "second", "third"}) {
    const auto link = static_cast<unsigned>(bucket.at(choice));
    if (driver::isValid(bucket) && has(live_links, link)) return link;
  }
  if (std::has_single_bit(live_links)) return static_cast<unsigned>(std::countr_zero(live_links));
  return std::nullopt;
}

Load loadOf(driver::Card& card, const driver::Entry& group, std::uint64_t live_links) {
  Load load;
  const auto count = std::uint32_t{1} << group.at("log_buckets");
  for (const driver::Entry& entry : card.readEntries("bucket", static_cast<std::uint32_t>(group.at("base")), count)) {
    if (driver::isValid(entry)) ++load.own[entry.at("link")];
    if (const auto link = carrier(entry, live_links))
      ++load.carried[*link];
    else
      ++load.spread;
  }
  return load;
}

/// Of all groups that use the link.
Json flowsOn(driver::Card& card, unsigned link) {
  if (!card.countsFlows()) return nullptr;
  const driver::Flows flows = card.flows(link);
  return {{"estimate", flows.estimate}, {"saturated", flows.saturated}};
}

}  // namespace

Json reportEcmp(driver::Card& card) {
  const std::uint64_t live_ports = livePorts(card);
  const auto links = card.validEntries("link");
  std::uint64_t live_links = 0;
  for (const auto& [link, entry] : links) {
    if ((entry.at("ports") & live_ports) != 0) live_links |= std::uint64_t{1} << link;
  }
  const auto services = card.validEntries("service");
  Json groups = Json::array();
  for (const auto& [number, group] : card.validEntries("group")) {
    const Load load = loadOf(card, group, live_links & group.at("links"));
    Json users = Json::array(), members = Json::array();
    for (const auto& [service, entry] : services) {
      if (entry.at("group") == number) users.push_back(service);
    }
    for (const unsigned link : numbers(group.at("links"))) {
      const auto entry = links.find(link);
      const driver::Count sent = card.member(number, link);
      members.push_back({{"link", link},
                         {"ports", numbers(entry == links.end() ? 0 : entry->second.at("ports"))},
                         {"state", has(live_links, link) ? "alive" : "dead"},
                         {"buckets", load.own[link]},
                         {"carries", load.carried[link]},
                         {"sent", {{"frames", sent.frames}, {"bytes", sent.bytes}}},
                         {"flows", flowsOn(card, link)}});
    }
    groups.push_back({{"group", number}, {"services", users}, {"spread", load.spread}, {"members", members}});
  }
  return {{"groups", groups}};
}

}  // namespace poplink::host
