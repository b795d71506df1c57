// SPDX-License-Identifier: Apache-2.0
// punt() over buckets in memory. The update_* functions are one set per program, like lookup_* (software_tables.h).
#pragma once

#include "hls_table.h"
#include "punt.h"

namespace poplink::sim {

class Policers {
 public:
  /// What becomes of a frame for the host, as far as its rate goes.
  kernels::PuntFate fate(const kernels::PuntIn& in);

  hls::UpdateTable<kernels::BucketTime, 14> service;
  hls::UpdateTable<kernels::BucketTime, 7> port;
};

}  // namespace poplink::sim
