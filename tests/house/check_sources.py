#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that a script can see: licence lines, file length, formatting, and nothing generated or machine-bound in git."""
import pathlib
import re
import subprocess
import sys

HOUSE = pathlib.Path(__file__).resolve().parents[2]
CODE = (".cpp", ".h", ".sv", ".svh", ".rdl", ".py", ".cmake", ".def")
NO_LICENCE_LINE = re.compile(
    r"(^LICENSE$|\.json$|\.md$|\.txt$|\.pcap$|\.hex$|\.expected$|^\.gitignore$|golden/|corpus/|bad/.*\.(?:ya?ml|key)$|\.svg$|\.png$)")
MAX_LINES = 700
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|farm|root|home)/\w")


def tracked() -> list[pathlib.Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, check=True, capture_output=True, text=True).stdout
    return [HOUSE / n for n in names.split("\0") if n and (HOUSE / n).is_file()]


def text_problems(path: pathlib.Path, name: str, text: str) -> list[str]:
    problems = []
    lines = text.splitlines()
    if not NO_LICENCE_LINE.search(name) and not any("SPDX-License-Identifier: Apache-2.0" in l for l in lines[:3]):
        problems.append(f"{name}: no SPDX line in the first three lines")
    if path.suffix in CODE and len(lines) > MAX_LINES:
        problems.append(f"{name}: {len(lines)} lines, at most {MAX_LINES}")
    problems += [f"{name}:{i}: path of one machine" for i, l in enumerate(lines, 1)
                 if MACHINE_PATH.search(l) and name != "tests/house/check_sources.py"]
    return problems


def format_problems(paths: list[pathlib.Path]) -> list[str]:
    cpp = [str(p) for p in paths if p.suffix in (".cpp", ".h")]
    if not cpp:
        return []
    run = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *cpp], cwd=HOUSE, capture_output=True, text=True)
    if run.returncode == 0:
        return []
    files = sorted({l.split(":")[0] for l in run.stderr.splitlines() if "error:" in l})
    return [f"{f}: not formatted (clang-format-19 -i {f})" for f in files]


def main() -> int:
    problems = []
    paths = tracked()
    for path in paths:
        name = str(path.relative_to(HOUSE))
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        problems += text_problems(path, name, text)
        if path.stat().st_size > 1 << 20:
            problems.append(f"{name}: over 1 MiB")
    problems += format_problems(paths)
    print("\n".join(problems) or f"{len(paths)} files checked")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
