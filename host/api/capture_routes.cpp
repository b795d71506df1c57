// SPDX-License-Identifier: Apache-2.0
#include "capture_routes.h"

#include <charconv>

#include "capture_record.h"
#include "stream.h"

namespace poplink::host::api {

namespace {

constexpr unsigned kLastService = 4095;

unsigned number(const std::string& text, unsigned last, const std::string& field) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value <= last) return value;
  throw Refused(Status::bad_request,
                "'" + field + "' must be a number from 0 to " + std::to_string(last) + ", not '" + text + "'", field);
}

/// Of "a,b,c", and of the same parameter again.
std::vector<std::string> listed(const Request& request, const std::string& name) {
  std::vector<std::string> list;
  for (const std::string& text : request.all(name)) {
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(',', at), text.size());
      list.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  return list;
}

CaptureWish wishOf(const Request& request) {
  std::vector<unsigned> ports;
  for (const std::string& text : listed(request, "ports")) ports.push_back(number(text, driver::kFromHost, "ports"));
  std::vector<std::string> outcomes = listed(request, "outcomes");
  if (outcomes.empty()) outcomes = {"dropped"};
  std::optional<unsigned> service;
  if (const auto text = request.one("service")) service = number(*text, kLastService, "service");
  try {
    return captureWish(ports, outcomes, service, request.flag("new_addresses"));
  } catch (const std::invalid_argument& error) {
    throw Refused(Status::bad_request, error.what(), "outcomes");
  }
}

}  // namespace

void captureRoutes(Router& router, CaptureHub& hub, driver::Transport& card, std::function<std::uint64_t()> now_us) {
  const auto start = [&hub, &card, now = std::move(now_us)](const CaptureWish& wish,
                                                            const std::shared_ptr<Stream>& stream) {
    const std::uint64_t offset_us = now() - driver::cardTime(card);
    // The stream owns the membership, and so must not be owned by it.
    auto membership = hub.join(wish, [weak = std::weak_ptr(stream), offset_us](const driver::HostFrame& frame) {
      if (const auto client = weak.lock()) client->send(captureRecord(frame, frame.us + offset_us));
    });
    stream->on_closed = [held = std::make_shared<std::unique_ptr<CaptureHub::Membership>>(std::move(membership))] {
      held->reset();
    };
  };
  router.add({"GET",
              "/v1/capture",
              "frames and why they did not go on, one after the other",
              {"ports", "outcomes", "service", "new_addresses"},
              [start](const Request& request) {
                const CaptureWish wish = wishOf(request);
                return Answer{
                    Status::ok, {}, [start, wish](const std::shared_ptr<Stream>& stream) { start(wish, stream); }};
              }});
}

}  // namespace poplink::host::api
