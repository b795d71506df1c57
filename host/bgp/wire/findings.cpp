// SPDX-License-Identifier: Apache-2.0
#include "findings.h"

#include "attribute_types.h"

namespace poplink::host::bgp {

namespace {

struct Meaning {
  std::string_view name;
  std::uint8_t subcode;  ///< of an UPDATE Message Error (RFC 4271 section 6.3)
  enum class Data : std::uint8_t { none, attribute, type } data = Data::attribute;
};

/// By ErrorReason.
constexpr std::array<Meaning, 19> kMeanings{
    Meaning{"field lengths exceed the message", subcode::kMalformedAttributeList, Meaning::Data::none},
    Meaning{"malformed prefix", subcode::kInvalidNetworkField, Meaning::Data::none},
    Meaning{"the list ends inside an attribute", subcode::kMalformedAttributeList, Meaning::Data::none},
    Meaning{"wrong flags", subcode::kAttributeFlagsError},
    Meaning{"wrong length", subcode::kAttributeLengthError},
    Meaning{"duplicate", subcode::kMalformedAttributeList, Meaning::Data::none},
    Meaning{"duplicate", subcode::kMalformedAttributeList, Meaning::Data::none},
    Meaning{"missing", subcode::kMissingWellKnownAttribute, Meaning::Data::type},
    Meaning{"unrecognized well-known attribute", subcode::kUnrecognizedWellKnownAttribute},
    Meaning{"not from an external peer", subcode::kOptionalAttributeError},
    Meaning{"not from a speaker of four-octet AS numbers", subcode::kOptionalAttributeError},
    Meaning{"family not agreed on", subcode::kOptionalAttributeError},
    Meaning{"no such origin", subcode::kInvalidOrigin},
    Meaning{"malformed segments", subcode::kMalformedAsPath, Meaning::Data::none},
    Meaning{"AS_SET", subcode::kMalformedAsPath, Meaning::Data::none},
    Meaning{"confederation segment from outside", subcode::kMalformedAsPath, Meaning::Data::none},
    Meaning{"AS 0", subcode::kMalformedAsPath, Meaning::Data::none},
    Meaning{"next hop is no host", subcode::kInvalidNextHop},
    Meaning{"wrong length of the next hop", subcode::kOptionalAttributeError},
};

constexpr std::array<std::string_view, 4> kActions{"none", "attribute discard", "treat-as-withdraw", "session reset"};

const Meaning& meaning(ErrorReason reason) {
  return kMeanings[static_cast<std::size_t>(reason)];
}

bool multiprotocol(std::uint8_t type) {
  return type == static_cast<std::uint8_t>(AttributeType::mp_reach_nlri) ||
         type == static_cast<std::uint8_t>(AttributeType::mp_unreach_nlri);
}

}  // namespace

std::string_view words(ErrorAction action) {
  return kActions[static_cast<std::size_t>(action)];
}

std::string_view words(ErrorReason reason) {
  return meaning(reason).name;
}

std::string words(const Finding& finding) {
  const std::string place = finding.type == 0 ? "" : words(static_cast<AttributeType>(finding.type)) + ": ";
  return place + std::string(words(finding.reason)) + ": " + std::string(words(finding.action));
}

void Findings::add(const Finding& finding) {
  if (count_ < kKept) kept_[count_] = finding;
  ++count_;
  if (finding.action <= action_) return;
  action_ = finding.action;
  decisive_ = finding;
}

void Findings::nothingToWithdraw() {
  if (action_ == ErrorAction::treat_as_withdraw) action_ = ErrorAction::session_reset;
}

Notification Findings::notification() const {
  const Meaning& known = meaning(decisive_.reason);
  // Errors inside of MP_REACH_NLRI and MP_UNREACH_NLRI are one and the same to RFC 4760 section 7.
  const bool inside = multiprotocol(decisive_.type) &&
                      (decisive_.reason == ErrorReason::network_field || decisive_.reason == ErrorReason::length);
  Notification notification{ErrorCode::update_message, inside ? subcode::kOptionalAttributeError : known.subcode};
  if (inside || known.data == Meaning::Data::attribute)
    notification.data.assign(decisive_.attribute.begin(), decisive_.attribute.end());
  else if (known.data == Meaning::Data::type)
    notification.data = {decisive_.type};
  return notification;
}

}  // namespace poplink::host::bgp
