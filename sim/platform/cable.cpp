// SPDX-License-Identifier: Apache-2.0
#include "cable.h"

#include <algorithm>

namespace poplink::sim {

Cable::Cable(std::uint64_t delay_ns, std::function<std::uint64_t()> now_ns, PcapWriter* tap)
    : delay_ns_(delay_ns), now_ns_(std::move(now_ns)), tap_(tap) {
  for (End& end : ends_) end.cable = this;
}

void Cable::End::lose() {
  lost += under_way.size();
  under_way.clear();
}

void Cable::cut() {
  if (cut_) return;
  cut_ = true;
  for (End& end : ends_) end.lose();
  if (on_link) on_link(false);
}

void Cable::deafen(unsigned end) {
  End& from = ends_.at(1 - end);
  from.lossy = true;
  from.lose();
}

void Cable::mend() {
  for (End& end : ends_) end.lossy = false;
  if (!cut_) return;
  cut_ = false;
  if (on_link) on_link(true);
}

void Cable::End::deliver(std::span<const std::uint8_t> frame) {
  if (cable->cut_ || lossy) {
    ++lost;
    return;
  }
  if (cable->tap_ != nullptr) cable->tap_->write(frame);
  under_way.push_back({cable->now_ns_() + cable->delay_ns_, {frame.begin(), frame.end()}});
}

void Cable::advance() {
  if (!nextDueNs()) return;  // the usual case costs no look at the clock
  const std::uint64_t now_ns = now_ns_();
  for (End& end : ends_) {
    while (!end.under_way.empty() && end.under_way.front().due_ns <= now_ns) {
      const std::vector<std::uint8_t> frame = std::move(end.under_way.front().frame);
      end.under_way.pop_front();
      if (end.far != nullptr) end.far->deliver(frame);
    }
  }
}

std::optional<std::uint64_t> Cable::nextDueNs() const {
  std::optional<std::uint64_t> next;
  for (const End& end : ends_) {
    if (end.under_way.empty()) continue;
    const std::uint64_t due_ns = end.under_way.front().due_ns;
    next = next ? std::min(*next, due_ns) : due_ns;
  }
  return next;
}

}  // namespace poplink::sim
