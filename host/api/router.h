// SPDX-License-Identifier: Apache-2.0
// Which request is answered by whom. Routes are data, so that `GET /v1` can show them.
#pragma once

#include <string>
#include <vector>

#include "message.h"

namespace poplink::host::api {

struct Route {
  std::string method;              ///< GET, PUT, POST or DELETE; HEAD goes with GET
  std::string path;                ///< as "/v1/tables/{name}": what is in braces matches any segment
  std::string text;                ///< what it does, a line
  std::vector<std::string> query;  ///< parameters that it knows; any other is refused
  Handler handler{};
};

class Router {
 public:
  /// Knows `GET /v1`: the routes as `{"routes": [{"method", "path", "query", "text"}]}`.
  Router();
  Router(const Router&) = delete;  // that route shows this very router's
  Router& operator=(const Router&) = delete;

  /// Throws std::logic_error when the same method and paths are there already. Where two patterns match a
  /// path, the one that was added first answers.
  void add(Route route);
  const std::vector<Route>& routes() const { return routes_; }

  /// Throws Refused: no such path (404), a known path and another method (405), a query parameter that
  /// the route does not know (400); and what the handler throws.
  Answer answer(Request request) const;

 private:
  /// Methods of a path, "GET, HEAD, PUT"; empty: there is no such path.
  std::string allowed(const std::vector<std::string>& path) const;

  std::vector<Route> routes_;
};

}  // namespace poplink::host::api
