// SPDX-License-Identifier: Apache-2.0
// State that packets change: how many a flow had, how many bytes, and which colour its rates allow.
#pragma once

#include "hls.h"

namespace police {

using hls::bits;

struct In {
  bits<10> flow;
  bits<14> length;           ///< bytes
  bits<32> now;              ///< ticks; an entry is never older than 2^30 of them
  bits<24> committed;        ///< ticks that this packet takes at the committed rate
  bits<24> peak;             ///< the same at the peak rate
  bits<30> committed_burst;  ///< ticks that a burst may be ahead of its rate
  bits<30> peak_burst;
  bool metered;
};

struct Out {
  bits<2> colour;  ///< 0 green, 1 yellow, 2 red
};

/// Packets and bytes, 64 bits each, as three parts. A carry out of a part waits in the entry and is added by the next
/// packet, so that no sum is longer than a clock. A part weighs 2^24 times the part below.
struct CountEntry {
  bits<24> packets_low, packets_middle;
  bits<16> packets_high;
  bits<24> bytes_low, bytes_middle;
  bits<16> bytes_high;
  bool packets_carry, packets_carry_high, bytes_carry, bytes_carry_high;
};

struct CountArgs {
  bits<14> bytes;
};

/// Two buckets (RFC 2698, colour-blind) as times: at which the bucket would be full again. A time not in the future is
/// a full bucket.
struct MeterEntry {
  bits<32> committed;
  bits<32> peak;
};

/// Everything that does not need the entry.
struct MeterArgs {
  bits<32> now;
  bits<24> committed_ticks, peak_ticks;
  bits<32> committed_full, peak_full;    ///< now + ticks: what a full bucket comes to
  bits<32> committed_limit, peak_limit;  ///< the latest time that leaves room for this packet
  bool committed_fits, peak_fits;        ///< the packet is no larger than the burst
};

struct Colour {
  bits<2> colour;
};

void update_count(bits<10> flow, const CountArgs& args);
Colour update_meter(bits<10> flow, const MeterArgs& args);

void count_update(CountEntry& entry, const CountArgs& args);
Colour meter_update(MeterEntry& entry, const MeterArgs& args);

void police(const In& in, Out& out);

}  // namespace police
