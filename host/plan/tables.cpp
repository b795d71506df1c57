// SPDX-License-Identifier: Apache-2.0
#include "tables.h"

#include <bit>
#include <boost/crc.hpp>
#include <set>

#include "../ecmp/buckets.h"

namespace poplink::host {

namespace {

constexpr unsigned kVidBits = 12;
constexpr std::size_t kLagBuckets = std::size_t{1} << kLagBucketBits;  ///< of each LAG

enum class CardRole : std::uint8_t { cross_connect = 0, vrack = 1, backbone = 2 };

/// All buckets of a group or LAG as they are now, from `base` on; nothing when one is missing. `first`: the field's
/// name.
std::vector<Bucket> bucketsNow(const TableImage& current, const char* table, const char* first, std::uint32_t base,
                               std::size_t buckets) {
  std::vector<Bucket> now;
  const auto& entries = entriesOf(current, table);
  for (auto at = entries.lower_bound(base); at != entries.end() && at->first == base + now.size(); ++at) {
    const auto member = [&](const char* field) { return static_cast<Member>(at->second.at(field)); };
    now.push_back({member(first), member("second"), member("third")});
    if (now.size() == buckets) return now;
  }
  return {};
}

/// A member by itself has all flows, and needs no buckets.
std::vector<Bucket> bucketsOfOne(std::uint64_t members, std::size_t buckets) {
  const auto only = static_cast<Member>(std::countr_zero(members));
  return std::vector<Bucket>(buckets, {only, only, only});
}

/// Who has which bucket of a group; nothing when the group is new or has another size.
std::vector<Bucket> groupNow(const TableImage& current, std::uint32_t group, std::size_t buckets) {
  const auto& groups = entriesOf(current, "group");
  const auto found = groups.find(group);
  if (found == groups.end()) return {};
  const std::uint64_t links = found->second.at("links");
  if (std::has_single_bit(links)) return bucketsOfOne(links, buckets);
  if (std::uint64_t{1} << found->second.at("log_buckets") != buckets) return {};
  return bucketsNow(current, "bucket", "link", static_cast<std::uint32_t>(found->second.at("base")), buckets);
}

/// Who has which bucket of a LAG; nothing when it is new. A port that becomes a LAG has had them all.
std::vector<Bucket> lagNow(const TableImage& current, std::uint32_t link) {
  auto now = bucketsNow(current, "lag", "port", link << kLagBucketBits, kLagBuckets);
  if (!now.empty()) return now;
  const auto& links = entriesOf(current, "link");
  const auto found = links.find(link);
  if (found == links.end() || !std::has_single_bit(found->second.at("ports"))) return {};
  return bucketsOfOne(found->second.at("ports"), kLagBuckets);
}

class Builder {
 public:
  Builder(const Region& region, const Site& site, const TableImage& current, const MemberStates& members)
      : region_(region), site_(site), current_(current), members_(members) {}

  TableImage build() {
    for (const Lag& lag : lagsOf(region_, site_)) addLag(lag);
    for (const Service& service : region_.services) {
      if (service.pop.site == site_.name)
        add(service, service.pop, service.dc.site);
      else if (service.dc.site == site_.name)
        add(service, service.dc, service.pop.site);
    }
    return std::move(tables_);
  }

 private:
  void set(const char* table, std::uint32_t index, const driver::Entry& fields) {
    driver::Entry& entry = tables_[table][index];
    for (const auto& [name, value] : fields) entry[name] = value;
    entry["valid"] = 1;
  }

  void addPort(const Port& port, PortId attachment, bool collecting) {
    static constexpr CardRole kRoles[] = {CardRole::cross_connect, CardRole::vrack, CardRole::backbone};
    set("port", port.id.value,
        {{"role", static_cast<std::uint64_t>(kRoles[static_cast<int>(port.use)])},
         {"collecting", collecting},
         {"attachment", attachment.value},
         {"s_tpid", port.s_tpid}});
  }

  /// Outside a LAG: a link of its own, with its number, and always Collecting and Distributing.
  void addLink(const Port& port) {
    addPort(port, port.id, true);
    set("link", port.id.value, {{"ports", std::uint64_t{1} << port.id.value}});
  }

  /// Also without a service: LACP comes up, and shows that the cables are right, before one is ordered. The buckets
  /// name all ports, and who of them distributes is in `link` alone, so what LACP changes is a bit there.
  void addLag(const Lag& lag) {
    Weights weights;
    std::uint64_t distributing = 0;
    for (const PortId id : lag.ports) {
      const auto found = members_.find(id);
      const MemberState state = found == members_.end() ? MemberState{} : found->second;
      addPort(*site_.port(id), lag.link, state.collecting);
      if (state.carries()) distributing |= std::uint64_t{1} << id.value;
      weights.emplace(id.value, 1);  // all have the same speed
    }
    const std::uint32_t link = lag.link.value;
    set("link", link, {{"ports", distributing}});
    lags_.insert(lag.link);
    if (lag.ports.size() == 1) return;
    std::uint32_t at = link << kLagBucketBits;
    for (const Bucket& bucket : allocate(kLagBuckets, weights, lagNow(current_, link)))
      set("lag", at++, {{"port", bucket.first}, {"second", bucket.second}, {"third", bucket.third}});
  }

  /// The links towards a site are one group, numbered by the first of them.
  std::uint32_t addGroup(const std::vector<const Port*>& links) {
    const std::uint32_t group = links.front()->id.value;
    if (entriesOf(tables_, "group").count(group) != 0) return group;
    Weights weights;
    std::uint64_t members = 0;
    for (const Port* link : links) {
      weights.emplace(link->id.value, link->share());
      members |= std::uint64_t{1} << link->id.value;
    }
    const std::uint32_t base = group << kGroupBucketBits;
    const unsigned buckets = region_.ecmp.buckets;
    set("group", group,
        {{"links", members}, {"base", base}, {"log_buckets", static_cast<std::uint64_t>(std::countr_zero(buckets))}});
    if (links.size() == 1) return group;  // any bucket would say the same
    std::uint32_t at = base;
    for (const Bucket& bucket : allocate(buckets, weights, groupNow(current_, group, buckets)))
      set("bucket", at++, {{"link", bucket.first}, {"second", bucket.second}, {"third", bucket.third}});
    return group;
  }

  void add(const Service& service, const Attachment& side, const std::string& far_site) {
    const PortId attachment = side.link();
    const std::vector<const Port*> links = backboneLinks(site_, far_site);
    const std::uint32_t number = service.tunnel_id.value;
    if (lags_.count(attachment) == 0) addLink(*site_.port(attachment));
    for (const Port* link : links) addLink(*link);
    set("service", number,
        {{"attachment", attachment.value},
         {"group", addGroup(links)},
         {"s_vid", number},
         {"s_tpid", links.front()->s_tpid},
         {"pcp", service.pcp},
         {"mtu", service.mtu}});
    const auto key = [](PortId link, unsigned vid) { return static_cast<std::uint32_t>(link.value) << kVidBits | vid; };
    for (const Port* link : links) set("vid", key(link->id, number), {{"service", number}});
    if (side.vlan)
      set("vid", key(attachment, side.vlan->value), {{"service", number}});
    else if (side.untagged)
      set("attachment", attachment.value, {{"untagged_valid", 1}, {"untagged_service", number}});
    else
      set("attachment", attachment.value, {{"whole_valid", 1}, {"whole_service", number}});
  }

  const Region& region_;
  const Site& site_;
  const TableImage& current_;
  const MemberStates& members_;
  std::set<PortId> lags_;  ///< by their links
  TableImage tables_;
};

}  // namespace

std::uint32_t seedOf(const Region& region, const Node& node) {
  const std::string identity = region.name + "/" + node.site + "/" + std::to_string(node.card);
  boost::crc_32_type crc;
  crc.process_bytes(identity.data(), identity.size());
  return crc.checksum();
}

Desired desiredTables(const Region& region, const Node& node, unsigned card_ports, const TableImage& current,
                      const MemberStates& members) {
  const Site* site = region.site(node.site);
  if (site == nullptr) {
    Problems of_node(node.file);
    of_node.add(node.site_place, "there is no site '" + node.site + "' in region '" + region.name + "'");
    throw of_node.error();
  }
  Problems of_region(region.file);
  for (const Port& port : site->ports) {
    if (port.id.value < card_ports) continue;
    of_region.add({port.place.path + ".id", port.place.line}, "the card of '" + site->name + "' has ports 0 to " +
                                                                  std::to_string(card_ports - 1) + ", not " +
                                                                  std::to_string(port.id.value));
  }
  of_region.stop();
  return {Builder(region, *site, current, members).build(), {seedOf(region, node), region.ecmp.symmetric}};
}

}  // namespace poplink::host
