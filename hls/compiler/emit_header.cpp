// SPDX-License-Identifier: Apache-2.0
#include "emit.h"

namespace hlsc {

namespace {

/// The struct that stands for a table: own_addresses becomes OwnAddressesPort.
std::string typeName(const std::string& table) {
  std::string name;
  bool start = true;
  for (char c : table) {
    if (c == '_')
      start = true;
    else
      name += start ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c, start = false;
  }
  return name + "Port";
}

template <class Ports>
std::string visitor(const std::string& function, const Ports& ports) {
  std::string text = "template <class Struct, class Visit>\nvoid " + function + "(Struct& values, Visit&& visit) {\n";
  for (const auto& port : ports) text += "  visit(\"" + port.member + "\", values." + port.member + ");\n";
  return text + "}\n\n";
}

}  // namespace

std::string emitHeader(const Module& module, const Schedule& schedule, const EmitOptions& options) {
  std::string text = "// Made by hlsc from " + options.source + " (" + options.options + ").\n" +
                     "// Between the structs of kernel " + module.name + "() and the ports of its Verilated module.\n" +
                     "#pragma once\n\n#include \"hls_rtl.h\"\n\nnamespace " + module.name + "_rtl {\n\n" +
                     "inline constexpr unsigned kLatency = " + std::to_string(schedule.latency) + ";\n\n";
  const auto number = [](std::size_t value) { return std::to_string(value); };

  text += "/// Puts `in` on the input ports.\ntemplate <class Dut, class In>\nvoid drive(Dut& dut, const In& in) {\n";
  for (const InputPort& port : module.inputs) {
    text += "  hls::rtl::put<" + number(port.width) + ">(dut.in_" + port.path + ", in." + port.member + ");\n";
  }
  text +=
      "}\n\n/// Reads the output ports into `out`.\ntemplate <class Dut, class Out>\nvoid sample(const Dut& dut, Out& "
      "out) {\n";
  for (const OutputPort& port : module.outputs) {
    text += "  hls::rtl::get<" + number(port.value.size()) + ">(dut.out_" + port.path + ", out." + port.member + ");\n";
  }
  text += "}\n\n/// Calls visit(name, member) for each port's member, in the order of the ports.\n" +
          visitor("forEachInput", module.inputs) + visitor("forEachOutput", module.outputs);
  for (const Lookup& lookup : module.lookups) {
    const std::string width = number(lookup.entry_width), port = "dut.lk_" + lookup.table;
    text += "struct " + typeName(lookup.table) +
            " {\n  static constexpr unsigned kLatency = " + number(lookup.latency) +
            ";\n  static constexpr unsigned kKeyWidth = " + number(lookup.key.size()) +
            ";\n  static constexpr unsigned kEntryWidth = " + width + ";\n  using Packed = hls::bits<kEntryWidth>;\n\n";
    text +=
        "  template <class Dut>\n  static bool requested(const Dut& dut) {\n    return " + port + "_req_valid;\n  }\n";
    text +=
        "  template <class Dut>\n  static hls::bits<kKeyWidth> key(const Dut& dut) {\n    return "
        "hls::rtl::read<kKeyWidth>(" +
        port + "_key);\n  }\n";
    text +=
        "  template <class Dut>\n  static void respond(Dut& dut, Packed packed) {\n    hls::rtl::write<kEntryWidth>(" +
        port + "_resp, packed);\n  }\n";
    text += "  template <class Entry>\n  static Packed pack(const Entry& entry) {\n    Packed packed = 0;\n";
    for (const EntryField& field : lookup.fields) {
      text += "    packed |= static_cast<Packed>(static_cast<Packed>(entry." + field.name + ") << " +
              number(field.offset) + ");\n";
    }
    text += "    return packed;\n  }\n};\n\n";
  }
  text +=
      "/// Calls visit(port) for each table port.\ntemplate <class Visit>\nvoid forEachTable([[maybe_unused]] Visit&& "
      "visit) {\n";
  for (const Lookup& lookup : module.lookups) text += "  visit(" + typeName(lookup.table) + "{});\n";
  return text + "}\n\n}  // namespace " + module.name + "_rtl\n";
}

}  // namespace hlsc
