// SPDX-License-Identifier: Apache-2.0
#include "daemon.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <filesystem>

#include "../api/capture_routes.h"
#include "../api/card_routes.h"
#include "../model/read_region.h"
#include "lag_report.h"
#include "poplink/driver/link_events.h"
#include "saved_state.h"

namespace poplink::host {

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPollPause = 5ms;   // without interrupts
constexpr int kCaptureTurns = 16;  // then LACP has its turn; an armed ring with something left fires at once
constexpr auto kCheckPause = 1s;   // between looks whether the card still is there

bool sameFile(const std::string& a, const std::string& b) {
  std::error_code error;
  return std::filesystem::equivalent(a, b, error);
}

}  // namespace

Daemon::Daemon(asio::io_context& context, const DaemonOptions& options, const Node& node, driver::Card card, Log& log)
    : context_(context),
      options_(options),
      node_(node),
      card_(std::move(card)),
      events_(log, node.site),
      captures_(std::make_unique<CaptureHub>(card_.transport())),
      timer_(context),
      ends_(context, SIGINT, SIGTERM),
      reloads_(context, SIGHUP),
      next_check_(Clock::now() + kCheckPause) {
  agent_ = std::make_unique<CardAgent>(card_, readRegion(options_.region_file), node_, loadState(),
                                       AgentHooks{[this](News news) { events_.tell(std::move(news)); },
                                                  [this](const driver::HostFrame& frame) { captures_->frame(frame); }},
                                       Clock::now());
  saveState();
  addRoutes();
  server_ = std::make_unique<api::Server>(context_, node_.api,
                                          [this](const api::Request& request) { return router_.answer(request); });
}

void Daemon::run(const std::function<void()>& ready) {
  const std::span<const int> vectors = options_.poll ? std::span<const int>() : card_.transport().vectors();
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const bool of_ports = i == driver::kEventVector;
    const bool of_ring = i < driver::kHostClasses;
    if (of_ring || of_ports) watch(vectors[i], of_ports);
  }
  ends_.async_wait([this](boost::system::error_code error, int) {
    if (!error) context_.stop();
  });
  awaitReload();
  events_.tell({"daemon.ready", Severity::info, {}, {}, card_.name() + ", " + node_.api});
  ready();
  work();
  context_.run();
  saveState();
  events_.tell({"daemon.stopped", Severity::info, {}, {}, "the card goes on by itself"});
}

void Daemon::awaitReload() {
  reloads_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    reload();
    awaitReload();
  });
}

void Daemon::watch(int vector, bool of_ports) {
  const int own = ::dup(vector);  // the transport's stays the transport's
  if (own < 0) throw std::system_error(errno, std::generic_category(), "interrupts");
  vectors_.push_back(std::make_unique<asio::posix::stream_descriptor>(context_, own));
  awaitVector(*vectors_.back(), of_ports);
}

void Daemon::awaitVector(asio::posix::stream_descriptor& descriptor, bool of_ports) {
  descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                        [this, &descriptor, of_ports](boost::system::error_code error) {
                          if (error) return;
                          std::uint64_t fired = 0;
                          static_cast<void>(::read(descriptor.native_handle(), &fired, sizeof fired));
                          if (of_ports) agent_->portsChanged();
                          work();
                          awaitVector(descriptor, of_ports);
                        });
}

void Daemon::work() {
  const auto now = Clock::now();
  if (now >= next_check_) {
    next_check_ = now + kCheckPause;
    agent_->check();
    captures_->check();
    agent_->portsChanged();
  }
  agent_->step(now);
  for (int turn = 0; turn < kCaptureTurns && captures_->poll() != 0; ++turn) {
  }
  captures_->arm();
  if (agent_->takeChanged()) saveState();
  sleep();
}

void Daemon::sleep() {
  auto until = std::min(agent_->deadline().value_or(next_check_), next_check_);
  if (vectors_.empty()) until = std::min(until, Clock::now() + kPollPause);
  timer_.expires_at(until);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) work();
  });
}

LagSnapshots Daemon::loadState() {
  std::string problem;
  try {
    const std::optional<std::string> text = readStateFile(node_.state);
    if (!text) return {};
    if (const auto saved = decodeState(*text, problem)) return *saved;
  } catch (const std::system_error& error) {
    problem = error.what();
  }
  events_.tell({"daemon.state", Severity::warning, {}, {}, "LAGs begin anew: " + node_.state + ": " + problem});
  return {};
}

void Daemon::saveState() {
  try {
    writeStateFile(node_.state, encodeState(agent_->lags().snapshots()));
    state_unsaved_ = false;
  } catch (const std::exception& error) {  // of the file system, in both its ways
    if (std::exchange(state_unsaved_, true)) return;
    events_.tell(
        {"daemon.state", Severity::warning, {}, {}, std::string("a restart will begin LAGs anew: ") + error.what()});
  }
}

void Daemon::reload() {
  try {
    agent_->apply(readRegion(options_.region_file), Clock::now());
  } catch (const ConfigError& error) {
    events_.tell({"config.refused", Severity::error, {}, {}, std::string("nothing was changed: ") + error.what()});
  } catch (const driver::DriverError& error) {
    failed(error);
  }
  work();
}

/// Half of a change may be done. Whether the card is lost, the next look at it says.
void Daemon::failed(const driver::DriverError& error) {
  events_.tell({"config.failed", Severity::error, {}, {}, std::string("not all was changed: ") + error.what()});
  next_check_ = Clock::now();
}

void Daemon::addRoutes() {
  api::cardRoutes(router_, card_);
  api::captureRoutes(router_, *captures_, card_.transport(), [] {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  });
  router_.add({"GET", "/v1/lags", "LAGs, their members, and why one is out", {}, [this](const api::Request&) {
                 return api::toAnswer(
                     lagReport(agent_->lags(), {Clock::now(), std::chrono::system_clock::now(),
                                                [this](unsigned port) { return agent_->repeated(port); }}));
               }});
  events_.addRoute(router_);
  router_.add(
      {"POST", "/v1/apply", "Reads the region file again, as SIGHUP does", {}, [this](const api::Request& request) {
         return apply(request);
       }});
}

api::Answer Daemon::apply(const api::Request& request) {
  const std::string file = request.text("file");
  if (!sameFile(file, options_.region_file)) {
    throw api::Refused(
        api::Status::conflict,
        "poplinkd serves " + options_.region_file + ", not " + file + ": change that file, or start it with the other",
        "file");
  }
  try {
    const Region region = readRegion(options_.region_file);
    if (request.flag("dry_run", false)) {
      Changes changes = agent_->difference(region);
      changes.dry_run = true;
      return api::toAnswer(host::toJson(changes));
    }
    const Changes changes = agent_->apply(region, Clock::now());
    asio::post(context_, [this] { work(); });  // other deadlines, another state to save
    return api::toAnswer(host::toJson(changes));
  } catch (const ConfigError& error) {
    throw api::Refused(api::Status::bad_request, error.what(), "file");
  } catch (const driver::DriverError& error) {
    failed(error);
    throw;
  }
}

}  // namespace poplink::host
