// SPDX-License-Identifier: Apache-2.0
#include "event_feed.h"

#include "../report/rfc3339.h"

namespace poplink::host {

using api::Json;

void EventFeed::tell(News news) {
  log_.write(news);
  events_.add({std::chrono::system_clock::now(), std::move(news)});
  listeners_.send(toJson(events_.events().back()));
}

void EventFeed::addRoute(api::Router& router) {
  router.add({"GET",
              "/v1/events",
              "What has happened; with follow=1 also what happens",
              {"follow"},
              [this](const api::Request& request) { return list(request); }});
}

Json EventFeed::toJson(const LoggedEvent& event) const {
  const auto number = [](const std::optional<unsigned>& value) { return value ? Json(*value) : Json(); };
  const News& news = event.news;
  return {{"time", rfc3339(event.time)},
          {"kind", news.kind},
          {"site", site_},
          {"port", number(news.port)},
          {"lag", number(news.lag)},
          {"peer", news.peer.empty() ? Json() : Json(news.peer)},
          {"text", news.text},
          {"severity", name(news.severity)}};
}

api::Answer EventFeed::list(const api::Request& request) {
  Json list = Json::array();
  for (const LoggedEvent& event : events_.events()) list.push_back(toJson(event));
  if (!request.flag("follow")) return api::toAnswer({{"events", list}});
  api::Answer answer;
  answer.stream = [this, list](const std::shared_ptr<api::Stream>& stream) {
    for (const Json& event : list) stream->send(event);
    listeners_.add(stream);
  };
  return answer;
}

}  // namespace poplink::host
