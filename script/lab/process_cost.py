# SPDX-License-Identifier: Apache-2.0
"""What processes and all that they started have cost: CPU time and memory."""
import os
import pathlib
import time
from collections.abc import Iterable

_TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    # Behind the name in parentheses, which may have any character in it: state is field 3 (proc(5)).
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(roots: Iterable[int]) -> set[int]:
    """These processes and their descendants."""
    parents = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
    found, more = set(roots), True
    while more:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
    return found


def _clock(pid: int) -> int:
    """The CPU clock of a process (clock_getcpuclockid(3)): all threads, also those that have ended, to the nanosecond."""
    return (~pid << 3) | 2


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time of the processes, of their descendants, and of those that have ended and were waited for."""
    total = 0.0
    for pid in tree(roots):
        stat = _stat(pid)
        ended = (int(stat[13]) + int(stat[14])) / _TICKS  # cutime and cstime, fields 16 and 17
        total += time.clock_gettime(_clock(pid)) + ended
    return total


def _kib(file: pathlib.Path, what: str) -> int:
    return next(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(f"{what}:"))


def peak_bytes(roots: Iterable[int]) -> int:
    """Each process's largest resident set, added up."""
    return sum(_kib(pathlib.Path(f"/proc/{pid}/status"), "VmHWM") for pid in tree(roots)) * 1024


def proportional_bytes(roots: Iterable[int]) -> int:
    """Now, with pages that several share divided among them."""
    return sum(_kib(pathlib.Path(f"/proc/{pid}/smaps_rollup"), "Pss") for pid in tree(roots)) * 1024
