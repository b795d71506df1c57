// SPDX-License-Identifier: Apache-2.0
// LLVM's own passes, chosen so that nothing is guessed about a CPU: no vectors, no lookup tables, every loop unrolled
// whole.
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Metadata.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/BDCE.h>
#include <llvm/Transforms/Scalar/CorrelatedValuePropagation.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/IndVarSimplify.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/LoopRotation.h>
#include <llvm/Transforms/Scalar/LoopUnrollPass.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/LCSSA.h>
#include <llvm/Transforms/Utils/LoopSimplify.h>

#include "program.h"

namespace hlsc {

namespace {

constexpr int kRounds = 3;  // nested loops and indices that become constant only after unrolling

/// Unrolling limits are command-line options of LLVM; set once per process.
void setUnrollLimits() {
  static const bool done = [] {
    const char* arguments[] = {"hlsc",
                               "-unroll-threshold=10000000",
                               "-pragma-unroll-threshold=10000000",
                               "-unroll-max-upperbound=4096",
                               "-unroll-full-max-count=4096",
                               "-unroll-max-iteration-count-to-analyze=4096"};
    llvm::cl::ParseCommandLineOptions(static_cast<int>(std::size(arguments)), arguments);
    return true;
  }();
  static_cast<void>(done);
}

/// clang -O1 tags every loop as not to be unrolled; here every loop must be.
void requestUnrolling(llvm::Function& function) {
  llvm::LLVMContext& context = function.getContext();
  for (llvm::BasicBlock& block : function) {
    llvm::Instruction* branch = block.getTerminator();
    if (branch == nullptr || branch->getMetadata(llvm::LLVMContext::MD_loop) == nullptr) continue;
    llvm::Metadata* full[] = {llvm::MDString::get(context, "llvm.loop.unroll.full")};
    llvm::MDNode* wish = llvm::MDNode::get(context, full);
    llvm::MDNode* id = llvm::MDNode::getDistinct(context, {nullptr, wish});
    id->replaceOperandWith(0, id);
    branch->setMetadata(llvm::LLVMContext::MD_loop, id);
  }
}

class Passes {
 public:
  Passes() {
    builder_.registerModuleAnalyses(modules_);
    builder_.registerCGSCCAnalyses(components_);
    builder_.registerFunctionAnalyses(functions_);
    builder_.registerLoopAnalyses(loops_);
    builder_.crossRegisterProxies(loops_, functions_, components_, modules_);
  }

  void run(llvm::Function& function, llvm::FunctionPassManager pipeline) {
    pipeline.run(function, functions_);
    functions_.clear();
  }

  static void addCleanup(llvm::FunctionPassManager& pipeline) {
    pipeline.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    pipeline.addPass(llvm::EarlyCSEPass(true));
    pipeline.addPass(llvm::SimplifyCFGPass(llvm::SimplifyCFGOptions()
                                               .hoistCommonInsts(true)
                                               .sinkCommonInsts(false)
                                               .convertSwitchToLookupTable(false)
                                               .convertSwitchRangeToICmp(false)));
    pipeline.addPass(llvm::InstCombinePass());
  }

  static llvm::FunctionPassManager cleanup() {
    llvm::FunctionPassManager pipeline;
    addCleanup(pipeline);
    return pipeline;
  }

  static llvm::FunctionPassManager loops() {
    llvm::FunctionPassManager pipeline;
    addCleanup(pipeline);
    pipeline.addPass(llvm::LoopSimplifyPass());
    pipeline.addPass(llvm::LCSSAPass());
    pipeline.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LoopRotatePass()));
    pipeline.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::IndVarSimplifyPass()));
    for (int round = 0; round < kRounds; ++round) {
      pipeline.addPass(llvm::LoopUnrollPass(llvm::LoopUnrollOptions(3)
                                                .setPartial(false)
                                                .setRuntime(false)
                                                .setUpperBound(true)
                                                .setPeeling(false)
                                                .setFullUnrollMaxCount(4096)));
      addCleanup(pipeline);
    }
    return pipeline;
  }

  static llvm::FunctionPassManager finish() {
    llvm::FunctionPassManager pipeline;
    pipeline.addPass(llvm::GVNPass(llvm::GVNOptions().setPRE(false).setLoadPRE(false)));
    pipeline.addPass(llvm::CorrelatedValuePropagationPass());
    addCleanup(pipeline);
    pipeline.addPass(llvm::BDCEPass());
    addCleanup(pipeline);
    pipeline.addPass(llvm::ADCEPass());
    return pipeline;
  }

 private:
  llvm::PassBuilder builder_;
  llvm::LoopAnalysisManager loops_;
  llvm::FunctionAnalysisManager functions_;
  llvm::CGSCCAnalysisManager components_;
  llvm::ModuleAnalysisManager modules_;
};

}  // namespace

void flattenProgram(Program& program) {
  setUnrollLimits();
  requestUnrolling(*program.top);
  Passes passes;
  passes.run(*program.top, Passes::loops());
  for (int round = 0; round < kRounds && lowerDynamicIndices(program); ++round) {
    verifyProgram(program, "index lowering");
    passes.run(*program.top, Passes::cleanup());
  }
  passes.run(*program.top, Passes::finish());
  verifyProgram(program, "flattening");
}

}  // namespace hlsc
