// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "emit.h"
#include "names.h"

namespace hlsc {

namespace {

/// A maximal part of a value that one Verilog term can name.
struct Run {
  enum class Form { constant, repeated, slice } form;
  unsigned width;
  Bit first;               ///< lowest bit; the repeated one
  std::vector<bool> bits;  ///< of a constant
};

std::vector<Run> runsOf(const Value& value) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < value.size();) {
    std::size_t end = i + 1;
    if (value[i].isConstant()) {
      Run run{Run::Form::constant, 0, {}, {}};
      for (end = i; end < value.size() && value[end].isConstant(); ++end) run.bits.push_back(value[end].isOne());
      run.width = static_cast<unsigned>(end - i);
      runs.push_back(run);
    } else if (end < value.size() && value[end] == value[i]) {
      while (end < value.size() && value[end] == value[i]) ++end;
      runs.push_back({Run::Form::repeated, static_cast<unsigned>(end - i), value[i], {}});
    } else {
      while (end < value.size() && value[end] == Bit{value[i].node, value[i].index + static_cast<unsigned>(end - i)})
        ++end;
      runs.push_back({Run::Form::slice, static_cast<unsigned>(end - i), value[i], {}});
    }
    i = end;
  }
  return runs;
}

std::string constantText(const std::vector<bool>& bits) {
  if (bits.size() == 1) return bits[0] ? "1'b1" : "1'b0";
  std::string digits;
  for (std::size_t low = 0; low < bits.size(); low += 4) {
    unsigned digit = 0;
    for (std::size_t i = low; i < std::min(low + 4, bits.size()); ++i)
      digit |= static_cast<unsigned>(bits[i]) << (i - low);
    digits += "0123456789abcdef"[digit];
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  return std::to_string(bits.size()) + "'h" + std::string(digits.rbegin(), digits.rend());
}

std::string range(unsigned width) {
  return width == 1 ? "" : "[" + std::to_string(width - 1) + ":0] ";
}

std::string select(const std::string& name, unsigned name_width, unsigned low, unsigned width) {
  if (width == name_width) return name;
  if (width == 1) return name + "[" + std::to_string(low) + "]";
  return name + "[" + std::to_string(low + width - 1) + ":" + std::to_string(low) + "]";
}

/// A piece on its way to a later stage.
struct Move {
  const Piece* piece;
  unsigned to;
};

class VerilogEmitter {
 public:
  VerilogEmitter(const Module& module, const Schedule& schedule, const EmitOptions& options)
      : module_(module), schedule_(schedule), options_(options), pieces_(module, schedule), names_(nodeNames(module)) {
    chooseInlined();
    by_stage_.resize(schedule.latency + 1);
    for (NodeId id = 0; id < module.netlist.nodes().size(); ++id) by_stage_[schedule.stage[id]].push_back(id);
    collectMoves();
  }

  std::string run() {
    head();
    for (unsigned stage = 0; stage < schedule_.latency; ++stage) emitStage(stage);
    if (module_.combinational) operations(0);
    outputs();
    delayPointers();
    unused();
    text_ += "\nendmodule\n\n`default_nettype wire\n";
    return std::move(text_);
  }

 private:
  const Node& node(NodeId id) const { return module_.netlist.node(id); }

  /// Unnamed operations that one operation of the same stage reads once and whole are written inside it.
  void chooseInlined() {
    const std::size_t count = module_.netlist.nodes().size();
    std::vector<unsigned> uses(count, 0);
    std::vector<bool> whole(count, true);
    const auto note = [&](const Value& value, unsigned stage) {
      for (const Run& run : runsOf(value)) {
        if (run.form == Run::Form::constant) continue;
        const NodeId id = run.first.node;
        ++uses[id];
        const unsigned covered = run.form == Run::Form::repeated ? 1 : run.width;
        if (covered != node(id).width || stage != schedule_.stage[id]) whole[id] = false;
      }
    };
    for (NodeId id = 0; id < count; ++id) {
      // A parity's terms are names.
      const unsigned stage = node(id).kind == Kind::parity ? schedule_.latency + 1 : schedule_.stage[id];
      for (const Value& operand : node(id).operands) note(operand, stage);
    }
    for (const OutputPort& port : module_.outputs) note(port.value, schedule_.latency);
    for (std::size_t i = 0; i < module_.lookups.size(); ++i) {
      note(module_.lookups[i].key, schedule_.request[i] + 1);
      note({module_.lookups[i].request}, schedule_.latency + 1);
    }
    inlined_.resize(count);
    for (NodeId id = 0; id < count; ++id) {
      const Kind kind = node(id).kind;
      const bool arithmetic = kind == Kind::add || kind == Kind::sub || kind == Kind::mul;
      inlined_[id] = kind != Kind::input && !arithmetic && node(id).origin.name.empty() && uses[id] == 1 && whole[id];
    }
  }

  std::string registerName(const Piece& piece, unsigned stage) const {
    std::string name = names_[piece.node];
    if (piece.width != node(piece.node).width) name += "_b" + std::to_string(piece.low);
    return name + "_s" + std::to_string(stage);
  }

  /// Bits [low, low + width) of a node as stage `stage` sees them.
  std::string slices(NodeId id, unsigned low, unsigned width, unsigned stage, std::vector<std::string>& terms) const {
    if (stage == schedule_.stage[id]) {
      terms.push_back(inlined_[id] ? expression(id) : select(names_[id], node(id).width, low, width));
      return terms.back();
    }
    while (width > 0) {
      const Piece& piece = pieces_.at(id, low);
      const unsigned part = std::min(width, piece.low + piece.width - low);
      terms.push_back(select(registerName(piece, stage), piece.width, low - piece.low, part));
      low += part;
      width -= part;
    }
    return terms.back();
  }

  std::string valueAt(const Value& value, unsigned stage) const {
    std::vector<std::string> terms;  // lowest first
    for (const Run& run : runsOf(value)) {
      if (run.form == Run::Form::constant) {
        terms.push_back(constantText(run.bits));
      } else if (run.form == Run::Form::repeated) {
        std::vector<std::string> bit;
        terms.push_back("{" + std::to_string(run.width) + "{" + slices(run.first.node, run.first.index, 1, stage, bit) +
                        "}}");
      } else {
        slices(run.first.node, run.first.index, run.width, stage, terms);
      }
    }
    if (terms.size() == 1) return terms[0];
    std::string joined = "{";
    for (auto term = terms.rbegin(); term != terms.rend(); ++term) joined += (joined.size() > 1 ? ", " : "") + *term;
    return joined + "}";
  }

  std::string expression(NodeId id) const {
    const Node& n = node(id);
    const unsigned stage = schedule_.stage[id];
    const auto operand = [&](std::size_t i) { return valueAt(n.operands[i], stage); };
    const auto infix = [&](const char* op) { return "(" + operand(0) + " " + op + " " + operand(1) + ")"; };
    switch (n.kind) {
      case Kind::input:
        break;
      case Kind::bitAnd:
        return infix("&");
      case Kind::bitOr:
        return infix("|");
      case Kind::bitXor:
        return infix("^");
      case Kind::bitNot:
        return "~" + operand(0);
      case Kind::mux:
        return "(" + operand(0) + " ? " + operand(1) + " : " + operand(2) + ")";
      case Kind::add:
        return infix("+");
      case Kind::sub:
        return infix("-");
      case Kind::mul:
        return infix("*");
      case Kind::ult:
        return infix("<");
      case Kind::eq:
        return infix("==");
      case Kind::parity:
        return parities(n, stage);
      case Kind::count:
        return std::to_string(n.width) + "'($countones(" + operand(0) + "))";
    }
    return "";
  }

  /// Each row as reductions of masked source words, which is how it simulates fastest.
  std::string parities(const Node& n, unsigned stage) const {
    std::string rows;
    for (const Value& row : n.operands) {
      std::map<std::string, std::vector<bool>> masks;  // by the word's name
      std::string text;
      for (const Bit& bit : row) {
        if (bit.isConstant()) {
          text += " ^ 1'b1";
          continue;
        }
        const bool is_here = stage == schedule_.stage[bit.node];
        const Piece whole{bit.node, 0, node(bit.node).width, {}};
        const Piece& word = is_here ? whole : pieces_.at(bit.node, bit.index);
        std::vector<bool>& mask = masks[is_here ? names_[bit.node] : registerName(word, stage)];
        mask.resize(word.width);
        mask[bit.index - word.low] = true;
      }
      for (const auto& [name, mask] : masks)
        text += mask.size() == 1 ? " ^ " + name : " ^ (^(" + name + " & " + constantText(mask) + "))";
      rows = text.substr(3) + (rows.empty() ? "" : ", ") + rows;
    }
    return n.width == 1 ? "(" + rows + ")" : "{" + rows + "}";
  }

  void line(const std::string& text) { text_ += "  " + text + "\n"; }

  void head() {
    text_ += "// Made by hlsc from " + options_.source + " (" + options_.options + ").\n";
    if (module_.combinational)
      text_ += "// What an update makes of a table's entry: combinational, for the loop in rtl/core/update_ram.sv.\n";
    else
      text_ += "// Pipeline of kernel " + module_.name + "(): latency " + std::to_string(schedule_.latency) +
               " cycles, II 1, never stalls. Data registers have no reset.\n";
    text_ += "`default_nettype none\n\nmodule " + module_.name + " (\n";
    std::vector<std::string> ports;
    if (!module_.combinational)
      ports = {"input  wire logic clk", "input  wire logic rst", "input  wire logic in_valid"};
    for (const InputPort& port : module_.inputs)
      ports.push_back("input  wire logic " + range(port.width) + "in_" + port.path);
    for (const Lookup& lookup : module_.lookups) {
      const auto put = [&](const Value& value, const char* name) {
        ports.push_back("output logic " + range(static_cast<unsigned>(value.size())) + lookup.port() + name);
      };
      ports.push_back("output logic " + lookup.port() + "_req_valid");
      put(lookup.index(), lookup.is_update ? "_index" : "_key");
      if (lookup.is_update) put(lookup.packedArguments(), "_args");
      ports.push_back("input  wire logic " + range(lookup.entry_width) + lookup.port() + "_resp");
    }
    if (!module_.combinational) ports.push_back("output logic out_valid");
    for (const OutputPort& port : module_.outputs) {
      ports.push_back("output logic " + range(static_cast<unsigned>(port.value.size())) + "out_" + port.path);
    }
    for (std::size_t i = 0; i < ports.size(); ++i) text_ += "  " + ports[i] + (i + 1 < ports.size() ? ",\n" : "\n");
    text_ += module_.combinational ? ");\n\n" : ");\n\n  wire valid_s0 = in_valid;\n";
  }

  void operations(unsigned stage) {
    for (NodeId id : by_stage_[stage]) {
      const Node& n = node(id);
      if (n.kind == Kind::input || inlined_[id]) continue;
      std::string text = expression(id);
      if (text.front() == '(') text = text.substr(1, text.size() - 2);
      const std::string where = n.origin.line == 0 ? "" : "  // " + n.origin.file + ":" + std::to_string(n.origin.line);
      line("wire " + range(n.width) + names_[id] + " = " + text + ";" + where);
    }
  }

  void emitStage(unsigned stage) {
    const std::string from = std::to_string(stage), to = std::to_string(stage + 1);
    text_ += "\n  // ---- stage " + from + "\n";
    operations(stage);
    std::vector<std::string> moves;
    std::map<unsigned, std::vector<const Piece*>> delayed;  // by the stage they come out in
    for (const Move& move : moves_[stage]) {
      if (move.to - stage >= kDelayLineFrom) {
        delayed[move.to].push_back(move.piece);
        continue;
      }
      const std::string name = registerName(*move.piece, move.to);
      line("logic " + range(move.piece->width) + name + ";");
      moves.push_back(name + takes_ + pieceAt(*move.piece, stage) + ";");
    }
    line("logic valid_s" + to + ";");
    line(clocked_ + "valid_s" + to + takes_ + "rst ? 1'b0 : valid_s" + from + ";");  // the flip-flop's reset: no LUT
    requests(stage);
    if (!moves.empty()) {
      line(clocked_ + "begin");
      for (const std::string& move : moves) line("  " + move);
      line("end");
    }
    for (const auto& [out, pieces] : delayed) delayLine(stage, out, pieces);
  }

  /// Sorts every hop of every piece by the stage that it leaves.
  void collectMoves() {
    moves_.resize(schedule_.latency + 1);
    for (const std::vector<NodeId>& defined : by_stage_) {
      for (NodeId id : defined) {
        for (const Piece& piece : pieces_.of(id)) {
          for (const Hop& hop : pieces_.hops(piece)) moves_[hop.from].push_back({&piece, hop.to});
        }
      }
    }
  }

  std::string pieceAt(const Piece& piece, unsigned stage) const {
    std::vector<std::string> terms;
    return slices(piece.node, piece.low, piece.width, stage, terms);
  }

  void requests(unsigned stage) {
    for (std::size_t i = 0; i < module_.lookups.size(); ++i) {
      if (schedule_.request[i] != stage) continue;
      const Lookup& lookup = module_.lookups[i];
      const std::string port = lookup.port();
      const std::string asked = lookup.request.isOne() ? "" : " && " + valueAt({lookup.request}, stage);
      line(clocked_ + port + "_req_valid" + takes_ + "rst ? 1'b0 : valid_s" + std::to_string(stage) + asked + ";");
      line("assign " + port + (lookup.is_update ? "_index = " : "_key = ") + valueAt(lookup.index(), stage + 1) + ";");
      if (lookup.is_update) line("assign " + port + "_args = " + valueAt(lookup.packedArguments(), stage + 1) + ";");
    }
  }

  /// A circular memory of gap - 1 words and an output register: gap cycles for all pieces that make the same hop.
  void delayLine(unsigned from, unsigned to, const std::vector<const Piece*>& pieces) {
    const std::string name = "dl_" + std::to_string(from) + "_" + std::to_string(to);
    const unsigned depth = to - from - 1;
    const std::string pointer = "dl_pointer_" + std::to_string(depth);
    unsigned width = 0;
    std::string joined;
    for (const Piece* piece : pieces) {
      width += piece->width;
      joined = pieceAt(*piece, from) + (joined.empty() ? "" : ", ") + joined;
    }
    if (options_.transparent) {
      line("wire " + range(width) + name + "_q = {" + joined + "};");
    } else {
      depths_.insert(depth);
      line("logic " + range(width) + name + " [0:" + std::to_string(depth - 1) + "];");
      line("logic " + range(width) + name + "_q;");
      line(clocked_ + "begin");
      line("  " + name + "_q <= " + name + "[" + pointer + "];");
      line("  " + name + "[" + pointer + "] <= {" + joined + "};");
      line("end");
    }
    unsigned low = 0;
    for (const Piece* piece : pieces) {
      line("wire " + range(piece->width) + registerName(*piece, to) + " = " +
           select(name + "_q", width, low, piece->width) + ";");
      low += piece->width;
    }
  }

  void outputs() {
    text_ += "\n  // ---- outputs\n";
    if (!module_.combinational) line("assign out_valid = valid_s" + std::to_string(schedule_.latency) + ";");
    for (const OutputPort& port : module_.outputs)
      line("assign out_" + port.path + " = " + valueAt(port.value, schedule_.latency) + ";");
  }

  /// Pointers stand before the module's body in the text, because their readers come first there.
  void delayPointers() {
    if (depths_.empty()) return;
    std::string pointers;
    for (unsigned depth : depths_) {
      unsigned width = 1;
      while ((1U << width) < depth) ++width;
      const std::string name = "dl_pointer_" + std::to_string(depth), w = std::to_string(width);
      // A pointer that counts a power of two wraps by itself.
      const std::string restart =
          (depth & (depth - 1)) == 0 ? "rst" : "rst || " + name + " == " + w + "'d" + std::to_string(depth - 1);
      pointers += "  logic " + range(width) + name + ";\n  always_ff @(posedge clk) " + name + " <= " + restart +
                  " ? " + w + "'d0 : " + name + " + " + w + "'d1;\n";
    }
    const std::string marker = "  wire valid_s0 = in_valid;\n";
    text_.insert(text_.find(marker), pointers);
  }

  /// Names the bits that nobody reads, so that lint reports only real surprises.
  void unused() {
    std::string list;
    for (NodeId id = 0; id < module_.netlist.nodes().size(); ++id) {
      for (unsigned bit = 0; bit < node(id).width;) {
        unsigned end = bit;
        while (end < node(id).width && !pieces_.isUsed(id, end)) ++end;
        if (end > bit) list += ",\n      " + select(names_[id], node(id).width, bit, end - bit);
        bit = std::max(end, bit + 1);
      }
    }
    if (!list.empty()) text_ += "\n  wire unused = &{1'b0" + list + "};\n";
  }

  const Module& module_;
  const Schedule& schedule_;
  const EmitOptions& options_;
  const std::string clocked_ = options_.transparent ? "always_comb " : "always_ff @(posedge clk) ";
  const std::string takes_ = options_.transparent ? " = " : " <= ";
  const Pieces pieces_;
  const std::vector<std::string> names_;
  std::vector<bool> inlined_;
  std::vector<std::vector<NodeId>> by_stage_;
  std::vector<std::vector<Move>> moves_;
  std::set<unsigned> depths_;
  std::string text_;
};

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

}  // namespace

std::string emitVerilog(const Module& module, const Schedule& schedule, const EmitOptions& options) {
  return VerilogEmitter(module, schedule, options).run();
}

std::string emitPackage(const Module& module, const Schedule& schedule, const EmitOptions& options) {
  std::string text = "// Made by hlsc from " + options.source + " (" + options.options + "): sizes of module " +
                     module.name + ".\n" + "/* verilator lint_off UNUSEDPARAM */\npackage " + module.name + "_pkg;\n";
  const auto constant = [&](const std::string& name, std::size_t value) {
    text += "  localparam int " + name + " = " + std::to_string(value) + ";\n";
  };
  constant("LATENCY", schedule.latency);
  for (const InputPort& port : module.inputs) constant("IN_" + upper(port.path) + "_W", port.width);
  for (const OutputPort& port : module.outputs) constant("OUT_" + upper(port.path) + "_W", port.value.size());
  for (const Lookup& lookup : module.lookups) {
    constant(upper(lookup.table) + "_KEY_W", lookup.index().size());
    if (lookup.is_update) constant(upper(lookup.table) + "_ARGS_W", lookup.packedArguments().size());
    constant(upper(lookup.table) + "_ENTRY_W", lookup.entry_width);
    constant(upper(lookup.table) + "_LATENCY", lookup.latency);
  }
  return text + "endpackage\n/* verilator lint_on UNUSEDPARAM */\n";
}

}  // namespace hlsc
