#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""BGP messages of our codec as tshark reads them: somebody else's idea of the same standards."""
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

from lab import captures

BINARIES = pathlib.Path(os.environ["POPLINK_BINARIES"])
PATIENCE = 60
BGP_PORT = 179
SPEAKERS = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
ATTRIBUTE = "bgp.update.path_attribute."

OPEN = {"bgp.type": "1", "bgp.length": "72", "bgp.open.version": "4", "bgp.open.myas": "23456", "bgp.open.holdtime": "90",
        "bgp.open.identifier": "192.0.2.1", "bgp.cap.type": "1,1,2,5,9,64,65,70", "bgp.cap.mp.afi": "1,2", "bgp.cap.mp.safi": "1,1",
        "bgp.cap.4as": "4200000001", "bgp.cap.gr.timers.restart_time": "120", "bgp.cap.gr.flag.pfs": "1"}
FACTS = {ATTRIBUTE + "origin": "0", ATTRIBUTE + "as_path_segment.as4": "65001,65001,4200000001", ATTRIBUTE + "multi_exit_disc": "10",
         ATTRIBUTE + "local_pref": "200", ATTRIBUTE + "aggregator_as": "4200000001", ATTRIBUTE + "aggregator_origin": "192.0.2.9",
         ATTRIBUTE + "community_as": "65001", ATTRIBUTE + "community_value": "100", "bgp.large_communities.ga": "65001"}
IPV6 = {ATTRIBUTE + "mp_reach_nlri.afi": "2", ATTRIBUTE + "mp_reach_nlri.safi": "1", "bgp.mp_reach_nlri_ipv6_prefix": "2001:db8::"}

EXPECTED = {
    "open": OPEN,
    "keepalive": {"bgp.type": "4", "bgp.length": "19"},
    "update_ipv4": FACTS | {"bgp.type": "2", ATTRIBUTE + "next_hop": "192.0.2.1", "bgp.nlri_prefix": "198.51.100.0,198.18.0.0",
                            "bgp.prefix_length": "24,15", ATTRIBUTE + "type_code": "1,2,3,4,5,7,8,32,35"},
    "update_ipv6": FACTS | IPV6 | {ATTRIBUTE + "type_code": "14,1,2,4,5,7,8,32,35"},
    "withdrawal_ipv4": {"bgp.withdrawn_prefix": "198.51.100.0", "bgp.prefix_length": "24", "bgp.update.path_attributes.length": "0"},
    "withdrawal_ipv6": {"bgp.mp_unreach_nlri_ipv6_prefix": "2001:db8::", ATTRIBUTE + "type_code": "15"},
    "notification": {"bgp.type": "3", "bgp.notify.major_error": "6", "bgp.notify.minor_error_cease": "2",
                     "bgp.notify.communication_length": "5", "bgp.notify.communication": "works"},
    "route_refresh": {"bgp.type": "5", "bgp.route_refresh.afi": "2", "bgp.route_refresh.subtype": "1", "bgp.route_refresh.safi": "1"},
}
OLD_SPEAKER = {ATTRIBUTE + "as_path_segment.as2": "65001,65001,23456", ATTRIBUTE + "as_path_segment.as4": "65001,65001,4200000001",
               ATTRIBUTE + "aggregator_as": "23456,4200000001", ATTRIBUTE + "type_code": "1,2,3,4,5,7,8,17,18,32,35"}


def frame(sequence: int, message: bytes) -> bytes:
    """One message in one segment from the first speaker to the second."""
    tcp = struct.pack(">HHIIBBHHH", 40000, BGP_PORT, sequence, 1, 5 << 4, 0x18, 8192, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(message), 0, 0, 64, 6, 0, *SPEAKERS)
    return bytes(12) + b"\x08\x00" + ip + tcp + message


class Tshark(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = pathlib.Path(directory.name) / "bgp.pcap"
        run = subprocess.run([BINARIES / "bgp-sample"], capture_output=True, text=True, timeout=PATIENCE, check=True)
        self.messages = {name: bytes.fromhex(octets) for name, octets in (line.split() for line in run.stdout.splitlines())}

    def read(self, name: str, fields: list[str], *options: str) -> dict[str, str]:
        captures.write_pcap(self.file, [(0, frame(1, self.messages[name]))])
        wanted = [argument for field in [*fields, "_ws.expert.message"] for argument in ("-e", field)]
        run = subprocess.run(["tshark", "-n", "-r", self.file, *options, "-T", "fields", "-E", "separator=|", *wanted],
                             capture_output=True, text=True, timeout=PATIENCE, check=True)
        values = run.stdout.rstrip("\n").split("|")
        self.assertEqual(values.pop(), "", f"{name}: tshark has doubts")
        return dict(zip(fields, values, strict=True))

    def test_reads_what_was_meant(self) -> None:
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                self.assertEqual(self.read(name, list(expected)), expected)

    def test_reads_what_an_old_speaker_gets(self) -> None:
        self.assertEqual(self.read("update_old_speaker", list(OLD_SPEAKER), "-o", "bgp.asn_len:2 octet ASN"), OLD_SPEAKER)

    def test_has_seen_every_message(self) -> None:
        self.assertEqual(set(self.messages), {*EXPECTED, "update_old_speaker"})


if __name__ == "__main__":
    unittest.main()
