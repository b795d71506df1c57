// SPDX-License-Identifier: Apache-2.0
#include "cable.h"

namespace poplink::sim {

Cable::Cable(sc_core::sc_module_name name, sc_core::sc_time delay, PcapWriter* tap)
    : sc_core::sc_module(name), delay_(delay), tap_(tap), arrivals_("arrivals") {
  for (auto& end : ends_) {
    end = std::make_unique<End>();
    end->cable = this;
  }
  SC_HAS_PROCESS(Cable);
  SC_METHOD(arrive);
  sensitive << arrivals_;
  dont_initialize();
}

void Cable::End::deliver(std::span<const std::uint8_t> frame) {
  if (cable->tap_ != nullptr) cable->tap_->write(frame);
  under_way.push_back({sc_core::sc_time_stamp() + cable->delay_, {frame.begin(), frame.end()}});
  cable->arrivals_.notify(cable->delay_);
}

void Cable::arrive() {
  for (auto& end : ends_) {
    while (!end->under_way.empty() && end->under_way.front().due <= sc_core::sc_time_stamp()) {
      const std::vector<std::uint8_t> frame = std::move(end->under_way.front().frame);
      end->under_way.pop_front();
      if (end->far != nullptr) end->far->deliver(frame);
    }
  }
}

}  // namespace poplink::sim
