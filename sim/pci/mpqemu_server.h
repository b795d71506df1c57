// SPDX-License-Identifier: Apache-2.0
// A PciFunction in a virtual machine: the far side of QEMU 7.2's `x-pci-proxy-dev`, "MPQemu" (docs/virtual-machine.md).
//
// The proxy forwards configuration and BAR accesses, one at a time, and passes the files that the guest's memory is
// made of, so that DMA is memcpy. Interrupts go another way: MSI-X messages are handed to `message`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "machine_server.h"

namespace poplink::sim {

class MpqemuServer {
 public:
  struct Hooks {
    /// An MSI-X message of the function.
    std::function<void(std::uint64_t address, std::uint32_t data)> message;
    /// For the user: why a QEMU was turned away or lost the card.
    MachineListener::Tell tell;
  };

  /// Listens at `socket` for a QEMU, which owns the card until its connection ends. Throws std::runtime_error as
  /// CardServer does.
  MpqemuServer(boost::asio::io_context& context, const std::string& socket, Ownership& card, const Hooks& hooks);
  ~MpqemuServer();

 private:
  std::shared_ptr<MachineListener> listener_;
};

}  // namespace poplink::sim
