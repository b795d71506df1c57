// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "report.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;
namespace reg = card_map::reg;
namespace field = card_map::field;

std::string hex(std::uint64_t value, int digits) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

std::string ids(std::uint16_t vendor, std::uint16_t device) {
  return hex(vendor, 4) + ":" + hex(device, 4);
}

Json orNull(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}
template <class Number>
Json orNull(const std::optional<Number>& number) {
  return number ? Json(*number) : Json();
}

Json link(const std::string& speed, unsigned width) {
  if (speed.empty() || width == 0) return {};
  return {{"speed", speed}, {"width", width}};
}

Json toJson(const driver::PciCard& card) {
  return {{"address", card.address},
          {"id", ids(card.vendor, card.device)},
          {"subsystem", ids(card.subsystem_vendor, card.subsystem)},
          {"class", hex(card.device_class, 6)},
          {"revision", card.revision},
          {"serial", card.serial ? Json(hex(*card.serial, 16)) : Json()},
          {"link", link(card.link_speed, card.link_width)},
          {"max_link", link(card.max_link_speed, card.max_link_width)},
          {"numa_node", orNull(card.numa_node)},
          {"iommu_group", orNull(card.iommu_group)},
          {"driver", orNull(card.driver)},
          {"owner", orNull(card.owner)}};
}

/// What the bus says of the card; null: it is on none.
Json onBus(const std::string& name, const driver::PciSystem& system) {
  if (!driver::pciAddress(name)) return {};
  for (const driver::PciCard& card : driver::listPciCards(system)) {
    if (card.address == name) return toJson(card);
  }
  return {};
}

Json toJson(const RegisterValue& value) {
  Json fields = Json::object();
  for (const card_map::RegisterField& one : value.which->fields) {
    if (one.readable) fields[std::string(one.name)] = one.bits.of(value.value);
  }
  return {{"register", value.which->name},
          {"index", orNull(value.index)},
          {"address", value.which->address + value.index.value_or(0) * value.which->stride},
          {"value", value.value},
          {"fields", fields}};
}

}  // namespace

Json reportCards(const driver::PciSystem& system) {
  Json cards = Json::array();
  for (const driver::PciCard& card : driver::listPciCards(system)) cards.push_back(toJson(card));
  return {{"cards", cards}};
}

Json reportCard(driver::Transport& card, const driver::PciSystem& system) {
  const driver::Access reads[] = {driver::Access::read(reg::kVersion),   driver::Access::read(reg::kGeometry),
                                  driver::Access::read(reg::kCoreClock), driver::Access::read(reg::kForwardLatency),
                                  driver::Access::read(reg::kStatus),    driver::Access::read(reg::kSerialLow),
                                  driver::Access::read(reg::kSerialHigh)};
  const std::vector<std::uint32_t> words = card.run(reads);
  const driver::Capabilities has = card.capabilities();
  const std::uint64_t serial = words[5] | static_cast<std::uint64_t>(words[6]) << 32;
  Json bus = onBus(card.name(), system);
  if (!bus.is_null()) {
    bus.erase("address");
    bus.erase("serial");
    bus.erase("owner");  // that is us
  }
  return {{"card", card.name()},
          {"serial", serial == 0 ? Json() : Json(hex(serial, 16))},
          {"register_map",
           std::to_string(field::kVersionMajor.of(words[0])) + "." + std::to_string(field::kVersionMinor.of(words[0]))},
          {"ready", field::kStatusReady.of(words[4]) != 0},
          {"ports", field::kGeometryPorts.of(words[1])},
          {"data_width", field::kGeometryDataWidth.of(words[1])},
          {"core_clock_khz", words[2]},
          {"forward_latency_cycles", words[3]},
          {"dma", has.dma},
          {"interrupt_vectors", has.vectors},
          {"pci", bus}};
}

Json reportRegisters(driver::Transport& card, const std::vector<RegisterRequest>& requests) {
  Json shown = Json::array();
  if (requests.empty()) {
    for (const RegisterValue& value : readRegisters(card)) shown.push_back(toJson(value));
  }
  for (const RegisterRequest& request : requests) {
    for (const RegisterValue& value : carryOut(card, request)) shown.push_back(toJson(value));
  }
  return {{"card", card.name()}, {"registers", shown}};
}

}  // namespace poplink::host
