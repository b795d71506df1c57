#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random kernels through hlsc: each must mean the same natively, as converted, and behind the passes. A failing seed's kernel is kept."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from random_kernel import Kernel

HERE = pathlib.Path(__file__).resolve().parent


def check(seed: int, folder: pathlib.Path, options: argparse.Namespace) -> str:
    """Empty when all agree; else what went wrong."""
    source = folder / "kernel.cpp"
    source.write_text(Kernel(seed).text())
    include = HERE.parents[1] / "hls" / "include"
    steps = [
        [options.hlsc, "--top", "kernel", "--update-ns", "1000", "-D", "KERNEL_BODY", "-I", include, "-o", folder, source],
        [options.compiler, "-std=c++20", "-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-w", "-fno-rtti", f"-I{include}",
         f"-I{HERE}", f"-I{HERE.parents[1] / 'hls' / 'compiler'}", f"-I{folder}", f'-DKERNEL_SOURCE="{source}"',
         f'-DPOPLINK_HLS_INCLUDE="{include}"', HERE / "random_kernel_main.cpp", *options.libraries, "-o", folder / "check"],
        [folder / "check"],
    ]
    for step in steps:
        run = subprocess.run(list(map(str, step)), capture_output=True, text=True, timeout=300)
        if run.returncode:
            return f"{pathlib.Path(step[0]).name} ended with {run.returncode}: {(run.stdout + run.stderr).strip()}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hlsc", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--libraries", nargs="+", required=True)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    failed = 0
    for seed in range(options.first_seed, options.first_seed + options.count):
        with tempfile.TemporaryDirectory(prefix="poplink-kernel-") as folder:
            problem = check(seed, pathlib.Path(folder), options)
            if problem:
                failed += 1
                kept = pathlib.Path.cwd() / f"random_kernel_{seed}.cpp"
                shutil.copy(pathlib.Path(folder) / "kernel.cpp", kept)
                print(f"seed {seed} ({kept}): {problem}")
    print(f"{options.count} kernels, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
