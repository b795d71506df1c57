# SPDX-License-Identifier: Apache-2.0
"""What tests of captures share: programs that run beside the test, and the frames that a customer sends meanwhile."""
import subprocess

from lab.namespaces import Namespace
from lab.processes import owned
from lab_case import BINARIES, PATIENCE, LabCase


class CaptureCase(LabCase):
    customer: Namespace  # its interface e0 is a port of the card

    def start(self, program: str, *arguments: object, netns: Namespace | None = None) -> subprocess.Popen:
        command = [*(["nsenter", f"--net={netns.path}"] if netns else []), BINARIES / program, *map(str, arguments)]
        process = subprocess.Popen(owned(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.directory)
        self.addCleanup(self._reap, process)
        return process

    @staticmethod
    def _reap(process: subprocess.Popen) -> None:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()

    def started_capture(self, *arguments: object) -> subprocess.Popen:
        """Has joined when it returns."""
        process = self.start("poplink", "capture", *arguments)
        self.assertIn("capturing at", process.stderr.readline())
        return process

    def ended(self, process: subprocess.Popen, expect: int = 0) -> tuple[str, str]:
        """What it said on standard output and error."""
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, expect, out + err)
        return out, err

    def send(self, *some: bytes) -> None:
        with self.customer.packet_socket("e0") as outlet:
            for one in some:
                outlet.send(one)
