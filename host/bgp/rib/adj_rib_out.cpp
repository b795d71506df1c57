// SPDX-License-Identifier: Apache-2.0
#include "adj_rib_out.h"

#include <algorithm>
#include <tuple>

namespace poplink::host::bgp {

namespace {

constexpr std::size_t kAhead = 16;  // as many waits for memory at once

}  // namespace

template <class Prefix>
AdjRibOut<Prefix>::AdjRibOut(RouteTable<Prefix>& table) : table_(table) {
  table_.outs_.push_back(this);
}

template <class Prefix>
AdjRibOut<Prefix>::AdjRibOut(const AdjRibOut& other)
    : table_(other.table_),
      queue_(other.queue_),
      walk_at_(other.walk_at_),
      walk_again_(other.walk_again_),
      known_(other.known_),
      known_from_(other.known_from_) {
  told_.grow(other.told_.size());
  for (std::size_t id = 0; id < told_.size(); ++id) {
    told_[id] = other.told_[id];
    if (told_[id].attributes != kNoAttributes) table_.store().hold(told_[id].attributes);
  }
  table_.outs_.push_back(this);
}

template <class Prefix>
AdjRibOut<Prefix>::~AdjRibOut() {
  std::erase(table_.outs_, this);
  for (PrefixId id = 0; id < told_.size(); ++id) {
    if (!needs(id)) continue;
    if (told_[id].attributes != kNoAttributes) table_.store().release(told_[id].attributes);
    table_.eraseUnused(id);
  }
}

template <class Prefix>
void AdjRibOut<Prefix>::join(PeerIndex peer) {
  members_.insert(std::ranges::lower_bound(members_, peer), peer);
  if (peer >= is_member_.size()) is_member_.resize(std::size_t{peer} + 1);
  is_member_[peer] = true;
}

template <class Prefix>
void AdjRibOut<Prefix>::leave(PeerIndex peer) {
  std::erase(members_, peer);
  is_member_[peer] = false;
}

template <class Prefix>
void AdjRibOut<Prefix>::changed(PrefixId id) {
  told_.grow(std::size_t{id} + 1);
  if (told_[id].waits || (!walked() && id >= walk_at_)) return;
  told_[id].waits = true;
  queue_.push_back(id);
}

template <class Prefix>
void AdjRibOut<Prefix>::walk(bool again) {
  walk_again_ = again || (walk_again_ && !walked());
  walk_at_ = table_.bound() == 0 ? kNoPrefix : 0;
}

template <class Prefix>
std::size_t AdjRibOut<Prefix>::advertised(PeerIndex peer) const {
  return known_ - (peer < known_from_.size() ? known_from_[peer] : 0);
}

template <class Prefix>
void AdjRibOut<Prefix>::set(PrefixId id, const Best& best) {
  Told& told = told_[id];
  if (best.attributes != kNoAttributes) {
    table_.store().hold(best.attributes);
    if (best.peer >= known_from_.size()) known_from_.resize(std::size_t{best.peer} + 1);
    ++known_from_[best.peer];
    ++known_;
  }
  if (told.attributes != kNoAttributes) {
    --known_from_[told.peer];
    --known_;
    table_.store().release(told.attributes);
  }
  told.attributes = best.attributes;
  told.peer = best.peer;
}

template <class Prefix>
std::optional<std::uint64_t> AdjRibOut<Prefix>::judge(const Best& best, PrefixId id, Exporter<Prefix>& exporter,
                                                      Judged& last) {
  if (best.attributes == kNoAttributes) return std::nullopt;
  if (exporter.byPrefix()) return exporter.judge(best, table_.prefix(id));
  if (best != last.best) last = {best, exporter.judge(best, table_.prefix(id))};
  return last.verdict;
}

template <class Prefix>
void AdjRibOut<Prefix>::add(const Best& best, const Audience& audience, std::uint64_t verdict, PrefixId id) {
  items_.push_back({best, audience, static_cast<std::uint32_t>(items_.size()), verdict, table_.prefix(id)});
}

/// Does the same go out of the best route as the group was told of another, or of the same by other rules? Where two
/// routers of a neighbor have the same routes, it does.
template <class Prefix>
bool AdjRibOut<Prefix>::looksTheSame(const Best& was, Exporter<Prefix>& by, const Best& is, Exporter<Prefix>& exporter,
                                     std::uint64_t verdict, PrefixId id) {
  const auto verdict_on_was = judge(was, id, by, judged_was_);
  if (!verdict_on_was) return false;
  Compared now{was.attributes, is.attributes, *verdict_on_was, verdict, compared_.same};
  if (now != compared_) {
    now.same = (&by != &exporter || *verdict_on_was != verdict || exporter.mayBeAlike(was, is, verdict)) &&
               by.make(was, *verdict_on_was) == exporter.make(is, verdict);
    compared_ = now;
  }
  return now.same;
}

/// What has become of one prefix since the group was told of it, by the rules `by`; nullptr: it is told again.
template <class Prefix>
void AdjRibOut<Prefix>::visit(PrefixId id, Exporter<Prefix>& exporter, Exporter<Prefix>* by) {
  const Best was = told(id), is = table_.best(id);
  const bool known = was.attributes != kNoAttributes;
  if (by != &exporter || was != is) {
    if (const auto verdict = judge(is, id, exporter, judged_)) {
      if (!known || by == nullptr || !looksTheSame(was, *by, is, exporter, *verdict, id))
        add(is, allBut(is.peer), *verdict, id);
      else if (was.peer != is.peer && isMember(was.peer))
        add(is, {was.peer, kNoPeer}, *verdict, id);  // had the route, and was not told of it
      // Whose route it is now knows another's.
      if (known && was.peer != is.peer && isMember(is.peer)) add({}, {is.peer, kNoPeer}, 0, id);
      set(id, is);
    } else if (known) {
      add({}, allBut(was.peer), 0, id);
      set(id, {});
    }
  }
  if (is.attributes == kNoAttributes) table_.eraseUnused(id);
}

template <class Prefix>
void AdjRibOut<Prefix>::collect(std::size_t prefixes, Exporter<Prefix>& exporter, Exporter<Prefix>* before) {
  judged_ = judged_was_ = {};
  compared_ = {};
  // A table that changes all the time does not hold up a walk.
  const std::size_t for_walk = walked() ? 0 : (prefixes + 1) / 2;
  for (; prefixes > for_walk && !queue_.empty(); --prefixes) {
    const PrefixId id = queue_.front();
    queue_.pop_front();
    // Prefixes that nobody has any more leave the table.
    if (queue_.size() > kAhead && table_.firstPath(queue_[kAhead]) == kNoPath)
      table_.prefetch(table_.prefix(queue_[kAhead]));
    told_[id].waits = false;
    if (!walked() && id >= walk_at_)
      table_.eraseUnused(id);  // otherwise the walk comes to it
    else
      visit(id, exporter, &exporter);
  }
  if (walked()) return;
  told_.grow(table_.bound());
  Exporter<Prefix>* const by = walk_again_ ? before : &exporter;
  judged_was_ = {};  // by other rules
  compared_ = {};
  for (; prefixes != 0 && walk_at_ < table_.bound(); --prefixes, ++walk_at_)
    if (table_.firstPath(walk_at_) != kNoPath || needs(walk_at_)) visit(walk_at_, exporter, by);
  if (walk_at_ == table_.bound()) walk_at_ = kNoPrefix;
}

template <class Prefix>
void AdjRibOut<Prefix>::flush(std::size_t prefixes, Exporter<Prefix>& exporter, UpdateSink& sink,
                              Exporter<Prefix>* before) {
  items_.clear();
  collect(prefixes, exporter, before);
  const auto key = [](const Item& item) {
    return std::tuple(item.best.attributes, item.best.peer, item.verdict, item.audience.only, item.audience.except,
                      item.order);
  };
  if (!std::ranges::is_sorted(items_, {}, key)) std::ranges::sort(items_, {}, key);
  for (std::span<const Item> left = items_; !left.empty();) {
    std::size_t size = 1;
    while (size < left.size() && left[size].sameMessage(left[0])) ++size;
    write(left.first(size), exporter, sink);
    left = left.subspan(size);
  }
}

template <class Prefix>
void AdjRibOut<Prefix>::write(std::span<const Item> run, Exporter<Prefix>& exporter, UpdateSink& sink) {
  const Item& first = run.front();
  if (first.best.attributes == kNoAttributes) {
    withdraw(run, first.audience, exporter.form(), sink);
    return;
  }
  const Exported exported = exporter.make(first.best, first.verdict);
  UpdateBuilder builder = UpdateBuilder::announce(exported.form, exported.next_hop, exported.attributes);
  if (!builder.hasRoom()) {
    sink.tooLong(first.best);
    withdraw(run, first.audience, exporter.form(), sink);
    for (const Item& item : run) set(table_.find(item.prefix), {});
    return;
  }
  if (!isHeard(first.audience)) return;
  for (const Item& item : run) {
    if (builder.add(item.prefix)) continue;
    sink.update(first.audience, builder.take());
    builder.add(item.prefix);
  }
  sink.update(first.audience, builder.take());
}

template <class Prefix>
void AdjRibOut<Prefix>::withdraw(std::span<const Item> run, const Audience& audience, UpdateForm form,
                                 UpdateSink& sink) {
  if (!isHeard(audience)) return;
  UpdateBuilder builder = UpdateBuilder::withdraw(form);
  for (const Item& item : run) {
    if (builder.add(item.prefix)) continue;
    sink.update(audience, builder.take());
    builder.add(item.prefix);
  }
  sink.update(audience, builder.take());
}

template class AdjRibOut<Prefix4>;
template class AdjRibOut<Prefix6>;

}  // namespace poplink::host::bgp
