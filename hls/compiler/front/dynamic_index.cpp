// SPDX-License-Identifier: Apache-2.0
// a[i] with a computed i: a load becomes a mux tree over the elements, a store a select per element. An index outside
// the array is undefined in C++, so any element will do there.
#include <llvm/ADT/MapVector.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Operator.h>

#include <numeric>

#include "program.h"

namespace hlsc {

namespace {

/// base + constant + sum of scale * index
struct Address {
  llvm::Value* base = nullptr;
  std::uint64_t base_bytes = 0;
  std::int64_t constant = 0;
  std::vector<std::pair<llvm::Value*, std::int64_t>> terms;
};

bool decompose(llvm::Value* pointer, const llvm::DataLayout& layout, Address& address) {
  while (auto* gep = llvm::dyn_cast<llvm::GEPOperator>(pointer)) {
    llvm::MapVector<llvm::Value*, llvm::APInt> variable;
    llvm::APInt constant(64, 0);
    if (!gep->collectOffset(layout, 64, variable, constant)) return false;
    address.constant += constant.getSExtValue();
    for (const auto& [index, scale] : variable) address.terms.emplace_back(index, scale.getSExtValue());
    pointer = gep->getPointerOperand();
  }
  address.base = pointer;
  if (auto* slot = llvm::dyn_cast<llvm::AllocaInst>(pointer)) {
    address.base_bytes = layout.getTypeAllocSize(slot->getAllocatedType());
    return true;
  }
  auto* table = llvm::dyn_cast<llvm::GlobalVariable>(pointer);
  if (table == nullptr || !table->isConstant() || !table->hasDefinitiveInitializer()) return false;
  address.base_bytes = layout.getTypeAllocSize(table->getValueType());
  return true;
}

/// The places an access may touch: offsets first + k * step for k below count, and the number of the place as an
/// expression.
struct Places {
  std::int64_t first = 0, step = 1;
  std::size_t count = 0;
  llvm::Value* number = nullptr;
};

Places placesOf(const Address& address, std::uint64_t access_bytes, llvm::IRBuilder<>& builder) {
  Places places;
  places.step = 0;
  for (const auto& [index, scale] : address.terms) places.step = std::gcd(places.step, std::abs(scale));
  const std::int64_t below =
      address.constant >= 0 ? address.constant / places.step : -((-address.constant + places.step - 1) / places.step);
  places.first = address.constant - below * places.step;
  const std::int64_t room =
      static_cast<std::int64_t>(address.base_bytes) - static_cast<std::int64_t>(access_bytes) - places.first;
  places.count = room < 0 ? 0 : static_cast<std::size_t>(room / places.step) + 1;
  llvm::Value* number = builder.getInt64(static_cast<std::uint64_t>(below));
  for (const auto& [index, scale] : address.terms) {
    llvm::Value* wide = builder.CreateSExtOrTrunc(index, builder.getInt64Ty());
    number = builder.CreateAdd(
        number, builder.CreateMul(wide, builder.getInt64(static_cast<std::uint64_t>(scale / places.step))));
  }
  places.number = number;
  return places;
}

llvm::Value* muxTree(llvm::IRBuilder<>& builder, std::vector<llvm::Value*> leaves, llvm::Value* number) {
  for (unsigned bit = 0; leaves.size() > 1; ++bit) {
    llvm::Value* select = builder.CreateTrunc(builder.CreateLShr(number, bit), builder.getInt1Ty());
    std::vector<llvm::Value*> halved;
    for (std::size_t i = 0; i < leaves.size(); i += 2) {
      halved.push_back(i + 1 < leaves.size() ? builder.CreateSelect(select, leaves[i + 1], leaves[i]) : leaves[i]);
    }
    leaves = std::move(halved);
  }
  return leaves[0];
}

}  // namespace

bool lowerDynamicIndices(Program& program) {
  const llvm::DataLayout& layout = program.module->getDataLayout();
  std::vector<llvm::Instruction*> accesses;
  for (llvm::Instruction& instruction : llvm::instructions(*program.top)) {
    if (llvm::isa<llvm::LoadInst, llvm::StoreInst>(instruction)) accesses.push_back(&instruction);
  }
  bool lowered = false;
  for (llvm::Instruction* instruction : accesses) {
    Address address;
    if (!decompose(llvm::getLoadStorePointerOperand(instruction), layout, address) || address.terms.empty()) continue;
    llvm::Type* type = llvm::getLoadStoreType(instruction);
    llvm::IRBuilder<> builder(instruction);
    const Places places = placesOf(address, layout.getTypeStoreSize(type), builder);
    if (places.count == 0) continue;
    const auto place = [&](std::size_t k) {
      const std::int64_t offset = places.first + static_cast<std::int64_t>(k) * places.step;
      return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), address.base, static_cast<std::uint64_t>(offset));
    };
    if (auto* load = llvm::dyn_cast<llvm::LoadInst>(instruction)) {
      std::vector<llvm::Value*> elements;
      for (std::size_t k = 0; k < places.count; ++k)
        elements.push_back(builder.CreateAlignedLoad(type, place(k), llvm::Align(1)));
      load->replaceAllUsesWith(muxTree(builder, std::move(elements), places.number));
    } else {
      llvm::Value* value = llvm::cast<llvm::StoreInst>(instruction)->getValueOperand();
      for (std::size_t k = 0; k < places.count; ++k) {
        llvm::Value* pointer = place(k);
        llvm::Value* hit = builder.CreateICmpEQ(places.number, builder.getInt64(k));
        llvm::Value* before = builder.CreateAlignedLoad(type, pointer, llvm::Align(1));
        builder.CreateAlignedStore(builder.CreateSelect(hit, value, before), pointer, llvm::Align(1));
      }
    }
    instruction->eraseFromParent();
    lowered = true;
  }
  return lowered;
}

}  // namespace hlsc
