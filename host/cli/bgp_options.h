// SPDX-License-Identifier: Apache-2.0
// Commands for a BGP speaker: `show bgp`, `explain route`, `bgp`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace poplink::host {

struct BgpOptions {
  /// summary, neighbor, routes, advertised; explain; clear, shutdown, start, drain, undrain, dump. Empty: the command
  /// is none of these.
  std::string verb;
  std::string node;
  bool json = false;
  std::string peer;    ///< by name
  bool all = false;    ///< of clear: all peers
  std::string prefix;  ///< of routes; of explain also an address
  bool longer = false, best = false;
  std::string family;
  bool soft = false, soft_in = false, soft_out = false, refresh = false;
  std::string text;  ///< for the peer (RFC 9003)
  std::string file;
};

/// Below `show`.
void addShowBgp(CLI::App& show, BgpOptions& options);
/// Beside it.
void addBgpCommands(CLI::App& app, BgpOptions& options);

/// Does it. Returns the program's exit code and throws as the verbs in commands.h.
int bgp(const BgpOptions& options);

}  // namespace poplink::host
