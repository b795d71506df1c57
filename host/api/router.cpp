// SPDX-License-Identifier: Apache-2.0
#include "router.h"

#include <algorithm>

namespace poplink::host::api {

namespace {

using Segments = std::vector<std::string>;

Segments segmentsOf(const std::string& pattern) {
  Segments segments;
  for (std::size_t at = 1; at < pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at), pattern.size());
    segments.push_back(pattern.substr(at, end - at));
    at = end + 1;
  }
  return segments;
}

bool isParameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

/// Whether two patterns match the same paths.
bool samePaths(const Segments& a, const Segments& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const std::string& one, const std::string& other) {
    return one == other || (isParameter(one) && isParameter(other));
  });
}

bool matches(const Segments& pattern, const Segments& path) {
  return std::equal(pattern.begin(), pattern.end(), path.begin(), path.end(),
                    [](const std::string& a, const std::string& b) { return isParameter(a) ? !b.empty() : a == b; });
}

std::string pathOf(const Segments& path) {
  std::string text;
  for (const std::string& segment : path) text += "/" + segment;
  return text.empty() ? "/" : text;
}

}  // namespace

Router::Router() {
  add({"GET", "/v1", "what this API has", {}, [this](const Request&) {
         Json list = Json::array();
         for (const Route& route : routes_)
           list.push_back(
               {{"method", route.method}, {"path", route.path}, {"query", route.query}, {"text", route.text}});
         return toAnswer({{"routes", list}});
       }});
}

void Router::add(Route route) {
  for (const Route& one : routes_) {
    if (one.method == route.method && samePaths(segmentsOf(one.path), segmentsOf(route.path)))
      throw std::logic_error("two routes " + route.method + " " + route.path);
  }
  routes_.push_back(std::move(route));
}

std::string Router::allowed(const Segments& path) const {
  Segments methods;
  const auto addOnce = [&](const std::string& method) {
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) methods.push_back(method);
  };
  for (const Route& route : routes_) {
    if (!matches(segmentsOf(route.path), path)) continue;
    addOnce(route.method);
    if (route.method == "GET") addOnce("HEAD");
  }
  std::string text;
  for (const std::string& method : methods) text += (text.empty() ? "" : ", ") + method;
  return text;
}

Answer Router::answer(Request request) const {
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  for (const Route& route : routes_) {
    const Segments pattern = segmentsOf(route.path);
    if (route.method != method || !matches(pattern, request.path)) continue;
    for (const auto& [name, value] : request.query) {
      if (std::find(route.query.begin(), route.query.end(), name) == route.query.end())
        throw Refused(Status::bad_request, pathOf(request.path) + " knows no '" + name + "'", name);
    }
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (isParameter(pattern[i])) request.parameters[pattern[i].substr(1, pattern[i].size() - 2)] = request.path[i];
    }
    return route.handler(request);
  }
  if (const std::string methods = allowed(request.path); !methods.empty()) {
    Refused why(Status::method_not_allowed, pathOf(request.path) + " knows " + methods + ", not " + request.method);
    why.allow = methods;
    throw why;
  }
  throw Refused(Status::not_found, "there is no " + pathOf(request.path) + " here; GET /v1 shows what there is");
}

}  // namespace poplink::host::api
