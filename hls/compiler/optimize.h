// SPDX-License-Identifier: Apache-2.0
// Passes over a module. Each returns a new module that computes the same outputs and lookups.
#pragma once

#include "schedule.h"

namespace hlsc {

/// Drops what no output and no key needs, bit by bit: bits nobody asks for become X before the builders simplify again.
Module keepDemanded(const Module& module);

/// Makes deep networks of XORs (a CRC bit by bit) one parity word each. Shallow ones (a hash mix) stay XORs of words,
/// which cost less to simulate. A parity that is deeper than a clock becomes a sum of parities.
Module flattenXors(const Module& module, const Clock& clock);

/// Makes a sum of single bits one count, and of a count that is deeper than a clock a sum of counts.
Module gatherCounts(const Module& module, const Clock& clock);

/// Turns chains of muxes (switch, else-if, first match) and of AND, OR, XOR into trees where the result is then there
/// earlier by a LUT. What arrives late enters a tree late.
Module balanceChains(const Module& module, const Clock& clock);

/// All passes in order, each verified, until the number of nodes stays the same.
Module optimize(const Module& module, const Clock& clock = {{}, 2.6});

}  // namespace hlsc
