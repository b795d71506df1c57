#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our MRT files as bgpdump reads them: somebody else's idea of RFC 6396."""
import ipaddress
import os
import pathlib
import subprocess
import tempfile
import unittest

BINARIES = pathlib.Path(os.environ["POPLINK_BINARIES"])
PATIENCE = 60
TIME = 1700000000
FOUR, SIX = "192.0.2.1|65001", "2001:db8::1|4200000001"  # the peers, by index
MANY = "200|10|65001:100 no-export|4200000001:1:2|AG|4200000001 192.0.2.9|"  # LOCAL_PREF, MED, communities, large ones, aggregator
FEW = "0|0|||NAG||"
LONG_PATH = "65001 65001 4200000001|IGP"
SHORT_PATH = "65002|INCOMPLETE"


def prefixes(network: type, bits: int) -> list[str]:
    """One of each length, all bits set."""
    return [str(network(((1 << bits) - (1 << bits - length), length))) for length in range(bits + 1)]


class Mrt(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = pathlib.Path(directory.name) / "sample.mrt"
        with self.file.open("wb") as out:
            subprocess.run([BINARIES / "bgp-mrt-sample"], stdout=out, timeout=PATIENCE, check=True)

    def dump(self, *options: str) -> str:
        run = subprocess.run(["bgpdump", "-v", *options, self.file], capture_output=True, text=True, timeout=PATIENCE, check=True)
        doubts = [line for line in run.stderr.splitlines() if "[info] logging to" not in line]
        self.assertEqual(doubts, [], "bgpdump has doubts")
        return run.stdout

    def lines(self, kind: str) -> list[str]:
        """A line for each route; prefixes as Python writes them."""
        lines = []
        for line in self.dump("-m", "-l").splitlines():
            if line.startswith(kind):
                fields = line.split("|")
                if fields[2] != "STATE":
                    fields[5] = str(ipaddress.ip_network(fields[5]))
                lines.append("|".join(fields))
        return lines

    def table(self, next_hop: str, network: type, bits: int) -> list[str]:
        return [line for prefix in prefixes(network, bits)
                for line in (f"TABLE_DUMP2|{TIME}|B|{FOUR}|{prefix}|{LONG_PATH}|{next_hop}|{MANY}",
                             f"TABLE_DUMP2|{TIME}|B|{SIX}|{prefix}|{SHORT_PATH}|2001:db8::1|{FEW}")]

    def test_reads_ipv4_routes_over_ipv4_and_ipv6(self) -> None:
        self.assertEqual(self.lines("TABLE_DUMP2")[:2 * 33], self.table("192.0.2.1", ipaddress.IPv4Network, 32))

    def test_reads_ipv6_routes(self) -> None:
        self.assertEqual(self.lines("TABLE_DUMP2")[2 * 33:], self.table("2001:db8::1", ipaddress.IPv6Network, 128))

    def test_reads_when_a_route_came_and_the_order_of_records(self) -> None:
        # In words: the short form has no time of origin.
        fields = [line.split(": ", 1) for line in self.dump("-H").splitlines() if ": " in line]
        self.assertEqual([value for name, value in fields if name == "ORIGINATED"],
                         33 * ["11/14/23 22:13:19", "11/14/23 22:13:18"] + 129 * ["11/14/23 22:13:17", "11/14/23 22:13:16"])
        self.assertEqual([int(value) for name, value in fields if name == "SEQUENCE"], [i for i in range(33 + 129) for _ in range(2)])

    def test_reads_states_and_messages(self) -> None:
        self.assertEqual(self.lines("BGP4MP"), [
            f"BGP4MP|{TIME}|STATE|{FOUR}|5|6",
            f"BGP4MP|{TIME}|STATE|{SIX}|1|3",
            f"BGP4MP|{TIME + 1}|A|{FOUR}|198.51.100.0/24|{LONG_PATH}|192.0.2.1|{MANY}",
            f"BGP4MP|{TIME + 2}|A|{SIX}|2001:db8::/32|{LONG_PATH}|2001:db8::1|{MANY}",
            f"BGP4MP|{TIME + 3}|W|{FOUR}|198.51.100.0/24"])


if __name__ == "__main__":
    unittest.main()
