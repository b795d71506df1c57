// SPDX-License-Identifier: Apache-2.0
// The rules for prefix lists and policies.
#pragma once

#include "../policy/policy_settings.h"
#include "setting_problem.h"

namespace poplink::host::bgp {

/// So many of our own AS at most in front of a path: longer ones are refused on the way by some.
inline constexpr unsigned kMostPrepended = 32;

/// Is there a policy of this name, written down or not?
bool hasPolicy(const PolicyBook& book, const std::string& name);

/// Adds what is wrong, with paths as {"policies", "from-customers", 0, "match", "prefix_list"}.
void checkPolicies(const PolicyBook& book, const SettingRules& rules);

}  // namespace poplink::host::bgp
