// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>

#include "../model/read_region.h"
#include "bgp_options.h"
#include "commands.h"
#include "daemon_client.h"
#include "print_bgp.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

/// "/v1/bgp/neighbors/NAME" and what is behind it.
std::string neighbor(const std::string& name, const std::string& behind = "") {
  return "/v1/bgp/neighbors/" + api::encode(name) + behind;
}

/// ask(), where a peer that is not there is the command line's fault.
Json askOf(const std::function<Json()>& question) {
  try {
    return question();
  } catch (const api::ClientError& error) {
    if (error.status == api::Status::not_found) throw UsageError(error.what());
    return ask([&]() -> Json { throw error; });
  }
}

/// Parameters of a request, those that are said.
std::string query(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters)
    if (!value.empty()) text += (text.empty() ? "?" : "&") + name + "=" + api::encode(value);
  return text;
}

/// Records of a stream to its end.
void eachRecord(api::Client& daemon, const std::string& target, const std::function<void(const Json&)>& take) {
  askOf([&]() -> Json {
    daemon.records("GET", target, {}, {}, [&](const Json& record) {
      take(record);
      return true;
    });
    return {};
  });
}

int showStream(api::Client& daemon, const std::string& target, bool json, RoutePrinter printer) {
  eachRecord(daemon, target, [&](const Json& record) {
    if (json)
      std::cout << record.dump() << "\n";
    else
      printer.add(record);
  });
  if (!json) printer.finish();
  return kExitDone;
}

int showRoutes(api::Client& daemon, const BgpOptions& options) {
  const std::string target = "/v1/bgp/routes" + query({{"prefix", options.prefix},
                                                       {"longer", options.longer ? "1" : ""},
                                                       {"peer", options.peer},
                                                       {"best", options.best ? "1" : ""},
                                                       {"family", options.family}});
  return showStream(daemon, target, options.json, RoutePrinter::ofPaths());
}

int print(const Json& report, bool json, void (*as_text)(const Json&)) {
  if (json)
    std::cout << report.dump(2) << "\n";
  else
    as_text(report);
  return kExitDone;
}

int showNeighbors(api::Client& daemon, const BgpOptions& options) {
  if (options.peer.empty())
    return print(askOf([&] { return daemon.get("/v1/bgp/neighbors"); }), options.json, printNeighbors);
  return print(askOf([&] { return daemon.get(neighbor(options.peer)); }), options.json, printNeighbor);
}

int explain(api::Client& daemon, const BgpOptions& options) {
  const char* what = options.prefix.find('/') == std::string::npos ? "address" : "prefix";
  const std::string target = "/v1/bgp/explain" + query({{what, options.prefix}});
  return print(askOf([&] { return daemon.get(target); }), options.json, printExplanation);
}

std::vector<std::string> namesOf(api::Client& daemon) {
  std::vector<std::string> names;
  const Json summary = askOf([&] { return daemon.get("/v1/bgp"); });
  for (const Json& peer : summary.at("peers")) names.push_back(peer.at("name"));
  return names;
}

/// An order, and what was done.
int order(api::Client& daemon, const std::string& target, const Json& body, bool json, const std::string& done) {
  const Json answer = askOf([&] { return daemon.post(target, body); });
  std::cout << (json ? answer.dump() : done) << "\n";
  return kExitDone;
}

Json withText(Json body, const std::string& text) {
  if (!text.empty()) body["text"] = text;
  return body;
}

int clear(api::Client& daemon, const BgpOptions& options) {
  const char* how = options.refresh    ? "refresh"
                    : options.soft     ? "soft"
                    : options.soft_in  ? "soft_in"
                    : options.soft_out ? "soft_out"
                                       : "hard";
  const std::vector<std::string> names = options.all ? namesOf(daemon) : std::vector{options.peer};
  for (const std::string& name : names)
    order(daemon, neighbor(name, "/clear"), withText({{"how", how}}, options.text), options.json,
          name + ": cleared (" + how + ")");
  return kExitDone;
}

int dump(api::Client& daemon, const BgpOptions& options) {
  const std::string file = std::filesystem::absolute(options.file);
  Json last;
  askOf([&]() -> Json {
    daemon.records("POST", "/v1/bgp/mrt", {{"file", file}}, {}, [&last](const Json& record) {
      last = record;
      return true;
    });
    return {};
  });
  if (last.contains("error")) throw driver::DriverError(last.at("error").at("message").get<std::string>());
  if (options.json) {
    std::cout << last.dump() << "\n";
    return kExitDone;
  }
  std::cout << file << ": " << last.at("prefixes") << " prefixes, " << last.at("paths") << " paths\n";
  if (last.at("left_out") != 0) std::cerr << last.at("left_out") << " paths have no place in the format\n";
  return kExitDone;
}

}  // namespace

int bgp(const BgpOptions& options) {
  const Node node = readNode(options.node);
  std::optional<api::Client> daemon = daemonOf(node);
  if (!daemon) throw driver::DriverError(noDaemon(node));
  const std::string& verb = options.verb;
  if (verb == "summary") return print(ask([&] { return daemon->get("/v1/bgp"); }), options.json, printSummary);
  if (verb == "neighbor") return showNeighbors(*daemon, options);
  if (verb == "routes") return showRoutes(*daemon, options);
  if (verb == "advertised")
    return showStream(*daemon, neighbor(options.peer, "/advertised") + query({{"family", options.family}}),
                      options.json, RoutePrinter::ofAdvertised());
  if (verb == "explain") return explain(*daemon, options);
  if (verb == "clear") return clear(*daemon, options);
  if (verb == "dump") return dump(*daemon, options);
  if (verb == "shutdown")
    return order(*daemon, neighbor(options.peer, "/shutdown"), withText(Json::object(), options.text), options.json,
                 options.peer + ": shut down until it is started, or the speaker file is read again");
  if (verb == "start")
    return order(*daemon, neighbor(options.peer, "/start"), Json::object(), options.json, options.peer + ": started");
  const bool drain = verb == "drain";
  return order(*daemon, "/v1/bgp/drain", {{"drain", drain}}, options.json,
               drain ? "all routes go out with GRACEFUL_SHUTDOWN" : "routes go out as they are");
}

}  // namespace poplink::host
