// SPDX-License-Identifier: Apache-2.0
#include "update_builder.h"

#include "attribute_sink.h"

namespace poplink::host::bgp {

namespace {

std::uint8_t number(AttributeType type) {
  return static_cast<std::uint8_t>(type);
}

/// Header of MP_REACH_NLRI or MP_UNREACH_NLRI, always with a length of two octets: prefixes are still to come.
void putMultiprotocolHead(std::vector<std::uint8_t>& to, AttributeType type, UpdateForm form) {
  to.insert(to.end(), {kOptional | kExtendedLength, number(type), 0, 0});
  const Afi afi = form == UpdateForm::ipv4_multiprotocol ? Afi::ipv4 : Afi::ipv6;
  put16(to, static_cast<std::uint16_t>(afi));
  to.push_back(static_cast<std::uint8_t>(Safi::unicast));
}

std::vector<std::uint8_t> emptyUpdate() {
  return encodeMessage(MessageType::update, {});
}

}  // namespace

UpdateBuilder UpdateBuilder::announce(UpdateForm form, const NextHop& next_hop, Octets attributes) {
  UpdateBuilder builder(form);
  std::vector<std::uint8_t>& message = builder.message_ = emptyUpdate();
  put16(message, 0);  // Withdrawn Routes Length
  builder.attributes_at_ = message.size();
  put16(message, 0);
  std::array<std::uint8_t, kMaxNextHopBytes> room;
  RoomSink hop_sink(room);
  putNextHop(hop_sink, next_hop);
  const Octets hop = hop_sink.written();
  if (form == UpdateForm::ipv4) {
    VectorSink sink(message);
    putWithAttribute(sink, attributes, {number(AttributeType::next_hop), kTransitive, hop});
    write16(message, builder.attributes_at_, static_cast<std::uint16_t>(message.size() - builder.attributes_at_ - 2));
  } else {
    builder.routes_at_ = message.size() + 2;
    putMultiprotocolHead(message, AttributeType::mp_reach_nlri, form);
    message.push_back(static_cast<std::uint8_t>(hop.size()));
    put(message, hop);
    message.push_back(0);  // reserved
    builder.behind_.assign(attributes.begin(), attributes.end());
  }
  builder.head_ = message.size();
  return builder;
}

UpdateBuilder UpdateBuilder::withdraw(UpdateForm form) {
  UpdateBuilder builder(form);
  std::vector<std::uint8_t>& message = builder.message_ = emptyUpdate();
  if (form == UpdateForm::ipv4) {
    builder.routes_at_ = message.size();
    put16(message, 0);
    put16(builder.behind_, 0);  // Total Path Attribute Length
  } else {
    put16(message, 0);
    builder.attributes_at_ = message.size();
    put16(message, 0);
    builder.routes_at_ = message.size() + 2;
    putMultiprotocolHead(message, AttributeType::mp_unreach_nlri, form);
  }
  builder.head_ = message.size();
  return builder;
}

bool UpdateBuilder::hasRoom() const {
  const Afi afi = form_ == UpdateForm::ipv6_multiprotocol ? Afi::ipv6 : Afi::ipv4;
  return head_ + behind_.size() + 1 + prefixBytes(maxPrefixBits(afi)) <= kMaxMessageBytes;
}

std::vector<std::uint8_t> UpdateBuilder::take() {
  std::vector<std::uint8_t> message = message_;
  if (routes_at_ != 0) write16(message, routes_at_, static_cast<std::uint16_t>(message.size() - routes_at_ - 2));
  put(message, behind_);
  if (form_ != UpdateForm::ipv4)
    write16(message, attributes_at_, static_cast<std::uint16_t>(message.size() - attributes_at_ - 2));
  write16(message, kMarkerBytes, static_cast<std::uint16_t>(message.size()));
  message_.resize(head_);
  prefixes_ = 0;
  return message;
}

}  // namespace poplink::host::bgp
