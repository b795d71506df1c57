// SPDX-License-Identifier: Apache-2.0
#include "tables.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/crc.hpp>

#include "../ecmp/buckets.h"

namespace poplink::host {

namespace {

// Referred to before referring: a bucket names links, a group its buckets, a service its group.
constexpr std::array<const char*, 8> kChildrenFirst = {"link",    "lag",        "bucket", "group",
                                                       "service", "attachment", "vid",    "port"};

constexpr unsigned kVidBits = 12;
constexpr unsigned kBucketBits = 12;  ///< of a group: each has its own range of the table

enum class CardRole : std::uint8_t { cross_connect = 0, vrack = 1, backbone = 2 };

const std::map<std::uint32_t, driver::Entry>& entriesOf(const TableImage& image, const char* table) {
  static const std::map<std::uint32_t, driver::Entry> kNone;
  const auto found = image.find(table);
  return found == image.end() ? kNone : found->second;
}

/// Who has which bucket of a group now; nothing when the group is new or has another size.
std::vector<Bucket> bucketsNow(const TableImage& current, std::uint32_t group, std::size_t buckets) {
  const auto& groups = entriesOf(current, "group");
  const auto found = groups.find(group);
  if (found == groups.end()) return {};
  const std::uint64_t links = found->second.at("links");
  if (std::has_single_bit(links)) {  // a link by itself has all flows, and no buckets
    const auto only = static_cast<Member>(std::countr_zero(links));
    return std::vector<Bucket>(buckets, {only, only, only});
  }
  std::vector<Bucket> now;
  const auto& entries = entriesOf(current, "bucket");
  const auto base = static_cast<std::uint32_t>(found->second.at("base"));
  for (auto at = entries.lower_bound(base); at != entries.end() && at->first == base + now.size(); ++at) {
    const auto member = [&](const char* field) { return static_cast<Member>(at->second.at(field)); };
    now.push_back({member("link"), member("second"), member("third")});
    if (now.size() == buckets) break;
  }
  if (std::uint64_t{1} << found->second.at("log_buckets") != buckets || now.size() != buckets) return {};
  return now;
}

class Builder {
 public:
  Builder(const Region& region, const Site& site, const TableImage& current)
      : region_(region), site_(site), current_(current) {}

  TableImage build() {
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

  void addPort(const Port& port, CardRole role) {
    // A port outside a LAG is always Collecting and Distributing; its attachment, a link, has its own number.
    set("port", port.id.value,
        {{"role", static_cast<std::uint64_t>(role)},
         {"collecting", 1},
         {"attachment", port.id.value},
         {"s_tpid", port.s_tpid}});
    set("link", port.id.value, {{"ports", std::uint64_t{1} << port.id.value}});
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
    const std::uint32_t base = group << kBucketBits;
    const unsigned buckets = region_.ecmp.buckets;
    set("group", group,
        {{"links", members}, {"base", base}, {"log_buckets", static_cast<std::uint64_t>(std::countr_zero(buckets))}});
    if (links.size() == 1) return group;  // any bucket would say the same
    std::uint32_t at = base;
    for (const Bucket& bucket : allocate(buckets, weights, bucketsNow(current_, group, buckets)))
      set("bucket", at++, {{"link", bucket.first}, {"second", bucket.second}, {"third", bucket.third}});
    return group;
  }

  void add(const Service& service, const Attachment& side, const std::string& far_site) {
    const Port& customer = *site_.port(side.port);
    const std::vector<const Port*> links = backboneLinks(site_, far_site);
    const std::uint32_t number = service.tunnel_id.value;
    addPort(customer, customer.use == Use::vrack ? CardRole::vrack : CardRole::cross_connect);
    for (const Port* link : links) addPort(*link, CardRole::backbone);
    set("service", number,
        {{"attachment", customer.id.value},
         {"group", addGroup(links)},
         {"s_vid", number},
         {"s_tpid", links.front()->s_tpid},
         {"pcp", service.pcp},
         {"mtu", service.mtu}});
    const auto key = [](const Port& port, unsigned vid) {
      return static_cast<std::uint32_t>(port.id.value) << kVidBits | vid;
    };
    for (const Port* link : links) set("vid", key(*link, number), {{"service", number}});
    if (side.vlan)
      set("vid", key(customer, side.vlan->value), {{"service", number}});
    else if (side.untagged)
      set("attachment", customer.id.value, {{"untagged_valid", 1}, {"untagged_service", number}});
    else
      set("attachment", customer.id.value, {{"whole_valid", 1}, {"whole_service", number}});
  }

  const Region& region_;
  const Site& site_;
  const TableImage& current_;
  TableImage tables_;
};

/// The same on every run, and another one for every card of the region.
std::uint32_t hashSeed(const Region& region, const Node& node) {
  const std::string identity = region.name + "/" + node.site + "/" + std::to_string(node.card);
  boost::crc_32_type crc;
  crc.process_bytes(identity.data(), identity.size());
  return crc.checksum();
}

/// Entries compare by all their fields; one that is not there is zero.
bool same(const driver::Entry& a, const driver::Entry& b) {
  const auto covers = [](const driver::Entry& one, const driver::Entry& other) {
    return std::all_of(one.begin(), one.end(), [&](const auto& field) {
      const auto found = other.find(field.first);
      return field.second == (found == other.end() ? 0 : found->second);
    });
  };
  return covers(a, b) && covers(b, a);
}

/// Buckets of a group come by the hundred.
bool comesInMasses(const std::string& table) {
  return table == "bucket" || table == "lag";
}

}  // namespace

Desired desiredTables(const Region& region, const Node& node, unsigned card_ports, const TableImage& current) {
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
  return {Builder(region, *site, current).build(), {hashSeed(region, node), region.ecmp.symmetric}};
}

std::vector<Step> plan(const TableImage& current, const TableImage& desired) {
  std::vector<Step> steps;
  for (const char* table : kChildrenFirst) {
    const auto& have = entriesOf(current, table);
    for (const auto& [index, entry] : entriesOf(desired, table)) {
      const auto found = have.find(index);
      if (found == have.end())
        steps.push_back({table, index, entry, Step::Kind::add});
      else if (!same(found->second, entry))
        steps.push_back({table, index, entry, Step::Kind::change});
    }
  }
  for (auto table = kChildrenFirst.rbegin(); table != kChildrenFirst.rend(); ++table) {
    const auto& want = entriesOf(desired, *table);
    for (const auto& [index, entry] : entriesOf(current, *table)) {
      if (want.count(index) == 0) steps.push_back({*table, index, {}, Step::Kind::remove});
    }
  }
  return steps;
}

std::vector<std::string> describe(const std::vector<Step>& steps) {
  static constexpr const char* kVerbs[] = {"add", "change", "remove"};
  std::vector<std::string> lines;
  for (std::size_t i = 0, next = 0; i < steps.size(); i = next) {
    const Step& step = steps[i];
    const auto more = [&](const Step& other) {
      return comesInMasses(step.table) && other.table == step.table && other.kind == step.kind &&
             other.index >> kBucketBits == step.index >> kBucketBits;
    };
    for (next = i + 1; next < steps.size() && more(steps[next]);) ++next;
    std::string text = std::string(kVerbs[static_cast<int>(step.kind)]) + " " + step.table + " ";
    if (next - i > 1) {
      text += std::to_string(step.index) + " to " + std::to_string(steps[next - 1].index) + ": " +
              std::to_string(next - i) + " entries";
    } else {
      text += std::to_string(step.index);
      const char* separator = ": ";
      for (const auto& [name, value] : step.entry) {
        if (name == "valid") continue;
        text += separator + name + " " + std::to_string(value);
        separator = ", ";
      }
    }
    lines.push_back(std::move(text));
  }
  return lines;
}

void carryOut(const std::vector<Step>& steps, driver::Card& card) {
  for (auto step = steps.begin(); step != steps.end();) {
    const std::string& table = step->table;
    std::vector<std::pair<std::uint32_t, driver::Entry>> entries;
    for (; step != steps.end() && step->table == table; ++step) entries.emplace_back(step->index, step->entry);
    card.writeEntries(table, entries);
  }
}

TableImage readTables(driver::Card& card) {
  TableImage image;
  for (const card_map::Table& table : card_map::kTables) {
    auto entries = card.validEntries(table.name);
    if (!entries.empty()) image.emplace(table.name, std::move(entries));
  }
  return image;
}

}  // namespace poplink::host
