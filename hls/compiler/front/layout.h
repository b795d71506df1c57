// SPDX-License-Identifier: Apache-2.0
// Structs as the kernel's author wrote them, read from the debug information: LLVM types have lost widths and names.
#pragma once

#include <llvm/IR/DebugInfoMetadata.h>

#include <string>
#include <vector>

#include "diagnostics.h"

namespace hlsc {

/// A scalar, or an array of scalars that becomes one packed port.
struct Field {
  std::string path;            ///< members joined by '_', indices of arrays of structs included
  std::string member;          ///< the same in C++
  unsigned width = 0;          ///< bits of one element
  unsigned storage_bytes = 0;  ///< bytes of one element in memory
  unsigned offset = 0;         ///< byte offset of the first element in the struct
  unsigned count = 1;          ///< elements; 1 also for scalars
};

struct Layout {
  std::vector<Field> fields;
  unsigned bytes = 0;  ///< size of the whole struct
};

/// Layout of `type` (references and const removed). Errors name the member and its line.
Layout layoutOf(const llvm::DIType* type, Diagnostics& diagnostics);

/// The struct, array or basic type behind typedefs, references and const: the same for two spellings of one type.
const llvm::DIType* plainType(const llvm::DIType* type);

/// Width of a scalar parameter type; 0 and an error at `user` when it isn't one.
unsigned scalarWidth(const llvm::DIType* type, const llvm::DISubprogram* user, Diagnostics& diagnostics);

}  // namespace hlsc
