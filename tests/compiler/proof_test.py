# SPDX-License-Identifier: Apache-2.0
"""script/prove: every kernel of this build is proved, and the proofs can fail."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from proof import kernels
from proof.equivalence import compare, decoded, make_graph
from proof.timing import balance

BUILD = pathlib.Path(os.environ["POPLINK_BINARIES"]).parent


class Proof(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="poplink-proof-")
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)

    def compile(self, name: str) -> None:
        next(k for k in kernels.known(BUILD) if k.name == name).compile(self.folder)

    def change(self, file: str, pattern: str, replacement: str) -> None:
        """The first match only."""
        path = self.folder / file
        text, count = re.subn(pattern, replacement, path.read_text(), count=1)
        self.assertEqual(count, 1, pattern)
        path.write_text(text)

    def test_every_kernel_is_proved(self):
        file = self.folder / "verdicts.json"
        # XOR networks as wide as a CRC's are beyond the equivalence checker once they are grouped in another way.
        run = subprocess.run([sys.executable, "-m", "proof", "--build", BUILD, "--limit", "20", "--may-run-out", "crc32c", "--json", file],
                             capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        proofs = json.loads(file.read_text())["proofs"]
        self.assertLessEqual({"forward", "torture"}, {p["kernel"] for p in proofs})
        self.assertEqual({p["result"] for p in proofs if p["kernel"] != "crc32c" or p["against"] == "latency"}, {"proved"})
        self.assertLessEqual({"police", "police_count_update", "police_meter_update"}, {p["kernel"] for p in proofs})
        pipelines = {p["kernel"] for p in proofs if p["against"] == "latency"}
        self.assertEqual(pipelines, {kernel.name for kernel in kernels.known(BUILD)})
        self.assertEqual(len(proofs), 3 * len(pipelines) + 2 * len({p["kernel"] for p in proofs} - pipelines))

    def test_a_changed_pipeline_is_different(self):
        self.compile("forward")
        make_graph("forward", "optimized", self.folder)
        original = (self.folder / "forward_pipelined.sv").read_text()
        for pattern, replacement in ((r"16'h8100", "16'h8101"), (r" == ", " != "), (r" & ", " | "), 
                                     (r"in_header\[103:96\]", "in_header[104:97]"), (r"assign out_drop = .*", "assign out_drop = 6'd0;")):
            with self.subTest(pattern):
                (self.folder / "forward_pipelined.sv").write_text(original)
                self.change("forward_pipelined.sv", pattern, replacement)
                make_graph("forward", "pipelined", self.folder)
                verdict = compare("forward", "pipelined", "optimized", self.folder, 60)
                self.assertEqual(verdict.result, "different")
                self.assertRegex(verdict.output, r"^(out|lk)_\w+(\[\d+\])? differs")
                if replacement == "16'h8101":
                    self.assertRegex(verdict.inputs["in_header"], "8100|81")

    def test_a_changed_body_is_different(self):
        self.compile("police")
        body = "police_meter_update"
        make_graph(body, "optimized", self.folder)
        self.change(f"{body}_pipelined.sv", r" \+ ", " - ")
        make_graph(body, "pipelined", self.folder)
        verdict = compare(body, "pipelined", "optimized", self.folder, 60)
        self.assertEqual(verdict.result, "different")
        self.assertRegex(verdict.output, r"^out_next\[\d+\] differs")
        self.assertIn("in_entry", verdict.inputs)

    def test_an_update_that_meets_another_packet_is_found(self):
        self.compile("police")
        self.change("police.sv", r"up_meter_args = \{(\w+)_s(\d+),", r"up_meter_args = {\1_s\2 ^ n_other,")
        text = (self.folder / "police.sv").read_text()
        name = re.search(r"up_meter_args = \{(\w+) \^ n_other", text)[1]
        width = int((re.search(rf"logic (?:\[(\d+):0\] )?{name};", text)[1] or "0")) + 1
        later = f"  logic [{width - 1}:0] n_other;\n  always_ff @(posedge clk) n_other <= {name};\n"
        (self.folder / "police.sv").write_text(text.replace("\nendmodule", later + "\nendmodule"))
        verdict = balance("police", self.folder)
        self.assertEqual(verdict.result, "different")
        self.assertIn("meets", verdict.output)

    def test_a_changed_register_or_delay_line_is_found(self):
        self.compile("forward")
        original = (self.folder / "forward.sv").read_text()
        stage = re.search(r"out_valid = valid_s(\d+)", original)[1]
        width, last = re.search(r"dl_pointer_\d+ == (\d+)'d(\d+) ", original).groups()
        early = int(last) - 1
        for pattern, replacement, told in ((f"== {width}'d{last} ", f"== {width}'d{early} ",
                                            f"delay line of {int(last) + 1} words goes from word {early} to 0"),
                                           (r"always_ff @\(posedge clk\) valid_s3 <=", "assign valid_s3 =", "meets"),
                                           (f"out_valid = valid_s{stage}", f"out_valid = valid_s{int(stage) - 1}", "out_valid belongs to cycle"),
                                           (r" in_port_s1 <= in_port;", r" in_port_s1 <= in_port ^ in_port_s1;", "depends on itself")):
            with self.subTest(pattern):
                (self.folder / "forward.sv").write_text(original)
                self.change("forward.sv", pattern, replacement)
                verdict = balance("forward", self.folder)
                self.assertEqual(verdict.result, "different")
                self.assertIn(told, verdict.output)

    def test_a_counterexample_is_told_in_ports_and_fields(self):
        report = {"tables": [{"name": "port", "fields": [{"name": "valid", "offset": 0, "width": 1}, {"name": "role", "offset": 1, "width": 2}]}]}
        bits = {"in_length[4]": 1, "in_length[0]": 1, "rst": 0, "lk_port_resp[0]": 1, "lk_port_resp[2]": 1}
        self.assertEqual(decoded(bits, report), {"in_length": "0x11", "lk_port_resp.valid": "0x1", "lk_port_resp.role": "0x2"})

    def test_an_unknown_kernel_is_refused(self):
        run = subprocess.run([sys.executable, "-m", "proof", "--build", BUILD, "--kernel", "nothing"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 2)
        self.assertRegex(run.stderr, "kernels of this build are: .*forward, police, punt, torture")


if __name__ == "__main__":
    unittest.main()
