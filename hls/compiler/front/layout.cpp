// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include <llvm/BinaryFormat/Dwarf.h>

namespace hlsc {

namespace {

using llvm::DICompositeType;
using llvm::DIDerivedType;
using llvm::DIType;
namespace dwarf = llvm::dwarf;

const DIType* withoutQualifiers(const DIType* type) {
  for (;;) {
    const auto* derived = llvm::dyn_cast_or_null<DIDerivedType>(type);
    if (derived == nullptr) return type;
    switch (derived->getTag()) {
      case dwarf::DW_TAG_const_type:
      case dwarf::DW_TAG_volatile_type:
      case dwarf::DW_TAG_reference_type:
        type = derived->getBaseType();
        break;
      default:
        return type;
    }
  }
}

/// The struct, array or basic type behind typedefs.
const DIType* underlying(const DIType* type) {
  type = withoutQualifiers(type);
  while (const auto* derived = llvm::dyn_cast_or_null<DIDerivedType>(type)) {
    if (derived->getTag() != dwarf::DW_TAG_typedef) break;
    type = withoutQualifiers(derived->getBaseType());
  }
  return type;
}

struct Scalar {
  unsigned width = 0;
  unsigned bytes = 0;
  std::string problem;  ///< why this is not a scalar of kernel code
};

/// ap_uint<N> of hls_ap.h is a struct around bits<N>, and one scalar here: its width and sign stand in its name.
bool isApNumber(const DIType* type, unsigned& width, bool& is_signed) {
  const auto* composite = llvm::dyn_cast_or_null<DICompositeType>(underlying(type));
  if (composite == nullptr) return false;
  llvm::StringRef name = composite->getName();
  if (!name.consume_front("ap_base<") || name.consumeInteger(10, width)) return false;
  is_signed = name.contains("true");
  return true;
}
bool isApNumber(const DIType* type) {
  unsigned width = 0;
  bool is_signed = false;
  return isApNumber(type, width, is_signed);
}

/// DWARF knows a _BitInt's storage only: its width stands in the name of the alias, bits<N>.
Scalar scalarOf(const DIType* type) {
  Scalar scalar;
  bool is_signed = false;
  if (isApNumber(type, scalar.width, is_signed)) {
    scalar.bytes = static_cast<unsigned>(underlying(type)->getSizeInBits() / 8);
    if (is_signed) scalar.problem = "is signed: hardware fields are unsigned (ap_uint<N>)";
    return scalar;
  }
  const auto* basic = llvm::dyn_cast_or_null<llvm::DIBasicType>(underlying(type));
  if (basic == nullptr) {
    scalar.problem = "is not an unsigned integer, bool, array or struct of these";
    return scalar;
  }
  scalar.bytes = static_cast<unsigned>(basic->getSizeInBits() / 8);
  for (type = withoutQualifiers(type); const auto* derived = llvm::dyn_cast<DIDerivedType>(type);
       type = withoutQualifiers(derived->getBaseType())) {
    unsigned width = 0;
    llvm::StringRef name = derived->getName();
    if (name.consume_front("bits<") && !name.consumeInteger(10, width)) {
      scalar.width = width;
      return scalar;
    }
  }
  if (basic->getName().contains("_BitInt"))
    scalar.problem = "is a bare _BitInt: write hls::bits<N>, whose name carries the width";
  else if (basic->getEncoding() == dwarf::DW_ATE_boolean)
    scalar.width = 1;
  else if (basic->getEncoding() == dwarf::DW_ATE_unsigned || basic->getEncoding() == dwarf::DW_ATE_unsigned_char)
    scalar.width = scalar.bytes * 8;
  else if (basic->getEncoding() == dwarf::DW_ATE_float)
    scalar.problem = "is a floating-point number";
  else
    scalar.problem = "is signed: hardware fields are unsigned (hls::bits<N>, bool, unsigned)";
  return scalar;
}

class Flatten {
 public:
  explicit Flatten(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void structure(const DICompositeType& type, const std::string& path, const std::string& member, unsigned offset) {
    for (const llvm::DINode* element : type.getElements()) {
      const auto* field = llvm::dyn_cast<DIDerivedType>(element);
      if (field == nullptr) continue;  // member functions
      if (field->getTag() == dwarf::DW_TAG_inheritance) {
        diagnostics_.error(type.getFilename().str(), type.getLine(),
                           "struct " + type.getName().str() + " has a base class: ports are plain structs");
        continue;
      }
      if (field->getTag() != dwarf::DW_TAG_member || field->isStaticMember()) continue;
      at_ = field;
      const std::string name = field->getName().str();
      if (field->isBitField()) {
        problem(join(path, name, "_"), "is a bit-field: write hls::bits<N>");
        continue;
      }
      if (name.empty()) {
        problem("(anonymous)", "has no name: ports are plain structs");
        continue;
      }
      one(field->getBaseType(), join(path, name, "_"), join(member, name, "."),
          offset + static_cast<unsigned>(field->getOffsetInBits() / 8));
    }
  }

  std::vector<Field> fields;

 private:
  static std::string join(const std::string& left, const std::string& right, const char* separator) {
    return left.empty() ? right : left + separator + right;
  }

  void problem(const std::string& path, const std::string& what) {
    diagnostics_.error(at_->getFilename().str(), at_->getLine(), "field '" + path + "' " + what);
  }

  void one(const DIType* type, const std::string& path, const std::string& member, unsigned offset) {
    const auto* composite = llvm::dyn_cast_or_null<DICompositeType>(underlying(type));
    if (composite == nullptr || isApNumber(type)) {
      leaf(type, path, member, offset, 1);
    } else if (composite->getTag() == dwarf::DW_TAG_array_type) {
      array(*composite, path, member, offset);
    } else if (composite->getTag() == dwarf::DW_TAG_structure_type || composite->getTag() == dwarf::DW_TAG_class_type) {
      structure(*composite, path, member, offset);
    } else {
      problem(path, composite->getTag() == dwarf::DW_TAG_union_type
                        ? "is a union: its bits have no single meaning"
                        : "is an enumeration: give the field its width, hls::bits<N>");
    }
  }

  void array(const DICompositeType& type, const std::string& path, const std::string& member, unsigned offset) {
    const llvm::DINodeArray dimensions = type.getElements();
    const auto* range = dimensions.size() == 1 ? llvm::dyn_cast<llvm::DISubrange>(dimensions[0]) : nullptr;
    const auto* count = range == nullptr ? nullptr : llvm::dyn_cast_if_present<llvm::ConstantInt*>(range->getCount());
    if (count == nullptr || count->getSExtValue() <= 0) {
      problem(path, "is an array of several or unknown dimensions: use an array of structs");
      return;
    }
    const auto elements = static_cast<unsigned>(count->getSExtValue());
    const DIType* element = underlying(type.getBaseType());
    if (llvm::isa<DICompositeType>(element) && !isApNumber(element)) {
      const auto stride = static_cast<unsigned>(element->getSizeInBits() / 8);
      for (unsigned i = 0; i < elements; ++i) {
        one(type.getBaseType(), path + "_" + std::to_string(i), member + "[" + std::to_string(i) + "]",
            offset + i * stride);
      }
      return;
    }
    leaf(type.getBaseType(), path, member, offset, elements);
  }

  void leaf(const DIType* type, const std::string& path, const std::string& member, unsigned offset, unsigned count) {
    const Scalar scalar = scalarOf(type);
    if (!scalar.problem.empty())
      problem(path, scalar.problem);
    else
      fields.push_back({path, member, scalar.width, scalar.bytes, offset, count});
  }

  Diagnostics& diagnostics_;
  const DIDerivedType* at_ = nullptr;
};

}  // namespace

Layout layoutOf(const llvm::DIType* type, Diagnostics& diagnostics) {
  const auto* composite = llvm::dyn_cast_or_null<DICompositeType>(underlying(type));
  if (composite == nullptr ||
      (composite->getTag() != dwarf::DW_TAG_structure_type && composite->getTag() != dwarf::DW_TAG_class_type)) {
    return {};
  }
  Flatten flatten(diagnostics);
  flatten.structure(*composite, "", "", 0);
  return {std::move(flatten.fields), static_cast<unsigned>(composite->getSizeInBits() / 8)};
}

const llvm::DIType* plainType(const llvm::DIType* type) {
  return underlying(type);
}

unsigned scalarWidth(const llvm::DIType* type, const llvm::DISubprogram* user, Diagnostics& diagnostics) {
  const Scalar scalar = scalarOf(type);
  if (!scalar.problem.empty())
    diagnostics.error(user, "the parameter of " + user->getName().str() + "() " + scalar.problem);
  return scalar.width;
}

}  // namespace hlsc
