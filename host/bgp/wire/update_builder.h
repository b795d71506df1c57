// SPDX-License-Identifier: Apache-2.0
// UPDATEs to send: as many prefixes in each as fit behind one set of attributes.
//
//   UpdateBuilder builder = UpdateBuilder::announce(form, next_hop, wireAttributes(canonical, four_octet_asn));
//   if (!builder.hasRoom()) ...                       // such a route cannot be sent to this peer: withdraw it there
//   for (const Prefix4& prefix : prefixes)
//     if (!builder.add(prefix)) {
//       send(builder.take());
//       builder.add(prefix);
//     }
//   if (!builder.empty()) send(builder.take());
#pragma once

#include <vector>

#include "message.h"
#include "nlri.h"
#include "types.h"
#include "update.h"

namespace poplink::host::bgp {

/// Which fields the routes go in.
enum class UpdateForm : std::uint8_t {
  ipv4,                ///< Withdrawn Routes and NLRI, with NEXT_HOP (RFC 4271)
  ipv4_multiprotocol,  ///< MP_UNREACH_NLRI and MP_REACH_NLRI; with an IPv6 next hop where that was agreed (RFC 8950)
  ipv6_multiprotocol,
};

class UpdateBuilder {
 public:
  /// `attributes` as wireAttributes() gives them. The form ipv4 has an IPv4 next hop, the form ipv6_multiprotocol an
  /// IPv6 one. MP_REACH_NLRI goes first (RFC 7606 section 5.1), NEXT_HOP to its place by type.
  static UpdateBuilder announce(UpdateForm form, const NextHop& next_hop, Octets attributes);
  static UpdateBuilder withdraw(UpdateForm form);

  /// Whether there is room for any one prefix; otherwise these attributes cannot be sent at all (RFC 4271 section 9.2).
  bool hasRoom() const;
  /// False: it is full (take() empties it), and nothing has changed. The prefix is of the form's family.
  bool add(const Prefix4& prefix) { return addAny(prefix); }
  bool add(const Prefix6& prefix) { return addAny(prefix); }
  bool empty() const { return prefixes_ == 0; }
  std::size_t prefixes() const { return prefixes_; }

  /// The message with its header; the builder has the same attributes and no prefixes again. Without prefixes a
  /// withdrawal is the family's End-of-RIB (RFC 4724 section 2).
  std::vector<std::uint8_t> take();

 private:
  explicit UpdateBuilder(UpdateForm form) : form_(form) {}

  template <class Prefix>
  bool addAny(const Prefix& prefix) {
    if (1 + prefixBytes(prefix.length) + message_.size() + behind_.size() > kMaxMessageBytes) return false;
    putPrefix(message_, prefix);
    ++prefixes_;
    return true;
  }

  UpdateForm form_;
  std::vector<std::uint8_t> message_;  ///< up to the last prefix
  std::vector<std::uint8_t> behind_;   ///< what goes behind the prefixes
  std::size_t head_ = 0;               ///< octets before the first prefix
  std::size_t attributes_at_ = 0;      ///< of the Total Path Attribute Length; 0: it comes behind the prefixes
  std::size_t routes_at_ = 0;          ///< of the length of what the prefixes are in; 0: it has none
  std::size_t prefixes_ = 0;
};

}  // namespace poplink::host::bgp
