// SPDX-License-Identifier: Apache-2.0
// Which service a frame belongs to: (attachment, outer VID), else (attachment, untagged), else the whole attachment.
#pragma once

#include "parse.h"
#include "tables.h"

namespace poplink::kernels {

struct ServiceChoice {
  bool found;
  bits<12> service;
};

/// The `vid` table is asked for every frame, so that its answer is there when the tag turns out to count.
inline bits<16> vidKey(bits<4> attachment, bits<12> outer_vid) {
  return static_cast<bits<16>>((static_cast<bits<16>>(attachment) << 12) | outer_vid);
}

/// From a customer's side. `tagged` is false for a priority tag (VID 0), which says nothing about the VLAN (802.1Q
/// clause 6.9).
inline ServiceChoice customerService(bool tagged, const VidEntry& by_vid, const AttachmentEntry& attachment) {
  if (tagged && by_vid.valid) return {true, by_vid.service};
  if (!tagged && attachment.valid && attachment.untagged_valid) return {true, attachment.untagged_service};
  return {static_cast<bool>(attachment.valid && attachment.whole_valid), attachment.whole_service};
}

/// From the backbone the S-VID alone names the service.
inline ServiceChoice backboneService(const VidEntry& by_vid) {
  return {by_vid.valid, by_vid.service};
}

}  // namespace poplink::kernels
