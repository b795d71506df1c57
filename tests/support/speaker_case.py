# SPDX-License-Identifier: Apache-2.0
"""What tests of `poplinkd` without a card share: BGP speakers on this host's loopback, and what they say."""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import time

from lab.processes import owned
from lab_case import BINARIES, PATIENCE, LabCase

PORT = 17900
# Of this process only, so that tests may run at the same time.
NETWORK = f"127.{64 + (os.getpid() >> 8) % 128}.{os.getpid() % 256}"
ASNS = {"north": 64600, "east": 65010, "west": 65020}
ADDRESSES = {name: f"{NETWORK}.{last}" for last, name in enumerate(ASNS, 1)}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: pathlib.Path):
        super().__init__("x", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


class SpeakerCase(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.speakers: dict[str, dict] = {name: self.speaker(name) for name in ASNS}

    # ---- files

    @staticmethod
    def speaker(name: str) -> dict:
        """AS and router by name; everything between peers goes in and out. An address of 127/8 is nobody's next hop, so all routes keep theirs."""
        return {"bgp": {"asn": ASNS[name], "router_id": f"192.0.2.{list(ASNS).index(name) + 1}", "reachable": ["0.0.0.0/0", "::/0"],
                        "listen": [{"address": ADDRESSES[name], "port": PORT}]},
                "peer_defaults": {"local_address": ADDRESSES[name], "port": PORT, "import": "accept-all", "export": "accept-all", "next_hop": "unchanged",
                                  "connect_retry": 1, "idle_hold": {"first": 0.1, "longest": 1}},
                "peers": []}

    def join(self, one: str, other: str, **keys: object) -> None:
        """Each is the other's peer; `keys` are those of `one`."""
        self.speakers[one]["peers"].append({"name": other, "address": ADDRESSES[other], "asn": ASNS[other], **keys})
        self.speakers[other]["peers"].append({"name": one, "address": ADDRESSES[one], "asn": ASNS[one]})

    def originate(self, name: str, *prefixes: str, **keys: object) -> None:
        self.speakers[name]["bgp"].setdefault("originate", []).extend({"prefix": prefix, "next_hop": "192.0.2.77", **keys} for prefix in prefixes)

    def write(self, name: str) -> pathlib.Path:
        file = self.directory / f"{name}.yaml"
        file.write_text(json.dumps(self.speakers[name]))
        return file

    def node(self, site: str, socket_path: object = None) -> pathlib.Path:
        node = self.directory / f"{site}.node.yaml"
        node.write_text(f"site: {site}\ntransport: none\napi: {self.api(site)}\nstate: {self.directory}/{site}.state\n")
        return node

    def api(self, name: str) -> pathlib.Path:
        return self.directory / f"{name}.api"

    # ---- processes

    def start(self, *names: str) -> list[subprocess.Popen]:
        daemons = []
        for name in names:
            with (self.directory / f"{name}.log").open("a") as log:
                daemon = subprocess.Popen(owned([BINARIES / "poplinkd", self.write(name), "--node", self.node(name)]), stdout=subprocess.PIPE,
                                          stderr=log, text=True)
            self.addCleanup(self._end, daemon)
            self.assertEqual(daemon.stdout.readline(), "ready\n", self.log_of(name))
            daemons.append(daemon)
        return daemons

    def log_of(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()

    def wait_for(self, what: str, holds) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"never: {what}\n" + "".join(file.read_text() for file in self.directory.glob("*.log")))
            time.sleep(0.05)

    def pair(self) -> list[subprocess.Popen]:
        self.join("north", "east")
        daemons = self.start("north", "east")
        self.wait_for("both are up", lambda: self.state("north", "east") == self.state("east", "north") == "Established")
        return daemons

    # ---- what they say

    def json(self, name: str, *command: str) -> dict:
        return json.loads(self.poplink(*command, "--node", self.node(name), "--json").stdout)

    def lines(self, name: str, *command: str) -> list[dict]:
        return [json.loads(line) for line in self.poplink(*command, "--node", self.node(name), "--json").stdout.splitlines()]

    def text(self, name: str, *command: str) -> str:
        return self.poplink(*command, "--node", self.node(name)).stdout

    def peer(self, name: str, peer: str) -> dict:
        return self.json(name, "show", "bgp", "neighbor", peer)

    def state(self, name: str, peer: str) -> str:
        return self.peer(name, peer)["state"]

    def prefixes(self, name: str, *options: str) -> list[str]:
        return sorted(route["prefix"] for route in self.lines(name, "show", "bgp", "routes", *options))

    def request(self, name: str, method: str, target: str, body: object = None) -> tuple[int, str, http.client.HTTPResponse]:
        connection = UnixConnection(self.api(name))
        self.addCleanup(connection.close)
        connection.request(method, target, body if body is None or isinstance(body, str) else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer
