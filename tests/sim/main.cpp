// SPDX-License-Identifier: Apache-2.0
// The SystemC library has a main of its own and wants an sc_main.
#include <gtest/gtest.h>

#include <cstdlib>
#include <systemc>

int sc_main(int, char**) {
  return EXIT_FAILURE;  // never called: the tests run the kernel themselves
}

int main(int argc, char** argv) {
  ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
