// SPDX-License-Identifier: Apache-2.0
// One card's captured frames for several who want different ones. The card has one filter: it is the union of their
// wishes, and here each gets what it asked for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "poplink/driver/capture.h"
#include "poplink/driver/rings.h"

namespace poplink::host {

struct CaptureWish {
  driver::Capture frames{};
  bool new_addresses = false;  ///< also forwarded frames of these ports whose source address is new there
};

/// `ports`: ingress, 0 to 16 (16: sent by the host), none: all. `outcomes`: drop reasons by name, "forwarded",
/// "dropped" (all reasons) or "all". Throws std::invalid_argument naming what is not there or cannot be captured.
CaptureWish captureWish(const std::vector<unsigned>& ports, const std::vector<std::string>& outcomes,
                        std::optional<unsigned> service, bool new_addresses);

/// "forwarded", or the drop reason's name; a number that has none as digits.
std::string outcomeName(unsigned reason);

/// Whether somebody with this wish gets the frame.
bool isWanted(const CaptureWish& wish, const driver::HostFrame& frame);

/// One thread at a time. Throws DriverError like everything that talks to the card.
class CaptureHub {
 public:
  using Take = std::function<void(const driver::HostFrame&)>;

  /// Takes the ring of class digests. The card outlives the hub.
  explicit CaptureHub(driver::Transport& card, const driver::RingOptions& ring = {});
  /// Stops the copies.
  ~CaptureHub();
  CaptureHub(const CaptureHub&) = delete;
  CaptureHub& operator=(const CaptureHub&) = delete;

  /// Frames come until it is destroyed; the card copies no more than the others want from then on.
  class Membership {
   public:
    virtual ~Membership() = default;
  };
  /// `take` gets the frames that the card decides about from now on, and with each how many of its class were lost in
  /// front of it since the first of them; it may end any membership and must not throw. After a DriverError nobody has
  /// joined. May outlive the hub.
  [[nodiscard]] std::unique_ptr<Membership> join(const CaptureWish& wish, Take take);
  unsigned members() const;

  /// A frame of another class's ring, for those who want it.
  void frame(const driver::HostFrame& frame);
  /// What the ring of digests has, at most `limit`; returns how many.
  std::size_t poll(std::size_t limit = 64);
  // As of the ring (poplink/driver/rings.h): interrupts, and whether it still runs.
  int eventDescriptor() { return ring_.eventDescriptor(); }
  void arm() { ring_.arm(); }
  void check() { ring_.check(); }
  std::uint32_t lost() { return ring_.lost(); }

 private:
  struct Members;

  driver::RxRing ring_;
  std::shared_ptr<Members> members_;
};

}  // namespace poplink::host
