// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "emit.h"

namespace hlsc {

std::string emitReport(const Module& module, const Schedule& schedule, const EmitOptions& options,
                       const std::vector<std::string>& warnings) {
  using Json = nlohmann::ordered_json;
  const Pieces pieces(module, schedule);
  std::size_t flops = 0, delayed_bits = 0;
  std::map<std::string, unsigned> kinds;
  for (NodeId id = 0; id < module.netlist.nodes().size(); ++id) {
    ++kinds[kindName(module.netlist.node(id).kind)];
    for (const Piece& piece : pieces.of(id)) {
      for (const Hop& hop : pieces.hops(piece)) {
        flops += piece.width;  // a delay line ends in a register too
        if (hop.to - hop.from >= kDelayLineFrom) delayed_bits += std::size_t{piece.width} * (hop.to - hop.from - 1);
      }
    }
  }
  Json report;
  report["kernel"] = module.name;
  report["source"] = options.source;
  report["family"] = familyName(options.delays.family);
  report["clock_ns"] = options.clock_ns;
  report["ii"] = 1;
  report["stages"] = schedule.latency;
  report["latency"] = schedule.latency;
  report["longest_chain_ns"] = schedule.longest_ns;
  report["registers"] = flops;
  report["delay_line_bits"] = delayed_bits;
  report["nodes"] = module.netlist.nodes().size();
  report["nodes_by_kind"] = kinds;
  report["inputs"] = Json::array();
  for (const InputPort& port : module.inputs)
    report["inputs"].push_back({{"name", "in_" + port.path}, {"width", port.width}});
  report["outputs"] = Json::array();
  for (const OutputPort& port : module.outputs)
    report["outputs"].push_back({{"name", "out_" + port.path}, {"width", port.value.size()}});
  report["tables"] = Json::array();
  for (std::size_t i = 0; i < module.lookups.size(); ++i) {
    const Lookup& lookup = module.lookups[i];
    Json fields = Json::array();
    for (const EntryField& field : lookup.fields) {
      fields.push_back({{"name", field.name}, {"offset", field.offset}, {"width", field.width}});
    }
    report["tables"].push_back({{"name", lookup.table},
                                {"key_width", lookup.key.size()},
                                {"entry_width", lookup.entry_width},
                                {"latency", lookup.latency},
                                {"request_stage", schedule.request[i] + 1},
                                {"fields", fields}});
  }
  report["warnings"] = warnings;
  return report.dump(2) + "\n";
}

}  // namespace hlsc
