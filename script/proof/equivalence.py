# SPDX-License-Identifier: Apache-2.0
"""Are two combinational views of a kernel the same function of inputs and table answers? yosys makes and-inverter graphs, abc compares."""
import dataclasses
import json
import pathlib
import re
import subprocess
import time

from proof.kernels import yosys

GRAPH = "proc; flatten; opt_expr; opt_clean; techmap; opt -fast; aigmap; opt_clean; write_aiger -symbols"


@dataclasses.dataclass
class Verdict:
    kernel: str
    what: str
    against: str
    result: str  # "proved", "not proved", "different"
    seconds: float
    output: str = ""  # which bit differs; what is wrong with the registers
    inputs: dict[str, str] = dataclasses.field(default_factory=dict)  # of the counterexample, zeros left out


def make_graph(kernel: str, view: str, folder: pathlib.Path) -> None:
    source, file = folder / f"{kernel}_{view}.sv", folder / f"{kernel}_{view}.aig"
    yosys(f"read_verilog -sv {source}; hierarchy -check -top {kernel}; {GRAPH} {file}")


def symbols(file: pathlib.Path) -> dict[str, str]:
    """Ports of a graph: i0, i1, ... and o0, o1, ... to the bit's name."""
    data = file.read_bytes()
    table = data[data.rindex(b"i0 "):].decode()  # behind the gates, which are binary
    return {m[1]: m[2] for m in re.finditer(r"^([io]\d+) (\S+)$", table, re.MULTILINE)}


def words(bits: dict[str, int]) -> dict[str, int]:
    """Bits by name, name[3], to whole values."""
    values: dict[str, int] = {}
    for bit, value in bits.items():
        name, _, index = bit.rstrip("]").partition("[")
        values[name] = values.get(name, 0) | value << int(index or 0)
    return values


def decoded(bits: dict[str, int], report: dict) -> dict[str, str]:
    """Input ports as hexadecimal numbers, table answers by field; zeros are left out."""
    fields = {f"lk_{table['name']}_resp": table["fields"] for table in report["tables"]}
    fields |= {f"up_{table['name']}_resp": table["fields"] for table in report.get("updates", [])}
    text = {}
    for name, value in sorted(words(bits).items()):
        if name in fields:
            for field in fields[name]:
                text[f"{name}.{field['name']}"] = hex(value >> field["offset"] & (1 << field["width"]) - 1)
        else:
            text[name] = hex(value)
    return {name: value for name, value in text.items() if value != "0x0"}


def abc(command: str, limit: int) -> str:
    """What abc says; its own limits are approximate."""
    try:
        run = subprocess.run(["berkeley-abc", "-c", command], capture_output=True, text=True, timeout=limit + 10)
    except subprocess.TimeoutExpired:
        return "UNDECIDED"
    return run.stdout + run.stderr


def counterexample(graphs: list[pathlib.Path], output: int, ports: dict[str, str], limit: int) -> dict[str, int]:
    """Every input bit of a case in which this output differs: cec itself tells the bits of one side's cone only."""
    file = graphs[0].with_suffix(".cex")
    file.unlink(missing_ok=True)
    abc(f"miter -m -n {graphs[0]} {graphs[1]}; cone -a -O {output}; iprove; write_cex {file}", limit)
    values = re.match(r"[01]*", file.read_text())[0] if file.exists() else ""
    return {ports[f"i{i}"]: int(value) for i, value in enumerate(values)}


def report_of(kernel: str, folder: pathlib.Path) -> dict:
    """Of an update's body there is none."""
    file = folder / f"{kernel}.json"
    return json.loads(file.read_text()) if file.exists() else {"tables": []}


def compare(kernel: str, what: str, against: str, folder: pathlib.Path, limit: int) -> Verdict:
    """Both views' graphs are made."""
    start = time.monotonic()
    graphs = [folder / f"{kernel}_{view}.aig" for view in (what, against)]
    ports = symbols(graphs[0])
    if ports != symbols(graphs[1]):
        raise RuntimeError(f"{kernel}: views {what} and {against} have different ports")
    said = abc(f"cec -n -T {limit} -C 1000000000 {graphs[0]} {graphs[1]}", limit)  # -n: ports are matched by their order
    verdict = Verdict(kernel, what, against, "not proved", round(time.monotonic() - start, 2))
    if "Networks are equivalent" in said:
        verdict.result = "proved"
    elif "NOT EQUIVALENT" in said:
        verdict.result = "different"
        output = int(re.search(r"Output po(\d+): Value in Network1", said)[1])
        verdict.output = ports[f"o{output}"] + " differs; inputs that are not 0:"
        verdict.inputs = decoded(counterexample(graphs, output, ports, limit), report_of(kernel, folder))
    elif "UNDECIDED" not in said and "Timeout" not in said:
        raise RuntimeError(f"berkeley-abc: {said.strip()}")
    return verdict
