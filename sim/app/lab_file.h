// SPDX-License-Identifier: Apache-2.0
// What a live simulation consists of: cards, what their ports are plugged into, and the cables between them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "card_model.h"
#include "host_interface.h"
#include "problems.h"

namespace poplink::sim {

struct LabPort {
  host::Place place;
  std::string cable;      ///< a cable's name; empty: one without a name, to what follows
  std::string interface;  ///< an interface to make
  std::string netns;      ///< in this network namespace; empty: ours
  std::string stream;     ///< instead of an interface: a socket where a machine's NIC connects
  host::AttachBy attach = host::AttachBy::best;
  PortSpeed speed = PortSpeed::bus;
  bool has_module = true;
  std::string module_vendor, module_part, module_serial;  ///< empty: as usual
};

/// How a QEMU gets a card.
struct LabQemu {
  host::Place place;
  std::string socket;  ///< where its x-pci-proxy-dev connects
  std::string qtest;   ///< where it listens for interrupts; cards of one QEMU name the same. Empty: it gets none
};

struct LabCard {
  host::Place place;
  std::string name;
  std::string socket;  ///< empty: none, the card is only for a virtual machine
  std::optional<LabQemu> qemu;
  std::string vfio_user;     ///< where a vfio-user client connects; empty: nowhere
  std::uint64_t serial = 0;  ///< its number in the file, from 1, unless set
  std::map<unsigned, LabPort> ports;
};

struct LabCable {
  host::Place place;
  std::string name;
  std::string pcap;  ///< empty: no tap
  std::uint64_t delay_ns = 0;
  double loss_db = kUsualLossDb;
};

struct Lab {
  std::string control;  ///< socket for `poplink-sim cable`; empty: none
  std::vector<LabCard> cards;
  std::vector<LabCable> cables;
};

/// Reads a lab file (YAML). Throws host::ConfigError with every problem found: a cable that doesn't have two ends, a
/// socket that is used twice, ...
Lab readLab(const std::string& file);

}  // namespace poplink::sim
