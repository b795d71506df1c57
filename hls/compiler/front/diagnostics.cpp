// SPDX-License-Identifier: Apache-2.0
#include "diagnostics.h"

#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Instruction.h>

#include <algorithm>

namespace hlsc {

namespace {

std::string placeOf(const llvm::DILocation& location) {
  return (location.getFilename() + ":" + std::to_string(location.getLine())).str();
}

std::string functionAt(const llvm::DILocation& location) {
  return "function '" + nameOf(*location.getScope()->getSubprogram()) + "'";
}

/// Whether another function's body, not the wrapper around the kernel, holds this place.
bool isInlined(const llvm::DILocation& location) {
  return location.getInlinedAt() != nullptr && location.getInlinedAt()->getInlinedAt() != nullptr;
}

/// Where to point at: code that LLVM merged from several lines has none, its caller has.
const llvm::DILocation* locationOf(const llvm::DebugLoc& at) {
  const llvm::DILocation* location = at;
  while (location != nullptr && location->getLine() == 0) location = location->getInlinedAt();
  return location;
}

std::string chainOf(const llvm::DILocation& location) {
  std::string lines;
  for (const llvm::DILocation* at = &location; isInlined(*at);) {
    at = at->getInlinedAt();
    if (at->getLine() == 0) continue;
    lines.append("\n").append(placeOf(*at)).append(": note: inlined from here, in ").append(functionAt(*at));
  }
  return lines;
}

}  // namespace

std::string nameOf(const llvm::DISubprogram& function) {
  std::string name = function.getName().str();
  for (const llvm::DIScope* scope = function.getScope(); scope != nullptr; scope = scope->getScope()) {
    const auto* type = llvm::dyn_cast<llvm::DICompositeType>(scope);
    if (type != nullptr && type->getName().empty() && function.getName() == "operator()") {
      const llvm::DIScope* owner = scope->getScope();
      while (owner != nullptr && !llvm::isa<llvm::DISubprogram>(owner)) owner = owner->getScope();
      return owner == nullptr ? "lambda" : "lambda in " + nameOf(*llvm::cast<llvm::DISubprogram>(owner));
    }
    if ((type != nullptr || llvm::isa<llvm::DINamespace>(scope)) && !scope->getName().empty())
      name.insert(0, scope->getName().str() + "::");
  }
  return name;
}

std::string nameOf(const llvm::Function& function) {
  const llvm::DISubprogram* info = function.getSubprogram();
  return info != nullptr ? nameOf(*info) : llvm::demangle(function.getName());
}

void Diagnostics::error(const llvm::Instruction& at, const std::string& message) {
  const llvm::DILocation* location = locationOf(at.getDebugLoc());
  if (location == nullptr) {
    error(at.getFunction()->getSubprogram(), message);
    return;
  }
  const std::string where = isInlined(*location) ? " (in " + functionAt(*location) + ")" : "";
  add(placeOf(*location) + ": error: " + message + where, chainOf(*location));
}

void Diagnostics::note(const llvm::DebugLoc& at, const std::string& message) {
  const llvm::DILocation* location = locationOf(at);
  if (location == nullptr || messages_.empty()) return;
  messages_.back().notes += "\n" + placeOf(*location) + ": note: " + message + chainOf(*location);
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

void Diagnostics::add(const std::string& head, const std::string& notes) {
  auto known = std::find_if(messages_.begin(), messages_.end(), [&](const Message& m) { return m.head == head; });
  if (known == messages_.end()) messages_.push_back({head, notes});
}

void Diagnostics::stopOnError() const {
  if (messages_.empty()) return;
  std::string all;
  for (const Message& message : messages_) all += (all.empty() ? "" : "\n") + message.head + message.notes;
  throw CompileError(all);
}

}  // namespace hlsc
