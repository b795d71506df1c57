// SPDX-License-Identifier: Apache-2.0
// While poplinkd runs, it has the card, and commands ask it.
#pragma once

#include <functional>
#include <optional>

#include "../api/client.h"
#include "../model/region.h"

namespace poplink::host {

/// The daemon of the node's card; nothing: none runs. Throws DriverError when there is one that cannot be asked.
std::optional<api::Client> daemonOf(const Node& node);

/// What `question` gives. Refusals become what the commands throw for the same without a daemon: UsageError for a
/// request that is wrong, DriverError for everything else.
api::Json ask(const std::function<api::Json()>& question);

/// "poplinkd does not run for SITE card N (no answer at PATH)"; a BGP speaker has no card
std::string noDaemon(const Node& node);

}  // namespace poplink::host
