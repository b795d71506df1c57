// SPDX-License-Identifier: Apache-2.0
// A function has one owner at a time, whichever way it came: over the simulator's socket or in a virtual machine.
#pragma once

#include <string>

#include "pci_function.h"

namespace poplink::sim {

/// Who may have a function.
class Owner {
 public:
  virtual ~Owner() = default;
  /// For others to read: "is held by ...".
  virtual std::string ownerName() const = 0;
  /// Has ended already, though nobody has noticed yet.
  virtual bool ownerGone() = 0;
};

class Ownership {
 public:
  explicit Ownership(PciFunction& function) : function_(function) {}

  PciFunction& function() { return function_; }
  bool isOwner(const Owner& who) const { return owner_ == &who; }

  /// `who` has the function from now on, reset and attached to `host` (may be null). An owner takes it again without
  /// effect. False when somebody else has it: heldBy().
  bool take(Owner& who, PciHost* host) {
    if (owner_ == &who) return true;
    if (owner_ != nullptr && !owner_->ownerGone()) return false;
    if (owner_ != nullptr) release(*owner_);
    owner_ = &who;
    function_.reset();
    function_.attach(host);
    return true;
  }
  std::string heldBy() const { return owner_ == nullptr ? "nobody" : owner_->ownerName(); }

  /// However an owner ends, the function is reset and its host's memory is left alone. Not being the owner is no error.
  void release(const Owner& who) {
    if (owner_ != &who) return;
    owner_ = nullptr;
    function_.attach(nullptr);
    function_.reset();
  }

 private:
  PciFunction& function_;
  Owner* owner_ = nullptr;
};

}  // namespace poplink::sim
