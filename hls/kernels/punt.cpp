// SPDX-License-Identifier: Apache-2.0
#include "punt.h"

namespace poplink::kernels {

namespace {

BucketArgs bucketArgs(bits<36> now_us, bits<32> interval, bits<32> tolerance) {
  const PoliceTime now = static_cast<PoliceTime>(static_cast<PoliceTime>(now_us) << kTimeFraction);
  const PoliceTime ahead = static_cast<PoliceTime>(static_cast<PoliceTime>(tolerance) << kTimeFraction);
  const PoliceTime limit = static_cast<PoliceTime>(now + ahead);
  return {now, static_cast<PoliceTime>(now + interval), limit, static_cast<PoliceTime>(limit + interval), interval};
}

/// Of two times less than half the circle apart.
bool after(PoliceTime a, PoliceTime b) {
  return (static_cast<PoliceTime>(b - a) >> 43) != 0;
}

/// The sum and the comparisons stand side by side, and choose.
Conforms take(BucketTime& entry, const BucketArgs& args) {
  const bool slept = after(entry.full_at, args.far);
  const bool conforms = slept || !after(entry.full_at, args.limit);
  const bool ahead = after(entry.full_at, args.now);
  const PoliceTime later = static_cast<PoliceTime>(entry.full_at + args.interval);
  const PoliceTime taken = !slept && ahead ? later : args.now_and_interval;
  if (conforms) entry.full_at = taken;
  return {conforms};
}

}  // namespace

Conforms service_bucket_update(BucketTime& entry, const BucketArgs& args) {
  return take(entry, args);
}

Conforms port_bucket_update(BucketTime& entry, const BucketArgs& args) {
  return take(entry, args);
}

void punt(const PuntIn& in, PuntOut& out) {
  const unsigned of = static_cast<unsigned>(in.host_class);
  PuntFate fate = PuntFate::queued;
  if (in.service_valid && in.service_interval[of] != 0) {
    const bits<14> index = static_cast<bits<14>>((static_cast<bits<14>>(in.service) << 2) | in.host_class);
    if (!update_service_bucket(index, bucketArgs(in.now_us, in.service_interval[of], in.service_tolerance[of]))
             .conforms)
      fate = PuntFate::service_policed;
  }
  if (fate == PuntFate::queued && in.port_interval[of] != 0) {
    const bits<7> index = static_cast<bits<7>>((static_cast<bits<7>>(in.port) << 2) | in.host_class);
    if (!update_port_bucket(index, bucketArgs(in.now_us, in.port_interval[of], in.port_tolerance[of])).conforms)
      fate = PuntFate::port_policed;
  }
  out.fate = static_cast<bits<2>>(fate);
}

}  // namespace poplink::kernels
