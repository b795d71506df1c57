// SPDX-License-Identifier: Apache-2.0
#include "cable.h"

#include <algorithm>

namespace poplink::sim {

Cable::Cable(std::uint64_t delay_ns, std::function<std::uint64_t()> now_ns, PcapWriter* tap, double loss_db)
    : delay_ns_(delay_ns), now_ns_(std::move(now_ns)), tap_(tap), new_loss_db_(loss_db) {
  for (End& end : ends_) end.cable = this;
}

void Cable::End::lose() {
  lost += under_way.size();
  under_way.clear();
}

void Cable::change(const std::function<void()>& something) {
  const bool was_up = isUp();
  something();
  if (on_light) on_light();
  if (isUp() == was_up) return;
  if (was_up)
    for (End& end : ends_) end.lose();
  if (on_link) on_link(!was_up);
}

bool Cable::isUp() const {
  const auto sees = [this](unsigned end) {
    const std::optional<double> light = lightAt(end);
    return light && optics_[end] && *light >= optics_[end]->sensitivity_dbm;
  };
  return sees(0) && sees(1);
}

std::optional<double> Cable::lightAt(unsigned end) const {
  const std::optional<Optic>& far = optics_.at(1 - end);
  if (cut_ || !far) return std::nullopt;
  return far->transmit_dbm - loss_db_;
}

void Cable::plug(unsigned end, std::optional<Optic> optic) {
  change([&] { optics_.at(end) = optic; });
}

void Cable::attenuate(double loss_db) {
  change([&] { loss_db_ = loss_db; });
}

void Cable::cut() {
  change([&] { cut_ = true; });
}

void Cable::deafen(unsigned end) {
  End& from = ends_.at(1 - end);
  from.lossy = true;
  from.lose();
}

void Cable::mend() {
  for (End& end : ends_) end.lossy = false;
  change([&] {
    cut_ = false;
    loss_db_ = new_loss_db_;
  });
}

void Cable::End::deliver(std::span<const std::uint8_t> frame) {
  if (lossy || !cable->isUp()) {
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
