# SPDX-License-Identifier: Apache-2.0
"""Kernels against hand-written modules: the same function, proved, and not more than the goal's LUTs."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from proof.equivalence import GRAPH, compare, make_graph
from proof.kernels import yosys
from proof.timing import WORDS, Pipeline

HOUSE = pathlib.Path(__file__).resolve().parents[2]
AREA = HOUSE / "tests" / "area"
BUILD = pathlib.Path(os.environ["POPLINK_BINARIES"]).parent
MODULES = {"vlan": "vlan", "parse": "parse_frame", "flow_hash": "flow_hash", "choose": "choose_member"}


class Area(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="poplink-area-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def compare_by_hand(self, top: str, by_hand: str):
        (self.folder / f"{top}_hand.sv").write_text(by_hand)
        registers_as_wires = GRAPH.replace("flatten;", f"flatten; techmap -map {AREA / 'wires.v'};", 1)
        yosys(f"read_verilog -sv {self.folder}/{top}_hand.sv; hierarchy -check -top {top}; {registers_as_wires} {self.folder}/{top}_hand.aig")
        make_graph(top, "converted", self.folder)
        return compare(top, "hand", "converted", self.folder, 60)

    def compile(self, name: str, top: str) -> None:
        subprocess.run([BUILD / "bin" / "hlsc", "--top", top, "-I", HOUSE / "hls" / "include", "-I", HOUSE / "hls" / "kernels", "-o", self.folder,
                        "--proof", self.folder, AREA / f"{name}_kernel.cpp"], check=True, capture_output=True)

    def test_hand_written_modules_are_the_kernels(self):
        for name, top in MODULES.items():
            with self.subTest(name):
                self.compile(name, top)
                source = AREA / f"{name}_hand.sv"
                self.assertEqual(self.compare_by_hand(top, source.read_text()).result, "proved")
                # Each value meets those of its own packet.
                netlist = self.folder / "words.json"
                yosys(f"read_verilog -sv {source}; hierarchy -check -top {top}; {WORDS}; write_json {netlist}")
                latency = int(re.search(r"Latency (\d+) cycle", source.read_text())[1])
                Pipeline(json.loads(netlist.read_text())["modules"][top], {"tables": []}).check(latency)

    def test_a_module_of_another_function_is_told(self):
        self.compile("vlan", "vlan")
        wrong = (AREA / "vlan_hand.sv").read_text().replace("16'h88a8", "16'h88a9")
        self.assertEqual(self.compare_by_hand("vlan", wrong).result, "different")

    def test_kernels_meet_the_goal(self):
        file = self.folder / "area.json"
        subprocess.run([sys.executable, HOUSE / "script" / "area", "--build", BUILD, "--json", file], check=True, capture_output=True)
        rows = json.loads(file.read_text())
        self.assertEqual(rows.keys(), MODULES.keys())
        for name, row in rows.items():
            with self.subTest(name):
                self.assertLessEqual(row["ratio"], 1.10)


if __name__ == "__main__":
    unittest.main()
