// SPDX-License-Identifier: Apache-2.0
// Any request to the API: method, target and body, a line each. It is answered or refused as the API says, and what a
// path's parameter holds comes back when it is encoded again.
#include <cstdlib>

#include "router.h"

using namespace poplink::host::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

const Router& routes() {
  static Router router;
  static const bool added = [] {
    router.add({"GET", "/v1/tables/{name}", "", {"follow", "service"}, [](const Request& request) {
                  static_cast<void>(request.flag("follow"));
                  static_cast<void>(request.one("service"));
                  const std::string name = request.parameters.at("name");
                  if (parseRequest("GET", "/v1/tables/" + encode(name), "").path.back() != name) std::abort();
                  return toAnswer(name);
                }});
    router.add({"POST", "/v1/apply", "", {}, [](const Request& request) {
                  static_cast<void>(request.text("file"));
                  static_cast<void>(request.texts("registers"));
                  return toAnswer(request.flag("dry_run", false));
                }});
    return true;
  }();
  static_cast<void>(added);
  return router;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const std::size_t method = std::min(text.find('\n'), size), target = std::min(text.find('\n', method + 1), size);
  try {
    const auto part = [&](std::size_t begin, std::size_t end) {
      return begin < end ? text.substr(begin, end - begin) : std::string();
    };
    routes().answer(parseRequest(part(0, method), part(method + 1, target), part(target + 1, size)));
  } catch (const Refused& why) {
    if (static_cast<unsigned>(why.status) < 400 || std::string(why.what()).empty()) std::abort();
  }
  return 0;
}
