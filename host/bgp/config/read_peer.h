// SPDX-License-Identifier: Apache-2.0
// One peer of the speaker file: its own keys before those of `peer_defaults`.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "../../config/yaml_reader.h"
#include "../speaker/speaker_settings.h"

namespace poplink::host::bgp {

/// What keys say of a peer, before what follows from it: several depend on others that may stand elsewhere.
struct PeerKeys {
  PeerSettings peer;  ///< without what is below
  std::optional<Asn> asn, local_as;
  std::optional<std::set<Family>> families;
  bool forwarding = false;  ///< graceful restart, of all families
  /// Of each family of the session, or family by family.
  std::variant<std::monostate, LimitSettings, std::map<Family, LimitSettings>> limits;
};

class PeerReader {
 public:
  /// `folder`: where relative paths begin.
  PeerReader(std::filesystem::path folder, Problems& problems) : folder_(std::move(folder)), problems_(problems) {}

  /// `peer_defaults`.
  PeerKeys readDefaults(YamlMap map);
  /// A key that is not there is as in `defaults`. `speaker` has its asn and router_id.
  PeerSettings readPeer(YamlMap& map, const PeerKeys& defaults, const SpeakerSettings& speaker);

 private:
  void readKeys(YamlMap& map, PeerKeys& keys);
  void readConnection(YamlMap& map, PeerSettings& peer);
  void readTimes(YamlMap& map, SessionSettings& session);
  void readCapabilities(YamlMap& map, PeerKeys& keys);
  void readRouting(YamlMap& map, PeerSettings& peer);
  void readLimits(YamlMap& map, PeerKeys& keys);
  LimitSettings readLimit(YamlMap& map);

  std::filesystem::path folder_;
  Problems& problems_;
};

}  // namespace poplink::host::bgp
