// SPDX-License-Identifier: Apache-2.0
// What is told of one peer: as often as the peer can make things happen, the log must not have them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "rate_limit.h"

namespace poplink::host::bgp {

class NewsLimit {
 public:
  using TimePoint = RateLimit::TimePoint;

  /// nullopt: nothing more of this kind now. Otherwise it may be told, and so many have been kept back since the last
  /// one of its kind that was. `now` does not go back.
  std::optional<std::uint64_t> allow(const std::string& kind, TimePoint now);

 private:
  struct Kind {
    RateLimit limit{10, std::chrono::seconds(10)};
    std::uint64_t kept_back = 0;
  };
  std::map<std::string, Kind> kinds_;
};

}  // namespace poplink::host::bgp
