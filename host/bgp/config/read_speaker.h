// SPDX-License-Identifier: Apache-2.0
// The speaker file: what poplinkd is told of BGP. Every key: docs/speaker-file.md.
#pragma once

#include <string>

#include "../speaker/speaker_settings.h"

namespace poplink::host::bgp {

/// Settings without problems(). Throws ConfigError with every problem found, and reads the files of keys that it names.
SpeakerSettings readSpeaker(const std::string& file);

}  // namespace poplink::host::bgp
