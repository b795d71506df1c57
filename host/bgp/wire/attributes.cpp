// SPDX-License-Identifier: Apache-2.0
#include "attributes.h"

#include <algorithm>
#include <array>

#include "attribute_sink.h"

namespace poplink::host::bgp {

namespace {

constexpr std::size_t kMaxValueBytes = 0xffff;

std::uint8_t number(AttributeType type) {
  return static_cast<std::uint8_t>(type);
}

void readPath(Octets path, PathFacts& facts) {
  facts.as_path = path;
  facts.path_length = pathLength(path, AsnBytes::four);
  if (path.empty()) return;
  facts.first_as = read32(path, 2);
  facts.origin_as = read32(path, path.size() - 4);
}

std::size_t asnsIn(Octets path) {
  return scanPath(path, AsnBytes::four).asns;
}

bool fitsTwoOctets(Octets path) {
  bool fits = true;
  forEachAsn(path, AsnBytes::four, [&fits](Asn asn) { fits &= asn <= 0xffff; });
  return fits;
}

void putPath(VectorSink& sink, std::uint8_t flags, Octets path, AsnBytes bytes) {
  const std::size_t asns = asnsIn(path);
  putAttributeHeader(sink, number(AttributeType::as_path), flags, sequenceBytes(asns, bytes));
  SequenceWriter writer(sink, asns, bytes);
  forEachAsn(path, AsnBytes::four, [&writer](Asn asn) { writer.put(asn); });
}

void putOldAggregator(VectorSink& sink, const Attribute& attribute) {
  const Asn asn = read32(attribute.value, 0);
  putAttributeHeader(sink, attribute.type, attribute.flags, 6);
  sink.put16(static_cast<std::uint16_t>(asn <= 0xffff ? asn : kAsTrans));
  sink.put(attribute.value.subspan(4, 4));
}

/// What an old speaker gets in addition, to hand on (RFC 6793 section 4.2.2).
struct HandedOn {
  Octets path;
  Octets aggregator;
  void putBefore(VectorSink& sink, unsigned type) {
    constexpr std::uint8_t kFlags = kOptional | kTransitive;
    if (!path.empty() && type > number(AttributeType::as4_path)) {
      putAttribute(sink, {number(AttributeType::as4_path), kFlags, path});
      path = {};
    }
    if (!aggregator.empty() && type > number(AttributeType::as4_aggregator)) {
      putAttribute(sink, {number(AttributeType::as4_aggregator), kFlags, aggregator});
      aggregator = {};
    }
  }
};

constexpr unsigned kBehindAll = 256;

}  // namespace

PathFacts readFacts(Octets canonical) {
  PathFacts facts;
  forEachAttribute(canonical, [&facts](const Attribute& attribute) {
    const Octets value = attribute.value;
    switch (static_cast<AttributeType>(attribute.type)) {
      case AttributeType::origin:
        facts.origin = static_cast<Origin>(value[0]);
        break;
      case AttributeType::as_path:
        readPath(value, facts);
        break;
      case AttributeType::multi_exit_disc:
        facts.med = read32(value, 0);
        break;
      case AttributeType::local_pref:
        facts.local_pref = read32(value, 0);
        break;
      case AttributeType::atomic_aggregate:
        facts.atomic_aggregate = true;
        break;
      case AttributeType::originator_id:
        facts.originator_id = read32(value, 0);
        break;
      case AttributeType::cluster_list:
        facts.cluster_list = value;
        break;
      case AttributeType::communities:
        facts.communities = value;
        break;
      case AttributeType::extended_communities:
        facts.extended_communities = value;
        break;
      case AttributeType::large_communities:
        facts.large_communities = value;
        break;
      case AttributeType::only_to_customer:
        facts.only_to_customer = read32(value, 0);
        break;
      default:
        break;
    }
  });
  return facts;
}

bool containsUnit(Octets list, Octets unit) {
  if (unit.empty()) return false;
  for (std::size_t at = 0; at + unit.size() <= list.size(); at += unit.size())
    if (std::ranges::equal(list.subspan(at, unit.size()), unit)) return true;
  return false;
}

std::vector<std::uint8_t> withChanges(Octets canonical, std::span<const AttributeChange> changes) {
  std::array<const AttributeChange*, 256> by_type{};
  for (const AttributeChange& change : changes) by_type[number(change.type)] = &change;
  std::vector<std::uint8_t> changed;
  VectorSink sink(changed);
  unsigned next = 0;  // all changes of smaller types are written
  auto left = std::ranges::count_if(by_type, [](const AttributeChange* change) { return change != nullptr; });
  const auto putBefore = [&](unsigned type, std::uint8_t partial = 0) {
    for (; left != 0 && next < type; ++next) {
      if (by_type[next] == nullptr) continue;
      --left;
      const AttributeRule* rule = attributeRule(static_cast<std::uint8_t>(next));
      if (!by_type[next]->value || rule == nullptr) continue;
      const auto flags = static_cast<std::uint8_t>(rule->flags | partial);
      putAttribute(sink, {static_cast<std::uint8_t>(next), flags, *by_type[next]->value});
    }
  };
  forEachAttribute(canonical, [&](const Attribute& attribute) {
    putBefore(attribute.type);
    if (by_type[attribute.type] == nullptr)
      putAttribute(sink, attribute);
    else
      putBefore(attribute.type + 1U, attribute.flags & kPartial);
  });
  putBefore(kBehindAll);
  return changed;
}

std::vector<std::uint8_t> withPrepended(Octets canonical, Asn asn, std::size_t times) {
  const Octets path = readFacts(canonical).as_path;
  const std::size_t before = asnsIn(path), asns = before + times;
  if (asns > kMaxValueBytes / 5) return {canonical.begin(), canonical.end()};
  AttributeChange change{AttributeType::as_path, std::vector<std::uint8_t>()};
  VectorSink sink(*change.value);
  SequenceWriter writer(sink, asns, AsnBytes::four);
  for (std::size_t i = 0; i < times; ++i) writer.put(asn);
  forEachAsn(path, AsnBytes::four, [&writer](Asn old) { writer.put(old); });
  return withChanges(canonical, std::span(&change, 1));
}

std::vector<std::uint8_t> wireAttributes(Octets canonical, bool four_octet_asn) {
  if (four_octet_asn) return {canonical.begin(), canonical.end()};
  std::vector<std::uint8_t> wire;
  VectorSink sink(wire);
  HandedOn handed_on;
  forEachAttribute(canonical, [&](const Attribute& attribute) {
    handed_on.putBefore(sink, attribute.type);
    if (attribute.type == number(AttributeType::as_path)) {
      if (!fitsTwoOctets(attribute.value)) handed_on.path = attribute.value;
      putPath(sink, attribute.flags, attribute.value, AsnBytes::two);
    } else if (attribute.type == number(AttributeType::aggregator)) {
      if (read32(attribute.value, 0) > 0xffff) handed_on.aggregator = attribute.value;
      putOldAggregator(sink, attribute);
    } else {
      putAttribute(sink, attribute);
    }
  });
  handed_on.putBefore(sink, kBehindAll);
  return wire;
}

}  // namespace poplink::host::bgp
