#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A prompt in a guest that has a card: its commands, and its end."""
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from lab.processes import owned
from lab_case import BINARIES, PATIENCE, LabCase
from vm_test import CARD


class GuestShell(LabCase):
    """What script/guest starts."""

    def start(self, *command: str) -> subprocess.Popen:
        shell = subprocess.Popen(owned([sys.executable, "-m", "lab.guest_shell", "--binaries", BINARIES, *command]), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=os.environ | {"TMPDIR": str(self.directory)})
        self.addCleanup(shell.communicate)
        self.addCleanup(shell.kill)
        return shell

    def assert_nothing_is_left(self) -> None:
        self.assertEqual([file for file in self.directory.iterdir() if file != self.one_link], [])
        commands = [pathlib.Path(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit()]
        self.assertEqual([str(one) for one in commands if one.exists() and str(self.directory) in one.read_text(errors="replace")], [])

    def test_runs_a_command_beside_a_card_and_gives_its_exit_code(self) -> None:
        shell = self.start("poplink card list; exit 7")
        output, errors = shell.communicate(timeout=PATIENCE)
        self.assertEqual((shell.returncode, errors), (7, ""))
        self.assertRegex(output, rf"(?m)^{CARD} ")
        self.assert_nothing_is_left()

    def test_prompt_that_is_terminated_leaves_nothing(self) -> None:
        shell = self.start()
        self.assertIn("A Debian guest", shell.stdout.readline())
        shell.send_signal(signal.SIGTERM)
        self.assertEqual(shell.wait(PATIENCE), 143)
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()
