// SPDX-License-Identifier: Apache-2.0
#include "daemon_client.h"

#include "commands.h"
#include "poplink/driver/error.h"

namespace poplink::host {

std::optional<api::Client> daemonOf(const Node& node) {
  try {
    return api::Client::connect(node.api);
  } catch (const api::ClientError& error) {
    throw driver::DriverError(error.what());
  }
}

api::Json ask(const std::function<api::Json()>& question) {
  try {
    return question();
  } catch (const api::ClientError& error) {
    if (error.status == api::Status::bad_request) throw UsageError(error.what());
    throw driver::DriverError(error.what());
  }
}

std::string noDaemon(const Node& node) {
  const std::string card = node.transport == "none" ? "" : " card " + std::to_string(node.card);
  return "poplinkd does not run for " + node.site + card + " (no answer at " + node.api + ")";
}

}  // namespace poplink::host
