// SPDX-License-Identifier: Apache-2.0
#include "attribute_types.h"

#include "as_path.h"

namespace poplink::host::bgp {

namespace {

using Length = AttributeRule::Length;
using From = AttributeRule::From;

constexpr std::uint8_t kWellKnown = kTransitive;
constexpr std::uint8_t kOptionalTransitive = kOptional | kTransitive;

constexpr ErrorAction kDiscard = ErrorAction::attribute_discard, kWithdraw = ErrorAction::treat_as_withdraw;

AsnBytes asnBytes(const UpdateContext& context) {
  return context.four_octet_asn ? AsnBytes::four : AsnBytes::two;
}

std::optional<Fault> checkOrigin(Octets value, const UpdateContext&) {
  if (value[0] > static_cast<std::uint8_t>(Origin::incomplete)) return Fault{kWithdraw, ErrorReason::origin};
  return std::nullopt;
}

std::optional<Fault> checkAsPath(Octets value, const UpdateContext& context) {
  const PathScan scan = scanPath(value, asnBytes(context));
  if (!scan.framed) return Fault{kWithdraw, ErrorReason::as_path};
  if (scan.set) return Fault{kWithdraw, ErrorReason::as_set};
  if (scan.confederation) return Fault{kWithdraw, ErrorReason::confederation};
  if (scan.zero) return Fault{kWithdraw, ErrorReason::as_zero};
  return std::nullopt;
}

/// RFC 6793 section 6; sets are worse (RFC 9774), segments of a confederation are skipped when it is read.
std::optional<Fault> checkAs4Path(Octets value, const UpdateContext&) {
  const PathScan scan = scanPath(value, AsnBytes::four);
  if (scan.set) return Fault{kWithdraw, ErrorReason::as_set};
  if (!scan.framed || value.empty()) return Fault{kDiscard, ErrorReason::as_path};
  if (scan.zero) return Fault{kDiscard, ErrorReason::as_zero};
  return std::nullopt;
}

/// Its length is that of the AS numbers (RFC 7606 section 7.7).
std::optional<Fault> checkAggregator(Octets value, const UpdateContext& context) {
  if (value.size() != (context.four_octet_asn ? 8u : 6u)) return Fault{kDiscard, ErrorReason::length};
  const Asn asn = context.four_octet_asn ? read32(value, 0) : read16(value, 0);
  if (asn == 0) return Fault{kDiscard, ErrorReason::as_zero};
  return std::nullopt;
}

std::optional<Fault> checkAs4Aggregator(Octets value, const UpdateContext&) {
  if (read32(value, 0) == 0) return Fault{kDiscard, ErrorReason::as_zero};
  return std::nullopt;
}

struct Named {
  std::string_view name;
  AttributeRule rule;
};

using enum AttributeType;

constexpr std::array<Named, 18> kRules{
    // RFC 7606 sections 7.1 to 7.12
    Named{"ORIGIN", {origin, kWellKnown, Length::exactly, 1, kWithdraw, From::anyone, checkOrigin}},
    Named{"AS_PATH", {as_path, kWellKnown, Length::any, 0, ErrorAction::none, From::anyone, checkAsPath}},
    Named{"NEXT_HOP", {next_hop, kWellKnown, Length::exactly, 4, kWithdraw}},
    Named{"MULTI_EXIT_DISC", {multi_exit_disc, kOptional, Length::exactly, 4, kWithdraw}},
    Named{"LOCAL_PREF", {local_pref, kWellKnown, Length::exactly, 4, kWithdraw, From::internal}},
    Named{"ATOMIC_AGGREGATE", {atomic_aggregate, kWellKnown, Length::exactly, 0, kDiscard}},
    Named{"AGGREGATOR",
          {aggregator, kOptionalTransitive, Length::any, 0, ErrorAction::none, From::anyone, checkAggregator}},
    Named{"COMMUNITIES", {communities, kOptionalTransitive, Length::multiple, 4, kWithdraw}},
    Named{"ORIGINATOR_ID", {originator_id, kOptional, Length::exactly, 4, kWithdraw, From::internal}},
    Named{"CLUSTER_LIST", {cluster_list, kOptional, Length::multiple, 4, kWithdraw, From::internal}},
    Named{"MP_REACH_NLRI", {mp_reach_nlri, kOptional}},
    Named{"MP_UNREACH_NLRI", {mp_unreach_nlri, kOptional}},
    // 7.14, 7.15
    Named{"EXTENDED COMMUNITIES", {extended_communities, kOptionalTransitive, Length::multiple, 8, kWithdraw}},
    Named{"IPv6 EXTENDED COMMUNITIES",
          {ipv6_extended_communities, kOptionalTransitive, Length::multiple, 20, kWithdraw}},
    // RFC 6793 section 6
    Named{"AS4_PATH",
          {as4_path, kOptionalTransitive, Length::any, 0, ErrorAction::none, From::old_speaker, checkAs4Path}},
    Named{"AS4_AGGREGATOR",
          {as4_aggregator, kOptionalTransitive, Length::exactly, 8, kDiscard, From::old_speaker, checkAs4Aggregator}},
    // RFC 8092 section 6
    Named{"LARGE_COMMUNITY", {large_communities, kOptionalTransitive, Length::multiple, 12, kWithdraw}},
    // RFC 9234 section 5
    Named{"ONLY_TO_CUSTOMER", {only_to_customer, kOptionalTransitive, Length::exactly, 4, kWithdraw}},
};

constexpr std::uint8_t kUnknown = 0xff;

/// Index in kRules, by type.
constexpr std::array<std::uint8_t, 256> kIndex = [] {
  std::array<std::uint8_t, 256> index{};
  index.fill(kUnknown);
  for (std::size_t i = 0; i < kRules.size(); ++i)
    index[static_cast<std::size_t>(kRules[i].rule.type)] = static_cast<std::uint8_t>(i);
  return index;
}();

bool fits(const AttributeRule& rule, std::size_t size) {
  switch (rule.length) {
    case Length::exactly:
      return size == rule.unit;
    case Length::multiple:
      return size != 0 && size % rule.unit == 0;
    case Length::any:
      return true;
  }
  return false;
}

}  // namespace

std::string words(AttributeType type) {
  const auto number = static_cast<std::uint8_t>(type);
  if (kIndex[number] == kUnknown) return "attribute " + std::to_string(number);
  return std::string(kRules[kIndex[number]].name) + " (" + std::to_string(number) + ")";
}

const AttributeRule* attributeRule(std::uint8_t type) {
  return kIndex[type] == kUnknown ? nullptr : &kRules[kIndex[type]].rule;
}

std::optional<Fault> findFault(const AttributeRule& rule, std::uint8_t flags, Octets value,
                               const UpdateContext& context) {
  if (rule.from == From::internal && context.external) return Fault{kDiscard, ErrorReason::not_from_external};
  if (rule.from == From::old_speaker && context.four_octet_asn)
    return Fault{kDiscard, ErrorReason::not_from_new_speaker};
  if ((flags & (kOptional | kTransitive)) != rule.flags) return Fault{kWithdraw, ErrorReason::flags};
  if (!fits(rule, value.size())) return Fault{rule.wrong_length, ErrorReason::length};
  return rule.check == nullptr ? std::nullopt : rule.check(value, context);
}

}  // namespace poplink::host::bgp
