# SPDX-License-Identifier: Apache-2.0
"""Does every value meet values of its own packet only? The views for equivalence have no registers; this counts those of the pipeline itself.

Each bit belongs to a cycle after its packet was accepted: inputs to cycle 0, a register adds one, a delay line its length, a table's answer
comes its latency after the key. Where bits meet they must belong to the same cycle, and outputs to cycle LATENCY. Together with the
equivalence of the view whose registers are wires, that is the pipeline proved for every sequence of packets.
"""
import json
import pathlib
import sys
import time

from proof.equivalence import Verdict
from proof.kernels import yosys

WORDS = "proc; flatten; opt_clean; memory_collect; opt_clean"
# What a pointer is made of, by its operands' values.
POINTER_OPERATIONS = {"$add": lambda v: v["A"] + v["B"], "$eq": lambda v: int(v["A"] == v["B"]),
                      "$logic_or": lambda v: int(bool(v["A"] or v["B"])), "$mux": lambda v: v["B"] if v["S"] else v["A"]}


class Unbalanced(Exception):
    pass


def pins_of(cell: dict, direction: str) -> list[str]:
    return [port for port, is_direction in cell["port_directions"].items() if is_direction == direction]


class Pipeline:
    def __init__(self, netlist: dict, report: dict):
        self.latency_of = {f"lk_{table['name']}": table["latency"] for table in report["tables"]}
        self.latency_of |= {f"up_{table['name']}": table["latency"] for table in report.get("updates", [])}
        self.ports = {name: port["bits"] for name, port in netlist["ports"].items()}
        self.names = {bit: f"{name}[{i}]" for name, net in netlist["netnames"].items() for i, bit in enumerate(net["bits"])
                      if not net["hide_name"]}
        self.driver: dict = {}  # bit to (cell, index of the bit in its output)
        for cell in netlist["cells"].values():
            for port in pins_of(cell, "output"):
                self.driver |= {bit: (cell, i) for i, bit in enumerate(cell["connections"][port])}
        self.cycles: dict = {bit: None for bit in ("0", "1", "x", *self.ports["clk"], *self.ports["rst"])}  # None: any cycle
        self.open: set = set()  # bits whose cycle is being found
        self.inputs = {bit: name for name, bits in self.ports.items() for bit in bits if netlist["ports"][name]["direction"] == "input"}

    def cycle(self, bit) -> int | None:
        if bit in self.open:
            raise Unbalanced(f"{self.names.get(bit, 'a value')} depends on itself")
        if bit not in self.cycles:
            self.open.add(bit)
            self.cycles[bit] = self.source_cycle(self.inputs[bit]) if bit in self.inputs else self.driven_cycle(bit)
            self.open.remove(bit)
        return self.cycles[bit]

    def together(self, bits: list, at: str) -> int | None:
        """The one cycle that all these bits belong to."""
        found: dict = {}
        for bit in bits:
            found.setdefault(self.cycle(bit), bit)
        found.pop(None, None)
        if len(found) > 1:
            told = " meets ".join(f"{self.names.get(bit, 'a value')} of cycle {cycle}" for cycle, bit in sorted(found.items()))
            raise Unbalanced(f"{told} at {at}")
        return next(iter(found), None)

    def source_cycle(self, port: str) -> int:
        table = port.removesuffix("_resp")
        if table not in self.latency_of:
            return 0
        key = [bit for part in ("key", "index", "args", "req_valid") for bit in self.ports.get(f"{table}_{part}", [])]
        return (self.together(key, f"the key of table {table[3:]}") or 0) + self.latency_of[table]

    def driven_cycle(self, bit) -> int | None:
        cell, index = self.driver[bit]
        pins = cell["connections"]
        if cell["type"] == "$dff":
            before, added = self.cycle(pins["D"][index]), 1
        elif cell["type"] == "$mem_v2":
            before, added = self.cycle(pins["WR_DATA"][index]), self.length(cell)
        elif "CLK" in pins or "EN" in pins:
            raise RuntimeError(f"unexpected cell {cell['type']}")
        else:
            operands = [operand for port in pins_of(cell, "input") for operand in pins[port]]
            before, added = self.together(operands, self.names.get(bit, f"a {cell['type'][1:]}")), 0
        return None if before is None else before + added

    def length(self, memory: dict) -> int:
        """Cycles through a circular memory: read and written at one pointer, which counts through all of its words."""
        pins, words = memory["connections"], int(memory["parameters"]["SIZE"], 2)
        pointer = pins["RD_ADDR"]
        for now in range(words):
            for reset in (0, 1):
                known = {bit: now >> i & 1 for i, bit in enumerate(pointer)} | {bit: reset for bit in self.ports["rst"]}
                after = sum(self.value(self.following(bit), known) << i for i, bit in enumerate(pointer))
                if after != (0 if reset else (now + 1) % words):
                    raise Unbalanced(f"a delay line of {words} words goes from word {now} to {after}")
        if pins["WR_ADDR"] != pointer or any(bit != "1" for bit in pins["WR_EN"] + pins["RD_EN"]):
            raise Unbalanced("a memory that is no delay line")
        return words

    def following(self, bit):
        """What a register's bit takes next."""
        cell, index = self.driver.get(bit, ({"type": "an input"}, 0))
        if cell["type"] != "$dff":
            raise Unbalanced(f"a delay line whose pointer is {cell['type']}")
        return cell["connections"]["D"][index]

    def value(self, bit, known: dict) -> int:
        if bit in known or bit in ("0", "1"):
            return known.get(bit, int(bit == "1"))
        cell, index = self.driver.get(bit, ({"type": "an input"}, 0))
        if cell["type"] not in POINTER_OPERATIONS:
            raise Unbalanced(f"a delay line whose pointer depends on {cell['type']}")
        words = {port: sum(self.value(b, known) << i for i, b in enumerate(cell["connections"][port])) for port in pins_of(cell, "input")}
        return POINTER_OPERATIONS[cell["type"]](words) >> index & 1

    def check(self, latency: int) -> None:
        for name in self.ports:
            if name.endswith("_req_valid"):
                self.source_cycle(name.replace("_req_valid", "_resp"))
            if name.startswith("out_") and self.together(self.ports[name], name) not in (None, latency):
                raise Unbalanced(f"{name} belongs to cycle {self.together(self.ports[name], name)}, the latency is {latency}")


def balance(kernel: str, folder: pathlib.Path) -> Verdict:
    start = time.monotonic()
    report = json.loads((folder / f"{kernel}.json").read_text())
    netlist = folder / f"{kernel}_words.json"
    yosys(f"read_verilog -sv {folder}/{kernel}.sv; hierarchy -check -top {kernel}; {WORDS}; write_json {netlist}")
    verdict = Verdict(kernel, "registers", "latency", "proved", 0)
    sys.setrecursionlimit(1_000_000)  # as deep as the pipeline is long
    try:
        Pipeline(json.loads(netlist.read_text())["modules"][kernel], report).check(report["latency"])
    except Unbalanced as problem:
        verdict.result, verdict.output = "different", str(problem)
    verdict.seconds = round(time.monotonic() - start, 2)
    return verdict
