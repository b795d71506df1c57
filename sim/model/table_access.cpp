// SPDX-License-Identifier: Apache-2.0
#include "table_access.h"

#include <stdexcept>
#include <string_view>

#include "forward_rtl.h"

namespace poplink::sim {

namespace {

using Bits = hls::bits<128>;

/// Calls `act` with the array of table `number` and what packs its entries. The map numbers tables by their names.
template <class Tables, class Act>
auto withTable(Tables& tables, unsigned number, Act&& act) {
  const std::string_view name = card_map::kTables.at(number).name;
  if (name == "attachment") return act(tables.attachment, forward_rtl::AttachmentPort{});
  if (name == "bucket") return act(tables.bucket, forward_rtl::BucketPort{});
  if (name == "group") return act(tables.group, forward_rtl::GroupPort{});
  if (name == "lag") return act(tables.lag, forward_rtl::LagPort{});
  if (name == "link") return act(tables.link, forward_rtl::LinkPort{});
  if (name == "port") return act(tables.port, forward_rtl::PortPort{});
  if (name == "service") return act(tables.service, forward_rtl::ServicePort{});
  if (name == "vid") return act(tables.vid, forward_rtl::VidPort{});
  throw std::logic_error("the map has a table that this model does not know");
}

}  // namespace

std::uint32_t TableAccess::capacity(unsigned number) {
  return number < card_map::kTables.size() ? card_map::kTables[number].capacity : 0;
}
std::uint32_t TableAccess::entryBits(unsigned number) {
  return number < card_map::kTables.size() ? card_map::kTables[number].entry_width : 0;
}
std::uint32_t TableAccess::used(unsigned number) const {
  return number < used_.size() ? used_[number] : 0;
}

TableAccess::Words TableAccess::read(unsigned number, std::uint32_t index) const {
  return withTable(tables_, number, [&](const auto& table, auto port) {
    const auto bits = static_cast<Bits>(decltype(port)::pack(table.at(index)));
    Words words{};
    for (unsigned i = 0; i < words.size(); ++i) words[i] = static_cast<std::uint32_t>(bits >> (32 * i));
    return words;
  });
}

void TableAccess::write(unsigned number, std::uint32_t index, const Words& words) {
  withTable(tables_, number, [&](auto& table, auto port) {
    Bits bits = 0;
    for (unsigned i = 0; i < words.size(); ++i) bits |= static_cast<Bits>(words[i]) << (32 * i);
    auto& entry = table.at(index);
    if (entry.valid) --used_[number];
    decltype(port)::unpack(static_cast<hls::bits<decltype(port)::kEntryWidth>>(bits), entry);
    if (entry.valid) ++used_[number];
  });
}

}  // namespace poplink::sim
