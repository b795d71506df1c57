#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers with TCP MD5 signatures (RFC 2385), and those who have not the key, or send into their sessions."""
import errno
import signal
import socket
import subprocess
import unittest

from bgp_witness import Witness
from forged_tcp import ACK, FIN, PUSH, RST, Forger, nonsense
from hostile_case import HOST, HOSTILE_AS, HostileCase
from lab.bgp import octets
from lab.bgp.octets import NOTIFICATION, UPDATE, message
from raw_bgp import RawBgp, notification, sign

KEY, OTHER = b"correct horse", b"battery staple"
KEYED = 6  # of the hostile peers; the others have no key
CONFIGURATION_CHANGE = notification(6, 6)
SEGMENTS = {"RST": (RST, b""), "RST and ACK": (RST | ACK, b""), "FIN": (FIN | ACK, b""), "octets that are no message": (PUSH | ACK, bytes(19)),
            "a NOTIFICATION": (PUSH | ACK, message(NOTIFICATION, notification(6, 4)))}


class Keys(HostileCase):
    HOSTILE = 12

    def setUp(self) -> None:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.keys: dict[str, bytes | None] = {f"hostile-{i}": KEY if i < KEYED else None for i in range(self.HOSTILE)}
        super().setUp()
        self.said = self.plain_used = 0

    def tearDown(self) -> None:
        for key in (KEY, OTHER):
            self.assertNotIn(key.decode(), self.log.read_text())
        super().tearDown()

    def peers(self) -> list[dict]:
        return [peer | {"md5": self.key_file(peer["name"])} if self.keys.get(peer["name"]) is not None else peer for peer in super().peers()]

    def key_file(self, name: str) -> str:
        file = self.directory / f"{name}.key"
        file.write_bytes(self.keys[name] + b"\n")
        return f"file:{file}"

    def change_key(self, number: int, key: bytes | None) -> None:
        self.keys[f"hostile-{number - 10}"] = key
        self.write_speaker()
        self.reload()

    def plain(self) -> int:
        """The number of a peer that has no key."""
        self.plain_used += 1
        return 9 + KEYED + self.plain_used

    def knock(self, number: int, key: bytes | None) -> socket.socket:
        """Begins to connect."""
        knocking = socket.socket()
        self.addCleanup(knocking.close)
        if key is not None:
            sign(knocking, self.speaker[0], key)
        knocking.bind((self.address(number), 0))
        knocking.setblocking(False)
        knocking.connect_ex(self.speaker)
        return knocking

    def assert_nobody_came_in(self, *knocking: socket.socket) -> None:
        """Who came later is in."""
        self.session(self.plain()).hear(UPDATE)
        for one in knocking:
            with self.assertRaises(OSError) as why:
                one.getpeername()
            self.assertEqual(why.exception.errno, errno.ENOTCONN)

    def assert_works(self, connection: RawBgp | Witness) -> None:
        """What it says arrives."""
        self.said += 1
        prefix = f"10.{self.said}.0.0/16"
        connection.send(octets.announcement((prefix,), HOST, HOSTILE_AS))
        self.receiver.has(prefix)

    def witness(self, number: int, key: bytes | None) -> Witness:
        witness = Witness(self.connect(number, key=key), self.open_of(number))
        self.addCleanup(witness.close)
        self.assert_works(witness)
        return witness

    # ---- who connects

    def test_only_who_has_the_key_comes_in(self) -> None:
        number = self.fresh()
        plain = self.plain()
        knocking = [self.knock(number, None), self.knock(number, OTHER), self.knock(number, KEY + b"\n"), self.knock(plain, KEY)]
        self.assert_works(self.session(number, key=KEY))
        self.assert_works(self.session(plain))
        self.assert_nobody_came_in(*knocking)
        self.assertEqual(self.logged("bgp.refused"), 0, "the kernel has not let them in")

    def test_hundreds_without_the_key_do_not_keep_out_who_has_it(self) -> None:
        number = self.fresh()
        before, size = self.memory(), self.log.stat().st_size
        knocking = [self.knock(number, key) for key in (None, OTHER) for _ in range(300)]
        session = self.witness(number, KEY)
        knocking += [self.knock(number, key) for key in (None, OTHER) for _ in range(300)]
        self.assert_works(session)
        self.assert_nobody_came_in(*knocking)
        self.assertEqual((session.end, session.notifications), (None, []))
        self.assertLess(self.memory() - before, 4 << 20)
        self.assertLess(self.log.stat().st_size - size, 20_000)

    def test_a_second_connection_of_a_peer_with_a_session_needs_the_key_too(self) -> None:
        number = self.fresh()
        session = self.witness(number, KEY)
        knocking = [self.knock(number, key) for key in (None, OTHER)]
        another = self.connect(number, key=KEY)
        another.send(self.open_of(number))
        self.assertEqual(another.last_words(), ([notification(6, 7)], "closed"))
        self.assert_works(session)
        self.assert_nobody_came_in(*knocking)

    # ---- segments of others

    def forge(self, number: int, session: Witness, name: str, make) -> None:
        forger = Forger((self.address(number), session.connection.socket.getsockname()[1]), self.speaker)
        self.addCleanup(forger.close)
        forger.send(make(forger.segment(*SEGMENTS[name])))

    def test_segments_without_the_right_digest_do_nothing_to_a_session(self) -> None:
        number = self.fresh()
        session = self.witness(number, KEY)
        for name in SEGMENTS:
            for wrong, make in (("no digest", lambda one: one.octets()), ("a wrong digest", lambda one: one.with_digest(nonsense())),
                                ("another key", lambda one: one.signed(OTHER)), ("a short digest", lambda one: one.with_digest(nonsense()[:14]))):
                with self.subTest(name, digest=wrong):
                    self.forge(number, session, name, make)
                    self.assert_works(session)
        self.assertEqual((session.end, session.notifications), (None, []))
        self.assertEqual(self.logged("Established ->"), 0)

    def test_the_same_segments_end_sessions_without_a_key_or_with_the_right_digest(self) -> None:
        """So it is the digest that has kept the others out."""
        for key, make in ((None, lambda one: one.octets()), (KEY, lambda one: one.signed(KEY))):
            for i, name in enumerate(SEGMENTS):
                with self.subTest(name, key=key):
                    number = self.fresh() if key else self.plain()
                    session = self.witness(number, key)
                    before = self.logged("Established ->")
                    self.forge(number, session, name, make)
                    self.wait_until(lambda: self.logged("Established ->") > before, "the session ends")
                    self.receiver.lacks(f"10.{self.said}.0.0/16")

    # ---- other keys while it runs

    def test_a_changed_key_ends_the_session_and_is_the_one_that_counts(self) -> None:
        number, other = self.fresh(), self.fresh()
        stays = self.witness(other, KEY)
        for before, after in ((KEY, OTHER), (OTHER, None), (None, KEY)):
            with self.subTest(before=before, after=after):
                session = self.session(number, key=before)
                self.assert_works(session)
                self.change_key(number, after)
                self.assertEqual(session.last_words(), ([CONFIGURATION_CHANGE], "closed"))
                self.receiver.lacks(f"10.{self.said}.0.0/16")
                knocking = self.knock(number, before)
                session.close()
                again = self.session(number, key=after)
                self.assert_works(again)
                with self.assertRaises(OSError):
                    knocking.getpeername()
                again.close()
        self.assert_works(stays)
        self.assertEqual((stays.end, stays.notifications), (None, []))

    def test_a_key_that_cannot_be_read_changes_nothing(self) -> None:
        number = self.fresh()
        session = self.witness(number, KEY)
        file = self.directory / f"hostile-{number - 10}.key"
        for name, damage in (("empty", lambda: file.write_bytes(b"")), ("too long", lambda: file.write_bytes(OTHER * 7)), ("gone", file.unlink)):
            with self.subTest(name):
                refused = self.logged("config.refused")
                damage()
                self.daemon.send_signal(signal.SIGHUP)
                self.wait_until(lambda: self.logged("config.refused") > refused, "the file is refused")
                self.assert_works(session)
        self.assertEqual((session.end, session.notifications), (None, []))
        self.assert_works(self.session(self.fresh(), key=KEY))


if __name__ == "__main__":
    unittest.main()
