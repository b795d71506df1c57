#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A quick run of every BGP scenario: each speaker passes on the right routes and no others. Cost is not asserted.
Usage: quick_run.py COMMAND..."""
import json
import pathlib
import subprocess
import sys
import tempfile

SPEAKERS = ("bird", "poplinkd")
PHASES = {"load": ["announce", "withdraw"], "same": ["announce", "withdraw"], "ipv6": ["announce", "withdraw"], "flips": ["announce", "flip"],
          "fanout": ["announce", "withdraw"], "connect": []}


def problems(figures: dict) -> list[str]:
    found = [f"{one['scenario']}, {one['speaker']}: {'; '.join(one['wrong'])}" for one in figures["failures"]]
    if set(figures["scenarios"]) != set(PHASES):
        found.append(f"scenarios: {sorted(figures['scenarios'])}")
    for scenario, measured in figures["scenarios"].items():
        for speaker in SPEAKERS:
            phases = [list(sample) for sample in measured["samples"].get(speaker, [])]
            if phases != [["connect", *PHASES[scenario]]]:
                found.append(f"{scenario}, {speaker}: phases {phases}")
            found += [f"{scenario}, {speaker}: {phase} for nothing" for sample in measured["samples"].get(speaker, [])
                      for phase, one in sample.items() if one["cpu_seconds"] <= 0 or one["peak_bytes"] <= 0]
    return found


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="poplink-quick-bench-") as scratch:
        report = pathlib.Path(scratch) / "report.json"
        run = subprocess.run([*sys.argv[1:], "bgp", "--quick", "--json", report, *(f"--speaker={name}" for name in SPEAKERS)], check=False)
        if not report.exists():
            print(f"no report, exit code {run.returncode}")
            return 1
        found = problems(json.loads(report.read_text())["parts"]["bgp"]) + ([f"exit code {run.returncode}"] if run.returncode else [])
    print("\n".join(found) or "every route was right")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
