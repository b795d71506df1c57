# SPDX-License-Identifier: Apache-2.0
"""The kernels that a build folder knows, and their views for proofs."""
import dataclasses
import json
import pathlib
import subprocess


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    command: list[str]  # hlsc with the build's own options, without a folder to write to

    def compile(self, folder: pathlib.Path) -> None:
        """Writes the pipeline, its report, and NAME_{converted,optimized,pipelined}.sv."""
        folder.mkdir(parents=True, exist_ok=True)
        run = subprocess.run([*self.command, "-o", folder, "--proof", folder], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"hlsc {self.name}: {run.stderr.strip()}")


def bodies(kernel: str, folder: pathlib.Path) -> list[str]:
    """Modules of its updates: what each makes of an entry."""
    report = json.loads((folder / f"{kernel}.json").read_text())
    return [update["body"] for update in report.get("updates", [])]


def known(build: pathlib.Path) -> list[Kernel]:
    """Every poplink_hls_kernel() leaves its command in the build folder."""
    files = sorted(build.glob("hls/*/hlsc.command"))
    return [Kernel(file.parent.name, file.read_text().splitlines()) for file in files]


def yosys(script: str) -> None:
    run = subprocess.run(["yosys", "-q", "-p", script], capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"yosys: {(run.stderr or run.stdout).strip()}")
