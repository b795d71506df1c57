// SPDX-License-Identifier: Apache-2.0
// A network interface of the host that a simulated port is plugged into: a TAP, or where TAPs are not permitted, one
// end of a veth pair read and written through AF_PACKET.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace poplink::host {

struct HostInterfaceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class AttachBy { best, tap, packet };

class HostInterface {
 public:
  virtual ~HostInterface() = default;

  /// Non-blocking; readable when a frame can be taken.
  virtual int descriptor() const = 0;
  /// The next frame that the host sent, into `buffer`; its bytes, empty when there is none now. Throws
  /// HostInterfaceError when somebody has removed the interface.
  virtual std::span<const std::uint8_t> take(std::span<std::uint8_t> buffer) = 0;
  /// A frame for the host. False when the host has no room for it.
  virtual bool give(std::span<const std::uint8_t> frame) = 0;
  /// Whether the host sees a link at the interface, as by its other end: down, `ip link` shows NO-CARRIER. Up at first.
  /// Throws HostInterfaceError when the interface is gone.
  virtual void setCarrier(bool up) = 0;
  virtual const char* kind() const = 0;
};

/// Makes interface `name` in the network namespace `netns` (a path such as /proc/123/ns/net; empty: our own), up and
/// gone again with the object. Throws HostInterfaceError, which names the interface and what is not permitted.
std::unique_ptr<HostInterface> makeHostInterface(const std::string& name, const std::string& netns, AttachBy attach);

}  // namespace poplink::host
