// SPDX-License-Identifier: Apache-2.0
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include <map>

#include "program.h"

namespace hlsc {

namespace {

bool isMarker(const llvm::Function& function) {
  return function.getName().starts_with("hls.");
}

class Check {
 public:
  explicit Check(const Program& program) : program_(program) {}

  void run() {
    loops();
    for (llvm::Instruction& instruction : llvm::instructions(*program_.top)) one(instruction);
    diagnostics_.stopOnError();
    for (const llvm::Instruction* access : unexplained_) {
      diagnostics_.error(*access, "this memory access could not be turned into wires (a pointer chosen at run time?)");
    }
    diagnostics_.stopOnError();
  }

 private:
  void loops() {
    llvm::DominatorTree dominators(*program_.top);
    llvm::LoopInfo loops(dominators);
    for (const llvm::Loop* loop : loops.getLoopsInPreorder()) {
      const llvm::Instruction* at = loop->getHeader()->getTerminator();
      for (const llvm::BasicBlock* block : loop->blocks()) {
        if (const llvm::DebugLoc location = block->getTerminator()->getDebugLoc(); location && location.getLine() != 0)
          at = block->getTerminator();
      }
      diagnostics_.error(*at, "this loop has no constant bound (of at most 4096 rounds), so it cannot be unrolled");
    }
  }

  void one(llvm::Instruction& instruction) {
    if (instruction.getType()->isFPOrFPVectorTy()) {
      diagnostics_.error(instruction, "floating point has no hardware here");
      return;
    }
    for (const llvm::Value* operand : instruction.operands()) {
      if (operand->getType()->isFPOrFPVectorTy()) {
        diagnostics_.error(instruction, "floating point has no hardware here");
        return;
      }
    }
    if (auto* call = llvm::dyn_cast<llvm::CallBase>(&instruction)) {
      callTo(*call);
    } else if (llvm::isa<llvm::LoadInst, llvm::StoreInst>(instruction)) {
      memory(instruction);
    } else if (instruction.getOpcode() == llvm::Instruction::UDiv ||
               instruction.getOpcode() == llvm::Instruction::SDiv ||
               instruction.getOpcode() == llvm::Instruction::URem ||
               instruction.getOpcode() == llvm::Instruction::SRem) {
      diagnostics_.error(instruction, "division by something other than a power of two has no pipeline here");
    }
  }

  void callTo(llvm::CallBase& call) {
    const llvm::Function* callee = call.getCalledFunction();
    if (callee == nullptr) {
      diagnostics_.error(call, "call through a pointer or virtual function that is not known at compile time");
    } else if (callee->getName().starts_with(kRequest)) {
      const auto index = static_cast<std::size_t>(llvm::cast<llvm::ConstantInt>(call.getArgOperand(0))->getZExtValue());
      if (!requested_.emplace(index, &call).second) {
        const TableUse& use = program_.tables[index];
        diagnostics_.error(call, (use.is_update ? "update of table '" : "lookup of table '") + use.table +
                                     "' inside a loop: one packet can " +
                                     (use.is_update ? "change one entry of a table" : "ask a table once"));
      }
    } else if (callee->getName().starts_with(kUninit)) {
      uninitialised(call);
    } else if (callee->getName().starts_with("_Zn") || callee->getName().starts_with("_Zd") ||
               callee->getName() == "malloc" || callee->getName() == "free") {
      diagnostics_.error(call, "heap memory has no hardware");
    } else if (!isMarker(*callee) && !callee->isIntrinsic()) {
      diagnostics_.error(call, "call of '" + nameOf(*callee) + "', which is not defined in the kernel's source");
    }
  }

  void uninitialised(const llvm::CallBase& marker) {
    const auto index = static_cast<std::size_t>(llvm::cast<llvm::ConstantInt>(marker.getArgOperand(0))->getZExtValue());
    if (!marker.use_empty())
      diagnostics_.error(marker,
                         "output field '" + program_.out.fields[index].member + "' is not assigned on every path");
  }

  void memory(llvm::Instruction& instruction) {
    const llvm::Value* base = llvm::getUnderlyingObject(llvm::getLoadStorePointerOperand(&instruction));
    if (const auto* global = llvm::dyn_cast<llvm::GlobalVariable>(base); global != nullptr && !global->isConstant()) {
      llvm::SmallVector<llvm::DIGlobalVariableExpression*, 1> infos;
      global->getDebugInfo(infos);
      const std::string name = infos.empty() ? global->getName().str() : infos[0]->getVariable()->getName().str();
      diagnostics_.error(
          instruction,
          "variable '" + name + "' keeps state from packet to packet: kernels have no static or global variables");
    } else {
      unexplained_.push_back(&instruction);
    }
  }

  const Program& program_;
  Diagnostics diagnostics_;
  std::map<std::size_t, llvm::CallBase*> requested_;
  std::vector<const llvm::Instruction*> unexplained_;  ///< accesses that may only follow from another error
};

}  // namespace

void checkProgram(const Program& program) {
  Check(program).run();
}

}  // namespace hlsc
