// SPDX-License-Identifier: Apache-2.0
// The poplink card as a PCI function (docs/host-path.md, section 1): its configuration space, BAR0 over the card's TLM
// socket, MSI-X in BAR2, and the card's way into its host's memory.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <array>

#include "../platform/card_module.h"
#include "msix.h"
#include "pci_function.h"

namespace poplink::sim {

inline constexpr std::uint16_t kPciVendor = 0x10EE;   ///< the FPGA's maker, as programmable cards have it
inline constexpr std::uint16_t kPciDevice = 0x504C;   ///< "PL"
inline constexpr std::uint32_t kPciClass = 0x028000;  ///< network controller, other

class CardFunction : public sc_core::sc_module, public PciFunction, private HostMemory {
 public:
  CardFunction(sc_core::sc_module_name name, CardModule& card);

  std::uint32_t configRead(std::uint16_t offset, unsigned size) override;
  void configWrite(std::uint16_t offset, unsigned size, std::uint32_t value) override;
  std::vector<PciBar> bars() const override { return {{0, kBar0Bytes}, {2, Msix::kBytes}}; }
  bool barRead(unsigned bar, std::uint64_t offset, std::uint32_t& value) override {
    return access(tlm::TLM_READ_COMMAND, bar, offset, value);
  }
  bool barWrite(unsigned bar, std::uint64_t offset, std::uint32_t value) override {
    return access(tlm::TLM_WRITE_COMMAND, bar, offset, value);
  }
  void reset() override;
  void attach(PciHost* host) override { host_ = host; }

  // What the card asks of its host. False: there is no host, the function is no bus master, or the host has no memory
  // there.
  bool readHost(std::uint64_t address, std::span<std::uint8_t> into);
  bool writeHost(std::uint64_t address, std::span<const std::uint8_t> from);
  const RegisterAccesses& accesses() const { return accesses_; }
  /// The event of an MSI-X vector.
  void raise(unsigned vector) { msix_.raise(vector); }

 private:
  bool read(std::uint64_t address, std::span<std::uint8_t> into) override { return readHost(address, into); }
  bool write(std::uint64_t address, std::span<const std::uint8_t> from) override { return writeHost(address, from); }
  bool access(tlm::tlm_command command, unsigned bar, std::uint64_t offset, std::uint32_t& value);
  /// The configuration as after power-up.
  void powerUp();
  bool awake() const;
  bool isMaster() const;
  std::uint32_t stored(std::uint16_t offset, unsigned size) const;

  CardModule& card_;
  tlm_utils::simple_initiator_socket<CardFunction> bus_;
  std::array<std::uint8_t, 4096> config_{};
  std::array<std::uint8_t, 4096> writable_{};  ///< bits that configWrite may change
  PciHost* host_ = nullptr;
  RegisterAccesses accesses_;
  Msix msix_;
};

}  // namespace poplink::sim
