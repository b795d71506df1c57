// SPDX-License-Identifier: Apache-2.0
#include "prefix_limit.h"

namespace poplink::host::bgp {

std::vector<std::string> problems(const LimitSettings& settings) {
  std::vector<std::string> result;
  if (settings.limit == 0) result.emplace_back("limit: must be at least 1");
  if (settings.warn_percent > 100) result.emplace_back("warn_percent: must not exceed 100");
  if (settings.restart && settings.action != LimitAction::shut) result.emplace_back("restart: needs the action shut");
  if (settings.restart && *settings.restart < std::chrono::seconds(1))
    result.emplace_back("restart: must be at least 1 s");
  return result;
}

/// Rounded up: with few prefixes a warning comes late rather than with the first one.
std::uint32_t PrefixLimit::nearCount() const {
  return static_cast<std::uint32_t>((std::uint64_t{settings_.limit} * settings_.warn_percent + 99) / 100);
}

LimitEvent PrefixLimit::rise() {
  if (!told_near_ && settings_.warn_percent != 0 && count_ >= nearCount()) {
    told_near_ = true;
    if (count_ <= settings_.limit) return LimitEvent::near;
  }
  if (told_exceeded_ || count_ <= settings_.limit) return LimitEvent::none;
  told_exceeded_ = true;
  return LimitEvent::exceeded;
}

PrefixLimit::Verdict PrefixLimit::announce(bool is_new) {
  if (!is_new) return {};
  if (count_ < settings_.limit || settings_.action == LimitAction::warn) {
    ++count_;
    return {true, rise()};
  }
  ++discarded_;
  if (told_exceeded_) return {false, LimitEvent::none};
  told_exceeded_ = true;
  return {false, LimitEvent::exceeded};
}

LimitEvent PrefixLimit::withdraw() {
  if (count_ > 0) --count_;
  if (count_ + slack() < nearCount()) told_near_ = false;
  if (!told_exceeded_ || settings_.action == LimitAction::shut) return LimitEvent::none;
  // One free place at least, also where a twentieth is none.
  if (count_ + slack() >= settings_.limit) return LimitEvent::none;
  told_exceeded_ = false;
  return settings_.action == LimitAction::discard ? LimitEvent::room : LimitEvent::none;
}

void PrefixLimit::reset() {
  count_ = 0;
  discarded_ = 0;
  told_near_ = told_exceeded_ = false;
}

LimitEvent PrefixLimit::configure(const LimitSettings& settings) {
  if (settings == settings_) return LimitEvent::none;
  const bool missing = settings_.action == LimitAction::discard && told_exceeded_;
  settings_ = settings;
  told_near_ = told_exceeded_ = false;
  const LimitEvent event = rise();
  if (event != LimitEvent::exceeded && missing && count_ < settings_.limit) return LimitEvent::room;
  return event;
}

}  // namespace poplink::host::bgp
