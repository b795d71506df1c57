// SPDX-License-Identifier: Apache-2.0
#include "outbox.h"

#include <algorithm>

#include "../wire/message.h"

namespace poplink::host::bgp {

std::size_t Outbox::front(std::span<Octets> room) const {
  const std::size_t count = std::min(pieces_.size(), room.size());
  for (std::size_t i = 0; i < count; ++i) room[i] = *pieces_[i];
  if (count != 0) room[0] = room[0].subspan(offset_);
  return count;
}

void Outbox::sent(std::size_t octets) {
  octets_ -= octets;
  passed_ += octets;
  offset_ += octets;
  while (!pieces_.empty() && offset_ >= pieces_.front()->size()) {
    offset_ -= pieces_.front()->size();
    pieces_.pop_front();
  }
}

void Outbox::cut() {
  if (pieces_.empty()) return;
  const Octets piece = *pieces_.front();
  std::size_t end = 0;
  while (end < offset_) end += read16(piece, end + kMarkerBytes);
  std::vector<std::uint8_t> rest(piece.begin() + static_cast<std::ptrdiff_t>(offset_),
                                 piece.begin() + static_cast<std::ptrdiff_t>(end));
  pieces_.clear();
  offset_ = octets_ = 0;
  if (!rest.empty()) push(std::move(rest));
}

}  // namespace poplink::host::bgp
