# SPDX-License-Identifier: Apache-2.0
"""Are the tests able to fail? Seeded random mutants over the kernels' C++ and the card's RTL; how many do the tests notice?

usage: script/mutate [--count N] [--seed N] [--goal PERCENT] [--json FILE]
Exit code 0 if the goal is met: 95 % unless said otherwise.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

from mutation import make, run
from mutation.points import Point, one_line

HOUSE = pathlib.Path(__file__).resolve().parents[2]
BUILD = HOUSE / "build" / "mutation"


def cmake(*arguments: str) -> None:
    log = HOUSE / "build" / "mutation.log"
    with log.open("w") as out:
        if subprocess.run(["cmake", *arguments], cwd=HOUSE, stdout=out, stderr=subprocess.STDOUT).returncode:
            sys.exit(log.read_text() + f"\nscript/mutate: cmake {' '.join(arguments)} failed")


def known_equivalents() -> dict[tuple[str, ...], str]:
    file = HOUSE / "tests" / "mutation" / "equivalents.toml"
    return {(e["file"], e["kind"], e["was"], e["now"]): e["reason"] for e in tomllib.loads(file.read_text())["equivalent"]}


def prepare(count: int, seed: int) -> dict[int, Point]:
    mutants = BUILD / "mutants"
    shutil.rmtree(mutants, ignore_errors=True)  # an earlier run's, perhaps of other sources
    cmake("--preset", "mutation")
    cmake("--build", "--preset", "mutation", "-j", str(os.cpu_count()), "--target", "mutation_originals")
    chosen = make.choose(HOUSE, BUILD, count, seed)
    make.write(HOUSE, BUILD, mutants, chosen)
    cmake("--preset", "mutation")
    cmake("--build", "--preset", "mutation", "-j", str(os.cpu_count()), "--target", "mutant_tests")
    return chosen


def report(chosen: dict[int, Point], verdicts: dict[int, run.Verdict]) -> tuple[dict, str]:
    reasons = known_equivalents()
    files: dict[str, list[int]] = {}
    survivors = []
    for number, point in chosen.items():
        killed = verdicts[number].killed_by is not None
        counts = files.setdefault(point.file, [0, 0])
        counts[0] += killed
        counts[1] += 1
        if not killed:
            survivors.append({"number": number, "file": point.file, "line": point.line, "kind": point.kind, "was": one_line(point.was),
                              "now": one_line(point.now), "reason": reasons.get(point.key, "")})
    killed = sum(k for k, _ in files.values())
    percent = 100 * killed / len(chosen)
    data = {"mutants": len(chosen), "killed": killed, "percent": round(percent, 2), "files": files, "survivors": survivors}
    lines = [f"{file:28} {k:4} of {n:4} killed" for file, (k, n) in files.items()]
    lines.append(f"{'all':28} {killed:4} of {len(chosen):4} killed, {percent:.1f} %")
    for s in survivors:
        lines += [f"survives: {s['file']}:{s['line']} ({s['kind']}, number {s['number']})", f"    {s['was']}  ->  {s['now']}",
                  f"    {s['reason'] or 'no reason known: a test is missing'}"]
    return data, "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/mutate", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=400, help="mutants (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--goal", type=float, default=95, metavar="PERCENT", help="killed mutants for exit code 0 (default %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the result as JSON")
    options = parser.parse_args()
    chosen = prepare(options.count, options.seed)

    def progress(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done}/{of}", end="" if done < of else "\n", file=sys.stderr, flush=True)
    try:
        verdicts = run.judge_all(BUILD / "bin", chosen, os.cpu_count() or 1, progress)
    except RuntimeError as error:
        sys.exit(f"script/mutate: {error}")
    data, text = report(chosen, verdicts)
    print(text)
    if options.json:
        options.json.write_text(json.dumps(data, indent=1) + "\n")
    return 0 if data["percent"] >= options.goal else 1


if __name__ == "__main__":
    sys.exit(main())
