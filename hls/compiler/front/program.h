// SPDX-License-Identifier: Apache-2.0
// The kernel between its source and the netlist: LLVM IR whose only function is hls.top, with ports and lookups as
// marker calls.
#pragma once

#include <llvm/ADT/IntrusiveRefCntPtr.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <string>
#include <vector>

#include "../module.h"
#include "layout.h"

namespace hlsc {

struct TableUse {
  std::string table;
  unsigned key_width = 0;  ///< of an update: its index
  Layout entry;
  const llvm::DISubprogram* declared = nullptr;
  bool is_update = false;
  Layout arguments;                          ///< of an update
  const llvm::DISubprogram* body = nullptr;  ///< of an update: the function that makes the next entry
  unsigned latency = 0;                      ///< as HLS_LATENCY says, cycles; 0: it does not say
};

// Marker calls, with T the lookup's token and k the number of a field:
//   iW  hls.in.W(k, element)    hls.out.W(k, element, iW)    iW hls.uninit.W(k)
//   i32 hls.req.K(lookup, iK)   iW hls.resp.W(T, lookup, k)
// An update is a lookup whose key is the index with the packed arguments above it, and whose answer is the entry
// before. Its body stands behind the answer, for its result; what it makes of the entry is compiled apart (wrapBody).
inline constexpr const char* kTop = "hls.top";
inline constexpr const char* kIn = "hls.in.";
inline constexpr const char* kOut = "hls.out.";
inline constexpr const char* kUninit = "hls.uninit.";
inline constexpr const char* kRequest = "hls.req.";
inline constexpr const char* kResponse = "hls.resp.";

/// Owned by all programs of a source together. (A std::shared_ptr needs the RTTI that the packaged LLVM lacks.)
struct SharedContext : llvm::RefCountedBase<SharedContext> {
  llvm::LLVMContext llvm;
};

struct Program {
  llvm::IntrusiveRefCntPtr<SharedContext> context = nullptr;
  std::unique_ptr<llvm::Module> module;
  llvm::Function* top = nullptr;
  Layout in, out;
  std::vector<TableUse> tables;
  /// Of a body: `in` has first the entry's fields, so many, then the arguments'; `out` is the entry. Ports are packed.
  unsigned entry_fields = 0;

  /// The same source once more, for another hls.top.
  Program copy() const;
};

/// Stops with std::logic_error when a rewrite of ours broke the IR: LLVM as packaged has no assertions of its own.
void verifyProgram(const Program& program, const char* after);

/// Runs clang and reads its IR. Throws CompileError with clang's messages.
Program parseSource(const std::string& source, const std::vector<std::string>& clang_arguments);

/// Finds the kernel, reads its ports, makes hls.top, and inlines everything into it. Throws CompileError.
void wrapKernel(Program& program, const std::string& kernel);

/// The same for the body of an update that a kernel was found to make: hls.top is what it makes of an entry.
void wrapBody(Program& program, const TableUse& update);

/// Unrolls, promotes and simplifies hls.top until it is straight-line code with branches and no memory.
void flattenProgram(Program& program);

/// One round of lowering array accesses with computed indices to muxes; false when there was none.
bool lowerDynamicIndices(Program& program);

/// Refuses what is left and has no hardware meaning. Throws CompileError.
void checkProgram(const Program& program);

}  // namespace hlsc
