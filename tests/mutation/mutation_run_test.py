#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How script/mutate runs programs and judges them, with shell scripts in the place of the tests."""
import pathlib
import tempfile
import unittest
from unittest import mock

from mutation import run
from mutation.points import Point

FILE = "hls/kernels/ecmp.cpp"  # one program judges its mutants
(JUDGE,) = run.KERNELS
HELD = f'[ "$(ulimit -v) $(ulimit -c)" = "{run.MEMORY_BYTES >> 10} 0" ]'
FOR_EVER = "while :; do :; done"


class MutationRun(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.binaries = pathlib.Path(directory.name)
        for name in {name for group in (run.KERNELS, *run.BY_FILE.values()) for name in group}:
            self.program(name, "exit 0")

    def program(self, name: str, text: str) -> None:
        (self.binaries / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.binaries / name).chmod(0o755)

    def verdicts(self, mutants: int) -> list[str | None]:
        points = {number: Point(FILE, 1, 0, 0, "constant", "0", "1") for number in range(1, mutants + 1)}
        found = run.judge_all(self.binaries, points, 2, lambda done, all_of_them: None)
        return [found[number].killed_by for number in points]

    def test_kills_by_failures_crashes_and_what_does_not_end(self) -> None:
        self.program(JUDGE, f"case $POPLINK_MUTANT in 2) exit 1;; 3) kill -SEGV $$;; 4) {FOR_EVER};; esac")
        with mock.patch.object(run, "GRACE_SECONDS", 0):
            self.assertEqual(self.verdicts(4), [None, JUDGE, JUDGE, JUDGE])

    def test_limits_memory_and_core_files(self) -> None:
        self.program(JUDGE, HELD)
        self.assertEqual(self.verdicts(1), [None])

    def test_limits_processor_time_by_what_a_run_without_a_mutant_takes(self) -> None:
        self.program(JUDGE, f'[ $POPLINK_MUTANT = 0 ] || [ "$(ulimit -t)" -gt {run.GRACE_SECONDS} ]')
        self.assertEqual(self.verdicts(1), [None])

    def test_measures_the_processor_time_of_the_program(self) -> None:
        self.program(JUDGE, "exec python3 -c 'import time\nwhile time.process_time() < 0.3: pass'")
        self.assertGreaterEqual(run.baseline(self.binaries)[JUDGE], 0.3)

    def test_wants_the_tests_to_pass_without_a_mutant(self) -> None:
        self.program(JUDGE, "exit 1")
        with self.assertRaisesRegex(RuntimeError, f"{JUDGE} fails without any mutant"):
            self.verdicts(1)


if __name__ == "__main__":
    unittest.main()
