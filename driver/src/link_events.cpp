// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/link_events.h"

#include "poplink/card_map.h"

namespace poplink::driver {

namespace {
namespace reg = card_map::reg;
namespace field = card_map::field;
}  // namespace

std::bitset<16> takeLinkEvents(Transport& transport) {
  const Access question[] = {Access::read(reg::kEventStatus)};
  const std::uint32_t events = transport.run(question).at(0);
  const std::uint32_t links = field::kEventStatusLinks.of(events);
  const Access answer[] = {
      Access::write(reg::kEventClear, field::kEventClearLinks.with(links) |
                                          field::kEventClearRings.with(field::kEventStatusRings.of(events)) |
                                          field::kEventClearClear.with(1) | field::kEventClearArm.with(1))};
  transport.run(answer);
  return links;
}

}  // namespace poplink::driver
