// SPDX-License-Identifier: Apache-2.0
#include "update.h"

#include <algorithm>

#include "attribute_sink.h"
#include "message.h"

namespace poplink::host::bgp {

namespace {

std::uint8_t number(AttributeType type) {
  return static_cast<std::uint8_t>(type);
}

/// Neither this network, loopback, multicast nor reserved (RFC 4271 section 6.3: an IP host address).
bool isHost(Ipv4 address) {
  const unsigned first = address >> 24;
  return first != 0 && first != 127 && first < 224;
}

bool isHost(const Ipv6& address) {
  Ipv6 loopback{};
  loopback.back() = 1;
  return address != Ipv6{} && address != loopback && address[0] != 0xff;
}

bool isHost(const Address& address) {
  return std::visit([](const auto& a) { return isHost(a); }, address);
}

bool isLinkLocal(const Ipv6& address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

Ipv6 ipv6At(Octets octets, std::size_t at) {
  Ipv6 address;
  std::ranges::copy(octets.subspan(at, address.size()), address.begin());
  return address;
}

/// nullopt: a length that the family does not have (RFC 4760 section 3, RFC 2545 section 3, RFC 8950 section 3).
std::optional<NextHop> readNextHop(Octets octets, Afi afi, const UpdateContext& context) {
  if (afi == Afi::ipv4 && octets.size() == 4) return NextHop{read32(octets, 0)};
  if (afi == Afi::ipv4 && !context.extended_next_hop) return std::nullopt;
  if (octets.size() == 16) return NextHop{ipv6At(octets, 0)};
  if (octets.size() != 32) return std::nullopt;
  NextHop next_hop{ipv6At(octets, 0)};
  const Ipv6 second = ipv6At(octets, 16);
  if (isLinkLocal(second)) next_hop.link_local = second;
  return next_hop;
}

class Decoder {
 public:
  Decoder(Octets body, const UpdateContext& context, DecodeSpace& space, Update& update)
      : body_(body), context_(context), space_(space), update_(update) {}

  void run();

 private:
  bool splitFields();
  bool scanClassic(Octets field, Routes& to);
  void readAttributes();
  void readAttribute(const Attribute& attribute, Octets whole);
  void readKnown(const AttributeRule& rule, const Attribute& attribute, Octets whole);
  void place(const Attribute& attribute, Octets whole);
  void keep(const Attribute& attribute);
  void readMpReach(Octets value, Octets whole);
  void readMpUnreach(Octets value, Octets whole);
  bool agreed(Family family) const;
  void readClassicNextHop();
  void checkMandatory();
  void requirePresent(AttributeType type);
  void mergeOldSpeaker();
  void putPath(RoomSink& sink, const Attribute& attribute) const;
  void putAggregator(RoomSink& sink, const Attribute& attribute) const;
  void writeCanonical();
  void findEndOfRib();

  bool seen(AttributeType type) const { return (seen_[number(type) / 64] >> number(type) % 64 & 1) != 0; }
  const Attribute* kept(AttributeType type) const;
  std::span<const Attribute> all() const { return std::span<const Attribute>(space_.attributes()).first(count_); }
  bool stopped() const { return update_.findings.action() == ErrorAction::session_reset; }
  void find(ErrorAction action, ErrorReason reason, std::uint8_t type = 0, Octets whole = {}) {
    update_.findings.add({action, reason, type, whole});
  }

  Octets body_;
  const UpdateContext& context_;
  DecodeSpace& space_;
  Update& update_;
  Octets attributes_;
  std::array<std::uint64_t, 4> seen_{};  ///< types, one bit each
  std::size_t count_ = 0;                ///< of space_.attributes(), sorted by type
  bool reach_seen_ = false;              ///< MP_REACH_NLRI with prefixes, of whatever family
  bool mp_end_ = false;                  ///< MP_UNREACH_NLRI without prefixes
  std::optional<Octets> next_hop_;       ///< NEXT_HOP's value
  std::optional<Octets> as4_path_;
  std::optional<Octets> as4_aggregator_;
};

void Decoder::run() {
  if (!splitFields()) return;
  readAttributes();
  if (stopped()) return;
  findEndOfRib();
  readClassicNextHop();
  const bool announces = !update_.announced.nlri.empty() || reach_seen_;
  if (announces) checkMandatory();
  if (!announces) update_.findings.nothingToWithdraw();
  if (update_.findings.action() >= ErrorAction::treat_as_withdraw) return;
  if (update_.announced.nlri.empty() && update_.mp_announced.nlri.empty()) return;
  mergeOldSpeaker();
  writeCanonical();
  update_.facts = readFacts(update_.canonical);
}

/// Withdrawn Routes Length, Withdrawn Routes, Total Path Attribute Length, Path Attributes, NLRI.
bool Decoder::splitFields() {
  if (body_.size() < 4 || body_.size() > kMaxBodyBytes || read16(body_, 0) > body_.size() - 4) {
    find(ErrorAction::session_reset, ErrorReason::field_lengths);
    return false;
  }
  const std::size_t withdrawn = read16(body_, 0), attributes = read16(body_, 2 + withdrawn);
  if (attributes > body_.size() - 4 - withdrawn) {
    find(ErrorAction::session_reset, ErrorReason::field_lengths);
    return false;
  }
  attributes_ = body_.subspan(4 + withdrawn, attributes);
  return scanClassic(body_.subspan(2, withdrawn), update_.withdrawn) &&
         scanClassic(body_.subspan(4 + withdrawn + attributes), update_.announced);
}

bool Decoder::scanClassic(Octets field, Routes& to) {
  const NlriScan scan = scanNlri(field, maxPrefixBits(Afi::ipv4));
  if (scan.wrong_at) {
    find(ErrorAction::session_reset, ErrorReason::network_field);
    return false;
  }
  if (field.empty()) return true;
  if (!context_.ipv4_unicast) {
    find(ErrorAction::attribute_discard, ErrorReason::family);
    return true;
  }
  to.nlri = field;
  to.prefixes = scan.prefixes;
  return true;
}

/// RFC 7606 section 4: when the list ends inside an attribute, those before it count, and the NLRI is where the Total
/// Path Attribute Length says.
void Decoder::readAttributes() {
  Octets list = attributes_;
  while (!list.empty() && !stopped()) {
    const bool extended = (list[0] & kExtendedLength) != 0;
    const std::size_t head = extended ? 4 : 3;
    const std::size_t size = list.size() < head ? 0 : extended ? read16(list, 2) : list[2];
    if (list.size() < head || list.size() - head < size) {
      find(ErrorAction::treat_as_withdraw, ErrorReason::truncated_list, list.size() > 1 ? list[1] : std::uint8_t{0},
           list);
      return;
    }
    readAttribute({list[1], list[0], list.subspan(head, size)}, list.first(head + size));
    list = list.subspan(head + size);
  }
}

/// RFC 7606 section 3 (g) for duplicates; RFC 4271 section 6.3 for unknown types.
void Decoder::readAttribute(const Attribute& attribute, Octets whole) {
  std::uint64_t& word = seen_[attribute.type / 64];
  const std::uint64_t bit = std::uint64_t{1} << attribute.type % 64;
  if ((word & bit) != 0) {
    const bool routes = attribute.type == number(AttributeType::mp_reach_nlri) ||
                        attribute.type == number(AttributeType::mp_unreach_nlri);
    find(routes ? ErrorAction::session_reset : ErrorAction::attribute_discard,
         routes ? ErrorReason::duplicate_multiprotocol : ErrorReason::duplicate, attribute.type, whole);
    return;
  }
  word |= bit;
  if (const AttributeRule* rule = attributeRule(attribute.type)) {
    readKnown(*rule, attribute, whole);
  } else if ((attribute.flags & kOptional) == 0) {
    find(ErrorAction::session_reset, ErrorReason::unrecognized_well_known, attribute.type, whole);
  } else if ((attribute.flags & kTransitive) != 0) {
    keep({attribute.type, kOptional | kTransitive | kPartial, attribute.value});
  }
}

void Decoder::readKnown(const AttributeRule& rule, const Attribute& attribute, Octets whole) {
  const std::optional<Fault> fault = findFault(rule, attribute.flags, attribute.value, context_);
  if (fault) find(fault->action, fault->reason, attribute.type, whole);
  const bool routes = rule.type == AttributeType::mp_reach_nlri || rule.type == AttributeType::mp_unreach_nlri;
  if (fault && !routes) return;
  // Once a speaker has set Partial, nobody takes it away (RFC 4271 section 5).
  const bool may_be_partial = rule.flags == (kOptional | kTransitive);
  const auto flags = static_cast<std::uint8_t>(rule.flags | (may_be_partial ? attribute.flags & kPartial : 0));
  place({attribute.type, flags, attribute.value}, whole);
}

void Decoder::place(const Attribute& attribute, Octets whole) {
  switch (static_cast<AttributeType>(attribute.type)) {
    case AttributeType::next_hop:
      next_hop_ = attribute.value;
      break;
    case AttributeType::mp_reach_nlri:
      readMpReach(attribute.value, whole);
      break;
    case AttributeType::mp_unreach_nlri:
      readMpUnreach(attribute.value, whole);
      break;
    case AttributeType::as4_path:
      as4_path_ = attribute.value;
      break;
    case AttributeType::as4_aggregator:
      as4_aggregator_ = attribute.value;
      break;
    default:
      keep(attribute);
  }
}

/// Senders mostly sort (RFC 4271 section 5 says they should), then there is nothing to move.
void Decoder::keep(const Attribute& attribute) {
  std::size_t at = count_++;
  for (; at > 0 && space_.attributes()[at - 1].type > attribute.type; --at)
    space_.attributes()[at] = space_.attributes()[at - 1];
  space_.attributes()[at] = attribute;
}

bool Decoder::agreed(Family family) const {
  return (family == kIpv4Unicast && context_.ipv4_unicast) || (family == kIpv6Unicast && context_.ipv6_unicast);
}

/// AFI, SAFI, length of the next hop, next hop, a reserved octet, NLRI (RFC 4760 section 3). Where the next hop is not
/// what it should be, the NLRI cannot be found (RFC 7606 section 7.11).
void Decoder::readMpReach(Octets value, Octets whole) {
  const std::uint8_t type = number(AttributeType::mp_reach_nlri);
  if (value.size() < 5 || value.size() - 5 < value[3])
    return find(ErrorAction::session_reset, ErrorReason::length, type, whole);
  const std::size_t nlri_at = 5u + value[3];
  const Family family{static_cast<Afi>(read16(value, 0)), static_cast<Safi>(value[2])};
  reach_seen_ = nlri_at < value.size();
  if (!agreed(family)) return find(ErrorAction::attribute_discard, ErrorReason::family, type, whole);
  const std::optional<NextHop> next_hop = readNextHop(value.subspan(4, value[3]), family.afi, context_);
  if (!next_hop) return find(ErrorAction::session_reset, ErrorReason::next_hop_length, type, whole);
  const NlriScan scan = scanNlri(value.subspan(nlri_at), maxPrefixBits(family.afi));
  if (scan.wrong_at) return find(ErrorAction::session_reset, ErrorReason::network_field, type, whole);
  if (reach_seen_ && !isHost(next_hop->address))
    find(ErrorAction::treat_as_withdraw, ErrorReason::next_hop, type, whole);
  update_.mp_announced = {{family, value.subspan(nlri_at), scan.prefixes}, *next_hop};
}

/// AFI, SAFI, Withdrawn Routes (RFC 4760 section 4).
void Decoder::readMpUnreach(Octets value, Octets whole) {
  const std::uint8_t type = number(AttributeType::mp_unreach_nlri);
  if (value.size() < 3) return find(ErrorAction::session_reset, ErrorReason::length, type, whole);
  const Family family{static_cast<Afi>(read16(value, 0)), static_cast<Safi>(value[2])};
  if (!agreed(family)) return find(ErrorAction::attribute_discard, ErrorReason::family, type, whole);
  const NlriScan scan = scanNlri(value.subspan(3), maxPrefixBits(family.afi));
  if (scan.wrong_at) return find(ErrorAction::session_reset, ErrorReason::network_field, type, whole);
  mp_end_ = scan.prefixes == 0;
  update_.mp_withdrawn = {family, value.subspan(3), scan.prefixes};
}

/// RFC 4724 section 2: nothing at all, or MP_UNREACH_NLRI without routes alone.
void Decoder::findEndOfRib() {
  if (body_.size() == 4 && context_.ipv4_unicast) update_.end_of_rib = kIpv4Unicast;
  // Its header has 3 or 4 octets, AFI and SAFI 3.
  const bool alone = attributes_.size() <= 7 && body_.size() == 4 + attributes_.size();
  if (mp_end_ && alone) update_.end_of_rib = update_.mp_withdrawn.family;
}

/// That of the NLRI field: without any, whatever is there is not looked at (RFC 4760 section 3).
void Decoder::readClassicNextHop() {
  if (!next_hop_ || update_.announced.nlri.empty()) return;
  const Ipv4 address = read32(*next_hop_, 0);
  update_.announced.next_hop = {address};
  if (!isHost(address)) find(ErrorAction::treat_as_withdraw, ErrorReason::next_hop, number(AttributeType::next_hop));
}

/// RFC 4271 section 5, RFC 7606 section 3 (d). One that was there and is wrong has its own finding.
void Decoder::checkMandatory() {
  requirePresent(AttributeType::origin);
  requirePresent(AttributeType::as_path);
  if (!update_.announced.nlri.empty()) requirePresent(AttributeType::next_hop);
  if (!context_.external) requirePresent(AttributeType::local_pref);
}

void Decoder::requirePresent(AttributeType type) {
  if (!seen(type)) find(ErrorAction::treat_as_withdraw, ErrorReason::missing, number(type));
}

const Attribute* Decoder::kept(AttributeType type) const {
  const auto found = std::ranges::lower_bound(all(), number(type), {}, &Attribute::type);
  return found != all().end() && found->type == number(type) ? &*found : nullptr;
}

/// RFC 6793 section 4.2.3: beside AS4_AGGREGATOR, an AGGREGATOR that is not AS_TRANS was written later, by somebody who
/// knew nothing of AS4_PATH and made the path anew; and a longer AS4_PATH is not of this path.
void Decoder::mergeOldSpeaker() {
  const Attribute* aggregator = kept(AttributeType::aggregator);
  if (as4_aggregator_ && aggregator != nullptr && read16(aggregator->value, 0) != kAsTrans) {
    as4_path_.reset();
    as4_aggregator_.reset();
  }
  if (!as4_path_) return;
  const Attribute* path = kept(AttributeType::as_path);
  if (scanPath(path->value, AsnBytes::two).asns < scanPath(*as4_path_, AsnBytes::four).asns) as4_path_.reset();
}

void Decoder::putPath(RoomSink& sink, const Attribute& attribute) const {
  const AsnBytes bytes = context_.four_octet_asn ? AsnBytes::four : AsnBytes::two;
  const std::size_t asns = scanPath(attribute.value, bytes).asns;
  const std::size_t merged = as4_path_ ? scanPath(*as4_path_, AsnBytes::four).asns : 0;
  putAttributeHeader(sink, attribute.type, attribute.flags, sequenceBytes(asns, AsnBytes::four));
  SequenceWriter writer(sink, asns, AsnBytes::four);
  std::size_t leading = asns - merged;
  forEachAsn(attribute.value, bytes, [&writer, &leading](Asn asn) {
    if (leading == 0) return;
    --leading;
    writer.put(asn);
  });
  if (as4_path_) forEachAsn(*as4_path_, AsnBytes::four, [&writer](Asn asn) { writer.put(asn); });
}

void Decoder::putAggregator(RoomSink& sink, const Attribute& attribute) const {
  if (context_.four_octet_asn || as4_aggregator_)
    return putAttribute(sink, {attribute.type, attribute.flags, as4_aggregator_.value_or(attribute.value)});
  putAttributeHeader(sink, attribute.type, attribute.flags, 8);
  sink.put32(read16(attribute.value, 0));
  sink.put(attribute.value.subspan(2, 4));
}

void Decoder::writeCanonical() {
  RoomSink sink(space_.canonical());
  for (const Attribute& attribute : all()) {
    if (attribute.type == number(AttributeType::as_path))
      putPath(sink, attribute);
    else if (attribute.type == number(AttributeType::aggregator))
      putAggregator(sink, attribute);
    else
      putAttribute(sink, attribute);
  }
  update_.canonical = sink.written();
}

}  // namespace

Update decodeUpdate(Octets body, const UpdateContext& context, DecodeSpace& space) {
  Update update;
  Decoder(body, context, space, update).run();
  return update;
}

}  // namespace poplink::host::bgp
