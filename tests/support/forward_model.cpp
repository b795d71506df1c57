// SPDX-License-Identifier: Apache-2.0
#include "forward_model.h"

#include <algorithm>

namespace poplink::tests {

kernels::ForwardIn headerWindow(std::span<const std::uint8_t> frame, unsigned port) {
  kernels::ForwardIn in{};
  for (std::size_t i = 0; i < std::min<std::size_t>(frame.size(), kernels::kHeaderBytes); ++i) in.header[i] = frame[i];
  in.length = static_cast<kernels::bits<14>>(frame.size());
  in.port = static_cast<kernels::bits<4>>(port);
  return in;
}

Frame applyEdit(std::span<const std::uint8_t> frame, const kernels::Edit& edit) {
  Frame out;
  for (unsigned i = 0; i < edit.prepend; ++i) out.push_back(static_cast<std::uint8_t>(edit.data[i]));
  out.insert(out.end(), frame.begin() + static_cast<unsigned>(edit.strip), frame.end());
  return out;
}

Decision decide(const Tables& tables, std::span<const std::uint8_t> frame, unsigned port) {
  const TablesInUse use(tables);
  Decision decision{};
  kernels::ForwardIn in = headerWindow(frame, port);
  in.hash_seed = tables.hash_seed;
  in.hash_symmetric = tables.hash_symmetric;
  kernels::forward(in, decision.out);
  if (decision.out.drop == 0) decision.frame = applyEdit(frame, decision.out.edit);
  return decision;
}

Tables exampleTables() {
  Tables tables;
  tables.setPorts({0, 1, 2, 3, 4, 5, 6, 7});
  for (unsigned p = 0; p < 6; ++p) {
    tables.port[p] = {true, static_cast<kernels::bits<2>>(p % 2), p != 4, static_cast<kernels::bits<4>>(p), 0x88A8};
  }
  tables.port[3].s_tpid = 0x9100;
  for (unsigned p = 6; p < 8; ++p) tables.port[p] = {true, 2, true, static_cast<kernels::bits<4>>(p), 0x88A8};
  const unsigned attachment[] = {0, 0, 0, 0, 0, 1, 2, 2, 3};
  for (unsigned s = 0; s <= 8; ++s) {
    const unsigned backbone = 6 + s % 2;
    tables.service[s] = {s != 3,
                         static_cast<kernels::bits<4>>(attachment[s]),
                         static_cast<kernels::bits<10>>(backbone),
                         static_cast<kernels::bits<12>>(1000 + s),
                         0x88A8,
                         static_cast<kernels::bits<3>>(s % 8),
                         static_cast<kernels::bits<14>>(s == 7 ? 1500 : 9000)};
    tables.vid[(backbone << 12) | (1000 + s)] = {true, static_cast<kernels::bits<12>>(s)};
  }
  for (unsigned s = 0; s < 4; ++s) tables.vid[100 + s] = {true, static_cast<kernels::bits<12>>(s)};
  tables.attachment[0] = {true, true, 4, false, 0};
  tables.attachment[1] = {true, false, 0, true, 5};
  tables.attachment[2] = {true, false, 0, true, 6};
  tables.vid[(2U << 12) | 300] = {true, 7};
  tables.vid[(3U << 12) | 400] = {true, 8};
  return tables;
}

}  // namespace poplink::tests
