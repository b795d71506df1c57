// SPDX-License-Identifier: Apache-2.0
#include "buckets.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>

namespace poplink::host {

namespace {

Weights without(Weights weights, Member member) {
  weights.erase(member);
  return weights;
}

/// The members whose shares are not used up, in turns by what they lack most: neighbours in the table get different
/// ones.
class Shares {
 public:
  Shares(std::size_t total, const Weights& weights) : whole_(split(total, weights)), left_(whole_) {}

  std::size_t left(Member member) const {
    const auto found = left_.find(member);
    return found == left_.end() ? 0 : found->second;
  }
  void take(Member member) { --left_.at(member); }
  Member next() {
    // The largest part left of the own share, compared without rounding.
    const auto most = std::max_element(left_.begin(), left_.end(), [this](const auto& a, const auto& b) {
      return static_cast<std::uint64_t>(a.second) * std::max<std::size_t>(1, whole_.at(b.first)) <
             static_cast<std::uint64_t>(b.second) * std::max<std::size_t>(1, whole_.at(a.first));
    });
    --most->second;
    return most->first;
  }

 private:
  std::map<Member, std::size_t> whole_, left_;
};

/// First members: those of before stay as long as their shares last, the rest goes to whom it is missing.
std::vector<Member> firsts(std::size_t buckets, const Weights& weights, const std::vector<Bucket>& before) {
  Shares shares(buckets, weights);
  std::vector<std::optional<Member>> kept(buckets);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (shares.left(before[i].first) == 0) continue;
    shares.take(before[i].first);
    kept[i] = before[i].first;
  }
  std::vector<Member> result;
  for (const std::optional<Member>& member : kept) result.push_back(member ? *member : shares.next());
  return result;
}

/// For all buckets of `which` at once: who of `weights` stands in, by weight.
void standIn(std::vector<Bucket>& buckets, const std::vector<std::size_t>& which, Member Bucket::* place,
             const Weights& weights) {
  if (weights.empty()) return;
  Shares shares(which.size(), weights);
  for (const std::size_t i : which) buckets[i].*place = shares.next();
}

}  // namespace

std::map<Member, std::size_t> split(std::size_t total, const Weights& weights) {
  if (weights.empty()) throw std::invalid_argument("a group needs at least one member");
  std::uint64_t sum = 0;
  for (const auto& [member, weight] : weights) {
    if (weight == 0) throw std::invalid_argument("member " + std::to_string(member) + " has weight 0");
    sum += weight;
  }
  std::map<Member, std::size_t> shares;
  std::vector<std::pair<std::uint64_t, Member>> remainders;
  std::size_t given = 0;
  for (const auto& [member, weight] : weights) {
    const std::uint64_t exact = static_cast<std::uint64_t>(total) * weight;
    shares[member] = exact / sum;
    given += exact / sum;
    remainders.emplace_back(exact % sum, member);
  }
  std::sort(remainders.begin(), remainders.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  for (std::size_t i = 0; given < total; ++i, ++given) ++shares[remainders[i].second];
  return shares;
}

std::vector<Bucket> allocate(std::size_t buckets, const Weights& weights, const std::vector<Bucket>& before) {
  if (!before.empty() && before.size() != buckets)
    throw std::invalid_argument("the group has " + std::to_string(before.size()) + " buckets, not " +
                                std::to_string(buckets));
  std::vector<Bucket> table;
  std::map<Member, std::vector<std::size_t>> of;
  for (const Member first : firsts(buckets, weights, before)) {
    of[first].push_back(table.size());
    table.push_back({first, first, first});
  }
  for (const auto& [first, which] : of) {
    const Weights others = without(weights, first);
    standIn(table, which, &Bucket::second, others);
    std::map<Member, std::vector<std::size_t>> by_second;
    for (const std::size_t i : which) by_second[table[i].second].push_back(i);
    for (const auto& [second, pair] : by_second) standIn(table, pair, &Bucket::third, without(others, second));
  }
  return table;
}

}  // namespace poplink::host
