# SPDX-License-Identifier: Apache-2.0
"""A guest with a card to try things on: two simulated cards, joined by two cables, one of them in the guest. Started by script/guest."""
import argparse
import json
import pathlib
import signal
import subprocess
import sys

from lab.guest import Guest
from lab.packages import Missing
from lab.processes import owned
from lab.two_cards import LINKS, scratch_directory

HOUSE = pathlib.Path(__file__).resolve().parents[2]
NODE = "site: par-th2\ncard: 0\ntransport: pci\nserial: 1\niova: physical\n"
GREETING = """\
A Debian guest ({kernel}) with a poplink card; the other end of its backbone is no guest's. Each line is a script of its own. Try:
  lspci -vvv -s 01:00.0
  poplink card list
  poplink apply /region.yaml --node /node.yaml
End with Ctrl-D."""


def lab(directory: pathlib.Path) -> dict:
    ports = {link: {"cable": f"backbone-{link}"} for link in LINKS}
    return {"cards": [{"name": "par-th2", "ports": ports,
                       "qemu": {"socket": str(directory / "card.qemu"), "qtest": str(directory / "qtest.sock")}},
                      {"name": "rbx", "socket": str(directory / "rbx.sock"), "ports": ports}],
            "cables": [{"name": f"backbone-{link}"} for link in LINKS], "control": str(directory / "lab.control")}


def run(guest: Guest, script: str) -> int:
    result = guest.run(script, check=False, timeout=600)
    print(result.output, end="", flush=True)
    return result.status


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/guest", description="A guest with a simulated card.")
    parser.add_argument("--binaries", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="for the guest's shell; none: a prompt")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with scratch_directory("guest") as name:
        directory = pathlib.Path(name)
        file = directory / "lab.yaml"
        file.write_text(json.dumps(lab(directory)))
        sim = subprocess.Popen(owned([options.binaries / "poplink-sim", "live", "--lab", file]), stdout=subprocess.PIPE, text=True)
        try:
            if sim.stdout.readline() != "ready\n":
                return 1  # it has said why
            region = (HOUSE / "docs" / "examples" / "region.yaml").read_bytes()
            with Guest(directory, [directory / "card.qemu"], [options.binaries / "poplink"],
                       {"region.yaml": region, "node.yaml": NODE.encode()}) as guest:
                if options.command:
                    return run(guest, " ".join(options.command))
                print(GREETING.format(kernel=guest.kernel), flush=True)
                while True:
                    try:
                        run(guest, input("guest# "))
                    except EOFError:
                        print()
                        return 0
        except Missing as error:
            print(f"guest: {error}", file=sys.stderr)
            return 1
        finally:
            sim.terminate()
            sim.wait(10)


if __name__ == "__main__":
    sys.exit(main())
