// SPDX-License-Identifier: Apache-2.0
// poplink: the operator's command.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "../config/problems.h"
#include "bgp_options.h"
#include "commands.h"
#include "poplink/card_map.h"
#include "poplink/driver/capture.h"
#include "poplink/driver/error.h"
#include "signals.h"

namespace {

using namespace poplink::host;

std::vector<std::string> tableNames() {
  std::vector<std::string> names;
  for (const auto& table : poplink::card_map::kTables) names.emplace_back(table.name);
  return names;
}

std::vector<std::string> outcomeNames() {
  std::vector<std::string> names = {"dropped", "forwarded", "all"};
  for (const auto& reason : poplink::card_map::kDropReasons) {
    if (poplink::driver::canCapture(reason.number)) names.emplace_back(reason.name);
  }
  return names;
}

int run(CLI::App& app, const ApplyOptions& apply_options, const ShowOptions& show_options,
        const CardOptions& card_options, const CaptureOptions& capture_options, const TapOptions& tap_options,
        const BgpOptions& bgp_options) {
  try {
    if (!bgp_options.verb.empty()) return bgp(bgp_options);
    if (app.got_subcommand("apply")) return apply(apply_options);
    if (app.got_subcommand("capture")) return capture(capture_options);
    if (app.got_subcommand("tap")) return tap(tap_options);
    return app.got_subcommand("show") ? show(show_options) : card(card_options);
  } catch (const UsageError& error) {
    std::cerr << "poplink: " << error.what() << "\n";
    return kExitUsage;
  } catch (const ConfigError& error) {
    std::cerr << error.what() << "\n";
    return kExitConfig;
  } catch (const poplink::driver::DriverError& error) {
    return cardFailed(error);
  } catch (const nlohmann::json::exception&) {  // a field is missing, or something else than here
    return cardFailed(poplink::driver::DriverError("poplinkd answers as another version than this poplink"));
  }
}

constexpr const char* kPollHelp = "Without interrupts: look every few milliseconds whether frames are there";

/// A card by name, or by a node file.
void addCardChoice(CLI::App& command, CardChoice& choice) {
  command.add_option("CARD", choice.card, "PCI address as 0000:03:00.0, serial:NUMBER or sim:SOCKET")->option_text(" ");
  command.add_option("--node", choice.node, "Node file: which card this is, instead of CARD");
  command.add_flag(
      "--iova-physical", choice.physical_addresses,
      "Share memory by physical addresses: for a host whose IOMMU does not translate for the card, no other");
  command.callback([&choice] {
    if (choice.node.empty() == choice.card.empty())
      throw CLI::ValidationError("which card? CARD or --node is required");
  });
}

void addTapCommand(CLI::App& command, TapOptions& options) {
  addCardChoice(command, options.choice);
  command.add_option("--port", options.port, "The card's port, one that no site uses")
      ->required()
      ->check(CLI::Range(0, 15));
  command.add_option("--interface", options.interface, "Name of the interface")->required();
  command.add_flag("--poll", options.poll, kPollHelp);
}

void addCaptureCommand(CLI::App& command, CaptureOptions& options) {
  addCardChoice(command, options.choice);
  command.add_option("--port", options.ports, "Only frames received on these ports; 16: sent by the host")
      ->delimiter(',')
      ->check(CLI::Range(0, 16));
  options.outcomes = {"dropped"};
  command.add_option("--outcome", options.outcomes, "dropped (default), forwarded, all, or drop reasons by name")
      ->delimiter(',')
      ->check(CLI::IsMember(outcomeNames()));
  command.add_option("--service", options.service, "Only frames of the service with this number")
      ->check(CLI::Range(0, 4095));
  command.add_flag("--new-addresses", options.new_addresses,
                   "Also forwarded frames whose source address is new on its port");
  command.add_option("--filter", options.filter, "Only what this expression matches, as tcpdump's");
  command.add_option("-w,--write", options.file, "Write pcapng to this file (-: standard output) instead of text");
  command.add_option("-c,--count", options.count, "Stop after so many frames");
  command.add_option("--seconds", options.seconds, "Stop after so long");
  command.add_flag("--poll", options.poll, kPollHelp);
}

/// A card is named on the command line, or by a node file as everywhere else.
void addCardCommands(CLI::App& card_command, CardOptions& options) {
  card_command.require_subcommand(1);
  const std::pair<const char*, const char*> verbs[] = {{"list", "Cards on this host's PCI buses"},
                                                       {"info", "What a card is and how it is reached"},
                                                       {"regs", "Show registers, or write some"}};
  for (const auto& [verb, help] : verbs) {
    CLI::App* command = card_command.add_subcommand(verb, help);
    command->add_flag("--json", options.json, "Machine-readable output");
    command->add_option("--root", options.choice.root, "Where /sys, /dev and /run begin");
    command->callback([&options, name = std::string(verb)] {
      options.verb = name;
      if (name == "list") return;
      // What is not the card's name is a register's.
      if (options.choice.node.empty() && !options.registers.empty()) {
        options.choice.card = options.registers.front();
        options.registers.erase(options.registers.begin());
      }
      if (options.choice.node.empty() && options.choice.card.empty())
        throw CLI::ValidationError("which card? CARD or --node is required");
      if (name == "info" && !options.registers.empty()) throw CLI::ValidationError("one card only: CARD or --node");
    });
    if (std::string(verb) == "list") continue;
    command->add_option("--node", options.choice.node, "Node file: which card this is, instead of CARD");
    const bool regs = std::string(verb) == "regs";
    const std::string help_of_card = "PCI address as 0000:03:00.0, serial:NUMBER or sim:SOCKET";
    command
        ->add_option("CARD", options.registers,
                     help_of_card + (regs ? "; then registers, as port_control[2].enable=0; none: all" : ""))
        ->option_text(regs ? "[NAME[=VALUE] ...]" : " ");
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"poplink: private links between PoPs and data centres"};
  app.require_subcommand(1);

  ApplyOptions apply_options;
  CLI::App* apply_command =
      app.add_subcommand("apply", "Bring a card's tables to what the region file says, or a BGP speaker to its file");
  apply_command->add_option("region", apply_options.region, "Region file; of a node without a card, speaker file")
      ->required();
  apply_command->add_option("--node", apply_options.node, "Node file: which card this is")->required();
  CLI::Option* dry_run =
      apply_command->add_flag("--dry-run", apply_options.dry_run, "Show what would change and change nothing");
  CLI::Option* json = apply_command->add_flag("--json", apply_options.json, "Machine-readable output");
  CLI::Option* image =
      apply_command
          ->add_option("--image", apply_options.image, "Write the tables to this file (JSON) instead of a card")
          ->excludes(dry_run)
          ->excludes(json);
  apply_command
      ->add_flag("--lacp-up", apply_options.lacp_up,
                 "In the image, all ports of LAGs are in service, as if LACP had come up")
      ->needs(image);

  ShowOptions show_options;
  CLI::App* show_command = app.add_subcommand("show", "Show what a card or a BGP speaker does");
  show_command->require_subcommand(1);
  const std::pair<const char*, const char*> nouns[] = {
      {"service", "Services with their counters"},
      {"port", "Ports: role, link, speed, light, lock, traffic, module"},
      {"counter", "Traffic and drops by reason"},
      {"ecmp", "Groups of next hops: members, shares, traffic, active flows (per link)"},
      {"table", "Entries of the card's tables"},
      {"lag", "LAGs and their members: who carries traffic, and why not"},
      {"event", "What has happened: to the card and its LAGs, or to BGP sessions"}};
  for (const auto& [noun, help] : nouns) {
    CLI::App* command = show_command->add_subcommand(noun, help);
    command->add_option("--node", show_options.node, "Node file: which card")->required();
    command->add_flag("--json", show_options.json, "Machine-readable output");
    if (std::string(noun) == "table")
      command->add_option("name", show_options.table, "Only this table")->check(CLI::IsMember(tableNames()));
    if (std::string(noun) == "event")
      command->add_flag("--follow", show_options.follow, "Also those that come, until Ctrl-C");
    command->callback([&show_options, name = std::string(noun)] { show_options.noun = name; });
  }
  BgpOptions bgp_options;
  addShowBgp(*show_command, bgp_options);
  addBgpCommands(app, bgp_options);
  CardOptions card_options;
  addCardCommands(*app.add_subcommand("card", "Cards of this host and their registers"), card_options);
  CaptureOptions capture_options;
  addCaptureCommand(*app.add_subcommand("capture", "Frames that a card dropped, and why; or others, as they came in"),
                    capture_options);
  TapOptions tap_options;
  addTapCommand(*app.add_subcommand("tap", "A port of the card as a network interface of this host"), tap_options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  explainBusErrors("poplink");
  return run(app, apply_options, show_options, card_options, capture_options, tap_options, bgp_options);
}
