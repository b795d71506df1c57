# SPDX-License-Identifier: Apache-2.0
"""Is each kernel's pipeline the netlist that it was made from, and is the simplified netlist the converted one?

usage: script/prove [--limit SECONDS] [--kernel NAME]... [--may-run-out NAME]... [--json FILE]
Exit code 0 if everything is proved, except what may run out of time.
"""
import argparse
import dataclasses
import json
import pathlib
import sys
import tempfile
import time

from proof import kernels
from proof.equivalence import Verdict, compare, make_graph
from proof.timing import balance

PAIRS = (("optimized", "converted"), ("pipelined", "optimized"))


def prove(kernel: kernels.Kernel, limit: int) -> list[Verdict]:
    with tempfile.TemporaryDirectory(prefix="poplink-prove-") as name:
        folder = pathlib.Path(name)
        kernel.compile(folder)
        for view in ("converted", "optimized", "pipelined"):
            make_graph(kernel.name, view, folder)
        verdicts = [compare(kernel.name, *pair, folder, limit) for pair in PAIRS] + [balance(kernel.name, folder)]
        for body in kernels.bodies(kernel.name, folder):  # no registers: functions are all there is
            for view in ("converted", "optimized", "pipelined"):
                make_graph(body, view, folder)
            verdicts += [compare(body, *pair, folder, limit) for pair in PAIRS]
        return verdicts


def row(verdict: Verdict, limit: int) -> str:
    result = {"proved": "proved", "not proved": f"not proved within {limit} s", "different": "DIFFERENT"}[verdict.result]
    lines = [f"{verdict.kernel:20} {verdict.what:10} {verdict.against:10} {result:24} {verdict.seconds:7.1f}"]
    if verdict.result == "different":
        lines += [f"    {verdict.output}"] + [f"      {name} = {value}" for name, value in verdict.inputs.items()]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/prove", description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--limit", type=int, default=120, metavar="SECONDS", help="per proof (default %(default)s)")
    parser.add_argument("--kernel", action="append", metavar="NAME", help="only this one (default: all that the build compiles)")
    parser.add_argument("--may-run-out", action="append", default=[], metavar="NAME",
                        help="kernel whose netlists need not be proved equal within the limit")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the verdicts as JSON")
    options = parser.parse_args()
    found = kernels.known(options.build)
    chosen = [k for k in found if not options.kernel or k.name in options.kernel]
    if not chosen or {*(options.kernel or []), *options.may_run_out} - {k.name for k in found}:
        parser.error("kernels of this build are: " + ", ".join(k.name for k in found))

    start = time.monotonic()
    print(f"{'kernel':20} {'this':10} {'equals':10} {'verdict':24} {'seconds':>7}")
    verdicts = []
    for kernel in chosen:
        for verdict in prove(kernel, options.limit):
            print(row(verdict, options.limit), flush=True)
            verdicts.append(verdict)
    print(f"{len(verdicts)} proofs, {time.monotonic() - start:.0f} s with what yosys takes for the graphs")
    if options.json:
        options.json.write_text(json.dumps({"limit_seconds": options.limit, "proofs": [dataclasses.asdict(v) for v in verdicts]}, indent=1) + "\n")

    def expected(verdict: Verdict) -> bool:
        return verdict.against == "latency" or verdict.kernel not in options.may_run_out
    failed = [v for v in verdicts if v.result == "different" or (v.result == "not proved" and expected(v))]
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"script/prove: {error}")
