# SPDX-License-Identifier: Apache-2.0
"""customer namespace - EntryPoint card - two backbone cables - EndPoint card - vRack namespace, configured by `poplink apply`."""
import json
import pathlib
import signal
import subprocess
import tempfile

from lab.namespaces import Namespace
from lab.processes import end, owned

SITES = ("par-th2", "rbx")
CUSTOMER_ADDRESS, VRACK_ADDRESS = "192.0.2.1", "192.0.2.2"
CUSTOMER_MAC, VRACK_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
MTU = 9000
LINKS = (6, 7)  # backbone ports of both cards; cable backbone-N joins their ports N


class TwoCards:
    """Everything lives in a directory of its own and in namespaces of its own; close() ends it, and so does our death."""

    def __init__(self, binaries: pathlib.Path, region: pathlib.Path, directory: pathlib.Path):
        self.binaries, self.region, self.directory = binaries, region, directory
        self.backbone_pcaps = {link: directory / f"backbone-{link}.pcap" for link in LINKS}
        self.control = directory / "lab.control"
        self.customer, self.vrack = Namespace("customer"), Namespace("vrack")
        self._sim: subprocess.Popen | None = None

    def __enter__(self) -> "TwoCards":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def start(self) -> None:
        self._start_simulator()
        for namespace, mac, address in ((self.customer, CUSTOMER_MAC, CUSTOMER_ADDRESS), (self.vrack, VRACK_MAC, VRACK_ADDRESS)):
            self._set_up(namespace, mac, address)

    def _start_simulator(self) -> None:
        lab = self.directory / "lab.yaml"
        lab.write_text(json.dumps(self._lab(), indent=2))
        self._log = (self.directory / "poplink-sim.log").open("w")
        self._sim = subprocess.Popen(owned([self.binaries / "poplink-sim", "live", "--lab", lab]), stdout=subprocess.PIPE,
                                     stderr=self._log, text=True)
        if (self._sim.stdout.readline() or "").strip() != "ready":
            self._sim.wait(10)
            raise RuntimeError("poplink-sim did not start:\n" + (self.directory / "poplink-sim.log").read_text())

    @staticmethod
    def _set_up(namespace: Namespace, mac: str, address: str) -> None:
        namespace.run("ip", "link", "set", "e0", "address", mac, "mtu", str(MTU), "up")
        namespace.run("ip", "address", "add", f"{address}/24", "dev", "e0")

    @property
    def simulator_pid(self) -> int:
        return self._sim.pid

    def _lab(self) -> dict:
        """The simulator's lab file."""
        plugs = {site: {0: {"interface": "e0", "netns": namespace.path}} for site, namespace in zip(SITES, (self.customer, self.vrack))}
        return {"cards": [self._card(site, plug | {link: {"cable": f"backbone-{link}"} for link in LINKS}) for site, plug in plugs.items()],
                "cables": [{"name": f"backbone-{link}", "pcap": str(pcap)} for link, pcap in self.backbone_pcaps.items()],
                "control": str(self.control)}

    def _card(self, site: str, ports: dict[int, dict]) -> dict:
        return {"name": site, "socket": str(self.directory / f"{site}.sock"), "ports": ports}

    def node_file(self, site: str) -> pathlib.Path:
        node = self.directory / f"{site}.node.yaml"
        node.write_text(f"site: {site}\ncard: 0\ntransport: sim\nsocket: {self.directory}/{site}.sock\n")
        return node

    def _run(self, program: str, *arguments: object) -> str:
        run = subprocess.run([self.binaries / program, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        if run.returncode:
            raise RuntimeError(f"{program} {' '.join(map(str, arguments))}: exit {run.returncode}\n{run.stdout}{run.stderr}")
        return run.stdout

    def poplink(self, *arguments: object) -> str:
        return self._run("poplink", *arguments)

    def cables(self, *action: str) -> list[dict]:
        """All cables' states, after `action` (name, cut | mend | deafen END | attenuate DB) if one is given."""
        return json.loads(self._run("poplink-sim", "cable", "--control", self.control, "--json", *action))["cables"]

    def apply(self) -> None:
        for site in SITES:
            self.poplink("apply", self.region, "--node", self.node_file(site))

    def show(self, noun: str, site: str) -> dict:
        return json.loads(self.poplink("show", noun, "--node", self.node_file(site), "--json"))

    def close(self) -> None:
        if self._sim:
            end(self._sim)
        self.customer.close()
        self.vrack.close()


def scratch_directory(what: str = "demo") -> tempfile.TemporaryDirectory:
    """Gone with the object, and made with signals held: none can come between a file's making and the duty to remove it."""
    stopping = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    try:
        return tempfile.TemporaryDirectory(prefix=f"poplink-{what}-")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping)
