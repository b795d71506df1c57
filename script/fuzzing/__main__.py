# SPDX-License-Identifier: Apache-2.0
"""Runs the libFuzzer programs of tests/fuzz for long, from their corpora; what they find goes to build/fuzz/TARGET.

Exit code 0 if nothing failed, 1 if an input did, 2 if the arguments are wrong. With --minimize a target that has not failed
then has its corpus in tests/fuzz/corpus replaced: named files stay, and a small set of inputs that take the same edges is added.
"""
import argparse
import concurrent.futures
import fnmatch
import os
import pathlib
import signal
import subprocess
import sys
import threading

from fuzzing.target import Outcome, Target

HOUSE = pathlib.Path(__file__).resolve().parents[2]
CORPORA = HOUSE / "tests" / "fuzz" / "corpus"
SHOWN = threading.Lock()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", default=["bgp_*"], metavar="PATTERN", help="names or patterns of folders in tests/fuzz/corpus (bgp_*)")
    parser.add_argument("--runs", type=int, default=10_000_000, help="executions of each target (10 million)")
    parser.add_argument("--minutes", type=float, default=120, help="at most so long for each (120)")
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time (1)")
    parser.add_argument("--minimize", action="store_true", help="bring what was found back into tests/fuzz/corpus")
    parser.add_argument("--programs", type=pathlib.Path, metavar="DIR", help="TARGET_fuzz are here, built already (they are built in build/dev)")
    parser.add_argument("--corpora", type=pathlib.Path, default=CORPORA, metavar="DIR", help="corpora by target (tests/fuzz/corpus)")
    parser.add_argument("--work", type=pathlib.Path, default=HOUSE / "build" / "fuzz", metavar="DIR", help="what the runs make (build/fuzz)")
    options = parser.parse_args()
    if options.runs < 0 or options.minutes <= 0 or options.jobs < 1:
        parser.error("--runs, --minutes and --jobs are positive")
    return options


def chosen(patterns: list[str], corpora: pathlib.Path) -> list[str]:
    names = sorted(path.name for path in corpora.iterdir())
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            print(f"script/fuzz: no target is called {pattern}; there are {', '.join(names)}", file=sys.stderr)
            sys.exit(2)
    return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def build(names: list[str]) -> pathlib.Path:
    log = HOUSE / "build" / "fuzz-build.log"
    for command in (["cmake", "--preset", "dev"],
                    ["cmake", "--build", "--preset", "dev", "-j", str(os.cpu_count()), "--target", *(f"{name}_fuzz" for name in names)]):
        with log.open("w") as out:
            if subprocess.run(command, cwd=HOUSE, stdout=out, stderr=subprocess.STDOUT).returncode:
                sys.exit(log.read_text() + f"\nscript/fuzz: {' '.join(command)} failed")
    return HOUSE / "build" / "dev" / "bin"


def show(*lines: str) -> None:
    with SHOWN:
        print(*lines, sep="\n", flush=True)


def fuzz(target: Target, options: argparse.Namespace) -> Outcome:
    show(f"{target.name}: begins, log in {target.log}")
    outcome = target.run(options.runs, options.minutes)
    if outcome.exit_code != 0:
        show(f"{target.name}: FAILED with {outcome.exit_code}, log in {target.log}",
             *(f"  repeat: {target.repeat(failure)}" for failure in outcome.failures))
    elif options.minimize:
        target.minimize()
        show(f"{target.name}: corpus is {len(list(target.corpus.iterdir()))} files")
    return outcome


def table(outcomes: list[Outcome]) -> str:
    rows = [f"{'target':24} {'executions':>12} {'exec/s':>8} {'edges':>7} {'inputs':>7}  outcome"]
    for outcome in outcomes:
        figures = outcome.figures
        rows.append(f"{outcome.target:24} {figures.executions:12} {figures.executions / outcome.seconds:8.0f} {figures.edges:7} {figures.inputs:7}  "
                    f"{'FAILED' if outcome.exit_code else 'nothing found'}")
    return "\n".join(rows)


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends at once, and the programs with it, instead of beginning with the next
    options = arguments()
    names = chosen(options.targets, options.corpora)
    programs = options.programs.resolve() if options.programs else build(names)
    targets = [Target(name, programs / f"{name}_fuzz", options.corpora / name, options.work.resolve() / name) for name in names]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda target: fuzz(target, options), targets))
    show(table(outcomes))
    return 1 if any(outcome.exit_code for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
