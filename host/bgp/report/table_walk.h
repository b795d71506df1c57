// SPDX-License-Identifier: Apache-2.0
// Both tables from the first prefix to the last, a few at a time, while they change. A prefix that is there all the
// time comes once; one that comes or goes meanwhile may or may not be seen.
#pragma once

#include "../speaker/speaker.h"

namespace poplink::host::bgp {

class TableWalk {
 public:
  /// nullopt: both families.
  explicit TableWalk(std::optional<Family> family)
      : family_(family.value_or(kIpv4Unicast)), both_(!family.has_value()) {}

  bool done() const { return done_; }

  /// Calls `visit.template operator()<Prefix>(id)` with at most so many numbers of prefixes. It says whether it has
  /// room for more: otherwise that was the last of the slice.
  template <class Visit>
  void slice(const Speaker& speaker, std::size_t prefixes, Visit&& visit) {
    if (done_) return;
    if (family_ == kIpv4Unicast)
      walk<Prefix4>(speaker, prefixes, visit);
    else
      walk<Prefix6>(speaker, prefixes, visit);
  }

 private:
  template <class Prefix, class Visit>
  void walk(const Speaker& speaker, std::size_t prefixes, Visit& visit) {
    const PrefixId bound = speaker.table<Prefix>().bound();
    for (; prefixes != 0 && at_ < bound; --prefixes)
      if (!visit.template operator()<Prefix>(at_++)) return;
    if (at_ < bound) return;
    at_ = 0;
    done_ = !both_ || family_ == kIpv6Unicast;
    family_ = kIpv6Unicast;
  }

  Family family_;
  bool both_;
  PrefixId at_ = 0;
  bool done_ = false;
};

}  // namespace poplink::host::bgp
