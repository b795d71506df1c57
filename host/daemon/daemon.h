// SPDX-License-Identifier: Apache-2.0
// The shell around the card's agent: one io_context, one thread. Interrupts, timers and signals call in; state goes to
// its file; what happens goes to the log and to who listens.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "../api/router.h"
#include "../api/server.h"
#include "../capture/capture_hub.h"
#include "card_agent.h"
#include "event_feed.h"

namespace poplink::host {

struct DaemonOptions {
  std::string region_file;
  bool poll = false;  ///< without interrupts, also where the card has them
};

class Daemon {
 public:
  /// Takes the card over and brings it to what the region file says. The API answers from run() on. Throws ConfigError,
  /// DriverError, std::system_error (the API's socket).
  Daemon(boost::asio::io_context& context, const DaemonOptions& options, const Node& node, driver::Card card, Log& log);

  /// Until SIGINT or SIGTERM. The card stays as it is: forwarding, and repeating what LACP said last. `ready` is called
  /// once, when all is up. Throws DriverError when the card is lost.
  void run(const std::function<void()>& ready);

 private:
  LagSnapshots loadState();
  void saveState();
  void watch(int vector, bool of_ports);
  void awaitVector(boost::asio::posix::stream_descriptor& descriptor, bool of_ports);
  void awaitReload();
  void work();
  void sleep();
  void reload();
  void failed(const driver::DriverError& error);
  void addRoutes();
  api::Answer apply(const api::Request& request);

  boost::asio::io_context& context_;
  DaemonOptions options_;
  Node node_;
  driver::Card card_;
  EventFeed events_;
  std::unique_ptr<CaptureHub> captures_;
  std::unique_ptr<CardAgent> agent_;
  api::Router router_;
  std::unique_ptr<api::Server> server_;
  std::vector<std::unique_ptr<boost::asio::posix::stream_descriptor>> vectors_;
  boost::asio::steady_timer timer_;
  boost::asio::signal_set ends_, reloads_;
  std::chrono::steady_clock::time_point next_check_;
  bool state_unsaved_ = false;  ///< told already
};

}  // namespace poplink::host
