// SPDX-License-Identifier: Apache-2.0
// The decoder on any bytes: it never reads past them, and what it takes for a PDU it can write and read again.
#include <cstdlib>

#include "pdu.h"

using namespace poplink::host::lacp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: one byte further is the sanitizer's.
  const std::vector<std::uint8_t> frame(data, data + size);
  const auto check = [](const auto& pdu) {
    using Kind = std::decay_t<decltype(pdu)>;
    if constexpr (std::is_same_v<Kind, DecodeError>) {
      if (words(pdu).empty()) std::abort();
    } else {
      const std::vector<std::uint8_t> once = encode(pdu);
      const Decoded again = decode(once);
      if (once.size() != kPduBytes || !std::holds_alternative<Kind>(again) || std::get<Kind>(again) != pdu ||
          encode(std::get<Kind>(again)) != once)
        std::abort();
    }
  };
  std::visit(check, decode(frame));
  std::visit(check, decodeFrame(frame));
  return 0;
}
