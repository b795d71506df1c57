// SPDX-License-Identifier: Apache-2.0
#include "pieces.h"

#include <algorithm>
#include <stdexcept>

namespace hlsc {

Pieces::Pieces(const Module& module, const Schedule& schedule) : schedule_(schedule) {
  const std::vector<Node>& nodes = module.netlist.nodes();
  for (const Node& node : nodes) uses_.emplace_back(node.width);
  for (NodeId id = 0; id < nodes.size(); ++id) {
    for (const Value& operand : nodes[id].operands) use(operand, schedule.stage[id]);
  }
  for (const OutputPort& port : module.outputs) use(port.value, schedule.latency);
  for (std::size_t i = 0; i < module.lookups.size(); ++i) {
    use(module.lookups[i].key, schedule.request[i] + 1);
    use({module.lookups[i].request}, schedule.request[i]);
  }
  pieces_.resize(nodes.size());
  for (NodeId id = 0; id < nodes.size(); ++id) {
    for (unsigned bit = 0; bit < nodes[id].width; ++bit) {
      const std::vector<unsigned>& uses = uses_[id][bit];
      if (uses.empty()) continue;
      std::vector<unsigned> later(std::upper_bound(uses.begin(), uses.end(), schedule.stage[id]), uses.end());
      std::vector<Piece>& pieces = pieces_[id];
      if (!pieces.empty() && pieces.back().low + pieces.back().width == bit && pieces.back().uses == later)
        ++pieces.back().width;
      else
        pieces.push_back({id, bit, 1, std::move(later)});
    }
  }
}

void Pieces::use(const Value& value, unsigned stage) {
  for (const Bit& bit : value) {
    if (bit.isConstant()) continue;
    std::vector<unsigned>& uses = uses_[bit.node][bit.index];
    const auto place = std::lower_bound(uses.begin(), uses.end(), stage);
    if (place == uses.end() || *place != stage) uses.insert(place, stage);
  }
}

const Piece& Pieces::at(NodeId node, unsigned bit) const {
  for (const Piece& piece : pieces_[node]) {
    if (bit >= piece.low && bit < piece.low + piece.width) return piece;
  }
  throw std::logic_error("a bit without a use has no piece");
}

std::vector<Hop> Pieces::hops(const Piece& piece) const {
  std::vector<Hop> hops;
  unsigned at = schedule_.stage[piece.node];
  for (unsigned use : piece.uses) {
    if (use - at >= kDelayLineFrom) {
      hops.push_back({at, use});
    } else {
      for (unsigned stage = at; stage < use; ++stage) hops.push_back({stage, stage + 1});
    }
    at = use;
  }
  return hops;
}

}  // namespace hlsc
