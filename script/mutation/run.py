# SPDX-License-Identifier: Apache-2.0
"""Runs the tests once per mutant. A mutant is killed by a test that fails, crashes, or does not end."""
import concurrent.futures
import dataclasses
import os
import pathlib
import subprocess
import time

from mutation.points import Point

MEMORY_BYTES = 8 << 30
SLOWER = 8      # times the CPU time of a run without a mutant: beyond it a run counts as one that doesn't end
GRACE_SECONDS = 5

# The programs that judge a file's mutants, cheapest first.
CARD = ("mutant_card_128x8_test", "mutant_card_registers_test", "mutant_card_port_test", "mutant_card_frames_test", "mutant_card_ecmp_test",
        "mutant_card_line_rate_test", "mutant_card_host_away_test")
EDITOR = ("mutant_editor_128_test", "mutant_editor_512_test")
COUNTERS = ("mutant_counters_test",)
FLOW_SKETCH = ("mutant_flow_sketch_test",)
TX_BUFFER = ("mutant_tx_buffer_512_test", "mutant_tx_buffer_128_test")
HOST_PATH = ("mutant_host_faults_512_test", "mutant_card_host_told_test", "mutant_card_host_path_test",
             "mutant_host_faults_128_test")
BY_FILE = {"card_regs.sv": (*CARD, "mutant_card_host_told_test"), "forward.sv": ("mutant_kernels_rtl_test", *CARD), "rtl/core/editor.sv": (*EDITOR, *CARD),
           "rtl/core/counters.sv": (*COUNTERS, *CARD), "rtl/core/counter_bank.sv": (*COUNTERS, *CARD),
           "rtl/core/update_ram.sv": ("mutant_update_ram_test", *FLOW_SKETCH, *CARD),
           "rtl/core/flow_sketch.sv": (*FLOW_SKETCH, *CARD),
           "rtl/core/pdu_repeat.sv": ("mutant_pdu_repeat_512_test", "mutant_pdu_repeat_128_test", "mutant_card_host_away_test"),
           "rtl/core/port_hold.sv": ("mutant_card_host_away_test",),
           **{f"rtl/core/host_{part}.sv": HOST_PATH for part in ("inject", "interrupts", "path", "punt", "queue", "rings")},
           **{name: ("mutant_punt_test",) for name in ("hls/kernels/punt.cpp", "hls/kernels/punt.h")},
           "rtl/core/tx_buffer.sv": (*TX_BUFFER, *CARD), "rtl/core/round_robin.sv": (*TX_BUFFER, *CARD)}
KERNELS = ("mutant_kernels_test",)


def programs_for(point: Point) -> tuple[str, ...]:
    return BY_FILE.get(point.file, KERNELS if point.file.startswith("hls/") else CARD)


@dataclasses.dataclass
class Verdict:
    killed_by: str | None
    seconds: float


def _run(program: pathlib.Path, number: int, cpu_seconds: float | None) -> tuple[bool, float]:
    """Whether the program passed, and its CPU seconds."""
    # No `preexec_fn`: Python code between fork() and exec() would take a terminal's Ctrl-C for its own and print a traceback.
    limited = ["prlimit", f"--as={MEMORY_BYTES}", "--core=0"]
    if cpu_seconds is not None:
        limited.append(f"--cpu={int(cpu_seconds) + 1}")
    environment = {**os.environ, "POPLINK_MUTANT": str(number), "GTEST_FAIL_FAST": "1", "GTEST_BRIEF": "1",
                   "POPLINK_LINE_RATE_CYCLES": "150000"}
    process = subprocess.Popen([*limited, "--", program], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode == 0, usage.ru_utime + usage.ru_stime


def baseline(binaries: pathlib.Path) -> dict[str, float]:
    """CPU seconds of each program without a mutant; all must pass, or no verdict would mean anything."""
    seconds = {}
    for program in sorted({program for group in (KERNELS, *BY_FILE.values()) for program in group}):
        passed, seconds[program] = _run(binaries / program, 0, None)
        if not passed:
            raise RuntimeError(f"{program} fails without any mutant: POPLINK_MUTANT=0 {binaries / program}")
    return seconds


def judge(binaries: pathlib.Path, number: int, point: Point, seconds: dict[str, float]) -> Verdict:
    begin = time.monotonic()
    for program in programs_for(point):
        passed, _ = _run(binaries / program, number, SLOWER * seconds[program] + GRACE_SECONDS)
        if not passed:
            return Verdict(program, time.monotonic() - begin)
    return Verdict(None, time.monotonic() - begin)


def judge_all(binaries: pathlib.Path, chosen: dict[int, Point], jobs: int, progress) -> dict[int, Verdict]:
    seconds = baseline(binaries)
    verdicts = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(judge, binaries, n, p, seconds): n for n, p in chosen.items()}
        for done in concurrent.futures.as_completed(running):
            verdicts[running[done]] = done.result()
            progress(len(verdicts), len(chosen))
    return verdicts
