// SPDX-License-Identifier: Apache-2.0
// A card whose registers the kernel takes away while they are used.
#include "signals.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands.h"

namespace poplink::host {
namespace {

TEST(BusError, is_said_to_be_a_lost_card) {
  const driver::Descriptor file(::memfd_create("registers", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file.get(), 4096), 0);
  void* mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const auto* registers = static_cast<const volatile std::uint32_t*>(mapped);
  const auto lose = [&](const char* program) {
    explainBusErrors(program);
    if (::ftruncate(file.get(), 0) == 0) ::_exit(static_cast<int>(registers[0]));
  };
  EXPECT_EXIT(lose("poplinkd"), ::testing::ExitedWithCode(kExitCard),
              "^poplinkd: lost the card: its registers are not there any more\n$");
  ::munmap(mapped, 4096);
}

}  // namespace
}  // namespace poplink::host
