# SPDX-License-Identifier: Apache-2.0
"""What the Python tests share: a scratch directory, the two programs, a simulation that ends with its test, captures."""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

from lab.namespaces import Namespace
from lab.processes import owned

BINARIES = pathlib.Path(os.environ["POPLINK_BINARIES"])
HOUSE = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE_REGION = HOUSE / "docs" / "examples" / "region.yaml"
# With a single link between the sites, so that ports and counts do not depend on a hash.
ONE_LINK = "".join(line for line in EXAMPLE_REGION.read_text().splitlines(keepends=True) if "id: 7" not in line)
PATIENCE = 60  # seconds; only something that hangs takes so long


class LabCase(unittest.TestCase):
    def setUp(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what follows is cleaned up
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="poplink-test-")))
        self.one_link = self.directory / "one-link.yaml"
        self.one_link.write_text(ONE_LINK)

    def namespace(self, name: str) -> Namespace:
        namespace = Namespace(name)
        self.addCleanup(namespace.close)
        return namespace

    def run_program(self, name: str, *arguments: object, expect: int = 0) -> subprocess.CompletedProcess:
        run = subprocess.run(owned([BINARIES / name, *map(str, arguments)]), capture_output=True, text=True, timeout=PATIENCE, cwd=self.directory)
        self.assertEqual(run.returncode, expect, f"{name} {' '.join(map(str, arguments))}\n{run.stdout}{run.stderr}")
        return run

    def start_live(self, cards: dict[str, dict], cables: list[dict] = ()) -> subprocess.Popen:
        """Cards by name, each with its ports; socket NAME.sock. Returns when they are up."""
        return self._start(self.lab_file(cards, cables))

    def start_lab(self, lab: dict) -> subprocess.Popen:
        """The same for any lab."""
        file = self.directory / "lab.yaml"
        file.write_text(json.dumps(lab))
        return self._start(file)

    def _start(self, lab: pathlib.Path) -> subprocess.Popen:
        self.log = self.directory / "poplink-sim.log"
        with self.log.open("w") as log:
            sim = subprocess.Popen(owned([BINARIES / "poplink-sim", "live", "--lab", lab]), stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.directory)
        self.addCleanup(self._end, sim)
        self.assertEqual(sim.stdout.readline(), "ready\n", self.log.read_text())
        return sim

    @staticmethod
    def _end(sim: subprocess.Popen) -> None:
        sim.terminate()
        try:
            sim.wait(PATIENCE)
        finally:
            sim.kill()
            sim.stdout.close()

    def lab_file(self, cards: dict[str, dict], cables: list[dict] = ()) -> pathlib.Path:
        lab = self.directory / "lab.yaml"
        lab.write_text(json.dumps({
            "cards": [{"name": name, "socket": str(self.socket(name)), "ports": ports} for name, ports in cards.items()],
            "cables": list(cables), "control": str(self.directory / "lab.control")}))
        return lab

    def socket(self, card: str) -> pathlib.Path:
        return self.directory / f"{card}.sock"

    def node(self, site: str, socket_path: object = None) -> pathlib.Path:
        node = self.directory / f"{site}.node.yaml"
        node.write_text(f"site: {site}\ncard: 0\ntransport: sim\nsocket: {socket_path or self.socket(site)}\n")
        return node

    def poplink(self, *arguments: object, expect: int = 0) -> subprocess.CompletedProcess:
        return self.run_program("poplink", *arguments, expect=expect)

    def show(self, noun: str, site: str) -> list[dict]:
        shown = json.loads(self.poplink("show", noun, "--node", self.node(site), "--json").stdout)
        (key,) = shown
        return shown[key]


class CardClient:
    """A client of a simulated card's socket (driver/include/poplink/driver/sim_protocol.h)."""
    HELLO, BATCH, REFUSED = 1, 4, 5

    def __init__(self, path: object, name: str = "a test"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        try:
            self.exchange(self.HELLO, struct.pack("<I", 2) + name.encode())
        except RuntimeError:
            self.socket.close()
            raise

    def exchange(self, kind: int, payload: bytes) -> bytes:
        self.socket.sendall(message(kind, payload))
        answer, payload = receive(self.socket)
        if answer != kind:
            raise RuntimeError(payload.decode())
        return payload

    def read(self, *addresses: int) -> tuple[int, ...]:
        answer = self.exchange(self.BATCH, b"".join(struct.pack("<III", 0, address, 0) for address in addresses))
        return struct.unpack(f"<{len(answer) // 4}I", answer)[1:]

    def write(self, *writes: tuple[int, int]) -> None:
        """Values to addresses, in order."""
        self.exchange(self.BATCH, b"".join(struct.pack("<III", 1, address, value) for address, value in writes))

    def __enter__(self) -> "CardClient":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()


def message(kind: int, payload: bytes) -> bytes:
    return struct.pack("<II", kind, len(payload)) + payload


def receive(connection: socket.socket) -> tuple[int, bytes]:
    """One message. Raises EOFError when the peer hangs up."""
    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = connection.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data
    kind, size = struct.unpack("<II", exactly(8))
    return kind, exactly(size)
