// SPDX-License-Identifier: Apache-2.0
#include "convert.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/DebugProgramInstruction.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Support/Path.h>

#include <map>
#include <set>

namespace hlsc {

namespace {

/// What it says is said by the line that uses it.
constexpr const char* kOperators = "hls_ap.h";

class Converter {
 public:
  Converter(const Program& program, const std::string& name, const TableLatency& latency)
      : program_(program), top_(*program.top), dominators_(top_), latency_(latency) {
    module_.name = name;
  }

  Module run() {
    collectNames();
    addPorts();
    llvm::ReversePostOrderTraversal<llvm::Function*> order(&top_);
    for (llvm::BasicBlock* block : order) {
      for (llvm::Instruction& instruction : *block) {
        locate(instruction);
        convert(instruction);
      }
    }
    diagnostics_.stopOnError();
    if (module_.combinational) {
      Value next;
      for (const Value& field : outputs_) next = concatenate(next, field);
      module_.outputs = {{"next", "next", next}};
      return std::move(module_);
    }
    for (std::size_t k = 0; k < program_.out.fields.size(); ++k) {
      const Field& field = program_.out.fields[k];
      module_.outputs.push_back({field.path, field.member, outputs_[k]});
    }
    return std::move(module_);
  }

 private:
  Netlist& net() { return module_.netlist; }

  void collectNames() {
    for (llvm::Instruction& instruction : llvm::instructions(top_)) {
      for (llvm::DbgVariableRecord& record : llvm::filterDbgVars(instruction.getDbgRecordRange())) {
        if (!record.isDbgValue() || record.getNumVariableLocationOps() != 1) continue;
        llvm::Value* value = record.getVariableLocationOp(0);
        const std::string name = nameOf(*record.getVariable(), *record.getExpression());
        if (value != nullptr && !name.empty()) names_.emplace(value, name);
      }
    }
  }

  /// The variable, or its member when that is all that the value holds; empty when it is neither.
  static std::string nameOf(const llvm::DIVariable& variable, const llvm::DIExpression& expression) {
    std::string name = variable.getName().str();
    for (const auto& op : expression.expr_ops()) {  // the value as it is, at most widened
      if (op.getOp() != llvm::dwarf::DW_OP_LLVM_convert && op.getOp() != llvm::dwarf::DW_OP_stack_value &&
          op.getOp() != llvm::dwarf::DW_OP_LLVM_fragment)
        return "";
    }
    const auto fragment = expression.getFragmentInfo();
    if (!fragment) return name;
    const llvm::DIType* whole = variable.getType();
    while (const auto* alias = llvm::dyn_cast_or_null<llvm::DIDerivedType>(whole)) whole = alias->getBaseType();
    const auto* type = llvm::dyn_cast_or_null<llvm::DICompositeType>(whole);
    if (type == nullptr) return "";
    for (const llvm::DINode* element : type->getElements()) {
      const auto* member = llvm::dyn_cast<llvm::DIDerivedType>(element);
      if (member != nullptr && member->getTag() == llvm::dwarf::DW_TAG_member &&
          member->getOffsetInBits() == fragment->OffsetInBits && member->getSizeInBits() == fragment->SizeInBits)
        return name + "_" + member->getName().str();
    }
    return "";
  }

  /// Ports of a body: the entry and the arguments, each packed from bit 0.
  void addPackedPorts() {
    unsigned widths[2] = {0, 0};
    for (std::size_t k = 0; k < program_.in.fields.size(); ++k)
      widths[k < program_.entry_fields ? 0 : 1] += program_.in.fields[k].width;
    const Value packed[2] = {net().addInput(widths[0], {}), net().addInput(widths[1], {})};
    module_.inputs = {{"entry", "entry", widths[0], packed[0][0].node}, {"args", "args", widths[1], packed[1][0].node}};
    unsigned used[2] = {0, 0};
    for (std::size_t k = 0; k < program_.in.fields.size(); ++k) {
      const unsigned port = k < program_.entry_fields ? 0 : 1, width = program_.in.fields[k].width;
      inputs_.push_back(slice(packed[port], used[port], width));
      used[port] += width;
    }
    for (const Field& field : program_.out.fields) outputs_.push_back(undefinedValue(field.width));
    module_.combinational = true;
  }

  void addPorts() {
    if (program_.entry_fields > 0) return addPackedPorts();
    for (const Field& field : program_.in.fields) {
      const Value bits = net().addInput(field.width * field.count, {});
      module_.inputs.push_back({field.path, field.member, field.width * field.count, bits[0].node});
      inputs_.push_back(bits);
    }
    for (const Field& field : program_.out.fields) outputs_.push_back(undefinedValue(field.width * field.count));
  }

  /// Merged instructions have no line; they keep the one before.
  void locate(const llvm::Instruction& instruction) {
    const llvm::DILocation* location = instruction.getDebugLoc();
    while (location != nullptr && location->getInlinedAt() != nullptr &&
           llvm::sys::path::filename(location->getFilename()) == kOperators)
      location = location->getInlinedAt();
    if (location == nullptr || location->getLine() == 0) return;
    net().setOrigin({"", llvm::sys::path::filename(location->getFilename()).str(), location->getLine()});
  }

  static unsigned widthOf(const llvm::Value& value) { return value.getType()->getIntegerBitWidth(); }

  Value get(const llvm::Value* value) {
    if (const auto* number = llvm::dyn_cast<llvm::ConstantInt>(value)) {
      Value bits(number->getBitWidth());
      for (unsigned i = 0; i < bits.size(); ++i) bits[i] = number->getValue()[i] ? kOne : kZero;
      return bits;
    }
    if (llvm::isa<llvm::UndefValue>(value)) return undefinedValue(widthOf(*value));
    auto found = values_.find(value);
    if (found == values_.end()) throw std::logic_error("internal error: value used before it is converted");
    return found->second;
  }

  void set(const llvm::Instruction& instruction, Value bits) {
    if (auto name = names_.find(&instruction); name != names_.end()) {
      Value meant = bits;  // a bool is one bit in eight
      while (!meant.empty() && meant.back().isZero()) meant.pop_back();
      net().nameValue(meant, name->second);
    }
    values_[&instruction] = std::move(bits);
  }

  void unsupported(const llvm::Instruction& instruction, const std::string& what) {
    diagnostics_.error(instruction, what + " has no hardware here");
    if (instruction.getType()->isIntegerTy()) values_[&instruction] = undefinedValue(widthOf(instruction));
  }

  void convert(llvm::Instruction& instruction) {
    if (instruction.isTerminator() || llvm::isa<llvm::AllocaInst, llvm::GetElementPtrInst>(instruction)) return;
    if (auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction)) {
      convertCall(*call);
    } else if (!instruction.getType()->isIntegerTy()) {
      unsupported(instruction, "a value that is not an integer");
    } else if (auto* phi = llvm::dyn_cast<llvm::PHINode>(&instruction)) {
      set(instruction, gate(*phi));
    } else if (auto* compare = llvm::dyn_cast<llvm::ICmpInst>(&instruction)) {
      if (!compare->getOperand(0)->getType()->isIntegerTy())
        unsupported(instruction, "comparing pointers");
      else
        set(instruction,
            {comparison(compare->getPredicate(), get(compare->getOperand(0)), get(compare->getOperand(1)))});
    } else if (auto* select = llvm::dyn_cast<llvm::SelectInst>(&instruction)) {
      set(instruction,
          net().mux(get(select->getCondition())[0], get(select->getTrueValue()), get(select->getFalseValue())));
    } else if (auto* cast = llvm::dyn_cast<llvm::CastInst>(&instruction)) {
      convertCast(*cast);
    } else if (auto* binary = llvm::dyn_cast<llvm::BinaryOperator>(&instruction)) {
      convertBinary(*binary);
    } else if (llvm::isa<llvm::FreezeInst>(instruction)) {
      Value bits = get(instruction.getOperand(0));
      std::replace(bits.begin(), bits.end(), kX, kZero);
      set(instruction, bits);
    } else {
      unsupported(instruction, std::string("'") + instruction.getOpcodeName() + "'");
    }
  }

  void convertCast(llvm::CastInst& cast) {
    if (!cast.getOperand(0)->getType()->isIntegerTy()) return unsupported(cast, "a pointer made into a number");
    const Value operand = get(cast.getOperand(0));
    const unsigned width = widthOf(cast);
    switch (cast.getOpcode()) {
      case llvm::Instruction::ZExt:
        return set(cast, zeroExtend(operand, width));
      case llvm::Instruction::SExt:
        return set(cast, signExtend(operand, width));
      case llvm::Instruction::Trunc:
        return set(cast, slice(operand, 0, width));
      default:
        return unsupported(cast, "this conversion");
    }
  }

  void convertBinary(llvm::BinaryOperator& op) {
    const Value a = get(op.getOperand(0)), b = get(op.getOperand(1));
    switch (op.getOpcode()) {
      case llvm::Instruction::And:
        return set(op, net().bitAnd(a, b));
      case llvm::Instruction::Or:
        return set(op, net().bitOr(a, b));
      case llvm::Instruction::Xor:
        return set(op, net().bitXor(a, b));
      case llvm::Instruction::Add:
        return set(op, net().add(a, b));
      case llvm::Instruction::Sub:
        return set(op, net().sub(a, b));
      case llvm::Instruction::Mul:
        return set(op, net().mul(a, b));
      case llvm::Instruction::Shl:
        return set(op, net().shiftLeft(a, b));
      case llvm::Instruction::LShr:
        return set(op, net().shiftRight(a, b, kZero));
      case llvm::Instruction::AShr:
        return set(op, net().shiftRight(a, b, a.back()));
      default:
        return unsupported(op, std::string("'") + op.getOpcodeName() + "'");
    }
  }

  Bit comparison(llvm::CmpInst::Predicate predicate, const Value& a, const Value& b) {
    const auto inverse = [&](Bit bit) { return net().bitNot({bit})[0]; };
    switch (predicate) {
      case llvm::CmpInst::ICMP_EQ:
        return net().eq(a, b);
      case llvm::CmpInst::ICMP_NE:
        return inverse(net().eq(a, b));
      case llvm::CmpInst::ICMP_ULT:
        return net().ult(a, b);
      case llvm::CmpInst::ICMP_UGT:
        return net().ult(b, a);
      case llvm::CmpInst::ICMP_ULE:
        return inverse(net().ult(b, a));
      case llvm::CmpInst::ICMP_UGE:
        return inverse(net().ult(a, b));
      case llvm::CmpInst::ICMP_SLT:
        return net().slt(a, b);
      case llvm::CmpInst::ICMP_SGT:
        return net().slt(b, a);
      case llvm::CmpInst::ICMP_SLE:
        return inverse(net().slt(b, a));
      case llvm::CmpInst::ICMP_SGE:
        return inverse(net().slt(a, b));
      default:
        throw std::logic_error("internal error: unknown comparison");
    }
  }

  void convertCall(llvm::CallInst& call) {
    const llvm::StringRef name = call.getCalledFunction()->getName();
    const auto number = [&](unsigned i) {
      return static_cast<std::size_t>(llvm::cast<llvm::ConstantInt>(call.getArgOperand(i))->getZExtValue());
    };
    if (name.starts_with(kIn)) {
      const unsigned width = widthOf(call);
      set(call, slice(inputs_[number(0)], static_cast<unsigned>(number(1)) * width, width));
    } else if (name.starts_with(kOut)) {
      const Value bits = get(call.getArgOperand(2));
      std::copy(bits.begin(), bits.end(),
                outputs_[number(0)].begin() + static_cast<std::ptrdiff_t>(number(1) * bits.size()));
    } else if (name.starts_with(kRequest)) {
      addLookup(call, program_.tables[number(0)]);
    } else if (name.starts_with(kResponse)) {
      const Lookup& lookup = module_.lookups[lookup_of_.at(number(1))];
      const EntryField& field = lookup.fields[number(2)];
      Value bits(field.width);
      for (unsigned i = 0; i < field.width; ++i) bits[i] = {lookup.response, field.offset + i};
      set(call, bits);
    } else if (auto* intrinsic = llvm::dyn_cast<llvm::IntrinsicInst>(&call)) {
      convertIntrinsic(*intrinsic);
    } else if (!name.starts_with(kUninit)) {
      unsupported(call, "this call");
    }
  }

  void addLookup(llvm::CallInst& call, const TableUse& use) {
    Lookup lookup{use.table, latency_(use), kOne, get(call.getArgOperand(1)), 0, {}, 0, use.is_update, 0, {}};
    if (use.is_update) {
      lookup.index_width = use.key_width;
      unsigned offset = 0;
      for (const Field& field : use.arguments.fields) {
        lookup.arguments.push_back({field.path, offset, field.width});
        offset += field.width;
      }
    }
    lookup.request = reached(*call.getParent());
    for (const Field& field : use.entry.fields) {
      lookup.fields.push_back({field.path, lookup.entry_width, field.width});
      lookup.entry_width += field.width;
    }
    lookup.response = net().addInput(lookup.entry_width, {})[0].node;
    lookup_of_[static_cast<std::size_t>(&use - program_.tables.data())] = module_.lookups.size();
    values_[&call] = undefinedValue(32);  // the token: it only orders answers behind their request
    module_.lookups.push_back(std::move(lookup));
  }

  void convertIntrinsic(llvm::IntrinsicInst& call) {
    const auto arg = [&](unsigned i) { return get(call.getArgOperand(i)); };
    const auto choose = [&](Bit first) { return net().mux(first, arg(0), arg(1)); };
    switch (call.getIntrinsicID()) {
      case llvm::Intrinsic::lifetime_start:
      case llvm::Intrinsic::lifetime_end:
      case llvm::Intrinsic::assume:
      case llvm::Intrinsic::experimental_noalias_scope_decl:
        return;
      case llvm::Intrinsic::umin:
        return set(call, choose(net().ult(arg(0), arg(1))));
      case llvm::Intrinsic::umax:
        return set(call, choose(net().ult(arg(1), arg(0))));
      case llvm::Intrinsic::smin:
        return set(call, choose(net().slt(arg(0), arg(1))));
      case llvm::Intrinsic::smax:
        return set(call, choose(net().slt(arg(1), arg(0))));
      case llvm::Intrinsic::abs: {
        const Value a = arg(0);
        return set(call, net().mux(a.back(), net().sub(constantValue(widthOf(call), 0), a), a));
      }
      case llvm::Intrinsic::bswap: {
        const Value a = arg(0);
        Value swapped;
        for (std::size_t low = a.size(); low > 0; low -= 8)
          swapped.insert(swapped.end(), a.begin() + static_cast<std::ptrdiff_t>(low) - 8,
                         a.begin() + static_cast<std::ptrdiff_t>(low));
        return set(call, swapped);
      }
      case llvm::Intrinsic::bitreverse: {
        const Value a = arg(0);
        return set(call, Value(a.rbegin(), a.rend()));
      }
      case llvm::Intrinsic::ctpop:
        return set(call, net().popcount(arg(0), widthOf(call)));
      case llvm::Intrinsic::ctlz:
      case llvm::Intrinsic::cttz:
        return set(call, countZeros(arg(0), call.getIntrinsicID() == llvm::Intrinsic::ctlz));
      case llvm::Intrinsic::fshl:
      case llvm::Intrinsic::fshr:
        return convertFunnel(call);
      case llvm::Intrinsic::uadd_sat: {
        const unsigned width = widthOf(call);
        const Value sum = net().add(zeroExtend(arg(0), width + 1), zeroExtend(arg(1), width + 1));
        return set(call, net().mux(sum.back(), Value(width, kOne), slice(sum, 0, width)));
      }
      case llvm::Intrinsic::usub_sat:
        return set(call,
                   net().mux(net().ult(arg(0), arg(1)), constantValue(widthOf(call), 0), net().sub(arg(0), arg(1))));
      default:
        return unsupported(call, "'" + call.getCalledFunction()->getName().str() + "'");
    }
  }

  Value countZeros(Value bits, bool from_top) {
    const auto width = static_cast<unsigned>(bits.size());
    if (from_top) std::reverse(bits.begin(), bits.end());
    Value count = constantValue(width, width);
    for (unsigned i = width; i-- > 0;) count = net().mux(bits[i], constantValue(width, i), count);
    return count;
  }

  /// High and low word side by side, shifted by an amount modulo the width; with constants this is wiring.
  void convertFunnel(llvm::IntrinsicInst& call) {
    const unsigned width = widthOf(call);
    const bool left = call.getIntrinsicID() == llvm::Intrinsic::fshl;
    const Value both = concatenate(get(call.getArgOperand(1)), get(call.getArgOperand(0)));
    if (const auto* amount = llvm::dyn_cast<llvm::ConstantInt>(call.getArgOperand(2))) {
      const auto by = static_cast<unsigned>(amount->getValue().urem(width));
      return set(call, slice(both, left ? width - by : by, width));
    }
    if ((width & (width - 1)) != 0)
      return unsupported(call, "rotating a width that is no power of two by a variable amount");
    unsigned bits = 0;
    while ((1U << bits) < width) ++bits;
    const Value amount = slice(get(call.getArgOperand(2)), 0, bits);
    if (left) return set(call, slice(net().shiftLeft(both, amount), width, width));
    return set(call, slice(net().shiftRight(both, amount, kZero), 0, width));
  }

  // Gated SSA. Control flow is acyclic here, so a value that depends on the way taken is a mux over the branches
  // between the block and its immediate dominator.

  /// Blocks from which `target` can be reached, `target` itself not included.
  const std::set<const llvm::BasicBlock*>& reaching(const llvm::BasicBlock& target) {
    auto [entry, is_new] = reaching_.try_emplace(&target);
    if (!is_new) return entry->second;
    std::vector<const llvm::BasicBlock*> open(llvm::pred_begin(&target), llvm::pred_end(&target));
    while (!open.empty()) {
      const llvm::BasicBlock* block = open.back();
      open.pop_back();
      if (entry->second.insert(block).second) open.insert(open.end(), llvm::pred_begin(block), llvm::pred_end(block));
    }
    return entry->second;
  }

  /// The value that `edge(from, to)` gives for the way taken from `block` on; edge answers nothing to walk on.
  using Edge = std::function<const Value*(const llvm::BasicBlock* from, const llvm::BasicBlock* to)>;
  Value walk(const llvm::BasicBlock* block, const Edge& edge, std::map<const llvm::BasicBlock*, Value>& known) {
    if (auto found = known.find(block); found != known.end()) return found->second;
    const auto next = [&](const llvm::BasicBlock* to) {
      const Value* here = edge(block, to);
      return here != nullptr ? *here : walk(to, edge, known);
    };
    const llvm::Instruction* end = block->getTerminator();
    Value result;
    if (const auto* branch = llvm::dyn_cast<llvm::BranchInst>(end)) {
      if (branch->isUnconditional()) {
        result = next(branch->getSuccessor(0));
      } else {
        const Value taken = next(branch->getSuccessor(0)), other = next(branch->getSuccessor(1));
        result = net().mux(get(branch->getCondition())[0], taken, other);
      }
    } else {
      const auto& choice = llvm::cast<llvm::SwitchInst>(*end);
      const Value selector = get(choice.getCondition());
      result = next(choice.getDefaultDest());
      for (const auto& arm : choice.cases()) {
        const Value value = next(arm.getCaseSuccessor());
        result = net().mux(net().eq(selector, get(arm.getCaseValue())), value, result);
      }
    }
    known.emplace(block, result);
    return result;
  }

  Value gate(const llvm::PHINode& phi) {
    const llvm::BasicBlock* block = phi.getParent();
    const auto& reaches = reaching(*block);
    const Value undefined = undefinedValue(widthOf(phi));
    Value incoming;
    std::map<const llvm::BasicBlock*, Value> known;
    const Edge edge = [&](const llvm::BasicBlock* from, const llvm::BasicBlock* to) -> const Value* {
      if (to == block) {
        incoming = get(phi.getIncomingValueForBlock(from));
        return &incoming;
      }
      return reaches.count(to) == 0 ? &undefined : nullptr;
    };
    return walk(dominators_.getNode(block)->getIDom()->getBlock(), edge, known);
  }

  /// Whether control comes to `block` at all.
  Bit reached(const llvm::BasicBlock& block) {
    const llvm::BasicBlock* entry = &top_.getEntryBlock();
    if (&block == entry) return kOne;
    const auto& reaches = reaching(block);
    const Value yes = {kOne}, no = {kZero};
    std::map<const llvm::BasicBlock*, Value> known;
    const Edge edge = [&](const llvm::BasicBlock*, const llvm::BasicBlock* to) -> const Value* {
      if (to == &block) return &yes;
      return reaches.count(to) == 0 ? &no : nullptr;
    };
    return walk(entry, edge, known)[0];
  }

  const Program& program_;
  llvm::Function& top_;
  llvm::DominatorTree dominators_;
  const TableLatency& latency_;
  Module module_;
  Diagnostics diagnostics_;
  std::map<const llvm::Value*, std::string> names_;
  std::map<const llvm::Value*, Value> values_;
  std::vector<Value> inputs_, outputs_;
  std::map<std::size_t, std::size_t> lookup_of_;  ///< table use to module_.lookups
  std::map<const llvm::BasicBlock*, std::set<const llvm::BasicBlock*>> reaching_;
};

}  // namespace

Module convertProgram(const Program& program, const std::string& name, const TableLatency& latency) {
  return Converter(program, name, latency).run();
}

}  // namespace hlsc
