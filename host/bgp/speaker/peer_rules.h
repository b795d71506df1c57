// SPDX-License-Identifier: Apache-2.0
// The rules for peers.
#pragma once

#include "speaker_settings.h"

namespace poplink::host::bgp {

inline constexpr std::size_t kLongestMd5Key = 80;  ///< octets, as the kernel takes them
inline constexpr unsigned kMostOwnAs = 10;         ///< of allow_own_as

/// Why a speaker cannot have this AS number; empty: it can.
std::string wrongAsn(Asn asn);

/// Neither one host nor none: multicast, broadcast and reserved ones (RFC 1112, 4291).
bool isGroup(const Address& address);
/// 0.0.0.0 or ::
bool isUnspecified(const Address& address);

/// Adds what is wrong with the peers, each by itself and to each other, with paths as {"peers", 0, "hold_time"}.
void checkPeers(const SpeakerSettings& settings, const SettingRules& rules);

}  // namespace poplink::host::bgp
