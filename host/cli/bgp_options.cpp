// SPDX-License-Identifier: Apache-2.0
#include "bgp_options.h"

namespace poplink::host {

namespace {

CLI::App* addVerb(CLI::App& to, BgpOptions& options, const std::string& verb, const char* help) {
  CLI::App* command = to.add_subcommand(verb, help);
  command->callback([&options, verb] { options.verb = verb; });
  return command;
}

void addNode(CLI::App& command, BgpOptions& options) {
  command.add_option("--node", options.node, "Node file: which speaker")->required();
}

void addFamily(CLI::App& command, BgpOptions& options) {
  command.add_option("--family", options.family, "ipv4 or ipv6; otherwise both")
      ->check(CLI::IsMember({"ipv4", "ipv6"}));
}

void addPeer(CLI::App& command, BgpOptions& options) {
  command.add_option("NAME", options.peer, "The peer's name in the speaker file")->required()->option_text(" ");
}

void addClear(CLI::App& bgp_command, BgpOptions& options) {
  CLI::App* clear = addVerb(bgp_command, options, "clear", "End a session, so that it begins anew");
  CLI::Option* name = clear->add_option("NAME", options.peer, "The peer's name in the speaker file")->option_text(" ");
  clear->add_flag("--all", options.all, "All peers")->excludes(name);
  CLI::Option* soft = clear->add_flag("--soft", options.soft, "Both of the next two; sessions stay");
  CLI::Option* in =
      clear->add_flag("--soft-in", options.soft_in, "The peer's routes through import policy again")->excludes(soft);
  CLI::Option* out =
      clear->add_flag("--soft-out", options.soft_out, "Everything to the peer again")->excludes(soft)->excludes(in);
  clear->add_flag("--refresh", options.refresh, "Ask the peer for its routes again (RFC 2918)")
      ->excludes(soft)
      ->excludes(in)
      ->excludes(out);
  clear->add_option("--text", options.text, "For the peer's operator");
  clear->callback([&options] {
    options.verb = "clear";
    if (options.peer.empty() && !options.all) throw CLI::ValidationError("which peer? NAME or --all is required");
  });
}

}  // namespace

void addShowBgp(CLI::App& show, BgpOptions& options) {
  CLI::App* command = show.add_subcommand("bgp", "A BGP speaker: its peers (summary), neighbor, routes, advertised");
  command->require_subcommand(0, 1);
  command->fallthrough();
  addNode(*command, options);
  command->add_flag("--json", options.json, "Machine-readable output; of routes a line for each prefix");
  command->parse_complete_callback([&options] { options.verb = "summary"; });
  const auto add = [&](const char* verb, const char* help) {
    CLI::App* one = addVerb(*command, options, verb, help);
    one->fallthrough();
    return one;
  };
  add("summary", "The speaker and its peers, in short");
  add("neighbor", "All that is known of a peer, or of all")
      ->add_option("NAME", options.peer, "The peer's name in the speaker file")
      ->option_text(" ");
  CLI::App* routes = add("routes", "Routes of all peers, and why they are taken or not");
  CLI::Option* prefix = routes->add_option("PREFIX", options.prefix, "Only this prefix")->option_text(" ");
  routes->add_flag("--longer", options.longer, "Also prefixes within it")->needs(prefix);
  routes->add_option("--peer", options.peer, "Only routes of this peer");
  routes->add_flag("--best", options.best, "Only routes that are taken");
  addFamily(*routes, options);
  CLI::App* advertised = add("advertised", "What a peer was told");
  addPeer(*advertised, options);
  addFamily(*advertised, options);
}

void addBgpCommands(CLI::App& app, BgpOptions& options) {
  CLI::App* explain = app.add_subcommand("explain", "Why something is as it is");
  explain->require_subcommand(1);
  CLI::App* route = explain->add_subcommand("route", "Why a prefix is routed as it is, and told to whom");
  route->add_option("PREFIX", options.prefix, "Prefix or address; the longest match is explained")
      ->required()
      ->option_text(" ");
  addNode(*route, options);
  route->add_flag("--json", options.json, "Machine-readable output");
  route->callback([&options] { options.verb = "explain"; });

  CLI::App* command = app.add_subcommand("bgp", "Tell a BGP speaker what to do");
  command->require_subcommand(1);
  command->fallthrough();
  addNode(*command, options);
  command->add_flag("--json", options.json, "Machine-readable output");
  addClear(*command, options);
  CLI::App* shutdown =
      addVerb(*command, options, "shutdown", "End a session until it is started, or the speaker file is read again");
  addPeer(*shutdown, options);
  shutdown->add_option("--text", options.text, "For the peer's operator");
  addPeer(*addVerb(*command, options, "start", "Begin a session that was shut down"), options);
  addVerb(*command, options, "drain", "Ask all peers to send their traffic elsewhere (RFC 8326)");
  addVerb(*command, options, "undrain", "Ask them no more");
  addVerb(*command, options, "dump", "Write the tables to an MRT file")
      ->add_option("FILE", options.file, "poplinkd writes it")
      ->required()
      ->option_text(" ");
  for (CLI::App* one : command->get_subcommands([](CLI::App*) { return true; })) one->fallthrough();
}

}  // namespace poplink::host
