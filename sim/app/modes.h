// SPDX-License-Identifier: Apache-2.0
// The ways to run a simulation. Each returns the exit code and throws std::exception with a text for the user.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "card_model.h"
#include "wave.h"

namespace poplink::sim {

struct LiveOptions {
  std::string lab;
};

/// Cards on the wall clock, plugged into the host's network, until SIGINT or SIGTERM. Prints `ready` when everything is
/// up.
int runLive(const LiveOptions& options);

struct CableOptions {
  std::string control;            ///< the lab's socket
  std::string cable;              ///< empty: only show
  std::string action;             ///< cut, mend, deafen or attenuate
  std::string end;                ///< of deafen: who hears nothing any more, a card or kHostEnd
  std::optional<double> loss_db;  ///< of attenuate
  bool json = false;
};

/// Asks a running lab about its cables, or does something to one, and prints the state of all.
int runCable(const CableOptions& options);

struct BatchOptions {
  std::string tables;                   ///< image from `poplink apply --image`; empty: none
  std::map<unsigned, std::string> in;   ///< port -> capture to send in
  std::map<unsigned, std::string> out;  ///< port -> capture to write
  std::string stamps;                   ///< CSV with the cycles of every frame; empty: none
  std::string counters;                 ///< JSON with all counters at the end; empty: none
  WaveOptions wave;
  /// Send at the captures' times, and stamp what leaves on the same clock; else back to back at the port's speed.
  bool capture_times = false;
  PortSpeed speed = PortSpeed::ten_gigabit;
};

/// One card on virtual time: the same files in give the same bytes out.
int runBatch(const BatchOptions& options);

}  // namespace poplink::sim
