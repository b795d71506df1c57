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
  return "poplinkd does not run for " + node.site + " card " + std::to_string(node.card) + " (no answer at " +
         node.api + ")";
}

}  // namespace poplink::host
