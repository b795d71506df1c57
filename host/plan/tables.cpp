// SPDX-License-Identifier: Apache-2.0
#include "tables.h"

#include <algorithm>
#include <array>

namespace poplink::host {

namespace {

// Referred to before referring: a VID names a service, a port names an attachment.
constexpr std::array<const char*, 4> kChildrenFirst = {"service", "attachment", "vid", "port"};

constexpr unsigned kVidBits = 12;

enum class CardRole : std::uint8_t { cross_connect = 0, vrack = 1, backbone = 2 };

class Builder {
 public:
  Builder(const Region& region, const Site& site) : region_(region), site_(site) {}

  Desired build() {
    for (const Service& service : region_.services) {
      if (service.pop.site == site_.name)
        add(service, service.pop, service.dc.site);
      else if (service.dc.site == site_.name)
        add(service, service.dc, service.pop.site);
    }
    return std::move(desired_);
  }

 private:
  void set(const char* table, std::uint32_t index, const driver::Entry& fields) {
    driver::Entry& entry = desired_.tables[table][index];
    for (const auto& [name, value] : fields) entry[name] = value;
    entry["valid"] = 1;
  }

  void addPort(const Port& port, CardRole role) {
    // A port outside a LAG is always Collecting; its attachment has its own number.
    set("port", port.id.value,
        {{"role", static_cast<std::uint64_t>(role)},
         {"collecting", 1},
         {"attachment", port.id.value},
         {"s_tpid", port.s_tpid}});
  }

  void add(const Service& service, const Attachment& side, const std::string& far_site) {
    const Port& customer = *site_.port(side.port);
    const std::vector<const Port*> links = backboneLinks(site_, far_site);
    const Port& backbone = *links.front();
    for (std::size_t i = 1; i < links.size(); ++i) {
      const std::string note = "backbone port " + std::to_string(links[i]->id.value) + " towards '" + far_site +
                               "' stays unused: one link carries all traffic";
      if (std::find(desired_.notes.begin(), desired_.notes.end(), note) == desired_.notes.end())
        desired_.notes.push_back(note);
    }
    const std::uint32_t number = service.tunnel_id.value;
    addPort(customer, customer.use == Use::vrack ? CardRole::vrack : CardRole::cross_connect);
    addPort(backbone, CardRole::backbone);
    set("service", number,
        {{"customer_port", customer.id.value},
         {"backbone_port", backbone.id.value},
         {"s_vid", number},
         {"s_tpid", backbone.s_tpid},
         {"pcp", service.pcp},
         {"mtu", service.mtu}});
    const auto key = [](const Port& port, unsigned vid) {
      return static_cast<std::uint32_t>(port.id.value) << kVidBits | vid;
    };
    set("vid", key(backbone, number), {{"service", number}});
    if (side.vlan)
      set("vid", key(customer, side.vlan->value), {{"service", number}});
    else if (side.untagged)
      set("attachment", customer.id.value, {{"untagged_valid", 1}, {"untagged_service", number}});
    else
      set("attachment", customer.id.value, {{"whole_valid", 1}, {"whole_service", number}});
  }

  const Region& region_;
  const Site& site_;
  Desired desired_;
};

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

const std::map<std::uint32_t, driver::Entry>& entriesOf(const TableImage& image, const char* table) {
  static const std::map<std::uint32_t, driver::Entry> kNone;
  const auto found = image.find(table);
  return found == image.end() ? kNone : found->second;
}

}  // namespace

Desired desiredTables(const Region& region, const Node& node, unsigned card_ports) {
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
  return Builder(region, *site).build();
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

std::string describe(const Step& step) {
  static constexpr const char* kVerbs[] = {"add", "change", "remove"};
  std::string text =
      std::string(kVerbs[static_cast<int>(step.kind)]) + " " + step.table + " " + std::to_string(step.index);
  const char* separator = ": ";
  for (const auto& [name, value] : step.entry) {
    if (name == "valid") continue;
    text += separator + name + " " + std::to_string(value);
    separator = ", ";
  }
  return text;
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
