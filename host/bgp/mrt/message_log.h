// SPDX-License-Identifier: Apache-2.0
// What happens on a session as BGP4MP records with AS numbers of four octets (RFC 6396 section 4.4): messages as they
// were on the wire, and the states of the machine.
#pragma once

#include "record.h"
#include "types.h"

namespace poplink::host::bgp::mrt {

/// Whose session it is. Both addresses are of one family.
struct SessionEnds {
  Asn peer_as = 0;
  Asn local_as = 0;
  std::uint16_t interface_index = 0;  ///< 0: it is not told
  Address peer{};
  Address local{};
};

/// States of RFC 4271 section 8.2.2 by the numbers of RFC 6396 section 4.4.1.
enum class SessionState : std::uint16_t { Idle = 1, Connect, Active, OpenSent, OpenConfirm, Established };

/// BGP4MP_STATE_CHANGE_AS4 (section 4.4.4).
[[nodiscard]] std::optional<Problem> putStateChange(std::vector<std::uint8_t>& to, Timestamp time,
                                                    const SessionEnds& ends, SessionState before, SessionState after);

/// BGP4MP_MESSAGE_AS4 (section 4.4.3): a message that the peer sent, whole, with its header. Its AS numbers are in four
/// octets, as on a session where both ends have said so.
[[nodiscard]] std::optional<Problem> putMessage(std::vector<std::uint8_t>& to, Timestamp time, const SessionEnds& ends,
                                                Octets message);

}  // namespace poplink::host::bgp::mrt
