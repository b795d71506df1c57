// SPDX-License-Identifier: Apache-2.0
// poplinkd without a card: a BGP speaker in the network namespace it is started in. One io_context, one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <string>

#include "../api/router.h"
#include "../api/server.h"
#include "../bgp/net/speaker_shell.h"
#include "../model/region.h"
#include "bgp_routes.h"
#include "event_feed.h"
#include "loop_lag.h"

namespace poplink::host {

class SpeakerDaemon {
 public:
  /// Listens, and lets peers begin; the API answers from run() on. Throws ConfigError, std::system_error (a socket).
  SpeakerDaemon(boost::asio::io_context& context, const std::string& speaker_file, const Node& node, Log& log);

  /// Until SIGINT or SIGTERM. `ready` is called once, when all is up.
  void run(const std::function<void()>& ready);

 private:
  void tell(const bgp::PeerNews& news);
  void tellNotices(const bgp::SpeakerSettings& settings);
  void awaitReload();
  void reload();
  void addRoutes();
  api::Answer apply(const api::Request& request);
  std::vector<std::string> take(const bgp::SpeakerSettings& settings);
  void rememberRunning();

  boost::asio::io_context& context_;
  std::string file_;
  Node node_;
  EventFeed events_;
  LoopLag lag_;
  std::unique_ptr<bgp::SpeakerShell> shell_;
  std::unique_ptr<BgpRoutes> bgp_;
  api::Router router_;
  std::unique_ptr<api::Server> server_;
  boost::asio::signal_set ends_, reloads_;
};

}  // namespace poplink::host
