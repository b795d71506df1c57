// SPDX-License-Identifier: Apache-2.0
#include "update_groups.h"

#include <algorithm>
#include <map>

#include "../wire/route_refresh.h"

namespace poplink::host::bgp {

namespace {

std::vector<std::uint8_t> endOfRib(UpdateForm form) {
  return UpdateBuilder::withdraw(form).take();
}

/// Messages of one flush, in a piece for each audience.
class Pieces : public UpdateSink {
 public:
  void update(const Audience& audience, std::vector<std::uint8_t> message) override {
    octets_ += message.size();
    std::vector<std::uint8_t>& octets = of(audience);
    octets.insert(octets.end(), message.begin(), message.end());
  }
  void tooLong(const Best& best) override { too_long_.push_back(best.peer); }

  std::size_t octets() const { return octets_; }
  void send(const std::vector<PeerIndex>& members, PeerLines& lines) {
    for (const PeerIndex source : too_long_)
      for (const PeerIndex member : members)
        if (member != source) lines.tooLong(member);
    for (auto& [audience, octets] : pieces_) {
      const auto piece = std::make_shared<const std::vector<std::uint8_t>>(std::move(octets));
      for (const PeerIndex member : members)
        if (audience.only == kNoPeer ? audience.except != member : audience.only == member) lines.send(member, piece);
    }
  }

 private:
  std::vector<std::uint8_t>& of(const Audience& audience) {
    for (auto& [known, octets] : pieces_)
      if (known == audience) return octets;
    return pieces_.emplace_back(audience, std::vector<std::uint8_t>()).second;
  }

  std::vector<std::pair<Audience, std::vector<std::uint8_t>>> pieces_;
  std::size_t octets_ = 0;
  std::vector<PeerIndex> too_long_;  ///< where such attributes came from
};

}  // namespace

template <class Prefix>
typename UpdateGroups<Prefix>::Group* UpdateGroups<Prefix>::find(PeerIndex peer) const {
  for (const GroupPointer& group : groups_)
    if (std::ranges::binary_search(group->out->members(), peer)) return group.get();
  return nullptr;
}

template <class Prefix>
typename UpdateGroups<Prefix>::Group& UpdateGroups<Prefix>::add(std::unique_ptr<AdjRibOut<Prefix>> out,
                                                                const ExportRules& rules) {
  groups_.push_back(
      std::make_unique<Group>(Group{std::move(out), RouteExporter<Prefix>(table_.store(), sources_, rules), {}, {}}));
  groups_.back()->number = ++made_;
  return *groups_.back();
}

template <class Prefix>
void UpdateGroups<Prefix>::join(PeerIndex peer, const ExportRules& rules, bool end_of_rib) {
  // With others who come at the same time.
  const auto begins = std::ranges::find_if(
      groups_, [&rules](const GroupPointer& one) { return one->out->untouched() && one->exporter.rules() == rules; });
  Group& group = begins != groups_.end() ? **begins : add(std::make_unique<AdjRibOut<Prefix>>(table_), rules);
  group.out->join(peer);
  group.out->walk(false);
  if (end_of_rib) group.owed.push_back({peer, endOfRib(group.exporter.form())});
  may_merge_ = true;
}

template <class Prefix>
void UpdateGroups<Prefix>::leave(PeerIndex peer) {
  Group* group = find(peer);
  if (group == nullptr) return;
  group->out->leave(peer);
  std::erase_if(group->owed, [peer](const Owed& owed) { return owed.peer == peer; });
  if (group->out->members().empty())
    std::erase_if(groups_, [group](const GroupPointer& one) { return one.get() == group; });
}

/// The peer's group, in which there is nobody else.
template <class Prefix>
typename UpdateGroups<Prefix>::Group& UpdateGroups<Prefix>::alone(PeerIndex peer) {
  Group& group = *find(peer);
  if (group.out->members().size() == 1) return group;
  Group& own = add(std::make_unique<AdjRibOut<Prefix>>(*group.out), group.exporter.rules());
  if (group.before) own.before.emplace(*group.before);
  move(peer, group, own);
  return own;
}

/// To a group that knows the same.
template <class Prefix>
void UpdateGroups<Prefix>::move(PeerIndex peer, Group& from, Group& to) {
  to.out->join(peer);
  for (const Owed& owed : from.owed)
    if (owed.peer == peer) to.owed.push_back(owed);
  std::erase_if(from.owed, [peer](const Owed& owed) { return owed.peer == peer; });
  from.out->leave(peer);
  may_merge_ = true;
}

/// The peer's group, in which all are told again: what new rules make something else of, or everything. Those of a
/// group that are to be told the same again at the same time stay together: what they know is copied once.
template <class Prefix>
typename UpdateGroups<Prefix>::Group& UpdateGroups<Prefix>::apart(PeerIndex peer, const ExportRules& rules,
                                                                  bool everything) {
  Group& from = *find(peer);
  // Who is in the middle of a walk may know some routes by rules that were there before these.
  everything = everything || !from.out->walked();
  const Split split{from.number, flushes_};
  for (const GroupPointer& one : groups_) {
    if (one->split != split || one->exporter.rules() != rules || one->before.has_value() == everything) continue;
    Group& to = *one;
    move(peer, from, to);
    if (from.out->members().empty())
      std::erase_if(groups_, [&from](const GroupPointer& other) { return other.get() == &from; });
    return to;
  }
  Group& own = alone(peer);
  if (&own != &from) own.split = split;
  if (everything)
    own.before.reset();
  else
    own.before.emplace(own.exporter);
  own.exporter.setRules(rules);
  own.out->walk(true);
  may_merge_ = true;  // it may have been alone before
  return own;
}

template <class Prefix>
void UpdateGroups<Prefix>::change(PeerIndex peer, const ExportRules& rules) {
  const Group* group = find(peer);
  if (group != nullptr && group->exporter.rules() != rules) apart(peer, rules, false);
}

template <class Prefix>
void UpdateGroups<Prefix>::refresh(PeerIndex peer, bool marks) {
  const Group* group = find(peer);
  if (group == nullptr) return;
  Group& own = apart(peer, ExportRules(group->exporter.rules()), true);
  // Who asks again meanwhile has it all before the same mark: asking makes nothing wait that has no bound. Who has not
  // had End-of-RIB yet has it all before that: no BoRR may come there (RFC 7313 section 4).
  if (!marks || std::ranges::find(own.owed, peer, &Owed::peer) != own.owed.end()) return;
  lines_.send(peer, std::make_shared<const std::vector<std::uint8_t>>(
                        encode(RouteRefresh{kFamilyOf<Prefix>, RefreshSubtype::begin})));
  own.owed.push_back({peer, encode(RouteRefresh{kFamilyOf<Prefix>, RefreshSubtype::end})});
}

template <class Prefix>
bool UpdateGroups<Prefix>::work(std::size_t prefixes) {
  if (held_) return false;
  for (std::size_t i = 0; i < groups_.size(); ++i) splitSlow(*groups_[i]);  // which adds some
  std::size_t left = prefixes;
  for (std::size_t i = 0; i < groups_.size() && left != 0; ++i) {
    turn_ = (turn_ + 1) % groups_.size();
    if (waits(*groups_[turn_])) left -= flush(*groups_[turn_], left);
  }
  if (may_merge_) merge();
  return std::ranges::any_of(groups_, [this](const GroupPointer& one) { return waits(*one); });
}

/// There is something to be told, to somebody who takes it.
template <class Prefix>
bool UpdateGroups<Prefix>::waits(const Group& group) const {
  return !(group.out->atRest() && group.owed.empty()) && canTakeMore(group);
}

template <class Prefix>
bool UpdateGroups<Prefix>::canTakeMore(const Group& group) const {
  return std::ranges::any_of(group.out->members(), [this](PeerIndex peer) { return lines_.backlog(peer) < kEnough; });
}

template <class Prefix>
void UpdateGroups<Prefix>::splitSlow(Group& group) {
  if (group.out->atRest() || group.out->members().size() == 1 || !canTakeMore(group)) return;
  Group* slow = nullptr;
  const std::vector<PeerIndex> members = group.out->members();
  for (const PeerIndex peer : members) {
    if (lines_.backlog(peer) <= kTooMuch) continue;
    if (slow == nullptr)
      slow = &alone(peer);
    else
      move(peer, group, *slow);
  }
}

/// Of how many prefixes?
template <class Prefix>
std::size_t UpdateGroups<Prefix>::flush(Group& group, std::size_t prefixes) {
  ++flushes_;
  Pieces pieces;
  const std::size_t some = std::min(prefixes, group.slice);
  group.out->flush(some, group.exporter, pieces, group.before ? &*group.before : nullptr);
  if (group.out->walked()) group.before.reset();
  if (pieces.octets() > kEnough / 2) group.slice = std::max(group.slice / 2, kLeastSlice);
  if (pieces.octets() < kEnough / 4) group.slice = std::min(group.slice * 2, kMostSlice);
  pieces.send(group.out->members(), lines_);
  if (group.out->atRest()) payOwed(group);
  return some;
}

template <class Prefix>
void UpdateGroups<Prefix>::payOwed(Group& group) {
  for (Owed& owed : group.owed)
    lines_.send(owed.peer, std::make_shared<const std::vector<std::uint8_t>>(std::move(owed.message)));
  group.owed.clear();
}

/// Groups of equal rules whose peers know everything know the same.
template <class Prefix>
void UpdateGroups<Prefix>::merge() {
  const auto at_rest = [](const Group& group) { return group.out->atRest() && group.owed.empty(); };
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (!at_rest(*groups_[i])) continue;
    for (std::size_t other = groups_.size(); --other > i;) {
      if (!at_rest(*groups_[other]) || groups_[other]->exporter.rules() != groups_[i]->exporter.rules()) continue;
      for (const PeerIndex peer : groups_[other]->out->members()) groups_[i]->out->join(peer);
      groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(other));
    }
  }
  may_merge_ = !std::ranges::all_of(groups_, [&](const GroupPointer& one) { return at_rest(*one); });
}

template <class Prefix>
const AdjRibOut<Prefix>* UpdateGroups<Prefix>::of(PeerIndex peer) const {
  const Group* group = find(peer);
  return group == nullptr ? nullptr : group->out.get();
}

template <class Prefix>
std::optional<Exported> UpdateGroups<Prefix>::exported(PeerIndex peer, const Best& best, const Prefix& prefix) const {
  Group* group = find(peer);
  if (group == nullptr || best.attributes == kNoAttributes || best.peer == peer) return std::nullopt;
  const auto verdict = group->exporter.judge(best, prefix);
  if (!verdict) return std::nullopt;
  return group->exporter.make(best, *verdict);
}

template <class Prefix>
Withheld UpdateGroups<Prefix>::withheld(PeerIndex peer, const Best& best, const Prefix& prefix) const {
  return best.peer == peer ? Withheld::own : find(peer)->exporter.withheld(best, prefix);
}

template class UpdateGroups<Prefix4>;
template class UpdateGroups<Prefix6>;

}  // namespace poplink::host::bgp
