// SPDX-License-Identifier: Apache-2.0
// Next hops that can be reached: those on networks that this host is on, and those that somebody says so of.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "../wire/types.h"

namespace poplink::host::bgp {

using AnyPrefix = std::variant<Prefix4, Prefix6>;

bool contains(const AnyPrefix& prefix, const Address& address);

class Reachable {
 public:
  /// Networks of the host's interfaces.
  void setConnected(std::vector<AnyPrefix> prefixes) { connected_ = std::move(prefixes); }
  /// What else is taken as reachable.
  void setTaken(std::vector<AnyPrefix> prefixes) { taken_ = std::move(prefixes); }
  bool has(const Address& address) const { return in(connected_, address) || in(taken_, address); }

 private:
  static bool in(std::span<const AnyPrefix> prefixes, const Address& address);

  std::vector<AnyPrefix> connected_, taken_;
};

}  // namespace poplink::host::bgp
