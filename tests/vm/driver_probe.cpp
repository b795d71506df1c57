// SPDX-License-Identifier: Apache-2.0
// A card through the driver's transport, all of it: poplink-driver-probe CARD [physical | map]. CARD is a PCI address
// or sim:SOCKET; `physical`: bus addresses are physical ones; `map`: only shares memory at addresses of the driver's
// own choice, for a machine whose IOMMU does not translate what the card does. Sends a frame out of port 6 by a ring in
// shared memory, waits for the ring's interrupt, lets the card reach for memory that nobody gave it, and resets the
// function. Says what it finds.
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>

#include "poplink/driver/card.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pci_cards.h"
#include "poplink/driver/sim_transport.h"

namespace {

using namespace poplink::driver;
namespace reg = poplink::card_map::reg;
namespace field = poplink::card_map::field;

constexpr unsigned kRing = 4;  // transmits, class 0; its vector has the same number
constexpr unsigned kPort = 6;
constexpr int kPatienceMs = 60'000;
constexpr std::size_t kDescriptor = 16, kCompletion = 32, kCompletions = 64, kFrame = 256, kFrameBytes = 60;
constexpr std::uint64_t kNobodys = 0x70'0000'0000;

std::unique_ptr<Transport> open(const std::string& card, bool physical) {
  if (card.rfind("sim:", 0) == 0) return openSimulatedCard(card.substr(4), "the probe");
  return openPciCard(card, "the probe", {physical});
}

std::uint32_t read(Transport& card, std::uint32_t address) {
  const Access one[] = {Access::read(address)};
  return card.run(one).at(0);
}

/// A ring of four entries whose memory is one page: descriptors, completions, a frame.
class Ring {
 public:
  explicit Ring(Transport& card) : card_(card), memory_(card.allocate(4096)) {
    const std::uint64_t descriptors = memory_->busAddress(), completions = descriptors + kCompletions;
    const Access setup[] = {
        Access::write(reg::kRingDescriptorsLow + at(), static_cast<std::uint32_t>(descriptors)),
        Access::write(reg::kRingDescriptorsHigh + at(), static_cast<std::uint32_t>(descriptors >> 32)),
        Access::write(reg::kRingCompletionsLow + at(), static_cast<std::uint32_t>(completions)),
        Access::write(reg::kRingCompletionsHigh + at(), static_cast<std::uint32_t>(completions >> 32)),
        Access::write(reg::kRingTail + at(), 0),  // whoever was here before has left its own
        Access::write(reg::kRingControl + at(),
                      field::kRingControlEnable.with(1) | field::kRingControlLogEntries.with(2)),
        Access::write(reg::kRingArm + at(), field::kRingArmArm.with(1))};
    card_.run(setup);
    std::memset(&bytes()[kFrame], 0xFF, 6);  // to everybody
    bytes()[kFrame + 6] = 2;
  }

  std::uint64_t frame() const { return memory_->busAddress() + kFrame; }
  /// Raw out of the port.
  void post(std::uint64_t buffer) {
    std::uint8_t* const descriptor = &bytes()[posted_++ * kDescriptor];
    std::memcpy(descriptor, &buffer, sizeof buffer);
    descriptor[8] = kFrameBytes;
    descriptor[10] = 1;
    descriptor[11] = kPort;
    std::atomic_thread_fence(std::memory_order_release);
    const Access tail[] = {Access::write(reg::kRingTail + at(), posted_)};
    card_.run(tail);
  }
  /// Of completion `number` when it is there; -1: it does not come. This is the way without interrupts: look, and look
  /// again.
  int status(unsigned number) const {
    const volatile std::uint8_t* const last = &bytes()[kCompletions + (number + 1) * kCompletion - 1];
    for (int waited = 0; (*last & 1) == 0; ++waited) {
      if (waited == kPatienceMs) return -1;
      ::usleep(1000);
    }
    return *last >> 1;
  }
  bool runs() const { return field::kRingStatusRunning.of(read(card_, reg::kRingStatus + at())) != 0; }

 private:
  static std::uint32_t at() { return kRing * reg::kRingControlStride; }
  std::span<std::uint8_t> bytes() const { return memory_->bytes(); }

  Transport& card_;
  std::unique_ptr<DmaMemory> memory_;
  unsigned posted_ = 0;
};

void probe(const std::string& name, bool physical) {
  const auto card = open(name, physical);
  checkRegisterMap(*card);
  std::printf("dma %d vectors %u\n", card->capabilities().dma ? 1 : 0, card->capabilities().vectors);
  const std::span<const int> vectors = card->vectors();
  Ring ring(*card);
  std::printf("runs %d\n", ring.runs() ? 1 : 0);
  ring.post(ring.frame());
  std::printf("sent: status %d\n", ring.status(0));
  pollfd event{vectors[kRing], POLLIN, 0};
  std::printf("interrupt %d\n", ::poll(&event, 1, kPatienceMs));
  ring.post(kNobodys);
  std::printf("nobody's memory: status %d\n", ring.status(1));
  const auto large = card->allocate(256 * 1024);
  std::printf("large %zu\n", large->bytes().size());
  card->reset();
  std::printf("reset: runs %d\n", ring.runs() ? 1 : 0);
}

/// The kernel takes the driver's addresses, again after they were given back.
void map(const std::string& name) {
  const auto card = open(name, false);
  for (int round = 0; round < 2; ++round) {
    const auto small = card->allocate(1), large = card->allocate(4U << 20);
    std::printf("mapped %zu at 0x%llx, %zu at 0x%llx\n", small->bytes().size(),
                static_cast<unsigned long long>(small->busAddress()), large->bytes().size(),
                static_cast<unsigned long long>(large->busAddress()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc < 2) return 1;
  try {
    const std::string mode = argc > 2 ? argv[2] : "";
    if (mode == "map")
      map(argv[1]);
    else
      probe(argv[1], mode == "physical");
  } catch (const DriverError& error) {
    std::printf("%s\n", error.what());
    return 3;
  }
  return 0;
}
