// SPDX-License-Identifier: Apache-2.0
// The driver's rings on a card in a guest: poplink-rings-probe PCI-ADDRESS FRAMES GO. Port 2 becomes the host's. Says
// `ready` when its ring runs, then touches nothing until the file GO is there; takes so many frames by interrupts, and
// as many by polling, says `done`, and touches nothing until GO is gone. Then it resets the card under the running
// ring, and takes frames by a new ring of the same device. Frames are 0x88B5 with a number that rises.
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "poplink/driver/card.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pci_cards.h"
#include "poplink/driver/rings.h"

namespace {

using namespace poplink::driver;

constexpr unsigned kPort = 2, kHostRole = 3, kEtherType = 0x88B5;
constexpr int kPatienceMs = 60'000;
constexpr RingOptions kOptions{.entries = 64, .buffer_bytes = 2048, .interrupt_frames = 8, .interrupt_us = 1000};

struct Seen {
  std::uint64_t frames = 0, wrong = 0, last = 0;

  void take(const HostFrame& frame) {
    ++frames;
    std::uint64_t number = 0;
    for (unsigned i = 0; i < 4; ++i) number = number << 8 | frame.bytes[14 + i];
    const unsigned type = static_cast<unsigned>(frame.bytes[12]) << 8 | frame.bytes[13];
    if (type != kEtherType || frame.port != kPort || frame.copy || number <= last) ++wrong;
    last = number;
  }
};

/// Takes `frames`; false: they do not come.
bool receive(RxRing& ring, std::uint64_t frames, bool interrupts, Seen& seen) {
  const std::uint64_t end = seen.frames + frames;
  for (int idle = 0; seen.frames < end;) {
    if (ring.poll([&](const HostFrame& frame) { seen.take(frame); }, end - seen.frames) != 0) {
      idle = 0;
      continue;
    }
    if (!interrupts) {
      ::usleep(1000);  // the way without interrupts, up to kPatienceMs
      if (++idle == kPatienceMs) return false;
      continue;
    }
    ring.arm();
    pollfd event{ring.eventDescriptor(), POLLIN, 0};
    if (::poll(&event, 1, kPatienceMs) != 1) return false;
    std::uint64_t fired = 0;
    static_cast<void>(::read(event.fd, &fired, sizeof fired));
  }
  return true;
}

void report(const char* how, bool good, const Seen& seen) {
  std::printf("%s: %s, %llu frames, %llu wrong\n", how, good ? "all" : "they do not come",
              static_cast<unsigned long long>(seen.frames), static_cast<unsigned long long>(seen.wrong));
}

/// The test tells us by this file, and ends the guest and us in any case.
void await(const char* file, bool there) {
  while ((::access(file, F_OK) == 0) != there) ::usleep(10'000);
}

void probe(const char* address, std::uint64_t frames, const char* go) {
  Card card(openPciCard(address, "the probe", {true}));
  card.writeEntry("port", kPort,
                  {{"valid", 1}, {"role", kHostRole}, {"collecting", 1}, {"attachment", kPort}, {"s_tpid", 0x88A8}});
  {
    RxRing ring(card.transport(), HostClass::routing, kOptions);
    ring.eventDescriptor();
    std::puts("ready");
    await(go, true);
    Seen seen;
    report("interrupts", receive(ring, frames, true, seen), seen);
    report("polling", receive(ring, frames, false, seen), seen);
    std::puts("done");
    await(go, false);
    card.transport().reset();
    try {
      ring.check();
      std::puts("the ring runs on");
    } catch (const DriverError& error) {
      std::puts(error.what());
    }
  }
  RxRing ring(card.transport(), HostClass::routing, kOptions);
  Seen seen;
  report("after the reset", receive(ring, frames / 10, true, seen), seen);
  card.writeEntry("port", kPort, {});
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc != 4) return EXIT_FAILURE;
  try {
    probe(argv[1], std::strtoull(argv[2], nullptr, 10), argv[3]);
  } catch (const DriverError& error) {
    std::puts(error.what());
    return 3;
  }
  return EXIT_SUCCESS;
}
