// SPDX-License-Identifier: Apache-2.0
// Octets on their way to a peer, in pieces that peers of a group share.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "../wire/octets.h"

namespace poplink::host::bgp {

/// Whole messages.
using Piece = std::shared_ptr<const std::vector<std::uint8_t>>;

class Outbox {
 public:
  void push(Piece piece) {
    octets_ += piece->size();
    pieces_.push_back(std::move(piece));
  }
  void push(std::vector<std::uint8_t> message) {
    push(std::make_shared<const std::vector<std::uint8_t>>(std::move(message)));
  }

  bool empty() const { return octets_ == 0; }
  /// That have not been sent.
  std::size_t octets() const { return octets_; }
  /// That have been sent, in all.
  std::uint64_t passed() const { return passed_; }
  /// The first of them, in order, until they are sent or cut; as many as there is room for. How many?
  std::size_t front(std::span<Octets> room) const;
  /// So many have been taken by TCP.
  void sent(std::size_t octets);
  /// Nothing but what is needed to end the message that TCP has a part of: the session is over, what was still to be
  /// said does not matter any more.
  void cut();

 private:
  std::deque<Piece> pieces_;
  std::size_t offset_ = 0;  ///< of the first piece: what has been sent
  std::size_t octets_ = 0;
  std::uint64_t passed_ = 0;
};

}  // namespace poplink::host::bgp
