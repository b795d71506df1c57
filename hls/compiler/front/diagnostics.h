// SPDX-License-Identifier: Apache-2.0
// Errors in the kernel's source, each at its place. A front-end step collects all it finds, then stops the compilation.
#pragma once

#include <llvm/IR/DebugLoc.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace llvm {
class Instruction;
class DISubprogram;
}  // namespace llvm

namespace hlsc {

/// What the user reads: one `file:line: error: ...` per line.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Diagnostics {
 public:
  /// At an instruction, with the chain of calls that were inlined there.
  void error(const llvm::Instruction& at, const std::string& message);
  void error(const llvm::DISubprogram* at, const std::string& message);
  /// A member of a struct or another thing without a line of its own.
  void error(const std::string& file, unsigned line, const std::string& message);

  /// Throws CompileError with everything collected, equal messages once.
  void stopOnError() const;

 private:
  void add(const std::string& message);

  std::vector<std::string> messages_;
};

}  // namespace hlsc
