// SPDX-License-Identifier: Apache-2.0
#include "news_limit.h"

#include <utility>

namespace poplink::host::bgp {

std::optional<std::uint64_t> NewsLimit::allow(const std::string& kind, TimePoint now) {
  Kind& known = kinds_[kind];
  if (known.limit.allow(now)) return std::exchange(known.kept_back, 0);
  ++known.kept_back;
  return std::nullopt;
}

}  // namespace poplink::host::bgp
