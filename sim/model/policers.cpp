// SPDX-License-Identifier: Apache-2.0
#include "policers.h"

namespace poplink {

namespace {
thread_local sim::Policers* in_use = nullptr;
}  // namespace

namespace kernels {

Conforms update_service_bucket(bits<14> service_and_class, const BucketArgs& args) {
  return in_use->service.update(service_and_class, args, service_bucket_update);
}
Conforms update_port_bucket(bits<7> port_and_class, const BucketArgs& args) {
  return in_use->port.update(port_and_class, args, port_bucket_update);
}

}  // namespace kernels

namespace sim {

kernels::PuntFate Policers::fate(const kernels::PuntIn& in) {
  kernels::PuntOut out{};
  in_use = this;
  kernels::punt(in, out);
  in_use = nullptr;
  return static_cast<kernels::PuntFate>(static_cast<unsigned>(out.fate));
}

}  // namespace sim
}  // namespace poplink
