// SPDX-License-Identifier: Apache-2.0
// How a fuzz target says that something does not hold: the fuzzer keeps the input of who aborts.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// `problem`: empty when there is none.
inline void requireNone(const std::string& problem) {
  if (problem.empty()) return;
  std::fprintf(stderr, "%s\n", problem.c_str());
  std::abort();
}
