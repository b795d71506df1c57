// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "../model/read_region.h"
#include "../report/report.h"
#include "commands.h"
#include "daemon_client.h"
#include "open_card.h"
#include "print_table.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_object()) return value.at("speed").get<std::string>() + " x" + value.at("width").dump();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string hex(std::uint64_t value, int digits) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

int list(const CardOptions& options) {
  const Json report = reportCards(driver::PciSystem(options.choice.root));
  const Json& cards = report.at("cards");
  if (options.json) {
    std::cout << report.dump(2) << "\n";
  } else if (cards.empty()) {
    std::cout << "no cards\n";
  } else {
    constexpr const char* kColumns[] = {"address", "id", "serial", "link", "driver", "iommu_group", "owner"};
    std::vector<std::vector<std::string>> rows = {{kColumns, std::end(kColumns)}};
    for (const Json& card : cards) {
      std::vector<std::string>& row = rows.emplace_back();
      for (const char* column : kColumns) row.push_back(text(card.at(column)));
    }
    printTable(rows);
  }
  return kExitDone;
}

/// Of the card that a node file names.
std::optional<api::Client> daemonOf(const CardOptions& options) {
  return options.choice.node.empty() ? std::nullopt : host::daemonOf(readNode(options.choice.node));
}

Json infoOf(const CardOptions& options) {
  if (auto daemon = daemonOf(options)) return ask([&] { return daemon->get("/v1/card"); });
  const auto card = openTransport(options.choice, "poplink card info");
  driver::checkRegisterMap(*card);
  return reportCard(*card, driver::PciSystem(options.choice.root));
}

int info(const CardOptions& options) {
  Json about = infoOf(options);
  if (options.json) {
    std::cout << about.dump(2) << "\n";
    return kExitDone;
  }
  const Json bus = about.at("pci");
  about.erase("pci");
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

Json registersOf(const CardOptions& options) {
  std::vector<RegisterRequest> requests;
  try {
    for (const std::string& name : options.registers) requests.push_back(parseRegister(name));
  } catch (const RegisterError& error) {
    throw UsageError(error.what());
  }
  if (auto daemon = daemonOf(options)) {
    const bool writes =
        std::any_of(requests.begin(), requests.end(), [](const auto& one) { return one.value.has_value(); });
    std::string target = "/v1/card/registers";
    if (writes) return ask([&] { return daemon->put(target, {{"registers", options.registers}}); });
    for (const std::string& name : options.registers)
      target += (target.find('?') == std::string::npos ? "?name=" : "&name=") + api::encode(name);
    return ask([&] { return daemon->get(target); });
  }
  const auto card = openTransport(options.choice, "poplink card regs");
  driver::checkRegisterMap(*card);
  return reportRegisters(*card, requests);
}

/// A field that is the whole register says nothing more.
std::string decoded(const Json& shown) {
  std::string text_of;
  const std::string name = shown.at("register").get<std::string>();
  for (const card_map::Register& one : card_map::kRegisters) {
    if (one.name != name) continue;
    for (const card_map::RegisterField& part : one.fields) {
      const auto value = shown.at("fields").find(std::string(part.name));
      if (value == shown.at("fields").end() || part.bits.width == 32) continue;
      text_of += (text_of.empty() ? "" : ", ") + std::string(part.name) + " " + value->dump();
    }
  }
  return text_of;
}

int registers(const CardOptions& options) {
  const Json report = registersOf(options);
  if (options.json) {
    std::cout << report.dump(2) << "\n";
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows = {{"register", "address", "value", "fields"}};
  for (const Json& one : report.at("registers")) {
    const std::string index = one.at("index").is_null() ? "" : "[" + one.at("index").dump() + "]";
    rows.push_back({one.at("register").get<std::string>() + index, hex(one.at("address"), 5), hex(one.at("value"), 8),
                    decoded(one)});
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
