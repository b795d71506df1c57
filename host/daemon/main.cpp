// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "../cli/commands.h"
#include "../cli/open_card.h"
#include "../cli/signals.h"
#include "../model/read_region.h"
#include "daemon.h"
#include "speaker_daemon.h"

namespace poplink::host {
namespace {

struct Options {
  std::string region, node;
  LogFormat format = LogFormat::text;
  Severity level = Severity::info;
  bool poll = false;
};

int serveSpeaker(const Options& options, const Node& node) {
  Log log(options.format, options.level, node.site);
  boost::asio::io_context context(1);
  SpeakerDaemon daemon(context, options.region, node, log);
  daemon.run([] { std::cout << "ready" << std::endl; });
  return kExitDone;
}

int serve(const Options& options) {
  const Node node = readNode(options.node);
  if (node.transport == "none") return serveSpeaker(options, node);
  readRegion(options.region);  // before the card is touched
  Log log(options.format, options.level, node.site);
  try {
    boost::asio::io_context context(1);
    Daemon daemon(context, {options.region, options.poll}, node, openCard(node, "poplinkd"), log);
    daemon.run([] { std::cout << "ready" << std::endl; });
  } catch (const driver::DriverError& error) {
    log.write({"card.lost", Severity::error, {}, {}, error.what()});
    return kExitCard;
  }
  return kExitDone;
}

int run(const Options& options) {
  try {
    return serve(options);
  } catch (const ConfigError& error) {
    std::cerr << error.what() << std::endl;
    return kExitConfig;
  } catch (const std::exception& error) {
    std::cerr << "poplinkd: " << error.what() << std::endl;
    return kExitCard;
  }
}

}  // namespace
}  // namespace poplink::host

int main(int argc, char** argv) {
  using namespace poplink::host;
  CLI::App app{
      "poplinkd: keeps one card as the region file says, and speaks LACP on its ports; without a card, a BGP speaker"};
  Options options;
  app.add_option("region", options.region,
                 "Region file; for a node with transport none, speaker file. SIGHUP reads it again")
      ->required();
  app.add_option("--node", options.node, "Node file: which card this is")->required();
  app.add_option("--log-format", options.format, "text (key=value) or json")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, LogFormat>{{"text", LogFormat::text}, {"json", LogFormat::json}}));
  app.add_option("--log-level", options.level, "info, warning or error")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Severity>{
          {"info", Severity::info}, {"warning", Severity::warning}, {"error", Severity::error}}));
  app.add_flag("--poll", options.poll, "Look every few milliseconds instead of waiting for interrupts");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  explainBusErrors("poplinkd");
  std::signal(SIGPIPE, SIG_IGN);  // a log or a client that is gone is no reason to end
  return run(options);
}
