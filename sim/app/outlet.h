// SPDX-License-Identifier: Apache-2.0
// What a port's cable leads to outside the cards: an interface of this host, or a machine's NIC.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "frame_port.h"

namespace poplink::sim {

/// How the end of a cable is called that is outside the cards; no card is.
inline constexpr const char* kHostEnd = "host";

/// Its end of the cable.
struct OutletWire {
  FrameSink& into;                              ///< what it sends goes in here
  std::function<bool()> has_room;               ///< may more go in now?
  std::function<void(bool there)> on_presence;  ///< called when somebody is there, and again when nobody is any more
};

/// Frames delivered to it are for whoever is there.
class Outlet : public FrameSink {
 public:
  /// Moves what was sent from there into the cable, as long as that has room.
  virtual void feed() = 0;
  /// Whether it sees a link at its end of the cable. Where nothing can show that, frames are all that stops.
  virtual void setCarrier(bool up) = 0;
  /// Frames that came out of the cable and that it had no room for.
  virtual std::uint64_t refused() const = 0;
  virtual std::string name() const = 0;
};

/// Something the user should know.
using Tell = std::function<void(const std::string& text)>;

}  // namespace poplink::sim
