// SPDX-License-Identifier: Apache-2.0
// The body of an OPEN: what is accepted can be written and read again, what is not is answered with a code of its own.
#include <algorithm>
#include <cstdlib>

#include "message.h"
#include "open.h"

using namespace poplink::host::bgp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> body(data, data + std::min(size, kMaxBodyBytes));
  const auto decoded = decodeOpen(body);
  if (const Notification* refused = std::get_if<Notification>(&decoded)) {
    if (refused->code != ErrorCode::open_message && refused->code != ErrorCode::message_header) std::abort();
    return 0;
  }
  Open open = std::get<Open>(decoded);
  open.capabilities.unknown.clear();
  if (open.capabilities.graceful_restart && open.capabilities.graceful_restart->families.size() > 63) return 0;
  const std::vector<std::uint8_t> message = encode(open);
  if (message.size() > kMaxMessageBytes) return 0;  // that many families
  const auto framed = nextMessage(message);
  const auto again = decodeOpen(std::get<Message>(framed).body);
  if (!std::holds_alternative<Open>(again) || std::get<Open>(again) != open) std::abort();
  return 0;
}
