// SPDX-License-Identifier: Apache-2.0
// What is wrong with an UPDATE and what follows from it (RFC 7606). Of several errors the one with the strongest action
// decides, the others are kept for the log. Nothing is allocated: a peer that sends errors costs no more than others.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "notification.h"
#include "octets.h"

namespace poplink::host::bgp {

/// From the weakest to the strongest (RFC 7606 section 2). "AFI/SAFI disable" is not used: session reset is what the
/// RFC leaves in its place.
enum class ErrorAction : std::uint8_t { none, attribute_discard, treat_as_withdraw, session_reset };
/// "treat-as-withdraw"
std::string_view words(ErrorAction action);

enum class ErrorReason : std::uint8_t {
  field_lengths,            ///< Withdrawn Routes or Path Attributes are longer than the message
  network_field,            ///< a prefix is too long or ends behind its field
  truncated_list,           ///< the Path Attributes end inside one
  flags,                    ///< Optional or Transitive are not those of the type
  length,                   ///< not a length of the type
  duplicate,                ///< a second one of the type; the first counts
  duplicate_multiprotocol,  ///< a second MP_REACH_NLRI or MP_UNREACH_NLRI
  missing,                  ///< a mandatory attribute
  unrecognized_well_known,  ///< not optional, and not known
  not_from_external,        ///< LOCAL_PREF and others that an external peer has no say in
  not_from_new_speaker,     ///< AS4_PATH or AS4_AGGREGATOR from a speaker of four-octet AS numbers
  family,                   ///< routes of a family that was not agreed on
  origin,                   ///< no such ORIGIN
  as_path,                  ///< segments of unknown type, without AS or not ending with the attribute
  as_set,                   ///< AS_SET or AS_CONFED_SET (RFC 9774)
  confederation,            ///< AS_CONFED_SEQUENCE from a peer outside (RFC 5065)
  as_zero,                  ///< AS 0 (RFC 7607)
  next_hop,                 ///< no address of a host
  next_hop_length,          ///< in MP_REACH_NLRI; what follows cannot be found
};
std::string_view words(ErrorReason reason);

struct Finding {
  ErrorAction action = ErrorAction::none;
  ErrorReason reason{};
  std::uint8_t type = 0;  ///< of the attribute; 0: not in one
  Octets attribute{};     ///< all of it, with its header; lies in the message
};
/// "AS_PATH (2): AS 0: treat-as-withdraw"
std::string words(const Finding& finding);

class Findings {
 public:
  static constexpr std::size_t kKept = 8;

  void add(const Finding& finding);
  /// Now the errors that withdraw routes have none to withdraw (RFC 7606 section 5.2).
  void nothingToWithdraw();

  ErrorAction action() const { return action_; }
  /// The first kKept, in their order.
  std::span<const Finding> kept() const { return std::span(kept_).first(count_ < kKept ? count_ : kKept); }
  /// All, also those that are not kept.
  std::size_t count() const { return count_; }
  /// The first one of the strongest action; there is one when action() is not none.
  const Finding& decisive() const { return decisive_; }
  /// What a session reset is told the peer as (RFC 4271 section 6.3): the decisive error, with the attribute as data.
  Notification notification() const;

 private:
  std::array<Finding, kKept> kept_;
  std::size_t count_ = 0;
  Finding decisive_;
  ErrorAction action_ = ErrorAction::none;
};

}  // namespace poplink::host::bgp
