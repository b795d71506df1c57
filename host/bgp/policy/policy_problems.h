// SPDX-License-Identifier: Apache-2.0
// The rules for prefix lists and policies.
#pragma once

#include "policy_settings.h"
#include "setting_problem.h"

namespace poplink::host::bgp {

/// Is there a policy of this name, written down or not?
bool hasPolicy(const PolicyBook& book, const std::string& name);

/// What is wrong, with paths as {"policies", "from-customers", 0, "match", "prefix_list"}; empty: nothing.
std::vector<SettingProblem> findProblems(const PolicyBook& book);

}  // namespace poplink::host::bgp
