# SPDX-License-Identifier: Apache-2.0
"""Chooses mutants and writes the mutated sources with their manifest."""
import json
import pathlib
import random
import shutil

from mutation import cpp, verilog
from mutation.points import Point, render

KERNELS = "hls/kernels/"
GENERATED = {"card_regs.sv": "rtl/generated/card_regs.sv", "card_tables.sv": "rtl/generated/card_tables.sv",
             "forward.sv": "hls/forward/forward.sv"}


def kernel_points(house: pathlib.Path) -> list[Point]:
    arguments = ["-std=c++20", "-Wno-bit-int-extension", f"-I{house}/hls/include"]
    found = [p for source in sorted((house / KERNELS).glob("*.cpp")) for p in cpp.points(source, KERNELS, arguments)]
    return list(dict.fromkeys(found))  # a header that several sources include counts once


def rtl_sources(house: pathlib.Path, build: pathlib.Path) -> dict[str, pathlib.Path]:
    """By the name that reports use: hand-written modules, the register blocks from their templates, hlsc's pipeline."""
    sources = {f"rtl/core/{path.name}": path for path in sorted((house / "rtl" / "core").glob("*.sv"))}
    sources |= {name: build / path for name, path in GENERATED.items()}
    return sources


def choose(house: pathlib.Path, build: pathlib.Path, count: int, seed: int) -> dict[int, Point]:
    """A quarter of the mutants in the kernels, the rest over all RTL; numbers start at 1."""
    rng = random.Random(seed)
    kernel = kernel_points(house)
    rtl = [p for name, path in rtl_sources(house, build).items() for p in verilog.points(name, path)]
    from_kernel = min(len(kernel), count // 4)
    chosen = rng.sample(kernel, from_kernel) + rng.sample(rtl, min(len(rtl), count - from_kernel))
    return dict(enumerate(sorted(chosen, key=lambda p: (p.file, p.start, p.end, p.now)), start=1))


def write(house: pathlib.Path, build: pathlib.Path, folder: pathlib.Path, chosen: dict[int, Point]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "rtl").mkdir(parents=True)
    (folder / KERNELS).mkdir(parents=True)

    def mutated(name: str, path: pathlib.Path, choice: str) -> str:
        return render(path.read_text(), {n: p for n, p in chosen.items() if p.file == name}, choice)

    for path in (house / KERNELS).iterdir():
        if path.suffix in (".h", ".cpp", ".def"):
            (folder / KERNELS / path.name).write_text(mutated(KERNELS + path.name, path, cpp.CHOICE))
    for name, path in rtl_sources(house, build).items():
        (folder / "rtl" / path.name).write_text(mutated(name, path, verilog.CHOICE))
    (folder / "manifest.json").write_text(json.dumps({n: vars(p) for n, p in chosen.items()}, indent=1) + "\n")
