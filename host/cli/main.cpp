// SPDX-License-Identifier: Apache-2.0
// poplink: the operator's command.
#include <CLI/CLI.hpp>
#include <iostream>

#include "../config/problems.h"
#include "commands.h"
#include "poplink/card_map.h"
#include "poplink/driver/error.h"

namespace {

using namespace poplink::host;

std::vector<std::string> tableNames() {
  std::vector<std::string> names;
  for (const auto& table : poplink::card_map::kTables) names.emplace_back(table.name);
  return names;
}

int run(CLI::App& app, const ApplyOptions& apply_options, const ShowOptions& show_options) {
  try {
    return app.got_subcommand("apply") ? apply(apply_options) : show(show_options);
  } catch (const ConfigError& error) {
    std::cerr << error.what() << "\n";
    return kExitConfig;
  } catch (const poplink::driver::DriverError& error) {
    std::cerr << "poplink: " << error.what() << "\n";
    return kExitCard;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"poplink: private links between PoPs and data centres"};
  app.require_subcommand(1);

  ApplyOptions apply_options;
  CLI::App* apply_command = app.add_subcommand("apply", "Bring a card's tables to what the region file says");
  apply_command->add_option("region", apply_options.region, "Region file")->required();
  apply_command->add_option("--node", apply_options.node, "Node file: which card this is")->required();
  CLI::Option* dry_run =
      apply_command->add_flag("--dry-run", apply_options.dry_run, "Show what would change and change nothing");
  CLI::Option* json = apply_command->add_flag("--json", apply_options.json, "Machine-readable output");
  apply_command->add_option("--image", apply_options.image, "Write the tables to this file (JSON) instead of a card")
      ->excludes(dry_run)
      ->excludes(json);

  ShowOptions show_options;
  CLI::App* show_command = app.add_subcommand("show", "Show what a card does");
  show_command->require_subcommand(1);
  const std::pair<const char*, const char*> nouns[] = {
      {"service", "Services with their counters"},
      {"port", "Ports: role, link, traffic"},
      {"counter", "Traffic and drops by reason"},
      {"ecmp", "Groups of next hops: members, shares, traffic, active flows (per link)"},
      {"table", "Entries of the card's tables"}};
  for (const auto& [noun, help] : nouns) {
    CLI::App* command = show_command->add_subcommand(noun, help);
    command->add_option("--node", show_options.node, "Node file: which card")->required();
    command->add_flag("--json", show_options.json, "Machine-readable output");
    if (std::string(noun) == "table")
      command->add_option("name", show_options.table, "Only this table")->check(CLI::IsMember(tableNames()));
    command->callback([&show_options, name = std::string(noun)] { show_options.noun = name; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  return run(app, apply_options, show_options);
}
