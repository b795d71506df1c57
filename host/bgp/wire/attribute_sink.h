// SPDX-License-Identifier: Apache-2.0
// Where attributes are written to: room that is there, or a vector. Both have put8(), put16(), put32() and put().
#pragma once

#include <algorithm>
#include <vector>

#include "attributes.h"
#include "update.h"

namespace poplink::host::bgp {

/// Octets into room that is known to be large enough.
class RoomSink {
 public:
  explicit RoomSink(std::span<std::uint8_t> room) : room_(room) {}
  void put8(std::uint8_t value) { room_[used_++] = value; }
  void put16(std::uint16_t value) {
    put8(static_cast<std::uint8_t>(value >> 8));
    put8(static_cast<std::uint8_t>(value));
  }
  void put32(std::uint32_t value) {
    put16(static_cast<std::uint16_t>(value >> 16));
    put16(static_cast<std::uint16_t>(value));
  }
  void put(Octets octets) {
    std::ranges::copy(octets, room_.subspan(used_, octets.size()).begin());
    used_ += octets.size();
  }
  Octets written() const { return room_.first(used_); }

 private:
  std::span<std::uint8_t> room_;
  std::size_t used_ = 0;
};

/// Octets at the end of a vector.
class VectorSink {
 public:
  explicit VectorSink(std::vector<std::uint8_t>& to) : to_(to) {}
  void put8(std::uint8_t value) { to_.push_back(value); }
  void put16(std::uint16_t value) { bgp::put16(to_, value); }
  void put32(std::uint32_t value) { bgp::put32(to_, value); }
  void put(Octets octets) { bgp::put(to_, octets); }

 private:
  std::vector<std::uint8_t>& to_;
};

/// The header of an attribute; its value follows. The Extended Length bit is set by need.
template <class Sink>
void putAttributeHeader(Sink& sink, std::uint8_t type, std::uint8_t flags, std::size_t size) {
  const bool extended = attributeHeaderBytes(size) == 4;
  sink.put8(static_cast<std::uint8_t>((flags & ~kExtendedLength) | (extended ? kExtendedLength : 0)));
  sink.put8(type);
  if (extended)
    sink.put16(static_cast<std::uint16_t>(size));
  else
    sink.put8(static_cast<std::uint8_t>(size));
}

template <class Sink>
void putAttribute(Sink& sink, const Attribute& attribute) {
  putAttributeHeader(sink, attribute.type, attribute.flags, attribute.value.size());
  sink.put(attribute.value);
}

/// A whole list in order of types, with one more attribute at its place; the list has none of that type.
template <class Sink>
void putWithAttribute(Sink& sink, Octets list, const Attribute& one) {
  bool put = false;
  const auto putOnce = [&] {
    if (!put) putAttribute(sink, one);
    put = true;
  };
  forEachAttribute(list, [&](const Attribute& attribute) {
    if (attribute.type > one.type) putOnce();
    putAttribute(sink, attribute);
  });
  putOnce();
}

inline constexpr std::size_t kMaxNextHopBytes = 32;

/// A next hop as NEXT_HOP and MP_REACH_NLRI have it: 4, 16 or 32 octets.
template <class Sink>
void putNextHop(Sink& sink, const NextHop& next_hop) {
  if (const Ipv4* four = std::get_if<Ipv4>(&next_hop.address)) {
    sink.put32(*four);
    return;
  }
  sink.put(std::get<Ipv6>(next_hop.address));
  if (next_hop.link_local) sink.put(*next_hop.link_local);
}

}  // namespace poplink::host::bgp
