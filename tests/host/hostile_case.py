# SPDX-License-Identifier: Apache-2.0
"""A BGP speaker among peers that do not behave, and two that do: what the source announces arrives at the receiver, whatever the others do.

Every hostile peer has an address of its own in 127/8, so nobody waits for another's IdleHoldTimer. Addresses and port are taken at random: tests
run beside each other, and beside themselves."""
import ipaddress
import json
import os
import random
import re
import signal
import socket
import subprocess
import time

from bgp_witness import Witness
from lab.bgp import octets
from lab.processes import owned
from lab_case import BINARIES, LabCase
from raw_bgp import ENHANCED_ROUTE_REFRESH, IPV4, IPV6, PATIENCE, ROUTE_REFRESH, Ended, RawBgp, four_octet_as

ASN, ROUTER_ID = 64600, "192.0.2.1"
SOURCE_AS, RECEIVER_AS, HOSTILE_AS = 65001, 65002, 65010
HOST = "192.0.2.99"  # a next hop
HOST6 = "2001:db8::99"
USUAL = IPV4 + IPV6 + ROUTE_REFRESH + ENHANCED_ROUTE_REFRESH
SILENCE = 20  # seconds; the speaker promises a KEEPALIVE each second, to peers that wait for 30
_BLOCK = 1024  # addresses of one test


def open_message(asn: int, router_id: str, capabilities: bytes = USUAL, hold: int = 30) -> bytes:
    return octets.open_message(asn, router_id, hold, capabilities + four_octet_as(asn))


class HostileCase(LabCase):
    HOSTILE = 64    # peers of HOSTILE_AS
    INTERNAL = 0    # peers of our own AS
    SETTINGS: dict = {}  # of hostile peers

    def setUp(self) -> None:
        super().setUp()
        first = int(ipaddress.ip_address("127.1.0.0"))
        self._base = first + _BLOCK * random.SystemRandom().randrange((int(ipaddress.ip_address("127.255.0.0")) - first) // _BLOCK)
        self.port = self._free_port()
        self._used = 0
        self.over = False  # whether the speaker's end is what the test wants
        self.log = self.directory / "log"
        self.write_speaker()
        self.start()

    def tearDown(self) -> None:
        if not self.over:
            self.assert_unharmed()
        super().tearDown()

    # ---- the speaker

    def address(self, number: int) -> str:
        return str(ipaddress.ip_address(self._base + number))

    @property
    def speaker(self) -> tuple[str, int]:
        return self.address(1), self.port

    def _free_port(self) -> int:
        with socket.socket() as probe:
            probe.bind((self.address(1), 0))
            return probe.getsockname()[1]

    def _peer(self, name: str, number: int, asn: int, **settings: object) -> dict:
        return {"name": name, "address": self.address(number), "asn": asn} | settings

    def peers(self) -> list[dict]:
        witnesses = {"next_hop": "unchanged", "hold_time": 30, "keepalive": 1}
        return [self._peer("source", 2, SOURCE_AS, **witnesses), self._peer("receiver", 3, RECEIVER_AS, **witnesses),
                *(self._peer(f"hostile-{i}", 10 + i, HOSTILE_AS, **self.SETTINGS) for i in range(self.HOSTILE)),
                *(self._peer(f"internal-{i}", 10 + self.HOSTILE + i, ASN) for i in range(self.INTERNAL))]

    def write_speaker(self, peers: list[dict] | None = None, **more: object) -> None:
        bgp = {"asn": ASN, "router_id": ROUTER_ID, "listen": [{"address": self.speaker[0], "port": self.port}], "reachable": ["0.0.0.0/0", "::/0"]}
        defaults = {"passive": True, "families": ["ipv4", "ipv6"], "import": "accept-all", "export": "accept-all",
                    "idle_hold": {"first": 0.1, "longest": 0.1}}
        self.file = self.directory / "speaker.yaml"
        self.file.write_text(json.dumps({"bgp": bgp, "peer_defaults": defaults, "peers": peers or self.peers()} | more))
        self.node_file = self.directory / "node.yaml"
        self.node_file.write_text(f"site: lab\ntransport: none\napi: {self.directory}/api\nstate: {self.directory}/state.json\n")

    def start(self) -> None:
        """The speaker, and the two whose sessions stay."""
        self.start_program()
        self.start_witnesses()

    def start_program(self) -> None:
        with self.log.open("a") as log:
            self.daemon = subprocess.Popen(owned([BINARIES / "poplinkd", self.file, "--node", self.node_file]), stdout=subprocess.PIPE, stderr=log,
                                           text=True)
        self.addCleanup(self._end, self.daemon)
        self.assertEqual(self.daemon.stdout.readline(), "ready\n", self.log.read_text())

    def start_witnesses(self) -> None:
        self.source, self.receiver = (self._witness(number, asn) for number, asn in ((2, SOURCE_AS), (3, RECEIVER_AS)))
        self.announce("198.51.100.0/24")
        self.receiver.has("198.51.100.0/24")

    def _witness(self, number: int, asn: int) -> Witness:
        witness = Witness(self.connect(number), open_message(asn, f"192.0.2.{number}"))
        self.addCleanup(witness.close)
        return witness

    def logged(self, pattern: str) -> int:
        return len(re.findall(pattern, self.log.read_text()))

    def wait_until(self, true, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            self.assertLess(time.monotonic(), end, f"{what} never held\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def reload(self) -> None:
        before = self.logged("config.applied")
        self.daemon.send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.logged("config.applied") > before, "the file is read again")
        self.assertEqual(self.logged("config.refused|config.failed"), 0)

    def memory(self) -> int:
        """Octets of the speaker that are in memory."""
        with open(f"/proc/{self.daemon.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # ---- those who behave

    def announce(self, *prefixes: str, more: tuple[octets.Attribute, ...] = ()) -> None:
        hop = HOST6 if ":" in prefixes[0] else HOST
        self.source.send(octets.announcement(prefixes, hop, SOURCE_AS, more=more))

    def assert_unharmed(self) -> None:
        """What the source says from now on arrives, and until now no session has suffered."""
        self.assertIsNone(self.daemon.poll(), self.log.read_text()[-4000:])
        self.source.send(octets.message(octets.UPDATE, bytes((0, 4, 24, 198, 51, 100, 0, 0))))
        self.announce("203.0.113.0/24")
        self.announce("2001:db8:1::/48")
        self.receiver.lacks("198.51.100.0/24")
        self.receiver.has("203.0.113.0/24", "2001:db8:1::/48")
        for witness in (self.source, self.receiver):
            self.assertEqual((witness.end, witness.notifications), (None, []))
            self.assertLess(witness.longest_silence, SILENCE)

    # ---- those who do not

    def fresh(self) -> int:
        """The number of a hostile peer that has not been here yet."""
        self.assertLess(self._used, self.HOSTILE, "more peers are needed")
        self._used += 1
        return 9 + self._used

    def router_id(self, number: int) -> str:
        return f"10.255.{number >> 8}.{number & 255}"

    def open_of(self, number: int, capabilities: bytes = USUAL) -> bytes:
        return open_message(HOSTILE_AS, self.router_id(number), capabilities)

    def connect(self, number: int, **options: object) -> RawBgp:
        connection = RawBgp(self.address(number), self.speaker, **options)
        self.addCleanup(connection.close)
        return connection

    def session(self, number: int | None = None, capabilities: bytes = USUAL, **options: object) -> RawBgp:
        """Tried again as long as the peer's IdleHoldTimer runs."""
        number = number or self.fresh()
        end = time.monotonic() + PATIENCE
        while True:
            connection = self.connect(number, **options)
            try:
                return connection.establish(self.open_of(number, capabilities))
            except Ended as why:
                connection.close()
                self.assertLess(time.monotonic(), end, why)
                time.sleep(0.02)
