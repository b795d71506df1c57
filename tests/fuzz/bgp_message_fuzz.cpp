// SPDX-License-Identifier: Apache-2.0
// A stream of messages: framing ends, never reads past the stream, and NOTIFICATION and ROUTE-REFRESH that are
// understood are written as the same octets.
#include <algorithm>

#include "message.h"
#include "require.h"
#include "route_refresh.h"

using namespace poplink::host::bgp;

namespace {

void checkNotification(const Message& message, Octets whole) {
  const std::optional<Notification> notification = decodeNotification(message.body);
  require(notification.has_value());
  require(std::ranges::equal(encode(*notification), whole));
  require(!words(*notification).empty());
  const std::string text = shutdownText(*notification);
  require(shutdownData(text).size() == (text.empty() ? 0 : text.size() + 1));
}

void checkRouteRefresh(const Message& message, Octets whole) {
  const auto decoded = decodeRouteRefresh(message.body);
  if (const RouteRefresh* refresh = std::get_if<RouteRefresh>(&decoded))
    require(std::ranges::equal(encode(*refresh), whole));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> octets(data, data + size);
  for (Octets stream = octets;;) {
    const auto framed = nextMessage(stream);
    const Message* message = std::get_if<Message>(&framed);
    if (message == nullptr) return 0;
    const Octets whole = stream.first(message->size());
    if (message->type == MessageType::notification) checkNotification(*message, whole);
    if (message->type == MessageType::route_refresh) checkRouteRefresh(*message, whole);
    stream = stream.subspan(message->size());
  }
}
