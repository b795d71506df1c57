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

std::string number(std::size_t value) {
  return std::to_string(value);
}

/// Functions between a struct's fields and one packed vector.
std::string packing(const std::vector<EntryField>& fields, const std::string& suffix, const std::string& packed) {
  std::string text = "  template <class Entry>\n  static " + packed + " pack" + suffix +
                     "(const Entry& entry) {\n    " + packed + " packed = 0;\n";
  for (const EntryField& field : fields) {
    text.append("    packed |= static_cast<").append(packed).append(">(static_cast<").append(packed);
    text.append(">(entry.").append(field.name).append(") << ").append(number(field.offset)).append(");\n");
  }
  text += "    return packed;\n  }\n  template <class Entry>\n  static void unpack" + suffix + "(" + packed +
          " packed, Entry& entry) {\n";
  for (const EntryField& field : fields) {
    text += "    entry." + field.name + " = static_cast<hls::bits<" + number(field.width) + ">>(packed >> " +
            number(field.offset) + ");\n";
  }
  return text + "  }\n";
}

/// Of a table: its sizes, and functions for its request, its answer, and its packed entries.
std::string portStruct(const Lookup& lookup) {
  const std::string port = "dut." + lookup.port();
  const auto reader = [&](const char* name, const char* size, const char* suffix) {
    return std::string("  template <class Dut>\n  static hls::bits<") + size + "> " + name +
           "(const Dut& dut) {\n    return hls::rtl::read<" + size + ">(" + port + suffix + ");\n  }\n";
  };
  const auto constant = [](const char* name, std::size_t value) {
    return std::string("  static constexpr unsigned ") + name + " = " + number(value) + ";\n";
  };
  std::string text = "struct " + typeName(lookup.table) + " {\n" + constant("kLatency", lookup.latency) +
                     constant("kKeyWidth", lookup.index().size()) + constant("kEntryWidth", lookup.entry_width);
  if (lookup.is_update) text += constant("kArgsWidth", lookup.packedArguments().size());
  text += "  using Packed = hls::bits<kEntryWidth>;\n";
  if (lookup.is_update) text += "  using PackedArgs = hls::bits<kArgsWidth>;\n";
  text +=
      "\n  template <class Dut>\n  static bool requested(const Dut& dut) {\n    return " + port + "_req_valid;\n  }\n";
  text += reader("key", "kKeyWidth", lookup.is_update ? "_index" : "_key");
  if (lookup.is_update) text += reader("args", "kArgsWidth", "_args");
  text +=
      "  template <class Dut>\n  static void respond(Dut& dut, Packed packed) {\n    hls::rtl::write<kEntryWidth>(" +
      port + "_resp, packed);\n  }\n" + packing(lookup.fields, "", "Packed");
  if (lookup.is_update) text += packing(lookup.arguments, "Args", "PackedArgs");
  return text + "};\n\n";
}

}  // namespace

std::string emitHeader(const Module& module, const Schedule& schedule, const EmitOptions& options) {
  std::string text = "// Made by hlsc from " + options.source + " (" + options.options + ").\n" +
                     "// Between the structs of kernel " + module.name + "() and the ports of its Verilated module.\n" +
                     "#pragma once\n\n#include \"hls_rtl.h\"\n\nnamespace " + module.name + "_rtl {\n\n" +
                     "inline constexpr unsigned kLatency = " + std::to_string(schedule.latency) + ";\n\n";

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
  for (const Lookup& lookup : module.lookups) text += portStruct(lookup);
  text +=
      "/// Calls visit(port) for each table that is looked up.\ntemplate <class Visit>\nvoid "
      "forEachTable([[maybe_unused]] Visit&& "
      "visit) {\n";
  for (const Lookup& lookup : module.lookups) {
    if (!lookup.is_update) text += "  visit(" + typeName(lookup.table) + "{});\n";
  }
  return text + "}\n\n}  // namespace " + module.name + "_rtl\n";
}

}  // namespace hlsc
