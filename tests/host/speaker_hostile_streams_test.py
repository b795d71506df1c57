#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of a large table that stop reading in the middle, while the peer that has told it goes away: nobody waits for them."""
import json
import subprocess
import unittest
from collections.abc import Callable

from hostile_case import HOST, HOSTILE_AS, HostileCase, open_message
from lab.bgp import octets
from lab.bgp.octets import NOTIFICATION, UPDATE, Attribute, message
from lab.processes import owned
from lab_case import BINARIES
from raw_bgp import IPV4, PATIENCE, RawBgp, notification

TABLE = 200_000
IN_ONE = 900   # prefixes of an UPDATE
CLIENTS = 4
SOME = 1000    # lines
MIB = 1 << 20
HUNG_UP = 3    # poplink's exit status


def prefixes() -> list[bytes]:
    """TABLE times a /24 behind 32.0.0.0, as NLRI."""
    return [bytes((24, 32 + (i >> 16), i >> 8 & 255, i & 255)) for i in range(TABLE)]


def text(nlri: bytes) -> str:
    return f"{nlri[1]}.{nlri[2]}.{nlri[3]}.0/24"


def table(number: int) -> bytes:
    """All UPDATEs; each has attributes of its own."""
    usual = b"".join(one.octets() for one in (Attribute(octets.TRANSITIVE, octets.ORIGIN, b"\0"), octets.as_path(HOSTILE_AS),
                                              Attribute(octets.TRANSITIVE, octets.NEXT_HOP, bytes(map(int, HOST.split("."))))))
    all_of_them, updates = prefixes(), []
    for i in range(0, TABLE, IN_ONE):
        mark = Attribute(octets.OPTIONAL | octets.TRANSITIVE, octets.COMMUNITIES, bytes((number,)) + i.to_bytes(3, "big"))
        head = usual + mark.octets()
        updates.append(message(UPDATE, bytes(2) + len(head).to_bytes(2, "big") + head + b"".join(all_of_them[i:i + IN_ONE])))
    return b"".join(updates)


LAST = text(prefixes()[-1])


class Streams(HostileCase):
    HOSTILE = 4

    def open_of(self, number: int, capabilities: bytes = IPV4) -> bytes:
        """Sessions that never expire: nobody sends KEEPALIVEs in them."""
        return open_message(HOSTILE_AS, self.router_id(number), capabilities, 0)

    def table_of_a_peer(self) -> RawBgp:
        connection = self.session()
        connection.send(table(1))
        self.receiver.wait_until(lambda: len(self.receiver.routes) == TABLE + 1, "the whole table")
        return connection

    def client(self) -> subprocess.Popen:
        """Has read some lines, and no more until it is asked to."""
        client = subprocess.Popen(owned([BINARIES / "poplink", "show", "bgp", "routes", "--json", "--node", self.node_file]), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, client)
        self.assertEqual(len({self.prefix(client.stdout.readline()) for _ in range(SOME)}), SOME)
        return client

    @staticmethod
    def end(client: subprocess.Popen) -> None:
        client.kill()
        client.wait()
        client.stdout.close()
        client.stderr.close()

    @staticmethod
    def prefix(line: str) -> str:
        return json.loads(line)["prefix"]

    def assert_ends_well(self, client: subprocess.Popen) -> list[str]:
        """The rest of its prefixes: whole lines, each prefix once."""
        rest = [self.prefix(line) for line in client.stdout]
        self.assertEqual((client.wait(PATIENCE), client.stderr.read()), (0, ""))
        self.assertEqual(len(set(rest)), len(rest))
        return rest

    def assert_undisturbed(self, *prefix: str) -> None:
        """New routes arrive, and KEEPALIVEs go on."""
        keepalives = [witness.keepalives for witness in (self.source, self.receiver)]
        self.announce(*prefix)
        self.receiver.has(*prefix)
        for witness, before in zip((self.source, self.receiver), keepalives):
            witness.wait_until(lambda: witness.keepalives > before, "a KEEPALIVE")

    def go(self, end: Callable[[RawBgp], None]) -> None:
        """With clients that do not read."""
        peer = self.table_of_a_peer()
        before = self.memory()
        clients = [self.client() for _ in range(CLIENTS)]
        end(peer)
        self.receiver.wait_until(lambda: len(self.receiver.routes) == 1, "the table is gone")
        self.assert_undisturbed("203.0.113.0/25")
        self.assertLess(self.memory() - before, 16 * MIB)
        for client in clients:
            self.assertLess(len(self.assert_ends_well(client)), TABLE // 2, "what it had not been told yet is gone")

    def test_a_peer_that_is_lost_under_clients_that_do_not_read(self) -> None:
        self.go(RawBgp.reset)

    def test_a_peer_that_says_goodbye_under_clients_that_do_not_read(self) -> None:
        self.go(lambda peer: peer.send(message(NOTIFICATION, notification(6, 2))))

    def test_a_table_that_changes_all_the_time_under_clients_that_do_not_read(self) -> None:
        peer = self.table_of_a_peer()
        clients = [self.client() for _ in range(2)]
        before = self.memory()
        for number in (2, 3):
            peer.send(table(number))
            self.receiver.wait_until(lambda: self.receiver.routes[LAST].attribute(octets.COMMUNITIES).value[0] == number, "the table is another one")
            self.assert_undisturbed(f"203.0.113.{number}/32")
        self.assertLess(self.memory() - before, 48 * MIB)
        for client in clients:
            self.assertGreaterEqual(len(self.assert_ends_well(client)), TABLE - SOME)

    def test_clients_that_go_in_the_middle_leave_nothing(self) -> None:
        self.table_of_a_peer()
        for _ in range(2):
            for _ in range(10):
                self.end(self.client())
            before = self.memory()
        for _ in range(30):
            self.end(self.client())
        self.assert_undisturbed("203.0.113.0/25")
        self.assertLess(self.memory() - before, 4 * MIB)

    def test_an_end_of_the_speaker_under_clients_that_do_not_read(self) -> None:
        self.table_of_a_peer()
        clients = [self.client() for _ in range(CLIENTS)]
        self.over = True
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(PATIENCE), 0)
        for client in clients:
            for line in client.stdout:
                self.prefix(line)
            self.assertEqual((client.wait(PATIENCE), "has hung up" in client.stderr.read()), (HUNG_UP, True))


if __name__ == "__main__":
    unittest.main()
