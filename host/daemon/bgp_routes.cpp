// SPDX-License-Identifier: Apache-2.0
#include "bgp_routes.h"

#include "../bgp/config/read_values.h"
#include "../bgp/report/explain.h"
#include "../bgp/report/metrics.h"
#include "../bgp/report/peers.h"
#include "bgp_streams.h"

namespace poplink::host {

namespace {

using api::Answer;
using api::Refused;
using api::Request;
using api::Status;

constexpr const char* kMetricsType = "text/plain; version=0.0.4";

/// By the rules of the speaker file.
template <class Parse>
auto parsed(const std::string& text, const std::string& parameter, Parse parse) {
  Problems problems(parameter);
  const auto value = parse({text, {}}, problems);
  if (!value) throw Refused(Status::bad_request, problems.all().at(0).text, parameter);
  return *value;
}

bgp::AnyPrefix prefixOf(const std::string& text) {
  return parsed(text, "prefix", bgp::parsePrefix);
}

/// The prefix of one host.
bgp::AnyPrefix hostOf(const std::string& text) {
  const bgp::Address address = parsed(text, "address", bgp::parseAddress);
  if (const auto* four = std::get_if<bgp::Ipv4>(&address)) return bgp::Prefix4{*four, 32};
  return bgp::Prefix6{std::get<bgp::Ipv6>(address), 128};
}

std::optional<bgp::Family> familyOf(const Request& request) {
  const auto text = request.one("family");
  if (!text) return std::nullopt;
  if (*text == "ipv4") return bgp::kIpv4Unicast;
  if (*text == "ipv6") return bgp::kIpv6Unicast;
  throw Refused(Status::bad_request, "'family' is ipv4 or ipv6, not '" + *text + "'", "family");
}

/// A field of the body that may be missing.
std::string textOr(const Request& request, const std::string& field, const std::string& fallback) {
  return request.body.is_object() && request.body.contains(field) ? request.text(field) : fallback;
}

/// What a peer may be told of a shutdown or reset (RFC 9003).
std::string farewellOf(const Request& request) {
  const std::string text = textOr(request, "text", "");
  if (!text.empty() && bgp::shutdownData(text).size() != text.size() + 1)
    throw Refused(Status::bad_request, "'text' must be at most 255 octets of UTF-8 (RFC 9003)", "text");
  return text;
}

}  // namespace

void BgpRoutes::addTo(api::Router& router) {
  const auto get = [&](const char* path, const char* text, std::vector<std::string> query, api::Handler handler) {
    router.add({"GET", path, text, std::move(query), std::move(handler)});
  };
  const auto post = [&](const char* path, const char* text, api::Handler handler) {
    router.add({"POST", path, text, {}, std::move(handler)});
  };
  get("/v1/bgp", "the speaker and its peers, in short", {},
      [this](const Request&) { return api::toAnswer(bgp::reportSummary(speaker(), reportTime())); });
  get("/v1/bgp/neighbors", "all that is known of each peer", {},
      [this](const Request&) { return api::toAnswer(bgp::reportNeighbors(speaker(), reportTime())); });
  get("/v1/bgp/neighbors/{name}", "all that is known of a peer", {}, [this](const Request& request) {
    return api::toAnswer(bgp::reportNeighbor(speaker(), peerOf(request), reportTime()));
  });
  get("/v1/bgp/neighbors/{name}/advertised", "a stream: what the peer was told", {"family"},
      [this](const Request& request) { return advertised(request); });
  get("/v1/bgp/routes", "a stream: routes of all peers", {"family", "prefix", "longer", "peer", "best"},
      [this](const Request& request) { return routes(request); });
  get("/v1/bgp/explain", "why a prefix is routed as it is, and told to whom", {"prefix", "address"},
      [this](const Request& request) { return explain(request); });
  get("/metrics", "numbers for Prometheus", {}, [this](const Request&) { return metrics(); });
  post("/v1/bgp/neighbors/{name}/clear", "begins a session or its routes anew: {\"how\": \"hard\", \"text\": \"...\"}",
       [this](const Request& request) { return clear(request); });
  post("/v1/bgp/neighbors/{name}/shutdown", "ends a session until the speaker file is read again: {\"text\": \"...\"}",
       [this](const Request& request) { return shutdown(request, true); });
  post("/v1/bgp/neighbors/{name}/start", "begins one that was shut down",
       [this](const Request& request) { return shutdown(request, false); });
  post("/v1/bgp/drain", "asks all peers to send their traffic elsewhere, or not any more: {\"drain\": true}",
       [this](const Request& request) { return drain(request); });
  post("/v1/bgp/mrt", "writes the tables to a file: {\"file\": \"/absolute/path\"}",
       [this](const Request& request) { return dump(request); });
}

const bgp::Peering& BgpRoutes::peerOf(const Request& request) const {
  const std::string& name = request.parameters.at("name");
  const bgp::Peering* peering = speaker().peering(name);
  if (peering == nullptr) throw Refused(Status::not_found, "there is no peer '" + name + "'");
  return *peering;
}

Answer BgpRoutes::routes(const Request& request) const {
  RoutesAsked asked;
  asked.family = familyOf(request);
  if (const auto prefix = request.one("prefix")) asked.prefix = prefixOf(*prefix);
  asked.longer = request.flag("longer");
  asked.filter.best_only = request.flag("best");
  if (asked.longer && !asked.prefix) throw Refused(Status::bad_request, "'longer' than which prefix?", "longer");
  const bool six = asked.prefix && std::holds_alternative<bgp::Prefix6>(*asked.prefix);
  if (asked.prefix && asked.family && (*asked.family == bgp::kIpv6Unicast) != six)
    throw Refused(Status::bad_request, "the prefix is of the other family", "family");
  if (const auto peer = request.one("peer")) {
    const bgp::Peering* peering = speaker().peering(*peer);
    if (peering == nullptr) throw Refused(Status::bad_request, "there is no peer '" + *peer + "'", "peer");
    asked.filter.peer = peering->index;
  }
  return routesAnswer(context_, speaker(), asked);
}

Answer BgpRoutes::advertised(const Request& request) const {
  return advertisedAnswer(context_, speaker(), peerOf(request).settings.name, familyOf(request));
}

Answer BgpRoutes::explain(const Request& request) const {
  const auto prefix = request.one("prefix"), address = request.one("address");
  if (prefix.has_value() == address.has_value())
    throw Refused(Status::bad_request, "either 'prefix' or 'address' must be there", "prefix");
  return api::toAnswer(bgp::explainRoute(speaker(), prefix ? prefixOf(*prefix) : hostOf(*address), reportTime()));
}

Answer BgpRoutes::metrics() const {
  Answer answer;
  answer.plain = {kMetricsType, bgp::reportMetrics(speaker(), {shell_.tcp(), lag_.worst()}, reportTime())};
  return answer;
}

Answer BgpRoutes::clear(const Request& request) {
  const bgp::Peering& peering = peerOf(request);
  const std::string how = textOr(request, "how", "hard"), text = farewellOf(request);
  if (how != "hard" && how != "soft" && how != "soft_in" && how != "soft_out" && how != "refresh")
    throw Refused(Status::bad_request, "'how' is hard, soft, soft_in, soft_out or refresh, not '" + how + "'", "how");
  const auto now = reportTime().now;
  if (how == "hard") shell_.speaker().clear(peering.index, text, now);
  if (how == "refresh") shell_.speaker().askAgain(peering.index, now);
  if (how == "soft" || how == "soft_in") shell_.speaker().clearSoftIn(peering.index, now);
  if (how == "soft" || how == "soft_out") shell_.speaker().clearSoftOut(peering.index);
  told(peering.settings.name, "clear, " + how, text);
  return api::toAnswer({{"peer", peering.settings.name}, {"how", how}});
}

Answer BgpRoutes::shutdown(const Request& request, bool down) {
  const bgp::Peering& peering = peerOf(request);
  const std::string text = farewellOf(request);
  if (down)
    shell_.speaker().shutdown(peering.index, text, reportTime().now);
  else
    shell_.speaker().start(peering.index, reportTime().now);
  told(peering.settings.name, down ? "shutdown" : "start", text);
  return api::toAnswer({{"peer", peering.settings.name}, {"shutdown", down}});
}

Answer BgpRoutes::drain(const Request& request) {
  if (!request.body.is_object() || !request.body.contains("drain"))
    throw Refused(Status::bad_request, "'drain' must be true or false", "drain");
  const bool on = request.flag("drain", false);
  shell_.speaker().drain(on);
  told("", on ? "drain" : "drain ends", "");
  return api::toAnswer({{"drain", on}});
}

Answer BgpRoutes::dump(const Request& request) const {
  const std::string file = request.text("file");
  if (file.front() != '/') throw Refused(Status::bad_request, "'file' must be an absolute path", "file");
  return dumpAnswer(context_, speaker(), file);
}

/// The speaker was asked for something: it may have work, and the log should know who wanted that.
void BgpRoutes::told(const std::string& peer, const std::string& what, const std::string& text) {
  shell_.wake();
  tell_({"bgp.operator", bgp::NewsLevel::info, peer, what + (text.empty() ? "" : ": " + text)});
}

}  // namespace poplink::host
