// SPDX-License-Identifier: Apache-2.0
// Measurements of the simulated card. They give raw samples as JSON; whoever prints them takes medians and compares.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "card_access.h"
#include "line_rate.h"

namespace poplink::bench {

using Card = tests::CardAccess<sim::CardModel>;
using Json = nlohmann::ordered_json;

/// Simulator speed under line rate on all ports, and with a beat on the bus in every cycle: one sample per load and
/// repetition, the loads interleaved so that a noisy moment of the machine meets them all. Each sample says how many
/// cycles and frames it ran, the user CPU and the wall time it took, and what was lost.
Json measureSpeed(std::uint64_t cycles, unsigned repetitions);

/// Cycles from a frame's last beat into the card to its first beat out of it, on an idle card: per size and direction.
Json measureIdleLatency();

/// The same under random arrivals with the wires in use for `load` of the time: median, 99th percentile and maximum.
Json measureLoadedLatency(std::uint64_t cycles, double load);

/// Frames through the model of a card (sim/model), which has no cycles: one sample per load and repetition, each with
/// its frames, the user CPU that they took, and those that did not come out.
Json measureModelSpeed(std::uint64_t frames, unsigned repetitions);

}  // namespace poplink::bench
