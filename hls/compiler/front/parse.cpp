// SPDX-License-Identifier: Apache-2.0
#include <llvm/IR/Verifier.h>
#include <llvm/IRReader/IRReader.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/Program.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include "program.h"

namespace hlsc {

namespace {

/// A file that is gone with its scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const char* suffix) {
    if (llvm::sys::fs::createTemporaryFile("hlsc", suffix, path_))
      throw CompileError("error: cannot make a temporary file");
  }
  ~TemporaryFile() { llvm::sys::fs::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  std::string path() const { return path_.str().str(); }
  std::string text() const {
    auto buffer = llvm::MemoryBuffer::getFile(path_);
    return buffer ? (*buffer)->getBuffer().str() : "";
  }

 private:
  llvm::SmallString<128> path_;
};

}  // namespace

void verifyProgram(const Program& program, const char* after) {
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (llvm::verifyModule(*program.module, &stream)) {
    throw std::logic_error(std::string("internal error: broken IR after ") + after + ":\n" + stream.str());
  }
}

Program Program::copy() const {
  Program other;
  other.context = context;
  other.module = llvm::CloneModule(*module);
  return other;
}

Program parseSource(const std::string& source, const std::vector<std::string>& clang_arguments) {
  if (!llvm::sys::fs::exists(source)) throw CompileError(source + ": error: no such file");
  const TemporaryFile bitcode("bc"), messages("txt");
  // No optimisation in clang: no vectors, lookup tables or idioms. The warnings are those that would make RTL differ
  // from native runs.
  std::vector<std::string> arguments = {POPLINK_CLANG,
                                        "-std=c++20",
                                        "-O1",
                                        "-g",
                                        "-fstandalone-debug",
                                        "-Xclang",
                                        "-disable-llvm-passes",
                                        "-fno-exceptions",
                                        "-fno-rtti",
                                        "-fno-discard-value-names",
                                        "-fwrapv",
                                        "-fno-strict-aliasing",
                                        "-Wno-bit-int-extension",
                                        "-Werror=uninitialized",
                                        "-Werror=conditional-uninitialized",
                                        "-Werror=sometimes-uninitialized",
                                        "-Werror=array-bounds",
                                        "-Werror=return-type",
                                        "-emit-llvm",
                                        "-c",
                                        "-fno-color-diagnostics"};
  arguments.insert(arguments.end(), clang_arguments.begin(), clang_arguments.end());
  arguments.insert(arguments.end(), {"-o", bitcode.path(), source});
  const std::vector<llvm::StringRef> views(arguments.begin(), arguments.end());
  const std::string messages_path = messages.path();
  const std::optional<llvm::StringRef> redirects[] = {std::nullopt, llvm::StringRef(messages_path),
                                                      llvm::StringRef(messages_path)};
  std::string problem;
  const int code = llvm::sys::ExecuteAndWait(POPLINK_CLANG, views, std::nullopt, redirects, 0, 0, &problem);
  if (code != 0) throw CompileError(problem.empty() ? messages.text() : "error: cannot run clang: " + problem);

  Program program;
  program.context = llvm::makeIntrusiveRefCnt<SharedContext>();
  llvm::SMDiagnostic diagnostic;
  program.module = llvm::parseIRFile(bitcode.path(), diagnostic, program.context->llvm);
  if (!program.module)
    throw std::logic_error("internal error: clang wrote IR that LLVM cannot read: " + diagnostic.getMessage().str());
  return program;
}

}  // namespace hlsc
