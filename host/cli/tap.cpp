// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>

#include "../model/read_region.h"
#include "commands.h"
#include "daemon_client.h"
#include "host_interface.h"
#include "open_card.h"
#include "poplink/driver/rings.h"
#include "signals.h"

namespace poplink::host {

namespace {

constexpr unsigned kHostRole = 3;  // kernels::Role::host
constexpr std::uint16_t kSTpid = 0x88A8;
constexpr std::size_t kMinFrame = 60, kMaxFrame = 9216;
using Clock = std::chrono::steady_clock;

constexpr int kPollMs = 2;                      // without interrupts
constexpr std::chrono::seconds kCheckPause(1);  // between looks whether the card still is there
constexpr int kWaitMs = 1000;

/// The port belongs to the host until the end of the scope.
class HostPort {
 public:
  HostPort(driver::Card& card, unsigned port) : card_(card), port_(port) {
    if (port >= card.ports()) throw UsageError("the card has no port " + std::to_string(port));
    const driver::Entry found = card.readEntry("port", port);
    if (driver::isValid(found)) {
      if (found.at("role") != kHostRole)
        throw UsageError("port " + std::to_string(port) + " serves a site: take it out of the region file first");
      return;
    }
    card.writeEntry("port", port,
                    {{"valid", 1}, {"role", kHostRole}, {"collecting", 1}, {"attachment", port}, {"s_tpid", kSTpid}});
    ours_ = true;
  }
  ~HostPort() {
    try {
      if (ours_) card_.writeEntry("port", port_, {});
    } catch (const driver::DriverError&) {
    }
  }
  HostPort(const HostPort&) = delete;
  HostPort& operator=(const HostPort&) = delete;

 private:
  driver::Card& card_;
  unsigned port_;
  bool ours_ = false;
};

int forward(const TapOptions& options) {
  const driver::Descriptor signals = endingSignals();
  driver::Card card(openTransport(options.choice, "poplink tap"));
  const HostPort port(card, options.port);
  driver::RxRing rx(card.transport(), driver::HostClass::routing);
  driver::TxRing tx(card.transport(), driver::HostClass::routing);
  const auto interface = makeHostInterface(options.interface, "", AttachBy::best);
  std::cout << "interface " << options.interface << " (" << interface->kind() << ") is port " << options.port << " of "
            << card.name() << std::endl;

  std::uint64_t received = 0, sent = 0, lost = 0;
  const auto take = [&](const driver::HostFrame& frame) {
    lost += frame.lost;
    if (frame.port == options.port && !frame.copy) ++(interface->give(frame.bytes) ? received : lost);
  };
  const int event = options.poll ? -1 : rx.eventDescriptor();
  const bool interrupts = event >= 0;
  std::array<pollfd, 3> waits = {
      {{signals.get(), POLLIN, 0}, {interface->descriptor(), POLLIN, 0}, {event, POLLIN, 0}}};
  std::array<std::uint8_t, kMaxFrame> buffer;
  try {
    auto next_check = Clock::now() + kCheckPause;
    while (waits[0].revents == 0) {
      if (Clock::now() >= next_check) {
        next_check = Clock::now() + kCheckPause;
        rx.check();
        tx.check();
      }
      std::size_t moved = rx.poll(take);
      for (unsigned i = 0; i < 64; ++i) {
        const auto frame = interface->take(buffer);
        if (frame.empty()) break;
        const std::size_t bytes = std::max(frame.size(), kMinFrame);
        std::fill(buffer.begin() + static_cast<std::ptrdiff_t>(frame.size()),
                  buffer.begin() + static_cast<std::ptrdiff_t>(bytes), std::uint8_t{0});
        ++(tx.toPort(options.port, std::span(buffer).first(bytes)) ? sent : lost);
        ++moved;
      }
      tx.flush();
      if (moved != 0) {
        ::poll(waits.data(), 1, 0);  // signals only
        continue;
      }
      if (interrupts) rx.arm();
      ::poll(waits.data(), waits.size(), interrupts ? kWaitMs : kPollMs);
      std::uint64_t fired = 0;
      if (waits[2].revents != 0) static_cast<void>(::read(waits[2].fd, &fired, sizeof fired));
    }
  } catch (const driver::DriverError& error) {
    return cardFailed(error);
  }
  std::cout << received << " frames received, " << sent << " sent, " << lost << " lost" << std::endl;
  return kExitDone;
}

}  // namespace

int tap(const TapOptions& options) {
  if (!options.choice.node.empty()) {
    const Node node = readNode(options.choice.node);
    if (daemonOf(node))
      throw driver::DriverError("poplinkd has the card of " + node.site + " (" + node.api +
                                "); a port as an interface needs a card without it");
  }
  try {
    return forward(options);
  } catch (const HostInterfaceError& error) {  // it cannot be made, or somebody has removed it
    throw UsageError(error.what());
  }
}

}  // namespace poplink::host
