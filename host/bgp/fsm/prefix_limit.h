// SPDX-License-Identifier: Apache-2.0
// How many prefixes of one family a peer may have in Adj-RIB-In. Pure: a counter and what comes of it; which prefix is
// new, the RIB knows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "negotiation.h"

namespace poplink::host::bgp {

enum class LimitAction : std::uint8_t {
  warn,     ///< takes them all and says so
  discard,  ///< takes no more than `limit`
  shut,     ///< ends the session: Cease, maximum number of prefixes reached (RFC 4486)
};

struct LimitSettings {
  std::uint32_t limit = 0;         ///< prefixes, 1 and more; as many are allowed
  std::uint8_t warn_percent = 80;  ///< of the limit, 1..100; 0: no warning before the limit
  LimitAction action = LimitAction::shut;
  std::optional<Duration> restart;  ///< after `shut` the session comes back so much later; none: by hand
  friend bool operator==(const LimitSettings&, const LimitSettings&) = default;
};

/// What is wrong with settings, each as "limit: must be at least 1"; empty: nothing.
std::vector<std::string> problems(const LimitSettings& settings);

/// What an operator, or the session, wants to know. Each comes once, and again only after the count has been well
/// below.
enum class LimitEvent : std::uint8_t {
  none,
  near,      ///< `warn_percent` is reached
  exceeded,  ///< one more than `limit`: for `shut` the session is to be ended
  /// `discard`: a twentieth of the limit is free again. What was discarded is not there: ask for it by ROUTE-REFRESH.
  room,
};

class PrefixLimit {
 public:
  struct Verdict {
    bool take = true;  ///< the prefix goes into Adj-RIB-In
    LimitEvent event = LimitEvent::none;
    friend bool operator==(const Verdict&, const Verdict&) = default;
  };

  /// `settings` have no problems().
  explicit PrefixLimit(const LimitSettings& settings) : settings_(settings) {}

  /// A prefix is announced. `is_new`: it is not in Adj-RIB-In; another route for one that is counts nothing.
  Verdict announce(bool is_new);
  /// A prefix that was in Adj-RIB-In has left it, withdrawn or swept.
  LimitEvent withdraw();
  /// Adj-RIB-In is empty, the session is over.
  void reset();
  /// Prefixes that are there stay, also above a new limit; announce() and the event say so.
  LimitEvent configure(const LimitSettings& settings);

  std::uint32_t count() const { return count_; }
  /// Announcements that were not taken since reset().
  std::uint64_t discarded() const { return discarded_; }
  const LimitSettings& settings() const { return settings_; }

 private:
  std::uint32_t nearCount() const;
  std::uint32_t slack() const { return settings_.limit / 20; }
  LimitEvent rise();

  LimitSettings settings_;
  std::uint32_t count_ = 0;
  std::uint64_t discarded_ = 0;
  bool told_near_ = false, told_exceeded_ = false;
};

}  // namespace poplink::host::bgp
