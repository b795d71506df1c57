#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""script/fuzz over a program that fails and one that does not, with corpora and results in a folder of the test."""
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable

from fuzzing import target

BINARIES = pathlib.Path(os.environ["POPLINK_BINARIES"])
CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
PATIENCE = 100


def name_of(process: int) -> str:
    """Empty: it has ended."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if re.search(r"^State:\s+Z", status, re.MULTILINE) else re.search(r"^Name:\s+(.*)$", status, re.MULTILINE)[1]


def fuzzers_below(process: int) -> list[int]:
    children = [int(child) for file in pathlib.Path(f"/proc/{process}/task").glob("*/children") for child in file.read_text().split()]
    return [child for child in children if name_of(child).startswith("bgp_message")]


class FuzzScript(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.corpora, self.work = pathlib.Path(directory.name) / "corpora", pathlib.Path(directory.name) / "work"
        for name in ("bgp_message", "marked"):
            (self.corpora / name).mkdir(parents=True)
        shutil.copy(CORPUS / "bgp_message" / "shutdown", self.corpora / "bgp_message")
        (self.corpora / "marked" / "harmless").write_bytes(b".")

    def command(self, *arguments: str) -> list:
        return [sys.executable, "-m", "fuzzing", "--programs", BINARIES, "--corpora", self.corpora, "--work", self.work, *arguments]

    def fuzz(self, *arguments: str, exit_code: int) -> str:
        run = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(run.returncode, exit_code, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def names(self, name: str) -> set[str]:
        return {path.name for path in (self.corpora / name).iterdir()}

    def test_tells_figures_and_leaves_the_corpus_alone(self) -> None:
        said = self.fuzz("--targets", "bgp_*", "--runs", "3000", exit_code=0)
        row = re.search(r"^bgp_message +3000 +\d+ +(\d+) +(\d+)  nothing found$", said, re.MULTILINE)
        self.assertIsNotNone(row, said)
        self.assertGreater(int(row[1]), 20)
        self.assertGreater(int(row[2]), 1)
        self.assertNotIn("marked", said)
        self.assertEqual(self.names("bgp_message"), {"shutdown"})

    def test_goes_on_from_what_it_found_before(self) -> None:
        self.fuzz("--targets", "bgp_message", "--runs", "3000", exit_code=0)
        found = len(list((self.work / "bgp_message" / "corpus").iterdir()))
        said = self.fuzz("--targets", "bgp_message", "--runs", "1", exit_code=0)
        executions = re.search(r"^bgp_message +(\d+)", said.splitlines()[-1])
        self.assertGreaterEqual(int(executions[1]), found)

    def test_keeps_an_input_that_fails_and_says_how_to_repeat_it(self) -> None:
        said = self.fuzz("--targets", "bgp_message", "marked", "--runs", "100000", "--jobs", "2", exit_code=1)
        self.assertRegex(said, r"(?m)^marked .*FAILED$")
        self.assertRegex(said, r"(?m)^bgp_message .*nothing found$")
        command = shlex.split(re.search(r"^  repeat: (.*)$", said, re.MULTILINE)[1])
        self.assertEqual(pathlib.Path(command[1]).read_bytes()[:1], b"!")
        again = subprocess.run(command, capture_output=True, timeout=PATIENCE)
        self.assertNotEqual(again.returncode, 0)

    def test_brings_a_small_corpus_back(self) -> None:
        (self.corpora / "bgp_message" / ("0" * 40)).write_bytes(bytes(3000))  # nothing that others do not reach
        self.fuzz("--targets", "bgp_message", "--runs", "30000", "--minimize", exit_code=0)
        names = self.names("bgp_message")
        self.assertIn("shutdown", names)
        self.assertNotIn("0" * 40, names)
        self.assertGreater(len(names), 5)
        self.assertLess(len(names), len(list((self.work / "bgp_message" / "corpus").iterdir())))

    def test_leaves_the_corpus_of_a_failed_target_alone(self) -> None:
        self.fuzz("--targets", "marked", "--runs", "100000", "--minimize", exit_code=1)
        self.assertEqual(self.names("marked"), {"harmless"})

    def test_limits_a_corpus_but_keeps_named_files(self) -> None:
        corpus = self.corpora / "marked"
        (corpus / "harmless").write_bytes(bytes(4000))
        found = target.MAX_FILES - 1  # beside the named one
        for number in range(found + 50):
            (corpus / f"{number:040x}").write_bytes(bytes(number))
        target.drop_largest(corpus)
        self.assertEqual(self.names("marked"), {"harmless", *(f"{number:040x}" for number in range(found))})
        for number in range(found):
            (corpus / f"{number:040x}").write_bytes(bytes(4096))
        target.drop_largest(corpus)
        self.assertEqual(len(self.names("marked")), 1 + (target.MAX_CORPUS_BYTES - 4000) // 4096)

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_takes_its_programs_along_however_it_ends(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number.name):
                script = subprocess.Popen(self.command("--targets", "bgp_message", "--runs", "1000000000"), stdout=subprocess.DEVNULL)
                self.until(lambda: fuzzers_below(script.pid))
                [fuzzer] = fuzzers_below(script.pid)
                script.send_signal(number)
                self.assertNotEqual(script.wait(PATIENCE), 0)
                self.until(lambda: not name_of(fuzzer).startswith("bgp_message"))

    def test_refuses_a_target_that_is_not_there(self) -> None:
        self.assertIn("no target is called bgp_mesage", self.fuzz("--targets", "bgp_mesage", exit_code=2))


if __name__ == "__main__":
    unittest.main()
