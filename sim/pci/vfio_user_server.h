// SPDX-License-Identifier: Apache-2.0
// A PciFunction in a virtual machine whose monitor speaks vfio-user (QEMU's docs/interop/vfio-user.rst): QEMU 10.1 and
// later, cloud-hypervisor, and programs without any machine.
//
// Memory with a file is mapped; memory without one is reached by messages, for which the simulation stands still.
// Interrupts are eventfds: the vectors' entries in the MSI-X table are ours, as they are the kernel's in VFIO, and read
// as ones.
#pragma once

#include "machine_server.h"

namespace poplink::sim {

class VfioUserServer {
 public:
  /// Listens at `socket` for a client, which owns the card until its connection ends. Throws std::runtime_error as
  /// CardServer does.
  VfioUserServer(boost::asio::io_context& context, const std::string& socket, Ownership& card,
                 MachineListener::Tell tell);
  ~VfioUserServer();

 private:
  std::shared_ptr<MachineListener> listener_;
};

}  // namespace poplink::sim
