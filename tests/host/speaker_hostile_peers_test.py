#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may connect, how often and as whom: collisions, crowds, strangers; and reloads and ends of the speaker in the midst of it."""
import contextlib
import signal
import socket
import threading
import unittest

from hostile_case import HOST, HOSTILE_AS, ROUTER_ID, HostileCase, open_message
from lab.bgp import octets
from lab.bgp.octets import OPEN, UPDATE, message
from raw_bgp import KEEPALIVE, PATIENCE, Ended, RawBgp, notification

COLLISION = notification(6, 7)
LOWER, HIGHER = "10.0.0.1", "203.0.113.1"  # than ROUTER_ID
BOUND = 20  # seconds for what takes one


def flapping(number: int) -> bytes:
    prefix = f"192.0.{number}.0/24"
    return octets.announcement((prefix,), HOST, HOSTILE_AS) + message(UPDATE, bytes((0, 4, 24, 192, 0, number, 0, 0)))


class Peers(HostileCase):
    HOSTILE = 16

    def flood(self, connection: RawBgp, sent: bytes, over: threading.Event) -> None:
        def send() -> None:
            while not over.is_set():
                connection.send_until_closed(sent)

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(over.set)

    # ---- two connections of one peer

    def test_of_two_connections_that_a_peer_makes_the_newer_stays(self) -> None:
        number = self.fresh()
        older, newer = self.connect(number), self.connect(number)
        self.assertEqual(older.last_words(), ([COLLISION], "closed"))
        newer.establish(self.open_of(number))
        newer.send(octets.announcement(("192.0.2.0/24",), HOST, HOSTILE_AS))
        self.receiver.has("192.0.2.0/24")

    def test_a_session_wins_over_another_connection_of_the_peer(self) -> None:
        number = self.fresh()
        session = self.session(number)
        session.wait_for(lambda kind, _: kind == UPDATE)
        for _ in range(3):
            another = self.connect(number)
            another.send(self.open_of(number) + KEEPALIVE)
            self.assertEqual(another.last_words(), ([COLLISION], "closed"))
            another.close()
        session.send(octets.announcement(("192.0.2.0/24",), HOST, HOSTILE_AS))
        self.receiver.has("192.0.2.0/24")

    def test_the_higher_identifier_keeps_the_connection_that_it_has_made(self) -> None:
        listener = socket.socket()
        self.addCleanup(listener.close)
        number = self.fresh()
        listener.bind((self.address(number), 0))
        listener.listen()
        listener.settimeout(PATIENCE)
        active = {"passive": False, "port": listener.getsockname()[1], "local_address": self.speaker[0], "connect_retry": 1}
        self.write_speaker([peer | (active if peer["address"] == self.address(number) else {}) for peer in self.peers()])
        self.reload()
        for router_id, ours_stays in ((HIGHER, True), (LOWER, False)):
            with self.subTest(router_id):
                theirs = self.accepted(listener)
                ours = self.connect(number)
                ours.hear(OPEN)
                stays, goes = (ours, theirs) if ours_stays else (theirs, ours)
                for connection in (ours, theirs):
                    connection.send(open_message(HOSTILE_AS, router_id))
                self.assertEqual(goes.last_words()[0], [COLLISION])
                stays.hear(octets.KEEPALIVE)
                stays.send(KEEPALIVE)
                stays.wait_for(lambda kind, _: kind == UPDATE)
                stays.close()
                goes.close()

    @staticmethod
    def accepted(listener: socket.socket) -> RawBgp:
        """The first connection on which the speaker has sent its OPEN: it may have given up others."""
        while True:
            connection = RawBgp.of(listener.accept()[0])
            try:
                connection.hear(OPEN)
                return connection
            except Ended:
                connection.close()

    def test_peers_with_one_identifier_are_two_peers(self) -> None:
        numbers = self.fresh(), self.fresh()
        sessions = [self.connect(number).establish(open_message(HOSTILE_AS, ROUTER_ID)) for number in numbers]
        for i, session in enumerate(sessions):
            session.send(octets.announcement((f"192.0.{i}.0/24", "192.0.9.0/24"), HOST, HOSTILE_AS))
        self.receiver.has("192.0.0.0/24", "192.0.1.0/24", "192.0.9.0/24")
        sessions[0].close()
        self.receiver.lacks("192.0.0.0/24")
        self.receiver.has("192.0.9.0/24", "192.0.1.0/24")
        sessions[1].close()
        self.receiver.lacks("192.0.9.0/24")

    # ---- crowds

    def test_a_peer_that_connects_hundreds_of_times_and_says_nothing_has_four_connections(self) -> None:
        number = self.fresh()
        self.assert_crowd_is_small(number)
        self.session(number).wait_for(lambda kind, _: kind == UPDATE)

    def test_hundreds_of_silent_connections_do_not_end_the_session_of_their_peer(self) -> None:
        number = self.fresh()
        session = self.session(number)
        session.wait_for(lambda kind, _: kind == UPDATE)
        self.assert_crowd_is_small(number)
        session.send(octets.announcement(("192.0.3.0/24",), HOST, HOSTILE_AS))
        self.receiver.has("192.0.3.0/24")

    def assert_crowd_is_small(self, number: int) -> None:
        before, size = self.memory(), self.log.stat().st_size
        with contextlib.ExitStack() as stack:
            crowd = []
            for _ in range(300):
                with contextlib.suppress(ConnectionResetError):  # before connect() has returned
                    crowd.append(stack.enter_context(RawBgp(self.address(number), self.speaker)))
                    crowd[-1].socket.setblocking(False)
            self.wait_until(lambda: sum(self.is_open(one) for one in crowd) <= 4, "few are left")
            self.announce("192.0.2.0/24")
            self.receiver.has("192.0.2.0/24")
            self.assertLess(self.memory() - before, 8 << 20)
            self.assertLess(self.log.stat().st_size - size, 20_000)

    @staticmethod
    def is_open(connection: RawBgp) -> bool:
        try:
            while connection.socket.recv(65536):
                pass
            return False
        except BlockingIOError:
            return True
        except OSError:
            return False

    def test_strangers_are_reset_at_once_however_many_they_are(self) -> None:
        size = self.log.stat().st_size
        for i in range(300):
            try:
                with RawBgp(self.address(900 + i % 20), self.speaker) as stranger:
                    self.assertEqual(stranger.last_words(), ([], "reset"))
            except ConnectionResetError:
                pass  # before connect() has returned
        self.assertGreater(self.logged("bgp.refused"), 0)
        self.assertLess(self.log.stat().st_size - size, 20_000)

    def test_who_resets_each_connection_at_once_harms_nobody(self) -> None:
        number = self.fresh()
        for sent in (b"", self.open_of(number), self.open_of(number) + KEEPALIVE + flapping(2)[:60]):
            for _ in range(100):
                with contextlib.suppress(ConnectionError):
                    connection = RawBgp(self.address(number), self.speaker)
                    connection.send_until_closed(sent)
                    connection.reset()
        self.session(number).wait_for(lambda kind, _: kind == UPDATE)

    def test_thirty_and_three_hundred_peers_that_come_at_once_all_have_their_sessions(self) -> None:
        self.HOSTILE = 330
        self.write_speaker()
        self.reload()
        for numbers in (range(10, 40), range(40, 340)):
            with self.subTest(len(numbers)):
                self.assert_all_come_up(numbers)

    def assert_all_come_up(self, numbers: range) -> None:
        before = self.logged("-> Established")
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(RawBgp(self.address(number), self.speaker)) for number in numbers]
            for number, one in zip(numbers, crowd):
                one.send(self.open_of(number) + KEEPALIVE)
            for one in crowd:
                one.hear(OPEN)
                one.wait_for(lambda kind, body: kind == UPDATE and "198.51.100.0/24" in octets.read_update(body).reached)
            self.assertEqual(self.logged("-> Established") - before, len(numbers))
            prefixes = [f"10.{number >> 8}.{number & 255}.0/24" for number in numbers]
            for prefix, one in zip(prefixes, crowd):
                one.send(octets.announcement((prefix,), HOST, HOSTILE_AS))
            self.receiver.wait_until(lambda: all(prefix in self.receiver.routes for prefix in prefixes), "a route of each")
        self.receiver.lacks(*prefixes)

    # ---- the speaker itself

    def test_reloads_in_the_midst_of_floods_disturb_nobody(self) -> None:
        over = threading.Event()
        for i in range(3):
            self.flood(self.session(), flapping(i) * 200, over)
        for i in range(10):
            term = {"name": "mark", "set": {"communities": {"add": [f"{HOSTILE_AS}:{i}"]}}}
            peers = [peer | ({"export": "marked"} if peer["name"] == "receiver" else {}) for peer in self.peers()]
            self.write_speaker(peers[:-1] if i % 2 else peers, policies={"marked": [term]})
            self.reload()
            self.receiver.wait_until(lambda: (told := self.receiver.routes["198.51.100.0/24"].attribute(octets.COMMUNITIES)) is not None
                                     and told.value[-2:] == bytes((0, i)), "what the policy says now")
        self.assertEqual(self.logged("peer hostile-15: added"), 4)

    def test_an_end_in_the_midst_of_floods_is_soon_and_told_to_everybody(self) -> None:
        over = threading.Event()
        for i in range(3):
            self.flood(self.session(), flapping(i) * 200, over)
        half_open = self.connect(self.fresh())
        half_open.hear(OPEN)
        deaf = self.session(receive_buffer=4096)
        self.announce("192.0.2.0/24")
        self.receiver.has("192.0.2.0/24")
        self.over = True
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(BOUND), 0)
        for witness in (self.source, self.receiver):
            witness.wait_until(lambda: witness.end is not None, "its end")
            self.assertEqual((witness.notifications, witness.end), ([notification(6, 2)], "closed"))
        self.assertEqual(half_open.last_words(), ([notification(6, 2)], "closed"))
        self.assertEqual(deaf.last_words()[0], [notification(6, 2)])
        self.assertFalse((self.directory / "api").exists() or (self.directory / "state.json").exists())

    def test_after_a_violent_end_it_starts_again_at_once(self) -> None:
        session = self.session()
        for _ in range(3):
            self.over = True
            self.daemon.kill()
            self.assertEqual(self.daemon.wait(BOUND), -signal.SIGKILL)
            self.source.wait_until(lambda: self.source.end is not None, "its end")
            self.start()
            self.over = False
        self.assertNotEqual(session.last_words()[1], "")
        number = self.fresh()
        self.session(number).send(octets.announcement(("192.0.2.0/24",), HOST, HOSTILE_AS))
        self.receiver.has("192.0.2.0/24")


if __name__ == "__main__":
    unittest.main()
