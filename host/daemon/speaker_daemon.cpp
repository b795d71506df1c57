// SPDX-License-Identifier: Apache-2.0
#include "speaker_daemon.h"

#include <boost/asio/post.hpp>
#include <csignal>
#include <filesystem>

#include "../bgp/config/read_speaker.h"
#include "saved_state.h"

namespace poplink::host {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// How long last words may take.
constexpr auto kFarewell = 1s;

Severity severityOf(bgp::NewsLevel level) {
  switch (level) {
    case bgp::NewsLevel::info:
      return Severity::info;
    case bgp::NewsLevel::warning:
      return Severity::warning;
    case bgp::NewsLevel::error:
      return Severity::error;
  }
  return Severity::error;
}

bool restartsGracefully(const bgp::SpeakerSettings& settings) {
  return std::ranges::any_of(
      settings.peers, [](const bgp::PeerSettings& peer) { return peer.session.open.graceful_restart.has_value(); });
}

}  // namespace

SpeakerDaemon::SpeakerDaemon(asio::io_context& context, const std::string& speaker_file, const Node& node, Log& log)
    : context_(context),
      file_(speaker_file),
      node_(node),
      events_(log, node.site),
      lag_(context),
      ends_(context, SIGINT, SIGTERM),
      reloads_(context, SIGHUP) {
  const bgp::SpeakerSettings settings = bgp::readSpeaker(file_);
  const bool restarting = readStateFile(node_.state).has_value();
  shell_ = std::make_unique<bgp::SpeakerShell>(
      context_, settings, [this](const bgp::PeerNews& news) { tell(news); }, restarting);
  tellNotices(settings);
  rememberRunning();
  addRoutes();
  server_ = std::make_unique<api::Server>(context_, node_.api,
                                          [this](const api::Request& request) { return router_.answer(request); });
}

void SpeakerDaemon::run(const std::function<void()>& ready) {
  ends_.async_wait([this](boost::system::error_code error, int) {
    if (!error) context_.stop();
  });
  awaitReload();
  lag_.start();
  events_.tell({"daemon.ready", Severity::info, {}, {}, "BGP without a card, " + node_.api});
  ready();
  context_.run();
  shell_->stop();
  if (!restartsGracefully(shell_->speaker().settings())) std::filesystem::remove(node_.state);
  const auto until = std::chrono::steady_clock::now() + kFarewell;
  context_.restart();
  while (shell_->closing() != 0 && context_.run_one_until(until) != 0) {
  }
  events_.tell({"daemon.stopped", Severity::info, {}, {}, "sessions have ended"});
}

/// That a start that finds the file is a restart: peers may have kept our routes (RFC 4724).
void SpeakerDaemon::rememberRunning() {
  try {
    writeStateFile(node_.state, R"({"version": 1, "speaker": "running"})");
  } catch (const std::system_error& error) {
    events_.tell(
        {"daemon.state", Severity::warning, {}, {}, std::string("a restart will be a start: ") + error.what()});
  }
}

void SpeakerDaemon::tell(const bgp::PeerNews& news) {
  events_.tell({news.kind, severityOf(news.level), {}, {}, news.text, news.peer});
}

void SpeakerDaemon::tellNotices(const bgp::SpeakerSettings& settings) {
  for (const std::string& notice : bgp::notices(settings))
    events_.tell({"config.notice", Severity::warning, {}, {}, notice});
}

void SpeakerDaemon::awaitReload() {
  reloads_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    reload();
    awaitReload();
  });
}

std::vector<std::string> SpeakerDaemon::take(const bgp::SpeakerSettings& settings) {
  std::vector<std::string> changes = shell_->apply(settings);
  tellNotices(settings);
  std::string text = changes.empty() ? "nothing has changed" : "";
  for (const std::string& change : changes) text += (text.empty() ? "" : "; ") + change;
  events_.tell({"config.applied", Severity::info, {}, {}, text});
  return changes;
}

void SpeakerDaemon::reload() {
  try {
    take(bgp::readSpeaker(file_));
  } catch (const ConfigError& error) {
    events_.tell({"config.refused", Severity::error, {}, {}, std::string("nothing was changed: ") + error.what()});
  } catch (const std::system_error& error) {
    events_.tell({"config.failed", Severity::error, {}, {}, std::string("not all was changed: ") + error.what()});
  }
}

void SpeakerDaemon::addRoutes() {
  events_.addRoute(router_);
  bgp_ = std::make_unique<BgpRoutes>(context_, *shell_, lag_, [this](const bgp::PeerNews& news) { tell(news); });
  bgp_->addTo(router_);
  router_.add(
      {"POST", "/v1/apply", "Reads the speaker file again, as SIGHUP does", {}, [this](const api::Request& request) {
         return apply(request);
       }});
}

api::Answer SpeakerDaemon::apply(const api::Request& request) {
  const std::string file = request.text("file");
  std::error_code error;
  if (!std::filesystem::equivalent(file, file_, error))
    throw api::Refused(api::Status::conflict,
                       "poplinkd serves " + file_ + ", not " + file + ": change that file, or start it with the other",
                       "file");
  if (request.flag("dry_run", false))
    throw api::Refused(api::Status::bad_request, "a speaker file cannot be tried without doing it", "dry_run");
  try {
    return api::toAnswer({{"changes", take(bgp::readSpeaker(file_))}});
  } catch (const ConfigError& problem) {
    throw api::Refused(api::Status::bad_request, problem.what(), "file");
  } catch (const std::system_error& problem) {
    throw api::Refused(api::Status::unavailable, problem.what());
  }
}

}  // namespace poplink::host
