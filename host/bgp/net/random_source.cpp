// SPDX-License-Identifier: Apache-2.0
#include "random_source.h"

#include <unistd.h>

#include <cerrno>
#include <memory>
#include <random>
#include <system_error>

namespace poplink::host::bgp {

Random randomNumbers() {
  auto engine = std::make_shared<std::mt19937_64>(std::random_device{}());
  return [engine] { return std::uniform_real_distribution<double>(0, 1)(*engine); };
}

HashKey randomHashKey() {
  HashKey key;
  if (::getentropy(&key, sizeof key) != 0) throw std::system_error(errno, std::generic_category(), "getentropy");
  return key;
}

}  // namespace poplink::host::bgp
