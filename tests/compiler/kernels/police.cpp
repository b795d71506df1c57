// SPDX-License-Identifier: Apache-2.0
#include "police.h"

namespace police {

namespace {

/// value += by + carry; the carry out.
template <unsigned N>
bool add(bits<N>& value, bits<N> by, bool carry) {
  const bits<N + 1> sum = static_cast<bits<N + 1>>(static_cast<bits<N + 1>>(value) + by + carry);
  value = static_cast<bits<N>>(sum);
  return (sum >> N) != 0;
}

/// a < b for times less than half the circle apart.
bool before(bits<32> a, bits<32> b) {
  return (static_cast<bits<32>>(a - b) >> 31) != 0;
}

/// One bucket: all three that it can become stand beside the comparisons that choose.
bits<32> after(bits<32> full_at, bool in_future, bits<32> now_and_ticks, bits<24> ticks, bool taken) {
  const bits<32> later = static_cast<bits<32>>(full_at + ticks);
  return taken ? (in_future ? later : now_and_ticks) : full_at;
}

}  // namespace

void count_update(CountEntry& entry, const CountArgs& args) {
  entry.packets_high = static_cast<bits<16>>(entry.packets_high + entry.packets_carry_high);
  entry.packets_carry_high = add<24>(entry.packets_middle, 0, entry.packets_carry);
  entry.packets_carry = add<24>(entry.packets_low, 1, false);
  entry.bytes_high = static_cast<bits<16>>(entry.bytes_high + entry.bytes_carry_high);
  entry.bytes_carry_high = add<24>(entry.bytes_middle, 0, entry.bytes_carry);
  entry.bytes_carry = add<24>(entry.bytes_low, static_cast<bits<24>>(args.bytes), false);
}

Colour meter_update(MeterEntry& entry, const MeterArgs& args) {
  const bool committed_future = before(args.now, entry.committed), peak_future = before(args.now, entry.peak);
  const bool committed_room = args.committed_fits && !before(args.committed_limit, entry.committed);
  const bool peak_room = args.peak_fits && !before(args.peak_limit, entry.peak);
  const bool green = peak_room && committed_room;
  entry.peak = after(entry.peak, peak_future, args.peak_full, args.peak_ticks, peak_room);
  entry.committed = after(entry.committed, committed_future, args.committed_full, args.committed_ticks, green);
  return {!peak_room ? bits<2>{2} : green ? bits<2>{0} : bits<2>{1}};
}

void police(const In& in, Out& out) {
  update_count(in.flow, {in.length});
  out.colour = 0;
  if (in.metered) {
    const MeterArgs args = {in.now,
                            in.committed,
                            in.peak,
                            static_cast<bits<32>>(in.now + in.committed),
                            static_cast<bits<32>>(in.now + in.peak),
                            static_cast<bits<32>>(in.now + in.committed_burst - in.committed),
                            static_cast<bits<32>>(in.now + in.peak_burst - in.peak),
                            in.committed <= in.committed_burst,
                            in.peak <= in.peak_burst};
    out.colour = update_meter(in.flow, args).colour;
  }
}

}  // namespace police
