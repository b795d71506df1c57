# SPDX-License-Identifier: Apache-2.0
"""script/prove on random kernels."""
import os
import pathlib
import tempfile
import unittest

from proof import kernels
from proof.__main__ import prove
from random_kernel import Kernel

BUILD = pathlib.Path(os.environ["POPLINK_BINARIES"]).parent


class RandomPipelines(unittest.TestCase):
    def test_are_proved(self):
        """At a short clock, so that there are many stages; simplifying multiplications may be too hard to prove."""
        command = kernels.known(BUILD)[0].command[0]
        for seed in range(1, 11):
            with self.subTest(seed), tempfile.TemporaryDirectory(prefix="poplink-proof-") as name:
                source = pathlib.Path(name) / "kernel.cpp"
                source.write_text(Kernel(seed).text())
                include = pathlib.Path(__file__).resolve().parents[2] / "hls" / "include"
                arguments = [command, str(source), "--top", "kernel", "--clock-ns", "1.2", "--update-ns", "1000", "-D", "KERNEL_BODY", "-I", str(include)]
                for verdict in prove(kernels.Kernel("kernel", arguments), 60):
                    hard = verdict.against == "converted" and verdict.kernel == "kernel"
                    self.assertIn(verdict.result, ("proved", "not proved") if hard else ("proved",), verdict)


if __name__ == "__main__":
    unittest.main()
