// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/capture.h"

#include "poplink/card_map.h"

namespace poplink::driver {

namespace {
namespace reg = card_map::reg;
namespace field = card_map::field;
}  // namespace

void startCapture(Transport& transport, const Capture& capture) {
  const std::uint64_t outcomes = capture.outcomes.to_ullong();
  const Access writes[] = {
      Access::write(reg::kCaptureControl, 0),  // nothing by half a filter
      Access::write(reg::kCapturePorts, static_cast<std::uint32_t>(capture.ports.to_ulong())),
      Access::write(reg::kCaptureOutcomesLow, static_cast<std::uint32_t>(outcomes)),
      Access::write(reg::kCaptureOutcomesHigh, static_cast<std::uint32_t>(outcomes >> 32)),
      Access::write(reg::kCaptureControl, field::kCaptureControlEnable.with(1) |
                                              field::kCaptureControlByService.with(capture.service ? 1 : 0) |
                                              field::kCaptureControlService.with(capture.service.value_or(0)))};
  transport.run(writes);
}

void stopCapture(Transport& transport) {
  const Access off[] = {Access::write(reg::kCaptureControl, 0)};
  transport.run(off);
}

void learnAddresses(Transport& transport, std::bitset<16> ports) {
  const Access one[] = {Access::write(reg::kLearnPorts, static_cast<std::uint32_t>(ports.to_ulong()))};
  transport.run(one);
}

std::uint64_t cardTime(Transport& transport) {
  const Access reads[] = {Access::read(reg::kNowUsHigh), Access::read(reg::kNowUsLow), Access::read(reg::kNowUsHigh)};
  while (true) {
    const std::vector<std::uint32_t> words = transport.run(reads);
    if (words[0] == words[2]) return static_cast<std::uint64_t>(words[0]) << 32 | words[1];
  }
}

}  // namespace poplink::driver
