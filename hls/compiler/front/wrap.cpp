// SPDX-License-Identifier: Apache-2.0
// hls.top: ports as calls around the kernel. After inlining and promotion its memory is gone and what is left is
// values.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/PassManager.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>

#include <algorithm>
#include <map>
#include <set>

#include "program.h"

namespace hlsc {

namespace {

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

  void run() {
    llvm::Function* kernel = findKernel();
    std::set<llvm::Function*> done;
    std::vector<llvm::Function*> chain;
    refuseRecursion(kernel, done, chain);
    diagnostics_.stopOnError();
    makeTop(kernel);
    diagnostics_.stopOnError();
    inlineAll();
    verifyProgram(program_, "inlining");
    replaceLookups();
    diagnostics_.stopOnError();
    widenOddAccesses();
    verifyProgram(program_, "lookup replacement");
  }

 private:
  [[noreturn]] void stop(const std::string& message) {
    diagnostics_.error(static_cast<const llvm::DISubprogram*>(nullptr), message);
    diagnostics_.stopOnError();
    std::abort();
  }

  llvm::Function* findKernel() {
    llvm::Function* found = nullptr;
    for (llvm::Function& function : module_) {
      const llvm::DISubprogram* info = function.getSubprogram();
      if (function.isDeclaration() || info == nullptr || info->getName() != name_) continue;
      if (found != nullptr) diagnostics_.error(info, "two functions are called '" + name_ + "'");
      found = &function;
    }
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

  void makeTop(llvm::Function* kernel) {
    llvm::LLVMContext& context = module_.getContext();
    auto* top = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getVoidTy(context), false),
                                       llvm::GlobalValue::ExternalLinkage, kTop, module_);
    top->setDoesNotThrow();
    // Inlined code needs a scope of its own function for its call chain; the kernel's line stands for the wrapper.
    const llvm::DISubprogram* info = kernel->getSubprogram();
    auto* scope = llvm::DISubprogram::getDistinct(context, info->getScope(), kTop, kTop, info->getFile(),
                                                  info->getLine(), info->getType(), info->getLine(), nullptr, 0, 0,
                                                  llvm::DINode::FlagZero, info->getSPFlags(), info->getUnit());
    top->setSubprogram(scope);
    llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", top));
    builder.SetCurrentDebugLocation(llvm::DILocation::get(context, info->getLine(), 0, scope));
    llvm::Value* in = allocateBytes(builder, program_.in.bytes, "in");
    llvm::Value* out = allocateBytes(builder, program_.out.bytes, "out");
    forEachElement(program_.in, [&](const Field& field, unsigned k, unsigned i) {
      llvm::Function& read = marker(module_, kIn + std::to_string(field.width), integer(field.width),
                                    {builder.getInt32Ty(), builder.getInt32Ty()}, true);
      llvm::Value* value = builder.CreateCall(&read, {builder.getInt32(k), builder.getInt32(i)});
      builder.CreateStore(builder.CreateZExt(value, integer(field.storage_bytes * 8)), element(builder, in, field, i));
    });
    forEachElement(program_.out, [&](const Field& field, unsigned k, unsigned i) {
      llvm::Function& uninit =
          marker(module_, kUninit + std::to_string(field.width), integer(field.width), {builder.getInt32Ty()}, true);
      llvm::Value* value = builder.CreateCall(&uninit, {builder.getInt32(k)});
      builder.CreateStore(builder.CreateZExt(value, integer(field.storage_bytes * 8)), element(builder, out, field, i));
    });
    builder.CreateCall(kernel, {in, out});
    forEachElement(program_.out, [&](const Field& field, unsigned k, unsigned i) {
      llvm::Function& write = marker(module_, kOut + std::to_string(field.width), builder.getVoidTy(),
                                     {builder.getInt32Ty(), builder.getInt32Ty(), integer(field.width)}, false);
      llvm::Value* stored = builder.CreateLoad(integer(field.storage_bytes * 8), element(builder, out, field, i));
      builder.CreateCall(&write,
                         {builder.getInt32(k), builder.getInt32(i), builder.CreateTrunc(stored, integer(field.width))});
    });
    builder.CreateRetVoid();
    program_.top = top;
  }

  void inlineAll() {
    for (llvm::Function& function : module_) {
      if (function.isDeclaration() || &function == program_.top) continue;
      function.removeFnAttr(llvm::Attribute::NoInline);
      function.removeFnAttr(llvm::Attribute::OptimizeNone);
      function.addFnAttr(llvm::Attribute::AlwaysInline);
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
      function.setComdat(nullptr);
    }
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
      auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      llvm::Function* callee = call == nullptr ? nullptr : call->getCalledFunction();
      if (callee == nullptr || !callee->isDeclaration() || callee->getSubprogram() == nullptr) continue;
      if (callee->getSubprogram()->getName().starts_with("lookup_")) calls.push_back(call);
    }
    std::map<std::string, llvm::DebugLoc> seen;
    for (llvm::CallInst* call : calls) {
      const llvm::DISubprogram* info = call->getCalledFunction()->getSubprogram();
      const std::string table = info->getName().drop_front(7).str();
      if (const auto [first, fresh] = seen.emplace(table, call->getDebugLoc()); !fresh) {
        diagnostics_.error(
            *call, "table '" + table +
                       "' is looked up a second time for one packet: a table has one port, so choose the key first");
        diagnostics_.note(first->second, "the first time is here");
        continue;
      }
      replaceLookup(*call, *info, table);
    }
  }

  void replaceLookup(llvm::CallInst& call, const llvm::DISubprogram& info, const std::string& table) {
    const llvm::DITypeRefArray types = info.getType()->getTypeArray();
    if (types.size() != 2 || types[0] == nullptr) {
      diagnostics_.error(&info, "a lookup is Entry " + info.getName().str() + "(hls::bits<K> key)");
      return;
    }
    TableUse use{table, scalarWidth(types[1], &info, diagnostics_), layoutOf(types[0], diagnostics_), &info};
    if (use.key_width == 0) return;
    if (use.entry.fields.empty()) {
      diagnostics_.error(&info, "the entry of table '" + table + "' is not a struct with fields");
      return;
    }
    for (const Field& field : use.entry.fields) {
      if (field.count == 1 && field.path == field.member) continue;
      diagnostics_.error(&info, "field '" + field.member + "' of the entry of table '" + table + "' is not a scalar");
      return;
    }
    llvm::IRBuilder<> builder(&call);
    llvm::Value* key = keyOf(call, use.key_width, builder);
    const unsigned index = static_cast<unsigned>(program_.tables.size());
    llvm::Function& request = marker(module_, kRequest + std::to_string(use.key_width), builder.getInt32Ty(),
                                     {builder.getInt32Ty(), integer(use.key_width)}, false);
    llvm::Value* token = builder.CreateCall(&request, {builder.getInt32(index), key});
    fillEntry(call, use, index, token, builder);
    call.eraseFromParent();
    program_.tables.push_back(std::move(use));
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

  void fillEntry(llvm::CallInst& call, const TableUse& use, unsigned index, llvm::Value* token,
                 llvm::IRBuilder<>& builder) {
    llvm::Value* slot = nullptr;
    if (call.hasStructRetAttr()) {
      slot = call.getArgOperand(0);
    } else {
      const auto size = static_cast<unsigned>(module_.getDataLayout().getTypeAllocSize(call.getType()).getFixedValue());
      llvm::IRBuilder<> entry(&*program_.top->getEntryBlock().getFirstInsertionPt());
      slot = allocateBytes(entry, std::max(size, use.entry.bytes), "entry");
      builder.CreateMemSet(slot, builder.getInt8(0), std::max(size, use.entry.bytes), llvm::Align(16));
    }
    for (unsigned k = 0; k < use.entry.fields.size(); ++k) {
      const Field& field = use.entry.fields[k];
      llvm::Function& response = marker(module_, kResponse + std::to_string(field.width), integer(field.width),
                                        {builder.getInt32Ty(), builder.getInt32Ty(), builder.getInt32Ty()}, true);
      llvm::Value* value = builder.CreateCall(&response, {token, builder.getInt32(index), builder.getInt32(k)});
      builder.CreateStore(builder.CreateZExt(value, integer(field.storage_bytes * 8)),
                          element(builder, slot, field, 0));
    }
    if (!call.hasStructRetAttr()) call.replaceAllUsesWith(builder.CreateLoad(call.getType(), slot));
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
  Diagnostics diagnostics_;
};

}  // namespace

void wrapKernel(Program& program, const std::string& kernel) {
  Wrapper(program, kernel).run();
}

}  // namespace hlsc
