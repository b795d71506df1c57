// SPDX-License-Identifier: Apache-2.0
// What happens goes to the log, to the last events, and to who listens: `GET /v1/events`.
#pragma once

#include "../api/router.h"
#include "../api/stream.h"
#include "event_log.h"
#include "log.h"

namespace poplink::host {

class EventFeed {
 public:
  EventFeed(Log& log, std::string site) : log_(log), site_(std::move(site)) {}

  void tell(News news);
  /// `/v1/events`.
  void addRoute(api::Router& router);

 private:
  api::Json toJson(const LoggedEvent& event) const;
  api::Answer list(const api::Request& request);

  Log& log_;
  std::string site_;
  EventLog events_;
  api::Streams listeners_;
};

}  // namespace poplink::host
