// SPDX-License-Identifier: Apache-2.0
// Which of the frames for the host may go there: two token buckets, by (service, class) and by (port, class).
#pragma once

#include "hls.h"

namespace poplink::kernels {

using hls::bits;

inline constexpr unsigned kHostClasses = 4;
inline constexpr unsigned kTimeFraction = 8;  ///< bits: policers count in 1/256 us

struct PuntIn {
  bits<2> host_class;
  bits<5> port;  ///< 16: the host itself
  bool service_valid;
  bits<12> service;
  bits<36> now_us;                           ///< the low bits of card time
  bits<32> service_interval[kHostClasses];   ///< between two frames, in 1/256 us; 0: no limit
  bits<32> service_tolerance[kHostClasses];  ///< how far ahead of its rate a burst may be, in us: tolerance / interval
                                             ///< + 1 frames
  bits<32> port_interval[kHostClasses];
  bits<32> port_tolerance[kHostClasses];
};

/// What becomes of a frame for the host; the last one is the queue's to say.
enum class PuntFate : unsigned char { queued = 0, service_policed = 1, port_policed = 2, no_room = 3 };

struct PuntOut {
  bits<2> fate;  ///< a PuntFate, never no_room
};

/// Card time in 1/256 us, in a circle of 19 hours.
using PoliceTime = bits<44>;

/// A token bucket kept as the time when it would be full again (generic cell rate algorithm, ITU-T I.371): a time that
/// has passed is a full bucket, and refilling needs no arithmetic. Times further ahead than a bucket ever gets are of
/// an entry that slept for half the circle: full. (One that slept for the whole circle, to within its burst, may look
/// used.)
struct BucketTime {
  PoliceTime full_at;
};

/// Everything that does not need the entry.
struct BucketArgs {
  PoliceTime now;
  PoliceTime now_and_interval;
  PoliceTime limit;  ///< the latest `full_at` that leaves room for a frame
  PoliceTime far;    ///< the latest `full_at` that there is
  bits<32> interval;
};

struct Conforms {
  bool conforms;
};

Conforms update_service_bucket(bits<14> service_and_class, const BucketArgs& args);
Conforms update_port_bucket(bits<7> port_and_class, const BucketArgs& args);

Conforms service_bucket_update(BucketTime& entry, const BucketArgs& args);
Conforms port_bucket_update(BucketTime& entry, const BucketArgs& args);

/// What the service's bucket refuses takes nothing from its port's.
void punt(const PuntIn& in, PuntOut& out);

}  // namespace poplink::kernels
