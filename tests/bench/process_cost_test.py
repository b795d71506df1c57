# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
import unittest

from lab.process_cost import cpu_seconds, peak_bytes, proportional_bytes, tree

BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"
LARGE = 64 << 20


class ProcessCost(unittest.TestCase):
    def start(self, code: str) -> subprocess.Popen:
        """Python code; returns when it has said something. It ends when its standard input does."""
        process = subprocess.Popen([sys.executable, "-c", code + "\nimport sys\nprint('there', flush=True)\nsys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.communicate, b"\n")
        process.stdout.readline()
        return process

    def test_time_of_a_process_counts(self) -> None:
        self.assertGreaterEqual(cpu_seconds([self.start(BURN.format(seconds=0.3)).pid]), 0.3)

    def test_time_of_threads_that_have_ended_counts(self) -> None:
        process = self.start(f"import threading\nt = threading.Thread(target=exec, args=({BURN.format(seconds=0.3)!r}, {{}}))\nt.start()\nt.join()")
        self.assertGreaterEqual(cpu_seconds([process.pid]), 0.3)

    def test_time_of_children_counts_while_they_run_and_after(self) -> None:
        burn, stay = BURN.format(seconds=0.3), BURN.format(seconds=0.3) + "import sys\nprint(1, flush=True)\nsys.stdin.read()"
        process = self.start(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\n"
                             f"p = subprocess.Popen([sys.executable, '-c', {stay!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\np.stdout.readline()")
        self.assertEqual(len(tree([process.pid])), 2)
        self.assertGreaterEqual(cpu_seconds([process.pid]), 0.58)  # of the ended one, in clock ticks

    def test_memory_that_was_given_back_counts_for_the_peak_only(self) -> None:
        pid = self.start(f"x = bytearray(b'x') * {LARGE}\ndel x").pid
        self.assertGreaterEqual(peak_bytes([pid]), LARGE)
        self.assertLess(proportional_bytes([pid]), LARGE)

    def test_a_process_that_is_not_there_is_an_error(self) -> None:
        gone = subprocess.Popen(["true"])
        gone.wait()
        with self.assertRaises(OSError):
            cpu_seconds([gone.pid])
        self.assertNotIn(gone.pid, tree([os.getpid()]))


if __name__ == "__main__":
    unittest.main()
