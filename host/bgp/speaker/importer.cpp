// SPDX-License-Identifier: Apache-2.0
#include "importer.h"

#include <algorithm>

#include "common_rules.h"

namespace poplink::host::bgp {

void Importer::begin(const ImportRules& rules, AttributesId received) {
  rules_ = &rules;
  received_ = received;
  facts_ = readFacts(store_.canonical(received));
  why_ = check();
  judged_ = false;
  memo_ = {};
}

void Importer::end() {
  for (const auto& [terms, id] : changed_) store_.release(id);
  changed_.clear();
}

Ineligible Importer::check() const {
  const std::size_t own =
      timesInPath(facts_.as_path, rules_->local_as) +
      (rules_->instance_as != rules_->local_as ? timesInPath(facts_.as_path, rules_->instance_as) : 0);
  if (own > rules_->allow_own_as) return Ineligible::own_as;
  if (facts_.originator_id == rules_->router_id) return Ineligible::own_router_id;
  if (rules_->external && rules_->first_as && facts_.first_as != rules_->peer_as) return Ineligible::first_as;
  const Address& next_hop = store_.nextHop(received_).address;
  if (std::ranges::find(rules_->own, next_hop) != rules_->own.end()) return Ineligible::own_next_hop;
  if (rules_->near != next_hop && !reachable_.has(next_hop)) return Ineligible::next_hop_unreachable;
  return leaks() ? Ineligible::leak : Ineligible::none;
}

/// RFC 9234 section 5, ingress procedure 1 and 2.
bool Importer::leaks() const {
  if (!rules_->role || !facts_.only_to_customer) return false;
  if (*rules_->role == BgpRole::provider || *rules_->role == BgpRole::route_server) return true;
  return *rules_->role == BgpRole::peer && *facts_.only_to_customer != rules_->peer_as;
}

Imported Importer::refuse(Ineligible why) {
  store_.hold(received_);
  return {received_, kNoAttributes, why};
}

Imported Importer::take(std::uint64_t terms) {
  auto known = std::ranges::find(changed_, terms, &std::pair<std::uint64_t, AttributesId>::first);
  if (known == changed_.end()) known = changed_.insert(known, {terms, change(terms)});
  store_.hold(received_);
  store_.hold(known->second);
  return {received_, known->second, Ineligible::none};
}

/// What is used of the attributes after these terms of the policy.
AttributesId Importer::change(std::uint64_t terms) {
  std::vector<AttributeChange> changes;
  // RFC 8326 section 4: least preferred, whatever policy says.
  if (rules_->external && containsUnit(facts_.communities, kGracefulShutdownOctets))
    changes.push_back(setTo(AttributeType::local_pref, 0));
  // RFC 9234 section 5, ingress procedure 3.
  if (rules_->role && peerIsAbove(*rules_->role) && !facts_.only_to_customer)
    changes.push_back(setTo(AttributeType::only_to_customer, rules_->peer_as));
  const bool by_policy = rules_->policy->changes(terms);
  if (!by_policy && changes.empty()) {
    store_.hold(received_);
    return received_;
  }
  const Octets received = store_.canonical(received_);
  std::vector<std::uint8_t> canonical(received.begin(), received.end());
  if (by_policy) canonical = rules_->policy->apply(canonical, terms, rules_->local_as);
  if (!changes.empty()) canonical = withChanges(canonical, changes);
  return store_.intern(store_.nextHop(received_), canonical);
}

}  // namespace poplink::host::bgp
