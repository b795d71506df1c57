// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "emit.h"

namespace hlsc {

namespace {

using Json = nlohmann::ordered_json;

Json fieldsOf(const std::vector<EntryField>& fields) {
  Json list = Json::array();
  for (const EntryField& field : fields)
    list.push_back({{"name", field.name}, {"offset", field.offset}, {"width", field.width}});
  return list;
}

}  // namespace

std::string emitReport(const Module& module, const Schedule& schedule, const EmitOptions& options,
                       const std::vector<std::string>& warnings, const std::vector<BodyReport>& bodies) {
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
  Json updates = Json::array();
  for (std::size_t i = 0; i < module.lookups.size(); ++i) {
    const Lookup& lookup = module.lookups[i];
    Json table = {{"name", lookup.table},
                  {lookup.is_update ? "index_width" : "key_width", lookup.index().size()},
                  {"entry_width", lookup.entry_width},
                  {"latency", lookup.latency},
                  {"request_stage", schedule.request[i] + 1},
                  {"fields", fieldsOf(lookup.fields)}};
    if (!lookup.is_update) {
      report["tables"].push_back(table);
      continue;
    }
    table["args_width"] = lookup.packedArguments().size();
    table["args"] = fieldsOf(lookup.arguments);
    for (const BodyReport& body : bodies) {
      if (body.table == lookup.table)
        table.update({{"body", body.module}, {"loop_ns", body.loop_ns}, {"loop_limit_ns", body.limit_ns}});
    }
    updates.push_back(table);
  }
  if (!updates.empty()) report["updates"] = updates;
  report["warnings"] = warnings;
  return report.dump(2) + "\n";
}

}  // namespace hlsc
