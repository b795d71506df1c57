// SPDX-License-Identifier: Apache-2.0
// Policies, made for judging a million routes a second: which routes are taken, and what is changed in them. Judging
// and changing are two steps, because a judgement is needed for each prefix and a change for each set of attributes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "community.h"
#include "path_expression.h"
#include "policy_settings.h"
#include "prefix_list.h"

namespace poplink::host::bgp {

struct Verdict {
  bool accept = false;
  std::uint64_t terms = 0;  ///< bit i: term i matched, does not reject, and what it sets holds
  int decided_by = -1;      ///< index of a term; -1: none did, so the route is refused
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

using PrefixLists = std::map<std::string, std::shared_ptr<const PrefixList>>;

/// One policy. Nothing changes in it, so that threads may share it.
class Policy {
 public:
  /// What judging has found out of one set of attributes. One for each policy and set of attributes: the prefixes that
  /// share them then cost little more than their prefix lists.
  class Memo {
    friend Policy;
    std::uint64_t known_ = 0;               ///< terms of which `holds_` is known
    std::uint64_t holds_ = 0;               ///< their communities and numbers match the attributes as they came
    std::optional<std::uint64_t> paths_{};  ///< terms whose expression matches the path
  };

  /// Of settings that findProblems() has nothing to say of; `lists` has all that they name.
  Policy(PolicySettings settings, const PrefixLists& lists);

  /// The first term that matches and does not say `next` decides. Communities and origin that earlier terms have set
  /// are there for those behind them; the path that terms match is the one that came, without what they prepend.
  /// Allocates nothing, except as PathExpression::matches() says.
  Verdict judge(const Prefix4& prefix, const PathFacts& facts, Memo& memo) const;
  Verdict judge(const Prefix6& prefix, const PathFacts& facts, Memo& memo) const;
  template <class Prefix>
  Verdict judge(const Prefix& prefix, const PathFacts& facts) const {
    Memo memo;
    return judge(prefix, facts, memo);
  }
  /// false: with the same attributes, the verdict is the same for all prefixes of a family.
  bool dependsOnPrefix() const { return depends_on_prefix_; }

  // `terms` of a verdict of this policy that accepts.

  /// false: apply() has nothing to do.
  bool changes(std::uint64_t terms) const { return (terms & changing_) != 0; }
  /// How many more AS numbers there shall be in front of the path, at most 255.
  std::uint8_t prepend(std::uint64_t terms) const;
  /// Canonical octets as the terms set them, in their order. Communities stay in the order of the peer, new ones come
  /// behind them, none twice; one that would make its attribute too long is left out. With an AS number `own`,
  /// that is prepended as prepend() says; with 0, prepending is left to the caller.
  std::vector<std::uint8_t> apply(Octets canonical, std::uint64_t terms, Asn own) const;

  const PolicySettings& settings() const { return settings_; }

 private:
  struct CommunityTest {
    CommunityOctets community;
    std::uint64_t added_by = 0, removed_by = 0;  ///< earlier terms after which it is there, or not
  };
  /// The compiled part of a term's match.
  struct Term {
    std::shared_ptr<const PrefixList> prefix_list;
    std::vector<CommunityTest> all_of, any_of;
    std::optional<PathExpression> as_path;
    std::uint64_t origin_by = 0;   ///< earlier terms that set the origin, if it is asked for
    std::uint64_t touched_by = 0;  ///< earlier terms that set anything that is asked for
  };

  Term compiled(std::size_t index, const PrefixLists& lists) const;
  CommunityTest testOf(const AnyCommunity& community, std::size_t index) const;
  template <class Prefix>
  Verdict judgeIn(Family family, const Prefix& prefix, const PathFacts& facts, Memo& memo) const;
  bool attributesHold(std::size_t index, const PathFacts& facts, std::uint64_t before, Memo& memo) const;
  bool attributesHold(std::size_t index, const PathFacts& facts, std::uint64_t before) const;
  bool pathHolds(std::size_t index, const PathFacts& facts, Memo& memo) const;

  PolicySettings settings_;
  std::vector<Term> terms_;  ///< as in the settings
  std::uint64_t changing_ = 0;
  bool depends_on_prefix_ = false;
};

/// All policies of a book, and those that are always there.
class Policies {
 public:
  /// Of a book that findProblems() has nothing to say of.
  explicit Policies(const PolicyBook& book);
  /// nullptr: there is none.
  std::shared_ptr<const Policy> find(std::string_view name) const;

 private:
  std::map<std::string, std::shared_ptr<const Policy>, std::less<>> policies_;
};

}  // namespace poplink::host::bgp
