#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A kernel of more than 50000 nodes compiles. What is quadratic shows as the test's time limit."""
import json
import pathlib
import subprocess
import sys
import tempfile

from large_kernel import kernel

ROUNDS = 340
NODES = 50_000


def main() -> int:
    hlsc, include = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="poplink-large-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "large.cpp").write_text(kernel(ROUNDS))
        subprocess.run([hlsc, "--top", "large", "-I", include, "-o", folder, folder / "large.cpp"], check=True)
        report = json.loads((folder / "large.json").read_text())
        print(f"{report['nodes']} nodes, {report['stages']} stages, {report['registers']} registers")
        return 0 if report["nodes"] >= NODES else 1


if __name__ == "__main__":
    sys.exit(main())
