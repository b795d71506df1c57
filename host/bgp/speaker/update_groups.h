// SPDX-License-Identifier: Apache-2.0
// Who is told what, in groups: peers of equal rules share an Adj-RIB-Out and the messages made from it.
//
// A peer that has just come has a group of its own until it knows everything, then it joins its equals. A peer that
// does not take what is sent gets a group of its own as well, so that it holds up none of them; its group's messages
// are made when it takes them.
#pragma once

#include <memory>
#include <vector>

#include "exporter.h"
#include "outbox.h"

namespace poplink::host::bgp {

/// Connections to peers.
class PeerLines {
 public:
  virtual ~PeerLines() = default;
  /// Octets that wait for TCP.
  virtual std::size_t backlog(PeerIndex peer) const = 0;
  virtual void send(PeerIndex peer, const Piece& messages) = 0;
  /// Attributes that fit into no message to this peer: their routes are not told.
  virtual void tooLong(PeerIndex peer) = 0;
};

template <class Prefix>
class UpdateGroups {
 public:
  /// As long as a member has less than that waiting, more is made.
  static constexpr std::size_t kEnough = std::size_t{1} << 20;
  /// Who has more than that waiting, while others have not enough, gets a group of its own.
  static constexpr std::size_t kTooMuch = std::size_t{8} << 20;

  UpdateGroups(RouteTable<Prefix>& table, const std::vector<PathSource>& sources, PeerLines& lines)
      : table_(table), sources_(sources), lines_(lines) {}

  /// A peer that knows nothing: it is told everything, then End-of-RIB if that is wanted (RFC 4724 section 2).
  void join(PeerIndex peer, const ExportRules& rules, bool end_of_rib);
  /// Its session is over.
  void leave(PeerIndex peer);
  /// Other rules for a member, which is told what they change; the same ones change nothing.
  void change(PeerIndex peer, const ExportRules& rules);
  /// Everything again, between marks if it knows them (RFC 2918, 7313).
  void refresh(PeerIndex peer, bool marks);

  /// Nothing is told meanwhile (RFC 4724 section 4.1: selection is deferred).
  void setHeld(bool held) { held_ = held; }

  /// Messages for about so many prefixes, of the groups that can take some, in turn. Is there more to do, now?
  bool work(std::size_t prefixes);

  /// nullptr: it is in no group.
  const AdjRibOut<Prefix>* of(PeerIndex peer) const;
  /// What it is, or would be, told of a route; nullopt: nothing.
  std::optional<Exported> exported(PeerIndex peer, const Best& best, const Prefix& prefix) const;
  /// Why exported() says nothing; the peer is in a group, and there is a route.
  Withheld withheld(PeerIndex peer, const Best& best, const Prefix& prefix) const;
  std::size_t groups() const { return groups_.size(); }

 private:
  struct Owed {
    PeerIndex peer = kNoPeer;
    std::vector<std::uint8_t> message;  ///< when everything has been told
  };
  /// What a group's peers know and wait for is what those of group `of` did when so much had been flushed.
  struct Split {
    std::uint64_t of = 0, at = 0;
    friend bool operator==(const Split&, const Split&) = default;
  };
  struct Group {
    std::unique_ptr<AdjRibOut<Prefix>> out;
    RouteExporter<Prefix> exporter;
    std::optional<RouteExporter<Prefix>> before;  ///< the rules before, until a walk has been everywhere
    std::vector<Owed> owed;
    std::size_t slice = kLeastSlice;  ///< prefixes of the next flush, so that what it makes is about as much each time
    std::uint64_t number = 0;         ///< no other group has it, had it, or will
    Split split{};                    ///< by new rules or a refresh
  };
  using GroupPointer = std::unique_ptr<Group>;

  static constexpr std::size_t kLeastSlice = 64, kMostSlice = 8192;

  Group* find(PeerIndex peer) const;
  Group& alone(PeerIndex peer);
  Group& apart(PeerIndex peer, const ExportRules& rules, bool everything);
  void move(PeerIndex peer, Group& from, Group& to);
  Group& add(std::unique_ptr<AdjRibOut<Prefix>> out, const ExportRules& rules);
  void splitSlow(Group& group);
  std::size_t flush(Group& group, std::size_t prefixes);
  bool waits(const Group& group) const;
  void payOwed(Group& group);
  void merge();
  bool canTakeMore(const Group& group) const;

  RouteTable<Prefix>& table_;
  const std::vector<PathSource>& sources_;
  PeerLines& lines_;
  bool held_ = false;
  bool may_merge_ = false;
  std::size_t turn_ = 0;  ///< the group that is next
  std::vector<GroupPointer> groups_;
  std::uint64_t made_ = 0;     ///< groups
  std::uint64_t flushes_ = 0;  ///< of all groups
};

extern template class UpdateGroups<Prefix4>;
extern template class UpdateGroups<Prefix6>;

}  // namespace poplink::host::bgp
