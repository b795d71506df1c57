// SPDX-License-Identifier: Apache-2.0
// What is told of peers.
#include "speaker.h"

namespace poplink::host::bgp {

void Speaker::news(Peering& peering, const action::Tell& told) {
  std::string text = std::string(name(told.from));
  if (told.from != told.to) {
    text += std::string(" -> ") + name(told.to);
    peering.since = told.at;
    ++peering.counters.transitions;
  }
  std::string why;
  if (told.reason != EndReason{}) why = words(told.reason);
  if (told.notification) {
    peering.last_notification = {*told.notification, told.reason != EndReason::notification_received, told.at};
    why += (why.empty() ? "" : ": ") + words(*told.notification);
    if (const std::string said = shutdownText(*told.notification); !said.empty()) why += " \"" + said + "\"";
  }
  if (!why.empty()) {
    text += ", " + why;
    peering.last_error = {why, told.at};
  }
  const bool bad = told.from == State::Established && told.to != State::Established;
  PeerNews news{"bgp.session", bad ? NewsLevel::warning : NewsLevel::info, peering.settings.name, std::move(text)};
  // Sessions do not come and go often: IdleHoldTimer is between them. Attempts may.
  if (bad || told.to == State::Established)
    tell_(news);
  else
    tellSome(peering, std::move(news), told.at);
}

/// What a peer can make happen as often as it likes.
void Speaker::tellSome(Peering& peering, PeerNews news, TimePoint now) {
  const auto kept_back = peering.told.allow(news.kind, now);
  if (!kept_back) return;
  if (*kept_back != 0) news.text += ", and " + std::to_string(*kept_back) + " before it that were not told";
  tell_(news);
}

}  // namespace poplink::host::bgp
