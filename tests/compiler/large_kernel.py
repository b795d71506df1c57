#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A large kernel: rounds of a hash over a wide state with first matches between them, as many nodes as asked for.

usage: large_kernel.py ROUNDS > kernel.cpp
"""
import random
import sys

WORDS = 32


def kernel(rounds: int) -> str:
    rng = random.Random(1)
    lines = ['#include "hls.h"', "using hls::bits;", f"struct In {{ bits<32> word[{WORDS}]; }};", f"struct Out {{ bits<32> word[{WORDS}]; }};",
             "void large(const In& in, Out& out) {", f"  bits<32> w[{WORDS}];", f"  for (unsigned i = 0; i < {WORDS}; ++i) w[i] = in.word[i];"]
    for _ in range(rounds):
        for i in range(WORDS):
            a, b, c = (rng.randrange(WORDS) for _ in range(3))
            turn = rng.randrange(1, 31)
            lines.append(f"  if (w[{a}] < w[{b}]) w[{i}] = static_cast<bits<32>>(w[{i}] + w[{c}]); "
                         f"else w[{i}] ^= static_cast<bits<32>>((w[{b}] << {turn}) | (w[{b}] >> {32 - turn})) & w[{a}];")
    lines += [f"  for (unsigned i = 0; i < {WORDS}; ++i) out.word[i] = w[i];", "}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(kernel(int(sys.argv[1])), end="")
