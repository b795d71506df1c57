// SPDX-License-Identifier: Apache-2.0
#include "diagnostics.h"

#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Instruction.h>

#include <algorithm>

namespace hlsc {

void Diagnostics::error(const llvm::Instruction& at, const std::string& message) {
  const llvm::DILocation* location = at.getDebugLoc();
  if (location == nullptr) {
    error(at.getFunction()->getSubprogram(), message);
    return;
  }
  std::string text =
      (location->getFilename() + ":" + std::to_string(location->getLine()) + ": error: " + message).str();
  // The last caller is the wrapper around the kernel, which the author didn't write.
  for (const llvm::DILocation* caller = location->getInlinedAt();
       caller != nullptr && caller->getInlinedAt() != nullptr; caller = caller->getInlinedAt()) {
    if (caller->getLine() == 0) continue;
    text += ("\n" + caller->getFilename() + ":" + std::to_string(caller->getLine()) + ": note: called from here").str();
  }
  add(text);
}

void Diagnostics::error(const llvm::DISubprogram* at, const std::string& message) {
  if (at == nullptr)
    add("error: " + message);
  else
    error(at->getFilename().str(), at->getLine(), message);
}

void Diagnostics::error(const std::string& file, unsigned line, const std::string& message) {
  add(file + ":" + std::to_string(line) + ": error: " + message);
}

void Diagnostics::add(const std::string& message) {
  if (std::find(messages_.begin(), messages_.end(), message) == messages_.end()) messages_.push_back(message);
}

void Diagnostics::stopOnError() const {
  if (messages_.empty()) return;
  std::string all;
  for (const std::string& message : messages_) all += (all.empty() ? "" : "\n") + message;
  throw CompileError(all);
}

}  // namespace hlsc
