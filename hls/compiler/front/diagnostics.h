// SPDX-License-Identifier: Apache-2.0
// Errors in the kernel's source, each at its place. A front-end step collects all it finds, then stops the compilation.
#pragma once

#include <llvm/IR/DebugLoc.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace llvm {
class DISubprogram;
class Function;
class Instruction;
}  // namespace llvm

namespace hlsc {

/// What the user reads: one `file:line: error: ...` per line.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// As the source calls it: `space::Class::member<unsigned int>`, `lambda in kernel`.
std::string nameOf(const llvm::DISubprogram& function);
std::string nameOf(const llvm::Function& function);

class Diagnostics {
 public:
  /// At an instruction, with the chain of calls that were inlined there. The same message at the same place is told
  /// with its first chain only: a template's rule is broken once, however often it is called.
  void error(const llvm::Instruction& at, const std::string& message);
  /// Adds a place to the last error.
  void note(const llvm::DebugLoc& at, const std::string& message);
  void error(const llvm::DISubprogram* at, const std::string& message);
  /// A member of a struct or another thing without a line of its own.
  void error(const std::string& file, unsigned line, const std::string& message);

  /// Throws CompileError with everything collected, equal messages once.
  void stopOnError() const;

 private:
  struct Message {
    std::string head;
    std::string notes;  ///< further lines
  };

  void add(const std::string& head, const std::string& notes = "");

  std::vector<Message> messages_;
};

}  // namespace hlsc
