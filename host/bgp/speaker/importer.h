// SPDX-License-Identifier: Apache-2.0
// From what a peer says to a route that may be taken, or the reason why not (RFC 4271 section 9.1.2).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "../policy/policy.h"
#include "../rib/path.h"
#include "../wire/open.h"
#include "reachable.h"

namespace poplink::host::bgp {

/// Of one peer.
struct ImportRules {
  bool external = true;
  Asn local_as = 0;     ///< of the session
  Asn instance_as = 0;  ///< of the speaker, where that differs
  Asn peer_as = 0;
  RouterId router_id = 0;         ///< ours
  std::uint8_t allow_own_as = 0;  ///< as often our AS may be in a path
  bool first_as = true;           ///< the path begins with the peer's AS; not so with a route server (RFC 7947)
  std::optional<BgpRole> role{};  ///< ours
  std::vector<Address> own{};     ///< next hops that are ourselves
  std::optional<Address> near{};  ///< a peer one hop away, reachable as such
  std::shared_ptr<const Policy> policy;
  friend bool operator==(const ImportRules&, const ImportRules&) = default;
};

/// One UPDATE after the other: begin(), import() for each prefix of one family, end().
class Importer {
 public:
  Importer(AttributeStore& store, const Reachable& reachable) : store_(store), reachable_(reachable) {}
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  /// Routes with these attributes follow. The rules stay until end().
  void begin(const ImportRules& rules, AttributesId received);
  /// With a reference to each of its sets of attributes.
  template <class Prefix>
  Imported import(const Prefix& prefix) {
    if (why_ != Ineligible::none) return refuse(why_);
    if (!judged_ || rules_->policy->dependsOnPrefix()) verdict_ = rules_->policy->judge(prefix, facts_, memo_);
    judged_ = true;
    return verdict_.accept ? take(verdict_.terms) : refuse(Ineligible::policy);
  }
  void end();

 private:
  Ineligible check() const;
  bool leaks() const;
  Imported refuse(Ineligible why);
  Imported take(std::uint64_t terms);
  AttributesId change(std::uint64_t terms);

  AttributeStore& store_;
  const Reachable& reachable_;
  const ImportRules* rules_ = nullptr;
  AttributesId received_ = kNoAttributes;
  PathFacts facts_;
  Ineligible why_ = Ineligible::none;
  bool judged_ = false;
  Policy::Memo memo_;
  Verdict verdict_;
  std::vector<std::pair<std::uint64_t, AttributesId>> changed_;  ///< by terms, each with a reference
};

}  // namespace poplink::host::bgp
