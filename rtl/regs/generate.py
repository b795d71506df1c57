#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the register block, the table block, the C++ map and the JSON map from card.rdl, the kernel's report and the drop reasons.

usage: generate.py --rdl card.rdl --kernel forward.json --drops FILE.def... --out FOLDER
"""
import argparse
import json
import pathlib
import re
import sys

import jinja2
from systemrdl import RDLCompiler
from systemrdl.node import FieldNode, MemNode, RegNode

HERE = pathlib.Path(__file__).resolve().parent

# Lookups that no memory answers: `link` is a table of registers masked by liveness, `live` an answer of the same module and no table.
MODULES = {"link": "link_table"}
NO_TABLES = {"live"}
# A flag of an ingress port's entry that reads 0 while the card holds the port back.
HELD = ("port", "collecting")


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def field_map(field: FieldNode) -> dict:
    return {"name": field.inst_name, "low": field.low, "width": field.width, "description": one_line(field.get_property("desc")),
            "reset": int(field.get_property("reset") or 0), "software": field.get_property("sw").name,
            "hardware": field.get_property("hw").name, "load": bool(field.get_property("we")),
            "pulse": bool(field.get_property("singlepulse"))}


def register_map(reg: RegNode) -> dict:
    count = reg.array_dimensions[0] if reg.is_array else 1
    return {"name": reg.inst_name, "address": reg.raw_absolute_address if reg.is_array else reg.absolute_address, "count": count,
            "stride": reg.array_stride if reg.is_array else 4, "array": reg.is_array, "description": one_line(reg.get_property("desc")),
            "fields": [field_map(f) for f in reg.fields()]}


def check(registers: list[dict]) -> None:
    """Only what the template can make; anything else stops the build."""
    for reg in registers:
        for field in reg["fields"]:
            kind = (field["software"], field["hardware"], field["load"], field["pulse"])
            if kind not in {("r", "na", False, False), ("r", "w", False, False), ("rw", "na", False, False), ("rw", "r", False, False),
                            ("rw", "rw", True, False), ("w", "r", False, True)}:
                sys.exit(f"card.rdl: {reg['name']}.{field['name']}: no rule for sw={kind[0]} hw={kind[1]} we={kind[2]} singlepulse={kind[3]}")


def read_rdl(path: str) -> tuple[list[dict], list[dict]]:
    compiler = RDLCompiler()
    compiler.compile_file(path)
    top = compiler.elaborate().top
    registers, windows = [], []
    for child in top.children(unroll=False):
        if isinstance(child, MemNode):
            windows.append({"name": child.inst_name, "address": child.absolute_address, "bytes": child.size,
                            "description": one_line(child.get_property("desc"))})
        elif isinstance(child, RegNode):
            registers.append(register_map(child))
        else:
            sys.exit(f"card.rdl: {child.inst_name}: only registers and external memories are known here")
    check(registers)
    return registers, windows


def read_tables(path: str) -> list[dict]:
    """In the order of their names, so that numbers don't depend on the order of lookups in the kernel."""
    lookups = json.loads(pathlib.Path(path).read_text())["tables"]
    tables = sorted((t for t in lookups if t["name"] not in NO_TABLES), key=lambda t: t["name"])
    return [{"number": n, "name": t["name"], "key_width": t["key_width"], "capacity": 1 << t["key_width"], "entry_width": t["entry_width"],
             "fields": t["fields"]} for n, t in enumerate(tables)]


def read_drops(paths: list[str]) -> list[dict]:
    line = re.compile(r'^POPLINK_DROP\((\d+), (\w+), "([^"]*)"\)$', re.M)
    drops = [{"number": int(n), "name": name, "text": text}
             for path in paths for n, name, text in line.findall(pathlib.Path(path).read_text())]
    numbers = [d["number"] for d in drops]
    if len(set(numbers)) != len(numbers) or not all(0 < n < 64 for n in numbers):
        sys.exit("drop reasons: numbers must be different and from 1 to 63")
    return sorted(drops, key=lambda d: d["number"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rdl", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--drops", nargs="+", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()

    registers, windows = read_rdl(args.rdl)
    version = {f["name"]: f["reset"] for r in registers if r["name"] == "version" for f in r["fields"]}
    data = {"registers": registers, "windows": windows, "tables": read_tables(args.kernel), "drop_reasons": read_drops(args.drops)}
    data_words = next(r["count"] for r in registers if r["name"] == "table_data")
    for table in data["tables"]:
        if table["entry_width"] > 32 * data_words:
            sys.exit(f"table {table['name']}: an entry of {table['entry_width']} bits does not fit table_data")
    of_tables = [r for r in registers if r["name"].startswith("table_")]
    tables_from, tables_to = min(r["address"] for r in of_tables), max(r["address"] + r["count"] * r["stride"] for r in of_tables)
    held_bit = next(f["offset"] for t in data["tables"] if t["name"] == HELD[0] for f in t["fields"] if f["name"] == HELD[1])
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "templates"), trim_blocks=True, lstrip_blocks=True,
                                   undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    templates.globals["range_of"] = range
    templates.filters["camel"] = lambda name: "".join(part.capitalize() for part in name.split("_"))
    texts = {name: templates.get_template(name + ".j2").render(**data, modules=MODULES, data_bits=32 * data_words,
                                                       tables_from=tables_from, tables_to=tables_to, held=HELD[0], held_bit=held_bit,
                                                       window_bits=max(w["bytes"] for w in windows).bit_length() - 1)
             for name in ("card_regs.sv", "card_tables.sv", "card_map.h")}
    texts["card_map.json"] = json.dumps({"version": version, **data}, indent=1) + "\n"
    for name, text in texts.items():
        path = args.out / ("poplink" if name.endswith(".h") else "") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main()
