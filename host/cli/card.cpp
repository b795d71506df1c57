// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "open_card.h"
#include "print_table.h"
#include "registers.h"

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

std::string text(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_object()) return value["speed"].get<std::string>() + " x" + value["width"].dump();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

int list(const CardOptions& options) {
  Json cards = Json::array();
  for (const driver::PciCard& card : driver::listPciCards(driver::PciSystem(options.choice.root)))
    cards.push_back(toJson(card));
  if (options.json) {
    std::cout << Json{{"cards", cards}}.dump(2) << "\n";
  } else if (cards.empty()) {
    std::cout << "no cards\n";
  } else {
    constexpr const char* kColumns[] = {"address", "id", "serial", "link", "driver", "iommu_group", "owner"};
    std::vector<std::vector<std::string>> rows = {{kColumns, std::end(kColumns)}};
    for (const Json& card : cards) {
      std::vector<std::string>& row = rows.emplace_back();
      for (const char* column : kColumns) row.push_back(text(card[column]));
    }
    printTable(rows);
  }
  return kExitDone;
}

/// What the bus says of the card; null: it is on none.
Json onBus(const std::string& name, const std::string& root) {
  if (!driver::pciAddress(name)) return {};
  for (const driver::PciCard& card : driver::listPciCards(driver::PciSystem(root))) {
    if (card.address == name) return toJson(card);
  }
  return {};
}

int info(const CardOptions& options) {
  const auto card = openTransport(options.choice, "poplink card info");
  driver::checkRegisterMap(*card);
  const driver::Access reads[] = {driver::Access::read(reg::kVersion),   driver::Access::read(reg::kGeometry),
                                  driver::Access::read(reg::kCoreClock), driver::Access::read(reg::kForwardLatency),
                                  driver::Access::read(reg::kStatus),    driver::Access::read(reg::kSerialLow),
                                  driver::Access::read(reg::kSerialHigh)};
  const std::vector<std::uint32_t> words = card->run(reads);
  const driver::Capabilities has = card->capabilities();
  const std::uint64_t serial = words[5] | static_cast<std::uint64_t>(words[6]) << 32;
  Json about = {{"card", card->name()},
                {"serial", serial == 0 ? Json() : Json(hex(serial, 16))},
                {"register_map", std::to_string(field::kVersionMajor.of(words[0])) + "." +
                                     std::to_string(field::kVersionMinor.of(words[0]))},
                {"ready", field::kStatusReady.of(words[4]) != 0},
                {"ports", field::kGeometryPorts.of(words[1])},
                {"data_width", field::kGeometryDataWidth.of(words[1])},
                {"core_clock_khz", words[2]},
                {"forward_latency_cycles", words[3]},
                {"dma", has.dma},
                {"interrupt_vectors", has.vectors}};
  Json bus = onBus(card->name(), options.choice.root);
  if (!bus.is_null()) {
    bus.erase("address");
    bus.erase("serial");
    bus.erase("owner");  // that is us
  }
  if (options.json) {
    about["pci"] = bus;
    std::cout << about.dump(2) << "\n";
    return kExitDone;
  }
  about.update(bus.is_null() ? Json::object() : bus);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : about.items()) {
    std::string words_of = key;
    std::replace(words_of.begin(), words_of.end(), '_', ' ');
    rows.push_back({words_of, text(value)});
  }
  printTable(rows);
  return kExitDone;
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

/// A field that is the whole register says nothing more.
std::string decoded(const RegisterValue& value) {
  std::string text_of;
  for (const card_map::RegisterField& one : value.which->fields) {
    if (!one.readable || one.bits.width == 32) continue;
    text_of += (text_of.empty() ? "" : ", ") + std::string(one.name) + " " + std::to_string(one.bits.of(value.value));
  }
  return text_of;
}

int registers(const CardOptions& options) {
  std::vector<RegisterRequest> requests;
  requests.reserve(options.registers.size());
  for (const std::string& name : options.registers) requests.push_back(parseRegister(name));
  const auto card = openTransport(options.choice, "poplink card regs");
  driver::checkRegisterMap(*card);
  std::vector<RegisterValue> values;
  if (requests.empty()) values = readRegisters(*card);
  for (const RegisterRequest& request : requests) {
    for (const RegisterValue& value : carryOut(*card, request)) values.push_back(value);
  }
  if (options.json) {
    Json shown = Json::array();
    for (const RegisterValue& value : values) shown.push_back(toJson(value));
    std::cout << Json{{"card", card->name()}, {"registers", shown}}.dump(2) << "\n";
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows = {{"register", "address", "value", "fields"}};
  for (const RegisterValue& value : values) {
    rows.push_back({value.name(), "0x" + hex(value.which->address + value.index.value_or(0) * value.which->stride, 5),
                    "0x" + hex(value.value, 8), decoded(value)});
  }
  printTable(rows);
  return kExitDone;
}

}  // namespace

int card(const CardOptions& options) {
  if (options.verb == "list") return list(options);
  return options.verb == "info" ? info(options) : registers(options);
}

}  // namespace poplink::host
