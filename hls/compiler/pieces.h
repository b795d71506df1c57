// SPDX-License-Identifier: Apache-2.0
// Where each node's bits live between the stage that computes them and the stages that use them.
#pragma once

#include <utility>
#include <vector>

#include "schedule.h"

namespace hlsc {

/// A run of bits of one node with the same set of use stages: one register, or one delay line, per stage that needs it.
struct Piece {
  NodeId node;
  unsigned low;
  unsigned width;
  std::vector<unsigned> uses;  ///< ascending; the defining stage itself is not listed
};

/// A hop of a piece between two stages that hold it.
struct Hop {
  unsigned from;
  unsigned to;
};

/// Shortest distance that travels through a circular RAM instead of a chain of registers.
inline constexpr unsigned kDelayLineFrom = 3;

class Pieces {
 public:
  Pieces(const Module& module, const Schedule& schedule);

  const std::vector<Piece>& of(NodeId node) const { return pieces_[node]; }
  /// The piece that holds `bit` of `node`; every bit that is used at all is in one.
  const Piece& at(NodeId node, unsigned bit) const;
  /// Whether anything reads this bit.
  bool isUsed(NodeId node, unsigned bit) const { return !uses_[node][bit].empty(); }
  /// Stages that hold the piece, as hops from its defining stage on: a hop of kDelayLineFrom or more is a delay line,
  /// others are one stage.
  std::vector<Hop> hops(const Piece& piece) const;

 private:
  void use(const Value& value, unsigned stage);

  const Schedule& schedule_;
  std::vector<std::vector<std::vector<unsigned>>> uses_;  ///< by node and bit, ascending
  std::vector<std::vector<Piece>> pieces_;
};

}  // namespace hlsc
