// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/rings.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#include "poplink/card_map.h"

namespace poplink::driver {

namespace {

namespace reg = card_map::reg;
namespace field = card_map::field;

constexpr std::size_t kDescriptorBytes = 16, kCompletionBytes = 32, kAlignment = 64;
constexpr unsigned kMinEntries = 4, kMaxEntries = 32768, kMaxBufferBytes = 65472;
constexpr unsigned kMinFrame = 60, kMaxFrame = 9216, kTargets = 16;
constexpr unsigned kTxRings = 4;  // their first number
constexpr unsigned kStopPolls = 100'000;
constexpr std::uint32_t kGone = 0xFFFF'FFFF;

// Fields of a completion (docs/host-path.md, section 3).
constexpr std::size_t kWritten = 0, kFrameBytes = 2, kPort = 4, kReason = 5, kService = 6, kHash = 8, kEgress = 12,
                      kKind = 13, kUs = 16, kLost = 24, kIndex = 28, kStatus = 31;
constexpr unsigned kPhase = 1, kBusError = 4, kBadDescriptor = 8, kHasService = 0x8000, kCopy = 1, kLearned = 2;

/// Policers of a class: frames a second and the burst; 0: no limit.
struct Police {
  unsigned port_rate, port_burst, service_rate, service_burst;
};
constexpr std::array<Police, kHostClasses> kPolice = {{
    {100, 32, 0, 0},            // slow protocols
    {20'000, 256, 5'000, 128},  // routing
    {5'000, 256, 1'000, 64},    // BFD
    {20'000, 256, 0, 0},        // digests
}};

template <class Int>
Int little(const std::uint8_t* at) {
  Int value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) value = static_cast<Int>(value << 8 | at[i]);
  return value;
}

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void appendPolice(std::vector<Access>& writes, std::uint32_t interval, std::uint32_t tolerance, unsigned rate,
                  unsigned burst) {
  constexpr std::uint64_t kTicksPerSecond = 256'000'000;
  writes.push_back(Access::write(interval, rate == 0 ? 0 : static_cast<std::uint32_t>(kTicksPerSecond / rate)));
  writes.push_back(Access::write(tolerance, rate == 0 ? 0 : (burst - 1) * (1'000'000 / rate)));
}

}  // namespace

Ring::Ring(Transport& transport, unsigned number, const RingOptions& options)
    : transport_(transport), number_(number), options_(options) {
  if (!std::has_single_bit(options.entries) || options.entries < kMinEntries || options.entries > kMaxEntries)
    throw DriverError("a ring has a power of two of entries, 4 to 32768, not " + std::to_string(options.entries));
  if (options.buffer_bytes < kAlignment || options.buffer_bytes > kMaxBufferBytes ||
      options.buffer_bytes % kAlignment != 0) {
    throw DriverError("a ring's buffers have a multiple of 64 bytes up to 65472, not " +
                      std::to_string(options.buffer_bytes));
  }
  completions_at_ = aligned(options.entries * kDescriptorBytes);
  buffers_at_ = completions_at_ + options.entries * kCompletionBytes;
  memory_ = transport.allocate(buffers_at_ + std::size_t{options.entries} * options.buffer_bytes);
  start();
}

Ring::~Ring() {
  try {
    stop();
  } catch (const DriverError&) {
  }
}

void Ring::start() {
  stop();  // whoever had the ring before may not have
  const std::uint64_t descriptors = memory_->busAddress(), completions = descriptors + completions_at_;
  const auto log = static_cast<std::uint32_t>(std::countr_zero(options_.entries));
  const Access writes[] = {
      Access::write(reg(reg::kRingDescriptorsLow), static_cast<std::uint32_t>(descriptors)),
      Access::write(reg(reg::kRingDescriptorsHigh), static_cast<std::uint32_t>(descriptors >> 32)),
      Access::write(reg(reg::kRingCompletionsLow), static_cast<std::uint32_t>(completions)),
      Access::write(reg(reg::kRingCompletionsHigh), static_cast<std::uint32_t>(completions >> 32)),
      Access::write(reg(reg::kRingTail), 0),
      Access::write(reg(reg::kRingModeration), field::kRingModerationFrames.with(options_.interrupt_frames) |
                                                   field::kRingModerationUs.with(options_.interrupt_us)),
      Access::write(reg(reg::kRingControl),
                    field::kRingControlEnable.with(1) | field::kRingControlLogEntries.with(log))};
  transport_.run(writes);
}

void Ring::stop() {
  const Access off[] = {Access::write(reg(reg::kRingControl), 0)};
  transport_.run(off);
  const Access ask[] = {Access::read(reg(reg::kRingStatus))};
  for (unsigned polls = 0; polls < kStopPolls; ++polls) {
    const std::uint32_t status = transport_.run(ask).front();
    if (status == kGone) throw stopped(status);
    if (field::kRingStatusRunning.of(status) == 0 && field::kRingStatusError.of(status) == 0) return;
  }
  throw DriverError("ring " + std::to_string(number_) + " of the card at " + transport_.name() + " does not stop");
}

void Ring::check() {
  const Access ask[] = {Access::read(reg(reg::kRingStatus)), Access::read(reg(reg::kRingControl))};
  const std::vector<std::uint32_t> words = transport_.run(ask);
  const std::uint32_t status = words[0];
  if (status == kGone || field::kRingStatusError.of(status) != 0) throw stopped(status);
  if (field::kRingControlEnable.of(words[1]) != 0) return;
  // Not by us. There are buses on which a card that is gone answers zeros.
  const Access magic[] = {Access::read(reg::kMagic)};
  if (transport_.run(magic).front() != card_map::kMagicValue) throw stopped(kGone);
  throw DriverError("ring " + std::to_string(number_) + " of the card at " + transport_.name() +
                    " was disabled by somebody else: the card has been reset");
}

DriverError Ring::stopped(std::uint32_t status) const {
  constexpr const char* kErrors[] = {"", "has stopped: its tail was too far ahead",
                                     "has stopped: the bus refused its descriptors",
                                     "has stopped: the bus refused its completions"};
  if (status == kGone) return DriverError("the card at " + transport_.name() + " is gone");
  return DriverError("ring " + std::to_string(number_) + " of the card at " + transport_.name() + " " +
                     kErrors[field::kRingStatusError.of(status)]);
}

std::uint32_t Ring::lost() {
  const Access ask[] = {Access::read(reg(reg::kRingLost))};
  return transport_.run(ask).front();
}

void Ring::arm() {
  const Access one[] = {
      Access::write(reg(reg::kRingArm), field::kRingArmSeen.with(seen_) | field::kRingArmArm.with(1))};
  transport_.run(one);
}

int Ring::eventDescriptor() {
  const auto vectors = transport_.vectors();
  return number_ < vectors.size() ? vectors[number_] : -1;
}

std::span<std::uint8_t> Ring::buffer(std::uint16_t index) const {
  return memory_->bytes().subspan(buffers_at_ + std::size_t{index % options_.entries} * options_.buffer_bytes,
                                  options_.buffer_bytes);
}

void Ring::describe(std::uint16_t index, unsigned bytes, unsigned mode, unsigned target) {
  std::uint8_t* at = &memory_->bytes()[std::size_t{index % options_.entries} * kDescriptorBytes];
  const std::uint64_t address =
      memory_->busAddress() + buffers_at_ + std::uint64_t{index % options_.entries} * options_.buffer_bytes;
  for (unsigned i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(address >> (8 * i));
  at[8] = static_cast<std::uint8_t>(bytes);
  at[9] = static_cast<std::uint8_t>(bytes >> 8);
  at[10] = static_cast<std::uint8_t>(mode);
  at[11] = static_cast<std::uint8_t>(target);
  std::memset(at + 12, 0, 4);
}

void Ring::post() {
  if (posted_ == tail_) return;
  std::atomic_thread_fence(std::memory_order_release);  // descriptors and frames before their number
  const Access one[] = {Access::write(reg(reg::kRingTail), tail_)};
  transport_.run(one);
  posted_ = tail_;
}

std::optional<Ring::Bytes> Ring::next() {
  std::uint8_t* at = &memory_->bytes()[completions_at_ + std::size_t{seen_ % options_.entries} * kCompletionBytes];
  const bool phase = (seen_ / options_.entries) % 2 == 0;
  // The card makes the last byte visible last.
  const std::uint8_t status = std::atomic_ref<std::uint8_t>(at[kStatus]).load(std::memory_order_acquire);
  if ((status & kPhase) != (phase ? kPhase : 0)) return std::nullopt;
  Bytes completion;
  std::memcpy(completion.data(), at, completion.size());
  if (little<std::uint16_t>(&completion[kIndex]) != seen_ ||
      little<std::uint16_t>(&completion[kWritten]) > options_.buffer_bytes) {
    throw DriverError("ring " + std::to_string(number_) + " of the card at " + transport_.name() +
                      " has a completion that cannot be: its memory was written by somebody else");
  }
  ++seen_;
  return completion;
}

RxRing::RxRing(Transport& transport, HostClass host_class, const RingOptions& options)
    : Ring(transport, static_cast<unsigned>(host_class), options), host_class_(host_class) {
  const auto number = static_cast<unsigned>(host_class);
  const Police& police = kPolice[number];
  std::vector<Access> writes;
  appendPolice(writes, reg::kPolicePortInterval + 4 * number, reg::kPolicePortTolerance + 4 * number, police.port_rate,
               police.port_burst);
  appendPolice(writes, reg::kPoliceServiceInterval + 4 * number, reg::kPoliceServiceTolerance + 4 * number,
               police.service_rate, police.service_burst);
  transport.run(writes);
  for (unsigned i = 0; i < entries(); ++i) describe(tail_++, bufferBytes(), 0, 0);
  post();
}

std::size_t RxRing::poll(const std::function<void(const HostFrame&)>& take, std::size_t limit) {
  std::size_t taken = 0;
  for (; taken < limit; ++taken) {
    const std::uint16_t index = seen_;
    const auto completion = next();
    if (!completion) break;
    const std::uint8_t* at = completion->data();
    if ((at[kStatus] & (kBusError | kBadDescriptor)) == 0) {
      const unsigned service = little<std::uint16_t>(at + kService);
      HostFrame frame{buffer(index).first(little<std::uint16_t>(at + kWritten)),
                      little<std::uint16_t>(at + kFrameBytes),
                      at[kPort],
                      at[kReason],
                      (at[kKind] & kCopy) != 0,
                      (at[kKind] & kLearned) != 0,
                      (service & kHasService) != 0 ? std::optional(service & 0xFFFU) : std::nullopt,
                      little<std::uint32_t>(at + kHash),
                      at[kEgress],
                      little<std::uint64_t>(at + kUs),
                      little<std::uint32_t>(at + kLost),
                      host_class_};
      take(frame);
    }
    describe(tail_++, bufferBytes(), 0, 0);
  }
  post();
  return taken;
}

TxRing::TxRing(Transport& transport, HostClass host_class, const RingOptions& options)
    : Ring(transport, kTxRings + static_cast<unsigned>(host_class), options) {}

bool TxRing::send(unsigned mode, unsigned target, std::span<const std::uint8_t> frame) {
  if (frame.size() < kMinFrame || frame.size() > std::min(kMaxFrame, bufferBytes()))
    throw DriverError("a frame of " + std::to_string(frame.size()) + " bytes cannot be sent");
  if (target >= kTargets) throw DriverError("there is no port or link " + std::to_string(target));
  if (static_cast<std::uint16_t>(tail_ - seen_) == entries() && reap() == entries()) return false;
  std::copy(frame.begin(), frame.end(), buffer(tail_).begin());
  describe(tail_++, static_cast<unsigned>(frame.size()), mode, target);
  return true;
}

unsigned TxRing::reap() {
  while (const auto completion = next()) {
    if (((*completion)[kStatus] & (kBusError | kBadDescriptor)) != 0) ++refused_;
  }
  return static_cast<std::uint16_t>(tail_ - seen_);
}

}  // namespace poplink::driver
