// SPDX-License-Identifier: Apache-2.0
// Adj-RIB-Out of one family for a group of peers that are told the same (RFC 4271 section 3.2): what they know, and
// which prefixes they are to be told of.
//
// What they know is kept as which route was the best one when they were told: 8 bytes a prefix. What exactly went out
// follows from that by export policy. A prefix whose best route changes waits in a queue, once, however often it
// changes; so what waits is bounded, and who is slow is told the newest only. flush() takes some from the queue and
// writes UPDATEs with as many prefixes of equal attributes in each as fit.
//
// A route does not go to the peer that it came from. So messages have an audience: all of the group but one, or one.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "../wire/update_builder.h"
#include "route_table.h"

namespace poplink::host::bgp {

/// What goes out of a route, by the rules of the group's peers.
struct Exported {
  UpdateForm form = UpdateForm::ipv4;
  NextHop next_hop;
  std::vector<std::uint8_t> attributes;  ///< as wireAttributes() gives them
  friend bool operator==(const Exported&, const Exported&) = default;
};

template <class Prefix>
class Exporter {
 public:
  virtual ~Exporter() = default;
  /// Whether judge() looks at the prefix.
  virtual bool byPrefix() const = 0;
  /// nullopt: it is not told. Otherwise what make() is to be given; equal numbers make equal attributes.
  virtual std::optional<std::uint64_t> judge(const Best& best, const Prefix& prefix) = 0;
  /// By attributes and verdict only.
  virtual Exported make(const Best& best, std::uint64_t verdict) = 0;
  /// False where it is cheap to see that make() makes different things of both.
  virtual bool mayBeAlike(const Best& /*one*/, const Best& /*other*/, std::uint64_t /*verdict_on_both*/) {
    return true;
  }
  /// How prefixes are withdrawn.
  virtual UpdateForm form() const = 0;
};

/// Who a message is for.
struct Audience {
  PeerIndex only = kNoPeer;    ///< this one, unless kNoPeer
  PeerIndex except = kNoPeer;  ///< otherwise all but this one
  friend bool operator==(const Audience&, const Audience&) = default;
};

class UpdateSink {
 public:
  virtual ~UpdateSink() = default;
  virtual void update(const Audience& audience, std::vector<std::uint8_t> message) = 0;
  /// Attributes that no message has room for: their routes are not told (RFC 4271 section 9.2).
  virtual void tooLong(const Best& best) = 0;
};

template <class Prefix>
class AdjRibOut {
 public:
  /// The table tells it of changes from now on. No peers yet, and nothing waits: walk() begins.
  explicit AdjRibOut(RouteTable<Prefix>& table);
  /// For peers that know what the other's know, and wait for the same; there are none yet.
  AdjRibOut(const AdjRibOut& other);
  AdjRibOut& operator=(const AdjRibOut&) = delete;
  ~AdjRibOut();

  void join(PeerIndex peer);
  void leave(PeerIndex peer);
  const std::vector<PeerIndex>& members() const { return members_; }

  /// The best route of a prefix is another one.
  void changed(PrefixId id);
  /// All prefixes, in their order, until walked(). `again`: also where nothing has changed since the peers were told.
  void walk(bool again);
  /// Nothing is known by the peers, and no walk has begun to tell them.
  bool untouched() const { return known_ == 0 && queue_.empty() && walk_at_ == 0; }
  bool walked() const { return walk_at_ == kNoPrefix; }
  /// Nothing waits.
  bool atRest() const { return walked() && queue_.empty(); }
  std::size_t waiting() const { return queue_.size() + (walked() ? 0 : table_.bound() - walk_at_); }
  /// Must the prefix keep its number?
  bool needs(PrefixId id) const {
    return id < told_.size() && (told_[id].waits || told_[id].attributes != kNoAttributes);
  }

  /// Messages for at most so many prefixes, where something else goes out than the peers were told. `before`: they were
  /// told by these rules where walk(true) comes; nullptr: walk(true) tells everything.
  void flush(std::size_t prefixes, Exporter<Prefix>& exporter, UpdateSink& sink, Exporter<Prefix>* before = nullptr);

  /// The route that the group knows of.
  Best told(PrefixId id) const { return id < told_.size() ? Best{told_[id].attributes, told_[id].peer} : Best{}; }
  /// Prefixes that `peer`, one of the group, knows.
  std::size_t advertised(PeerIndex peer) const;

 private:
  struct Told {
    AttributesId attributes = kNoAttributes;
    PeerIndex peer = kNoPeer;
    bool waits = false;  ///< in the queue, also where walk() has been meanwhile
  };
  static_assert(sizeof(Told) == 8);

  /// A prefix on its way into a message.
  struct Item {
    Best best;  ///< no attributes: it is withdrawn
    Audience audience;
    std::uint32_t order = 0;  ///< in which it came
    std::uint64_t verdict = 0;
    Prefix prefix;
    bool sameMessage(const Item& other) const {
      return best == other.best && verdict == other.verdict && audience == other.audience;
    }
  };
  /// A verdict that does not depend on the prefix.
  struct Judged {
    Best best;
    std::optional<std::uint64_t> verdict;
  };
  /// Whether the same goes out of two routes.
  struct Compared {
    AttributesId one = kNoAttributes, other = kNoAttributes;
    std::uint64_t verdict_on_one = 0, verdict_on_other = 0;
    bool same = false;
    friend bool operator==(const Compared&, const Compared&) = default;
  };

  bool isMember(PeerIndex peer) const { return peer < is_member_.size() && is_member_[peer]; }
  Audience allBut(PeerIndex peer) const { return {kNoPeer, isMember(peer) ? peer : kNoPeer}; }
  /// False: of those who would hear it there is none. A group is often just the one peer that has the routes.
  bool isHeard(const Audience& audience) const {
    return audience.only != kNoPeer || members_.size() > (audience.except != kNoPeer ? 1U : 0U);
  }
  void add(const Best& best, const Audience& audience, std::uint64_t verdict, PrefixId id);
  void collect(std::size_t prefixes, Exporter<Prefix>& exporter, Exporter<Prefix>* before);
  void visit(PrefixId id, Exporter<Prefix>& exporter, Exporter<Prefix>* by);
  std::optional<std::uint64_t> judge(const Best& best, PrefixId id, Exporter<Prefix>& exporter, Judged& last);
  bool looksTheSame(const Best& was, Exporter<Prefix>& by, const Best& is, Exporter<Prefix>& exporter,
                    std::uint64_t verdict, PrefixId id);
  void set(PrefixId id, const Best& best);
  void write(std::span<const Item> run, Exporter<Prefix>& exporter, UpdateSink& sink);
  void withdraw(std::span<const Item> run, const Audience& audience, UpdateForm form, UpdateSink& sink);

  RouteTable<Prefix>& table_;
  std::vector<PeerIndex> members_;
  std::vector<bool> is_member_;  ///< by PeerIndex
  Paged<Told> told_;             ///< by prefix
  std::deque<PrefixId> queue_;
  PrefixId walk_at_ = kNoPrefix;  ///< where walk() goes on
  bool walk_again_ = false;
  std::size_t known_ = 0;                  ///< prefixes that are told
  std::vector<std::uint32_t> known_from_;  ///< of them those of a peer, by PeerIndex
  std::vector<Item> items_;                ///< of the flush that runs
  Judged judged_, judged_was_;             ///< the last ones
  Compared compared_;                      ///< the last two
};

extern template class AdjRibOut<Prefix4>;
extern template class AdjRibOut<Prefix6>;

}  // namespace poplink::host::bgp
