// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/pdu_repeat.h"

#include <limits>
#include <string>
#include <vector>

#include "poplink/card_map.h"
#include "poplink/driver/error.h"

namespace poplink::driver {

namespace {

namespace reg = card_map::reg;
namespace field = card_map::field;

constexpr std::size_t kMinBytes = 60, kMaxBytes = 4 * reg::kRepeatFrameCount;

std::uint32_t of(std::uint32_t array, unsigned port) {
  if (port >= reg::kRepeatControlCount) throw DriverError("a card has no port " + std::to_string(port));
  return array + 4 * port;
}

std::uint32_t microseconds(const char* name, std::chrono::microseconds time, std::int64_t least) {
  if (time.count() < least || time.count() > std::numeric_limits<std::uint32_t>::max()) {
    throw DriverError("a repetition's " + std::string(name) + " is " + std::to_string(least) +
                      " to 4294967295 us, not " + std::to_string(time.count()));
  }
  return static_cast<std::uint32_t>(time.count());
}

void control(Transport& transport, unsigned port, std::uint32_t value) {
  const Access one[] = {Access::write(of(reg::kRepeatControl, port), value)};
  transport.run(one);
}

}  // namespace

void repeatFrame(Transport& transport, unsigned port, std::span<const std::uint8_t> frame,
                 const Repetition& repetition) {
  if (frame.size() < kMinBytes || frame.size() > kMaxBytes) {
    throw DriverError("a repeated frame has " + std::to_string(kMinBytes) + " to " + std::to_string(kMaxBytes) +
                      " bytes, not " + std::to_string(frame.size()));
  }
  std::vector<Access> writes;
  for (std::size_t at = 0; at < frame.size(); at += 4) {
    std::uint32_t word = 0;
    for (std::size_t i = at; i < std::min(at + 4, frame.size()); ++i)
      word |= static_cast<std::uint32_t>(frame[i]) << (8 * (i - at));
    writes.push_back(Access::write(reg::kRepeatFrame + static_cast<std::uint32_t>(at), word));
  }
  writes.push_back(Access::write(reg::kRepeatBytes, static_cast<std::uint32_t>(frame.size())));
  writes.push_back(Access::write(reg::kRepeatWait, microseconds("wait", repetition.wait, 0)));
  writes.push_back(Access::write(reg::kRepeatInterval, microseconds("interval", repetition.interval, 1)));
  writes.push_back(Access::write(reg::kRepeatLifetime, microseconds("lifetime", repetition.lifetime, 0)));
  writes.push_back(Access::write(of(reg::kRepeatControl, port), field::kRepeatControlArm.with(1)));
  transport.run(writes);
}

void refreshRepetition(Transport& transport, unsigned port) {
  control(transport, port, field::kRepeatControlRefresh.with(1));
}

void stopRepeating(Transport& transport, unsigned port) {
  control(transport, port, field::kRepeatControlStop.with(1));
}

RepetitionState repetition(Transport& transport, unsigned port) {
  const Access reads[] = {Access::read(of(reg::kRepeatStatus, port)), Access::read(of(reg::kRepeatSent, port))};
  const std::vector<std::uint32_t> words = transport.run(reads);
  return {field::kRepeatStatusArmed.of(words[0]) != 0, words[1]};
}

}  // namespace poplink::driver
