#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that send without end, or never read: others get everything in time, and the speaker does not grow."""
import struct
import threading
import time
import unittest

from hostile_case import HOST, HOSTILE_AS, SOURCE_AS, HostileCase
from lab.bgp import octets
from lab.bgp.octets import KEEPALIVE, ROUTE_REFRESH, UPDATE, Attribute, message
from raw_bgp import IPV4, RawBgp

TABLE = 50_000  # routes
FLOOD = 3       # seconds
MIB = 1 << 20
SMALL = 4096    # octets of a receive buffer
REQUEST = message(ROUTE_REFRESH, b"\0\1\0\1")


def table(asn: int, mark: int, in_one: int = 900, filling: int = 0) -> list[bytes]:
    """UPDATEs with TABLE prefixes of 10.0.0.0/8, `in_one` in each, the community `mark`, and an attribute of its own with so many octets."""
    usual = b"".join(one.octets() for one in (Attribute(octets.TRANSITIVE, octets.ORIGIN, b"\0"), octets.as_path(asn),
                                              Attribute(octets.TRANSITIVE, octets.NEXT_HOP, bytes(map(int, HOST.split(".")))),
                                              Attribute(octets.OPTIONAL | octets.TRANSITIVE, octets.COMMUNITIES, struct.pack("!I", mark))))
    prefixes = [struct.pack("!BBH", 24, 10, i) for i in range(TABLE)]
    updates = []
    for i in range(0, TABLE, in_one):
        head = usual + Attribute(octets.OPTIONAL | octets.TRANSITIVE, 200, struct.pack("!I", i) + bytes(filling)).octets()
        updates.append(message(UPDATE, struct.pack("!HH", 0, len(head)) + head + b"".join(prefixes[i:i + in_one])))
    return updates


def withdrawal(prefix: bytes) -> bytes:
    return message(UPDATE, struct.pack("!H", len(prefix)) + prefix + bytes(2))


class Floods(HostileCase):
    HOSTILE = 16

    def setUp(self) -> None:
        super().setUp()
        self.sent = 0  # octets of a flood

    def flood(self, connection: RawBgp, octets_to_send: bytes, seconds: float = FLOOD) -> threading.Thread:
        """In a thread, until the time is over or the connection ends. What is sent stays whole."""
        def send() -> None:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                connection.send_until_closed(octets_to_send)
                self.sent += len(octets_to_send)

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def assert_served_during(self, *floods: threading.Thread) -> int:
        """The source's routes come and go at the receiver all the time. How often."""
        times = 0
        while any(thread.is_alive() for thread in floods):
            self.announce("192.0.2.0/25")
            self.receiver.has("192.0.2.0/25")
            self.source.send(withdrawal(bytes((25, 192, 0, 2, 0))))
            self.receiver.lacks("192.0.2.0/25")
            times += 1
        self.assertGreater(self.sent, 0)
        return times

    def test_floods_of_keepalives_hold_up_nobody(self) -> None:
        floods = [self.flood(self.session(), message(KEEPALIVE) * 3000) for _ in range(2)]
        before = self.memory()
        self.assertGreater(self.assert_served_during(*floods), 3)
        self.assertLess(self.memory() - before, 16 * MIB)

    def test_a_prefix_that_flaps_without_end_ends_as_it_was_left(self) -> None:
        connection = self.session()
        prefix = bytes((24, 192, 0, 3))
        there = octets.announcement(("192.0.3.0/24",), HOST, HOSTILE_AS)
        before = self.memory()
        self.assert_served_during(self.flood(connection, (there + withdrawal(prefix)) * 500))
        connection.send(there + octets.announcement(("192.0.4.0/24",), HOST, HOSTILE_AS))
        self.receiver.has("192.0.3.0/24", "192.0.4.0/24")
        connection.send(withdrawal(prefix))
        self.receiver.lacks("192.0.3.0/24")
        self.assertLess(self.memory() - before, 16 * MIB)

    def test_errors_without_end_do_not_fill_the_log(self) -> None:
        connection = self.session()
        good = octets.announcement(("192.0.3.0/24",), HOST, HOSTILE_AS)
        wrong = [octets.announcement(("192.0.3.0/24",), HOST, HOSTILE_AS, more=(Attribute(octets.OPTIONAL, octets.MED, bytes(size)),))
                 for size in (3, 5)] + [octets.announcement(("192.0.3.0/24",), "127.0.0.1", HOSTILE_AS)]
        before = self.log.stat().st_size
        self.assert_served_during(self.flood(connection, (good + b"".join(wrong)) * 200))
        self.assertGreaterEqual(self.logged("bgp.update"), 2)
        self.assertLess(self.log.stat().st_size - before, 20_000)

    def test_attributes_that_are_always_new_are_forgotten_again(self) -> None:
        """Each with as much as a message has room for, which other peers are told too."""
        connection = self.session()
        def announced(number: int) -> bytes:
            filling = Attribute(octets.OPTIONAL | octets.TRANSITIVE, 200, struct.pack("!I", number) + bytes(3900))
            return octets.announcement(("192.0.3.0/24",), HOST, HOSTILE_AS, more=(filling,))

        for round in range(2):
            for number in range(10_000):
                connection.send(announced(round << 16 | number))
            self.receiver.wait_until(lambda: "192.0.3.0/24" in self.receiver.routes and
                                     self.receiver.routes["192.0.3.0/24"].attribute(200).value[:4] == struct.pack("!I", round << 16 | 9999), "the last")
            if round == 0:
                before = self.memory()
        self.assertLess(self.memory() - before, 8 * MIB)

    def test_refreshes_that_are_announced_and_never_come_hold_up_nobody(self) -> None:
        connection = self.session()
        for update in table(HOSTILE_AS, 1):
            connection.send(update)
        self.receiver.wait_until(lambda: len(self.receiver.routes) > TABLE, "the table")
        begin, end = (message(ROUTE_REFRESH, b"\0\1" + bytes((subtype, 1))) for subtype in (1, 2))
        self.assert_served_during(self.flood(connection, begin * 500), self.flood(self.session(), (begin + end) * 500))
        self.assertGreater(len(self.receiver.routes), TABLE)
        connection.send(end)  # nothing has come between: all of them are gone
        self.receiver.wait_until(lambda: len(self.receiver.routes) == 1, "its routes are gone")

    def test_requests_for_routes_without_end_are_answered_as_often_as_they_can_be(self) -> None:
        for update in table(SOURCE_AS, 1):
            self.source.send(update)
        self.receiver.wait_until(lambda: len(self.receiver.routes) > TABLE, "the table")
        reader, others = self.session(), [self.session(receive_buffer=SMALL) for _ in range(3)]
        before = self.memory()
        floods = [self.flood(other, REQUEST * 500) for other in others]
        self.assert_served_during(*floods)
        self.assertLess(self.memory() - before, 64 * MIB)
        reader.send(REQUEST)
        reader.wait_for(lambda kind, body: kind == ROUTE_REFRESH and body[2] == 1)
        told = set()
        while (heard := reader.message()) != (ROUTE_REFRESH, b"\0\1\2\1"):
            if heard[0] == UPDATE:
                told.update(octets.read_update(heard[1]).reached)
        self.assertGreater(len(told), TABLE)

    def test_peers_that_never_read_cost_little_and_others_get_the_whole_table(self) -> None:
        """What each of them misses is 50 MB, much more than may wait; it would be in memory once, for they are of one group."""
        deaf = [self.session(receive_buffer=SMALL) for _ in range(8)]
        for round in range(10):
            for update in table(SOURCE_AS, round, in_one=10, filling=1000):
                self.source.send(update)
            value = struct.pack("!I", round)
            last = [f"10.{i >> 8}.{i & 255}.0/24" for i in (0, TABLE // 2, TABLE - 1)]
            self.receiver.wait_until(lambda: len(self.receiver.routes) > TABLE and all(
                self.receiver.routes[prefix].attribute(octets.COMMUNITIES).value == value for prefix in last), f"table {round}")
            if round == 0:
                before = self.memory()
        self.assertLess(self.memory() - before, 32 * MIB)
        self.assertEqual(self.logged("Established ->"), 0)
        peers = self.peers()
        for peer in peers:
            if peer["name"].startswith("hostile-"):
                peer["shutdown"] = True
        self.write_speaker(peers)
        self.reload()
        self.wait_until(lambda: self.logged("Established -> Idle") == len(deaf), "their sessions end")

    def test_a_peer_that_asks_for_requests_and_never_reads_them_costs_little(self) -> None:
        """Over and under its limit: every time there is room again, it is asked for its routes."""
        peers = self.peers()
        for peer in peers:
            if peer["name"].startswith("hostile-"):
                peer["prefix_limit"] = {"max": 1}
        self.write_speaker(peers)
        self.reload()
        connection = self.session(receive_buffer=SMALL)
        over = octets.announcement(("192.0.3.0/24", "192.0.4.0/24"), HOST, HOSTILE_AS)
        under = withdrawal(bytes((24, 192, 0, 3, 24, 192, 0, 4)))
        connection.send((over + under) * 100)
        before, size = self.memory(), self.log.stat().st_size
        self.assert_served_during(self.flood(connection, (over + under) * 200))
        self.assertLess(self.memory() - before, 8 * MIB)
        self.assertLess(self.log.stat().st_size - size, 20_000)

    def test_those_who_end_in_the_middle_of_a_flood_leave_nothing(self) -> None:
        for end in (RawBgp.close, RawBgp.reset):
            connection = self.session(capabilities=IPV4)
            for update in table(HOSTILE_AS, 1):
                connection.send(update)
            connection.send(table(HOSTILE_AS, 2)[0][:1000])
            self.receiver.has("10.0.0.0/24")
            end(connection)
            self.receiver.wait_until(lambda: len(self.receiver.routes) == 1, "its routes are gone")


if __name__ == "__main__":
    unittest.main()
