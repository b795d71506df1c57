// SPDX-License-Identifier: Apache-2.0
// An AdjRibOut with export rules and receivers that read what is sent, beside what they should know: for tests and for
// the fuzzer, so no test framework in here. What is wrong comes as words; empty: nothing.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "adj_rib_out.h"
#include "bgp_rib_lab.h"

namespace poplink::host::bgp {

/// Export rules by number: some routes are refused, for their set or (odd rules) for their prefix too; others get a MED
/// by which receivers can tell the rules, but for sets that 3 divides.
template <class Prefix>
class LabExporter : public Exporter<Prefix> {
 public:
  LabExporter(const AttributeStore& store, unsigned rule, UpdateForm how) : store_(store), rule_(rule), form_(how) {}

  void change(unsigned rule) { rule_ = rule; }
  unsigned rule() const { return rule_; }
  bool byPrefix() const override { return rule_ % 2 == 1; }
  std::optional<std::uint64_t> judge(const Best& best, const Prefix& prefix) override {
    const unsigned set = labSetOf(store_, best.attributes);
    if ((set + rule_) % 6 == 0 || best.peer % 7 == rule_ % 7) return std::nullopt;
    if (byPrefix() && (hashOf(prefix, kLabHashKey) + rule_) % 4 == 0) return std::nullopt;
    return (set % 3 == 0 ? 0 : 4 * rule_) + set % 2 + (byPrefix() ? 2 * (prefix.length % 2) : 0);
  }
  Exported make(const Best& best, std::uint64_t verdict) override {
    Bytes med;
    put32(med, static_cast<std::uint32_t>(verdict));
    const AttributeChange changes[] = {{AttributeType::multi_exit_disc, med},
                                       {AttributeType::local_pref, std::nullopt},
                                       {AttributeType::originator_id, std::nullopt},
                                       {AttributeType::cluster_list, std::nullopt}};
    const Bytes octets = withChanges(store_.canonical(best.attributes), changes);
    const auto last = static_cast<std::uint8_t>(verdict % 4 + 1);
    NextHop hop{Ipv4{0xC000'0200U + last}, {}};
    if (form_ != UpdateForm::ipv4) hop.address = Ipv6{0x20, 0x01, 0x0D, 0xB8, last};
    return {form_, hop, wireAttributes(octets, true)};
  }
  UpdateForm form() const override { return form_; }

 private:
  const AttributeStore& store_;
  unsigned rule_;
  UpdateForm form_;
};

/// What one peer has heard.
struct Heard {
  NextHop next_hop;
  Bytes canonical;
  friend bool operator==(const Heard&, const Heard&) = default;
};
template <class Prefix>
using Knowledge = std::map<Prefix, Heard>;

template <class Prefix>
class GroupLab : UpdateSink {
 public:
  /// A peer joins what nobody was told of.
  GroupLab(RouteTable<Prefix>& table, unsigned rule, UpdateForm form, PeerIndex peer)
      : table_(table), exporter_(table.store(), rule, form), out_(std::make_unique<AdjRibOut<Prefix>>(table)) {
    take(peer, {});
    out_->walk(false);
  }
  /// A slow peer goes its own way.
  GroupLab(GroupLab& from, PeerIndex peer)
      : table_(from.table_),
        exporter_(from.exporter_),
        before_(from.before_),
        out_(std::make_unique<AdjRibOut<Prefix>>(*from.out_)),
        again_(from.again_) {
    take(peer, from.leave(peer));
  }
  GroupLab(const GroupLab&) = delete;
  GroupLab& operator=(const GroupLab&) = delete;

  AdjRibOut<Prefix>& out() { return *out_; }
  const AdjRibOut<Prefix>& out() const { return *out_; }
  std::vector<PeerIndex> members() const { return out_->members(); }
  const Knowledge<Prefix>& knowledge(PeerIndex peer) { return known_[peer]; }
  std::size_t messages() const { return messages_; }
  std::size_t tooLongs() const { return too_longs_; }

  Knowledge<Prefix> leave(PeerIndex peer) {
    out_->leave(peer);
    return std::move(known_.extract(peer).mapped());
  }
  /// Whether both tell the same, and have told all of it.
  bool canMerge(const GroupLab& other) const {
    return exporter_.rule() == other.exporter_.rule() && exporter_.form() == other.exporter_.form() && out_->atRest() &&
           other.out_->atRest();
  }
  void takeAll(GroupLab& other) {
    for (const PeerIndex peer : other.members()) take(peer, other.leave(peer));
  }
  void walk(bool again) {
    if (again) before_.reset();
    again_ |= again || before_;  // where a walk for other rules has been, they are told once more
    out_->walk(again);
  }
  void changeRule(unsigned rule) {
    before_.reset();
    if (out_->walked()) before_.emplace(exporter_);
    again_ |= !before_;
    exporter_.change(rule);
    out_->walk(true);
  }

  std::string flush(std::size_t budget) {
    announced_.clear();
    out_->flush(budget, exporter_, *this, before_ ? &*before_ : nullptr);
    for (const auto& [prefix, news] : announced_) note(news || again_, "nothing is told twice");
    again_ = again_ && !out_->walked();
    if (out_->walked()) before_.reset();
    note(out_->waiting() <= 2 * std::size_t{table_.bound()}, "what waits is bounded");
    if (out_->atRest()) checkAtRest();
    return problem_;
  }
  /// With no more flushes than it takes if each gets on.
  std::string rest(std::size_t budget) {
    for (std::size_t left = 2 * out_->waiting() + 2; left != 0 && !out_->atRest(); --left) flush(budget);
    note(out_->atRest(), "all is told in the end");
    if (out_->atRest()) checkAtRest();
    return problem_;
  }

 private:
  void note(bool good, const char* what) {
    if (!good && problem_.empty()) problem_ = what;
  }
  void take(PeerIndex peer, Knowledge<Prefix> known) {
    out_->join(peer);
    known_[peer] = std::move(known);
  }

  /// What goes out by the rules, room or not.
  std::optional<Exported> wanted(PrefixId id) {
    const Best best = table_.best(id);
    if (best.attributes == kNoAttributes) return std::nullopt;
    const auto verdict = exporter_.judge(best, table_.prefix(id));
    if (!verdict) return std::nullopt;
    return exporter_.make(best, *verdict);
  }
  bool hasNoRoom(PrefixId id) {
    const auto route = wanted(id);
    return route && !UpdateBuilder::announce(route->form, route->next_hop, route->attributes).hasRoom();
  }
  void checkAtRest() {
    std::map<PeerIndex, Knowledge<Prefix>> expected;
    for (const PeerIndex peer : members()) expected[peer];
    for (PrefixId id = 0; id < table_.bound(); ++id) {
      if (table_.firstPath(id) == kNoPath) continue;
      const auto route = wanted(id);
      if (!route || hasNoRoom(id)) continue;
      for (auto& [peer, known] : expected)
        if (peer != table_.best(id).peer) known[table_.prefix(id)] = {route->next_hop, route->attributes};
    }
    note(expected == known_, "members know what they should");
    for (const auto& [peer, known] : known_) note(out_->advertised(peer) == known.size(), "advertised() is right");
  }

  void update(const Audience& audience, std::vector<std::uint8_t> message) override {
    ++messages_;
    std::size_t listeners = 0;
    const auto framed = nextMessage(message);
    const Message* whole = std::get_if<Message>(&framed);
    if (whole == nullptr || whole->type != MessageType::update || whole->size() != message.size())
      return note(false, "a message is one UPDATE");
    UpdateContext context;
    context.ipv6_unicast = context.extended_next_hop = true;
    const Update update = decodeUpdate(whole->body, context, *space_);
    note(update.findings.count() == 0 && !update.end_of_rib, "an UPDATE is right and says something");
    for (auto& [peer, known] : known_) {
      if (audience.only != kNoPeer ? peer != audience.only : peer == audience.except) continue;
      ++listeners;
      hear(known, update);
    }
    note(listeners != 0, "nothing is sent that nobody hears");
  }
  void hear(Knowledge<Prefix>& known, const Update& update) {
    const bool v6 = std::is_same_v<Prefix, Prefix6>;
    note((v6 ? kIpv6Unicast : kIpv4Unicast) == update.mp_announced.family || update.mp_announced.prefixes == 0,
         "the family is right");
    const auto withdrawn = [&](const Prefix& prefix) {
      if (known.erase(prefix) == 1) return;
      // Who is told that there is no room for the new route may not have had the old one.
      const PrefixId id = table_.find(prefix);
      note(id != kNoPrefix && hasNoRoom(id), "only what was told is withdrawn");
    };
    for (const Routes* routes : {&update.withdrawn, &update.mp_withdrawn})
      if (routes->prefixes != 0) forEachPrefix<Prefix>(routes->nlri, withdrawn);
    for (const AnnouncedRoutes* routes : {&update.announced, &update.mp_announced}) {
      if (routes->prefixes == 0) continue;
      const Heard heard{routes->next_hop, {update.canonical.begin(), update.canonical.end()}};
      forEachPrefix<Prefix>(routes->nlri, [&](const Prefix& prefix) {
        const auto found = known.find(prefix);
        announced_[prefix] |= found == known.end() || found->second != heard;
        known[prefix] = heard;
      });
    }
  }
  void tooLong(const Best& best) override {
    note(labSetOf(table_.store(), best.attributes) >= kFirstLongSet, "only long sets have no room");
    ++too_longs_;
  }

  RouteTable<Prefix>& table_;
  LabExporter<Prefix> exporter_;
  std::optional<LabExporter<Prefix>> before_;  ///< rules that a walk has to replace
  std::unique_ptr<AdjRibOut<Prefix>> out_;
  std::map<PeerIndex, Knowledge<Prefix>> known_;
  bool again_ = false;                ///< a walk tells everything
  std::map<Prefix, bool> announced_;  ///< in this flush; whether it was news
  std::size_t messages_ = 0, too_longs_ = 0;
  std::unique_ptr<DecodeSpace> space_ = std::make_unique<DecodeSpace>();
  std::string problem_;
};

}  // namespace poplink::host::bgp
