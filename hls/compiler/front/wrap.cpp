// SPDX-License-Identifier: Apache-2.0
// hls.top: ports as calls around the kernel. After inlining and promotion its memory is gone and what is left is
// values.
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/PassManager.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "program.h"

namespace hlsc {

namespace {

constexpr const char* kLookup = "lookup_";
constexpr const char* kUpdate = "update_";
constexpr const char* kLatency = "hls.latency";  // as hls.h writes it
constexpr unsigned kWidestIndex = 24;            // bits

llvm::Function& marker(llvm::Module& module, const std::string& name, llvm::Type* result,
                       llvm::ArrayRef<llvm::Type*> parameters, bool pure) {
  auto callee = module.getOrInsertFunction(name, llvm::FunctionType::get(result, parameters, false));
  auto& function = *llvm::cast<llvm::Function>(callee.getCallee());
  function.setDoesNotThrow();
  function.addFnAttr(llvm::Attribute::WillReturn);
  if (pure)
    function.setDoesNotAccessMemory();
  else
    function.setOnlyAccessesInaccessibleMemory();
  return function;
}

class Wrapper {
 public:
  Wrapper(Program& program, const std::string& name) : program_(program), module_(*program.module), name_(name) {}

  void runKernel() {
    llvm::Function* kernel = findKernel();
    findBodies();
    findLatencies();
    std::set<llvm::Function*> done;
    std::vector<llvm::Function*> chain;
    refuseRecursion(kernel, done, chain);
    for (const auto& [table, body] : bodies_) refuseRecursion(body, done, chain);
    diagnostics_.stopOnError();
    makeTop(kernel);
    finish();
  }

  void runBody(const TableUse& update) {
    std::set<llvm::Function*> done;
    std::vector<llvm::Function*> chain;
    llvm::Function* body = onlyFunction(name_);
    refuseRecursion(body, done, chain);
    diagnostics_.stopOnError();
    makeBodyTop(body, update);
    finish();
  }

 private:
  [[noreturn]] void stop(const std::string& message) {
    diagnostics_.error(static_cast<const llvm::DISubprogram*>(nullptr), message);
    diagnostics_.stopOnError();
    std::abort();
  }

  void finish() {
    diagnostics_.stopOnError();
    inlineAll();
    verifyProgram(program_, "inlining");
    replaceLookups();
    diagnostics_.stopOnError();
    widenOddAccesses();
    verifyProgram(program_, "lookup replacement");
  }

  /// Defined, and called so; nullptr when there is none.
  llvm::Function* onlyFunction(const std::string& name) {
    llvm::Function* found = nullptr;
    for (llvm::Function& function : module_) {
      const llvm::DISubprogram* info = function.getSubprogram();
      if (function.isDeclaration() || info == nullptr || info->getName() != name) continue;
      if (found != nullptr) diagnostics_.error(info, "two functions are called '" + name + "'");
      found = &function;
    }
    return found;
  }

  /// Of every update that is declared and called in this source, the kernel's or not.
  void findBodies() {
    for (llvm::Function& function : module_) {
      const llvm::DISubprogram* info = function.getSubprogram();
      if (!function.isDeclaration() || info == nullptr || !info->getName().starts_with(kUpdate)) continue;
      const std::string table = info->getName().drop_front(std::strlen(kUpdate)).str();
      if (llvm::Function* body = onlyFunction(table + "_update")) bodies_[table] = body;
    }
  }

  /// clang puts annotations of all used functions in one global: function, kind, file, line, arguments.
  void findLatencies() {
    const llvm::GlobalVariable* all = module_.getNamedGlobal("llvm.global.annotations");
    if (all == nullptr) return;
    for (const llvm::Use& element : llvm::cast<llvm::ConstantArray>(all->getInitializer())->operands()) {
      const auto& annotation = *llvm::cast<llvm::ConstantStruct>(element);
      llvm::StringRef kind, file;
      if (!llvm::getConstantStringInfo(annotation.getOperand(1), kind) || kind != kLatency) continue;
      llvm::getConstantStringInfo(annotation.getOperand(2), file);
      const auto line = llvm::cast<llvm::ConstantInt>(annotation.getOperand(3))->getZExtValue();
      const auto refuse = [&](const std::string& what) {
        diagnostics_.error(file.str(), static_cast<unsigned>(line), "HLS_LATENCY: " + what);
      };
      const auto* function = llvm::dyn_cast<llvm::Function>(annotation.getOperand(0)->stripPointerCasts());
      const llvm::DISubprogram* info = function == nullptr ? nullptr : function->getSubprogram();
      const bool is_table = info != nullptr && function->isDeclaration() &&
                            (info->getName().starts_with(kLookup) || info->getName().starts_with(kUpdate));
      if (!is_table) {
        refuse("belongs to a declaration of lookup_NAME() or update_NAME()");
        continue;
      }
      const auto* arguments = llvm::dyn_cast<llvm::GlobalVariable>(annotation.getOperand(4));
      const auto* values =
          arguments == nullptr ? nullptr : llvm::dyn_cast<llvm::ConstantStruct>(arguments->getInitializer());
      const auto* cycles = values == nullptr || values->getNumOperands() != 1
                               ? nullptr
                               : llvm::dyn_cast<llvm::ConstantInt>(values->getOperand(0));
      const bool is_update = info->getName().starts_with(kUpdate);
      const unsigned least = is_update ? kUpdateLatency : 1;
      if (cycles == nullptr || cycles->getValue().slt(least) || cycles->getValue().sgt(kLongestLatency)) {
        refuse("cycles of " + info->getName().str() + "() are a number from " + std::to_string(least) + " to " +
               std::to_string(kLongestLatency));
        continue;
      }
      const auto latency = static_cast<unsigned>(cycles->getZExtValue());
      if (const auto [known, fresh] = latencies_.emplace(info->getName().str(), latency);
          !fresh && known->second != latency)
        refuse(info->getName().str() + "() has " + std::to_string(known->second) + " cycles already");
    }
  }

  llvm::Function* findKernel() {
    llvm::Function* found = onlyFunction(name_);
    if (found == nullptr) stop("no function '" + name_ + "' is defined in the source");
    const llvm::DITypeRefArray types = found->getSubprogram()->getType()->getTypeArray();
    if (types.size() != 3 || types[0] != nullptr) {
      diagnostics_.error(found->getSubprogram(), "a kernel is void " + name_ + "(const In&, Out&)");
      diagnostics_.stopOnError();
    }
    program_.in = layoutOf(types[1], diagnostics_);
    program_.out = layoutOf(types[2], diagnostics_);
    diagnostics_.stopOnError();
    if (program_.in.fields.empty() || program_.out.fields.empty()) {
      diagnostics_.error(found->getSubprogram(),
                         "a kernel is void " + name_ + "(const In&, Out&) over structs with fields");
      diagnostics_.stopOnError();
    }
    return found;
  }

  /// Depth first from the kernel; `chain` is the way to the function being looked at.
  void refuseRecursion(llvm::Function* function, std::set<llvm::Function*>& done, std::vector<llvm::Function*>& chain) {
    if (function->isDeclaration() || !done.insert(function).second) return;
    chain.push_back(function);
    for (llvm::Instruction& instruction : llvm::instructions(*function)) {
      auto* call = llvm::dyn_cast<llvm::CallBase>(&instruction);
      llvm::Function* callee = call == nullptr ? nullptr : call->getCalledFunction();
      if (callee == nullptr) continue;
      const auto open = std::find(chain.begin(), chain.end(), callee);
      if (open == chain.end()) {
        refuseRecursion(callee, done, chain);
        continue;
      }
      std::string through;
      for (auto link = open + 1; link != chain.end(); ++link)
        through += (through.empty() ? ", through '" : "', '") + nameOf(**link);
      diagnostics_.error(instruction, "recursion has no hardware: function '" + nameOf(*callee) + "' calls itself" +
                                          through + (through.empty() ? "" : "'"));
    }
    chain.pop_back();
  }

  llvm::IntegerType* integer(unsigned width) { return llvm::IntegerType::get(module_.getContext(), width); }

  llvm::Value* element(llvm::IRBuilder<>& builder, llvm::Value* base, const Field& field, unsigned index) {
    return builder.CreateConstInBoundsGEP1_32(builder.getInt8Ty(), base, field.offset + index * field.storage_bytes);
  }

  template <class Visit>
  static void forEachElement(const Layout& layout, Visit visit) {
    for (unsigned k = 0; k < layout.fields.size(); ++k) {
      for (unsigned i = 0; i < layout.fields[k].count; ++i) visit(layout.fields[k], k, i);
    }
  }

  llvm::Value* allocateBytes(llvm::IRBuilder<>& builder, unsigned bytes, const char* name) {
    auto* slot = builder.CreateAlloca(llvm::ArrayType::get(builder.getInt8Ty(), bytes), nullptr, name);
    slot->setAlignment(llvm::Align(16));
    return slot;
  }

  /// hls.top with an open block at the line of `function`: inlined code needs a scope of its own function for its call
  /// chain.
  void openTop(llvm::IRBuilder<>& builder, const llvm::Function& function) {
    llvm::LLVMContext& context = module_.getContext();
    program_.top = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getVoidTy(context), false),
                                          llvm::GlobalValue::ExternalLinkage, kTop, module_);
    program_.top->setDoesNotThrow();
    const llvm::DISubprogram* info = function.getSubprogram();
    auto* scope = llvm::DISubprogram::getDistinct(context, info->getScope(), kTop, kTop, info->getFile(),
                                                  info->getLine(), info->getType(), info->getLine(), nullptr, 0, 0,
                                                  llvm::DINode::FlagZero, info->getSPFlags(), info->getUnit());
    program_.top->setSubprogram(scope);
    builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", program_.top));
    builder.SetCurrentDebugLocation(llvm::DILocation::get(context, info->getLine(), 0, scope));
  }

  void readInputs(llvm::IRBuilder<>& builder, llvm::Value* memory) {
    forEachElement(program_.in, [&](const Field& field, unsigned k, unsigned i) {
      llvm::Function& read = marker(module_, kIn + std::to_string(field.width), integer(field.width),
                                    {builder.getInt32Ty(), builder.getInt32Ty()}, true);
      llvm::Value* value = builder.CreateCall(&read, {builder.getInt32(k), builder.getInt32(i)});
      builder.CreateStore(builder.CreateZExt(value, integer(field.storage_bytes * 8)),
                          element(builder, memory, field, i));
    });
  }

  void writeOutputs(llvm::IRBuilder<>& builder, llvm::Value* memory) {
    forEachElement(program_.out, [&](const Field& field, unsigned k, unsigned i) {
      llvm::Function& write = marker(module_, kOut + std::to_string(field.width), builder.getVoidTy(),
                                     {builder.getInt32Ty(), builder.getInt32Ty(), integer(field.width)}, false);
      llvm::Value* stored = builder.CreateLoad(integer(field.storage_bytes * 8), element(builder, memory, field, i));
      builder.CreateCall(&write,
                         {builder.getInt32(k), builder.getInt32(i), builder.CreateTrunc(stored, integer(field.width))});
    });
  }

  void makeTop(llvm::Function* kernel) {
    llvm::IRBuilder<> builder(module_.getContext());
    openTop(builder, *kernel);
    llvm::Value* in = allocateBytes(builder, program_.in.bytes, "in");
    llvm::Value* out = allocateBytes(builder, program_.out.bytes, "out");
    readInputs(builder, in);
    forEachElement(program_.out, [&](const Field& field, unsigned k, unsigned i) {
      llvm::Function& uninit =
          marker(module_, kUninit + std::to_string(field.width), integer(field.width), {builder.getInt32Ty()}, true);
      llvm::Value* value = builder.CreateCall(&uninit, {builder.getInt32(k)});
      builder.CreateStore(builder.CreateZExt(value, integer(field.storage_bytes * 8)), element(builder, out, field, i));
    });
    builder.CreateCall(kernel, {in, out});
    writeOutputs(builder, out);
    builder.CreateRetVoid();
  }

  /// Entry and arguments side by side in one memory; what then stands in the entry's place goes out, the result
  /// nowhere.
  void makeBodyTop(llvm::Function* body, const TableUse& update) {
    program_.entry_fields = static_cast<unsigned>(update.entry.fields.size());
    program_.out = update.entry;
    program_.in = update.entry;
    const unsigned behind = (update.entry.bytes + 15) / 16 * 16;
    for (Field field : update.arguments.fields) {
      field.offset += behind;
      program_.in.fields.push_back(field);
    }
    llvm::IRBuilder<> builder(module_.getContext());
    openTop(builder, *body);
    llvm::Value* memory = allocateBytes(builder, behind + update.arguments.bytes, "memory");
    std::vector<llvm::Value*> arguments;
    if (llvm::Type* result = body->getParamStructRetType(0))
      arguments.push_back(allocateBytes(
          builder, static_cast<unsigned>(module_.getDataLayout().getTypeAllocSize(result).getFixedValue()), "result"));
    arguments.push_back(memory);
    arguments.push_back(builder.CreateConstInBoundsGEP1_32(builder.getInt8Ty(), memory, behind));
    readInputs(builder, memory);
    builder.CreateCall(body, arguments);
    writeOutputs(builder, memory);
    builder.CreateRetVoid();
  }

  void inlineAll() {
    for (llvm::Function& function : module_) {
      if (function.isDeclaration() || &function == program_.top) continue;
      function.removeFnAttr(llvm::Attribute::NoInline);
      function.removeFnAttr(llvm::Attribute::OptimizeNone);
      function.addFnAttr(llvm::Attribute::AlwaysInline);
      const bool is_body =
          std::any_of(bodies_.begin(), bodies_.end(), [&](const auto& body) { return body.second == &function; });
      if (!is_body) function.setLinkage(llvm::GlobalValue::InternalLinkage);  // bodies are called later
      function.setComdat(nullptr);
    }
    inlineMarked();
  }

  void inlineMarked() {
    llvm::PassBuilder passes;
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager components;
    llvm::ModuleAnalysisManager modules;
    passes.registerModuleAnalyses(modules);
    passes.registerCGSCCAnalyses(components);
    passes.registerFunctionAnalyses(functions);
    passes.registerLoopAnalyses(loops);
    passes.crossRegisterProxies(loops, functions, components, modules);
    llvm::ModulePassManager pipeline;
    pipeline.addPass(llvm::AlwaysInlinerPass(false));
    pipeline.run(module_, modules);
  }

  void replaceLookups() {
    std::vector<llvm::CallInst*> calls;
    for (llvm::Instruction& instruction : llvm::instructions(*program_.top)) {
      if (!askedTable(instruction).empty()) calls.push_back(llvm::cast<llvm::CallInst>(&instruction));
    }
    struct First {
      llvm::DebugLoc at;
      bool is_update;
    };
    std::map<std::string, First> seen;
    for (llvm::CallInst* call : calls) {
      const llvm::DISubprogram* info = call->getCalledFunction()->getSubprogram();
      const std::string table = askedTable(*call);
      const bool is_update = info->getName().starts_with(kUpdate);
      const auto [entry, fresh] = seen.emplace(table, First{call->getDebugLoc(), is_update});
      if (fresh) {
        is_update ? replaceUpdate(*call, *info, table) : replaceLookup(*call, *info, table);
        continue;
      }
      if (entry->second.is_update != is_update)
        diagnostics_.error(
            *call, "table '" + table + "' is both looked up and updated: an update's result can tell what stood there");
      else if (is_update)
        diagnostics_.error(*call, "table '" + table +
                                      "' is updated a second time for one packet: which comes first would be the "
                                      "pipeline's choice, so choose index and arguments first");
      else
        diagnostics_.error(
            *call, "table '" + table +
                       "' is looked up a second time for one packet: a table has one port, so choose the key first");
      diagnostics_.note(entry->second.at, "the first time is here");
    }
    inlineMarked();  // bodies of updates
  }

  /// The table that a call of lookup_NAME or update_NAME asks; empty for other instructions.
  static std::string askedTable(const llvm::Instruction& instruction) {
    const auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
    const llvm::Function* callee = call == nullptr ? nullptr : call->getCalledFunction();
    if (callee == nullptr || !callee->isDeclaration() || callee->getSubprogram() == nullptr) return "";
    llvm::StringRef name = callee->getSubprogram()->getName();
    return name.consume_front(kLookup) || name.consume_front(kUpdate) ? name.str() : "";
  }

  /// Layout of a struct of scalars; none, and an error at `user`, when it isn't one. `what` starts the message.
  Layout plainStruct(const llvm::DIType* type, const llvm::DISubprogram& user, const std::string& what) {
    Layout layout = layoutOf(type, diagnostics_);
    const auto* whole = llvm::dyn_cast_or_null<llvm::DICompositeType>(plainType(type));
    const bool told = whole != nullptr && !whole->getElements().empty();  // what is wrong with its members
    if (layout.fields.empty() && !told) diagnostics_.error(&user, what + " is not a struct with fields");
    for (const Field& field : layout.fields) {
      if (field.count == 1 && field.path == field.member) continue;
      diagnostics_.error(&user, "field '" + field.member + "' of " + what + " is not a scalar");
      return {};
    }
    return layout;
  }

  void replaceLookup(llvm::CallInst& call, const llvm::DISubprogram& info, const std::string& table) {
    const llvm::DITypeRefArray types = info.getType()->getTypeArray();
    if (types.size() != 2 || types[0] == nullptr) {
      diagnostics_.error(&info, "a lookup is Entry " + info.getName().str() + "(hls::bits<K> key)");
      return;
    }
    TableUse use{table,   scalarWidth(types[1], &info, diagnostics_),
                 {},      &info,
                 false,   {},
                 nullptr, latencies_[info.getName().str()]};
    use.entry = plainStruct(types[0], info, "the entry of table '" + table + "'");
    if (use.key_width == 0 || use.entry.fields.empty()) return;
    llvm::IRBuilder<> builder(&call);
    llvm::Value* token = request(builder, keyOf(call, use.key_width, builder));
    fillEntry(call, use, token, builder);
    call.eraseFromParent();
    program_.tables.push_back(std::move(use));
  }

  /// Behind the answer, the entry as it was, stands the body: what it says is the pipeline's to compute, in as many
  /// stages as it takes.
  void replaceUpdate(llvm::CallInst& call, const llvm::DISubprogram& info, const std::string& table) {
    const std::string name = info.getName().str();
    const llvm::DITypeRefArray types = info.getType()->getTypeArray();
    const auto isReference = [](const llvm::DIType* type) {
      return type != nullptr && type->getTag() == llvm::dwarf::DW_TAG_reference_type;
    };
    if (types.size() != 3 || !isReference(types[2])) {
      diagnostics_.error(&info, "an update is Result " + name + "(hls::bits<K> index, const Args&)");
      return;
    }
    llvm::Function* body = bodies_.contains(table) ? bodies_[table] : nullptr;
    if (body == nullptr) {
      diagnostics_.error(&info, name + "() has no body: define Result " + table +
                                    "_update(Entry&, const Args&) in the kernel's source, not inline");
      return;
    }
    const llvm::DISubprogram& made = *body->getSubprogram();
    const llvm::DITypeRefArray inside = made.getType()->getTypeArray();
    if (inside.size() != 3 || !isReference(inside[1]) || plainType(inside[2]) != plainType(types[2]) ||
        plainType(inside[0]) != plainType(types[0])) {
      diagnostics_.error(&made, "the body of " + name + "() is Result " + table +
                                    "_update(Entry&, const Args&), with the Result and Args of " + name + "()");
      return;
    }
    TableUse use{table, scalarWidth(types[1], &info, diagnostics_), {}, &info, true, {}, &made, latencies_[name]};
    use.entry = plainStruct(inside[1], made, "the entry of table '" + table + "'");
    use.arguments = plainStruct(types[2], info, "the arguments of " + name + "()");
    if (use.key_width == 0 || use.entry.fields.empty() || use.arguments.fields.empty()) return;
    if (use.key_width > kWidestIndex) {
      diagnostics_.error(&info, "the index of " + name + "() has " + std::to_string(use.key_width) + " bits, at most " +
                                    std::to_string(kWidestIndex));
      return;
    }
    const std::string rule =
        "' is asked in the body of " + name + "(): a body has one cycle, so ask before, in the kernel";
    for (llvm::Instruction& instruction : llvm::instructions(*body)) {
      if (std::string other = askedTable(instruction); !other.empty())
        diagnostics_.error(instruction, other.insert(0, "table '").append(rule));
    }
    const unsigned first = call.hasStructRetAttr() ? 1 : 0;
    llvm::IRBuilder<> builder(&call);
    llvm::Value* token =
        request(builder, updateKey(builder, use, call.getArgOperand(first), call.getArgOperand(first + 1)));
    llvm::IRBuilder<> entry(&*program_.top->getEntryBlock().getFirstInsertionPt());
    llvm::Value* slot = allocateBytes(entry, use.entry.bytes, "entry");
    storeAnswer(slot, use, token, builder);
    std::vector<llvm::Value*> arguments = {slot, call.getArgOperand(first + 1)};
    if (first == 1) arguments.insert(arguments.begin(), call.getArgOperand(0));
    llvm::CallInst* result = builder.CreateCall(body, arguments);
    if (first == 1) result->addParamAttr(0, call.getParamAttr(0, llvm::Attribute::StructRet));
    call.replaceAllUsesWith(result);
    call.eraseFromParent();
    program_.tables.push_back(std::move(use));
  }

  /// To the table that is being added; the token that its answer follows.
  llvm::Value* request(llvm::IRBuilder<>& builder, llvm::Value* key) {
    llvm::Function& function = marker(module_, kRequest + std::to_string(key->getType()->getIntegerBitWidth()),
                                      builder.getInt32Ty(), {builder.getInt32Ty(), key->getType()}, false);
    return builder.CreateCall(&function, {builder.getInt32(static_cast<unsigned>(program_.tables.size())), key});
  }

  llvm::Value* updateKey(llvm::IRBuilder<>& builder, const TableUse& use, llvm::Value* index, llvm::Value* arguments) {
    unsigned width = use.key_width;
    for (const Field& field : use.arguments.fields) width += field.width;
    llvm::Value* key = builder.CreateZExt(builder.CreateZExtOrTrunc(index, integer(use.key_width)), integer(width));
    unsigned low = use.key_width;
    for (const Field& field : use.arguments.fields) {
      llvm::Value* stored = builder.CreateLoad(integer(field.storage_bytes * 8), element(builder, arguments, field, 0));
      llvm::Value* wide = builder.CreateZExt(builder.CreateTrunc(stored, integer(field.width)), integer(width));
      key = builder.CreateOr(key, builder.CreateShl(wide, low));
      low += field.width;
    }
    return key;
  }

  /// Keys over 64 bits come as several integers, over 128 bits by pointer.
  llvm::Value* keyOf(llvm::CallInst& call, unsigned width, llvm::IRBuilder<>& builder) {
    const unsigned first = call.hasStructRetAttr() ? 1 : 0;
    llvm::Value* key = call.getArgOperand(first);
    if (key->getType()->isPointerTy()) {
      const unsigned bytes = (width + 7) / 8;
      key = builder.CreateLoad(integer(bytes * 8), key);
    } else if (call.arg_size() > first + 1) {
      llvm::Value* joined = builder.CreateZExt(key, integer(128));
      joined = builder.CreateOr(joined,
                                builder.CreateShl(builder.CreateZExt(call.getArgOperand(first + 1), integer(128)), 64));
      key = joined;
    }
    return builder.CreateZExtOrTrunc(key, integer(width));
  }

  void fillEntry(llvm::CallInst& call, const TableUse& use, llvm::Value* token, llvm::IRBuilder<>& builder) {
    llvm::Value* slot = nullptr;
    if (call.hasStructRetAttr()) {
      slot = call.getArgOperand(0);
    } else {
      const auto size = static_cast<unsigned>(module_.getDataLayout().getTypeAllocSize(call.getType()).getFixedValue());
      llvm::IRBuilder<> entry(&*program_.top->getEntryBlock().getFirstInsertionPt());
      slot = allocateBytes(entry, std::max(size, use.entry.bytes), "entry");
      builder.CreateMemSet(slot, builder.getInt8(0), std::max(size, use.entry.bytes), llvm::Align(16));
    }
    storeAnswer(slot, use, token, builder);
    if (!call.hasStructRetAttr()) call.replaceAllUsesWith(builder.CreateLoad(call.getType(), slot));
  }

  /// The table that is being added.
  void storeAnswer(llvm::Value* slot, const TableUse& use, llvm::Value* token, llvm::IRBuilder<>& builder) {
    const unsigned index = static_cast<unsigned>(program_.tables.size());
    for (unsigned k = 0; k < use.entry.fields.size(); ++k) {
      const Field& field = use.entry.fields[k];
      llvm::Function& response = marker(module_, kResponse + std::to_string(field.width), integer(field.width),
                                        {builder.getInt32Ty(), builder.getInt32Ty(), builder.getInt32Ty()}, true);
      llvm::Value* value = builder.CreateCall(&response, {token, builder.getInt32(index), builder.getInt32(k)});
      builder.CreateStore(builder.CreateZExt(value, integer(field.storage_bytes * 8)),
                          element(builder, slot, field, 0));
    }
  }

  /// clang keeps a returned bits<124> in an `alloca i124` and reads it back as two i64; promotion wants whole bytes.
  void widenOddAccesses() {
    const llvm::DataLayout& layout = module_.getDataLayout();
    std::vector<llvm::Instruction*> odd;
    for (llvm::Instruction& instruction : llvm::instructions(*program_.top)) {
      llvm::Type* type = llvm::isa<llvm::LoadInst>(instruction) ? instruction.getType() : nullptr;
      if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) type = store->getValueOperand()->getType();
      if (type != nullptr && type->isIntegerTy() && layout.getTypeStoreSizeInBits(type) != type->getIntegerBitWidth())
        odd.push_back(&instruction);
    }
    for (llvm::Instruction* instruction : odd) {
      llvm::IRBuilder<> builder(instruction);
      if (auto* load = llvm::dyn_cast<llvm::LoadInst>(instruction)) {
        auto* wide = integer(static_cast<unsigned>(layout.getTypeStoreSizeInBits(load->getType())));
        llvm::Value* value = builder.CreateTrunc(
            builder.CreateAlignedLoad(wide, load->getPointerOperand(), load->getAlign()), load->getType());
        load->replaceAllUsesWith(value);
      } else {
        auto* store = llvm::cast<llvm::StoreInst>(instruction);
        llvm::Value* value = store->getValueOperand();
        auto* slot = llvm::dyn_cast<llvm::AllocaInst>(store->getPointerOperand());
        const bool whole = slot != nullptr && slot->getAllocatedType() == value->getType();
        const auto bits =
            whole ? layout.getTypeAllocSizeInBits(value->getType()) : layout.getTypeStoreSizeInBits(value->getType());
        builder.CreateAlignedStore(builder.CreateZExt(value, integer(static_cast<unsigned>(bits.getFixedValue()))),
                                   store->getPointerOperand(), store->getAlign());
      }
      instruction->eraseFromParent();
    }
  }

  Program& program_;
  llvm::Module& module_;
  const std::string name_;
  std::map<std::string, llvm::Function*> bodies_;  ///< of updates, by table
  std::map<std::string, unsigned> latencies_;      ///< by function; 0: not said
  Diagnostics diagnostics_;
};

}  // namespace

void wrapKernel(Program& program, const std::string& kernel) {
  Wrapper(program, kernel).runKernel();
}

void wrapBody(Program& program, const TableUse& update) {
  Wrapper(program, update.table + "_update").runBody(update);
}

}  // namespace hlsc
