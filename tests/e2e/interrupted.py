#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A lab, stopped at several moments by each signal in turn, leaves no process behind; one it can handle leaves no file either.
SIGINT goes to the whole process group, as a terminal's Ctrl-C does.
Usage: interrupted.py TEXT[|TEXT...] COMMAND..., TEXT being what the command prints at such a moment."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time


def processes_naming(text: str) -> list[int]:
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if text.encode() in (entry / "cmdline").read_bytes() or f"TMPDIR={text}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def interrupt(command: list[str], after: str, number: signal.Signals) -> list[str]:
    problems = []
    with tempfile.TemporaryDirectory(prefix="poplink-interrupted-") as scratch:
        environment = {**os.environ, "TMPDIR": scratch}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                              start_new_session=True) as lab:
            for line in lab.stdout:
                if after in line:
                    break
            else:
                return [f"{number.name}: the command ended before '{after}'"]
            if number == signal.SIGINT:
                os.killpg(lab.pid, number)
            else:
                lab.send_signal(number)
            _, said = lab.communicate(timeout=60)
            code = lab.returncode
        expected = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}[number]
        if code != expected:
            problems.append(f"{number.name}: exit code {code}, expected {expected}")
        if "Traceback" in said:
            problems.append(f"{number.name}: ended in a traceback:\n{said}")
        end = time.monotonic() + 20
        while (left := processes_naming(scratch)) and time.monotonic() < end:
            time.sleep(0.05)  # a killed parent's children end when the kernel gets to them
        problems += [f"{number.name}: process {pid} still runs" for pid in left]
        if number != signal.SIGKILL and os.listdir(scratch):
            problems.append(f"{number.name}: left {os.listdir(scratch)}")
    return problems


def main() -> int:
    problems = []
    for after in sys.argv[1].split("|"):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            problems += interrupt(sys.argv[2:], after, number)
    print("\n".join(problems) or "nothing left behind")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
