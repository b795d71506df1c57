#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A quick run of the benchmark gives every figure, and the loads it measures under lose nothing. Speed is not asserted.
Usage: quick_run.py COMMAND..."""
import json
import pathlib
import subprocess
import sys
import tempfile

LOADS = {"64", "65", "128", "1518", "9018", "IMIX", "bus 64", "bus 1518"}


def problems(parts: dict) -> list[str]:
    missing = {"sim", "latency", "live", "pipeline", "build"} - set(parts)
    if missing:
        return [f"no figures of {', '.join(sorted(missing))}"]
    found = [] if set(parts["sim"]) == LOADS else [f"loads: {sorted(parts['sim'])}"]
    for load, figures in parts["sim"].items():
        if figures["lost"] != 0 or (figures["dropped"] != 0 and load != "bus 64"):
            found.append(f"load {load}: {figures['lost']} lost, {figures['dropped']} dropped")
        if figures["user_mcycles_per_second"]["median"] <= 0 or figures["packets_per_cycle"] <= 0:
            found.append(f"load {load}: {figures}")
    latencies = {row[end] for row in parts["latency"]["idle"] for end in ("min", "max")}
    if len(latencies) != 1:
        found.append(f"latency of an idle card is not one number of cycles: {sorted(latencies)}")
    (latency,) = latencies if len(latencies) == 1 else (0,)
    found += [f"under load a frame was faster than on an idle card: {row}" for row in parts["latency"]["loaded"]["rows"]
              if not latency <= row["p50"] <= row["p99"] <= row["max"]]
    if parts["live"]["ping_ms"]["answered"] == 0 or parts["live"]["tcp_mbits"] <= 0:
        found.append(f"live: {parts['live']}")
    if parts["pipeline"].get("forward", {}).get("latency", 0) < 1:
        found.append("no pipeline report of forward")
    return found


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="poplink-quick-bench-") as scratch:
        report = pathlib.Path(scratch) / "report.json"
        run = subprocess.run([*sys.argv[1:], "--quick", "--json", report], check=False)
        if run.returncode:
            print(f"exit code {run.returncode}")
            return 1
        found = problems(json.loads(report.read_text())["parts"])
    print("\n".join(found) or "every figure is there")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
