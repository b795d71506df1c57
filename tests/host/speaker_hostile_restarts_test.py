#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers with graceful restart (RFC 4724) that do not keep to it: what stays of their routes, and that it does not stay for ever."""
import struct
import time
import unittest

from hostile_case import HOST, HOST6, HOSTILE_AS, USUAL, HostileCase, open_message
from lab.bgp import octets
from lab.bgp.octets import KEEPALIVE, NOTIFICATION, ROUTE_REFRESH, UPDATE, capability, message
from raw_bgp import IPV4, PATIENCE, Ended, RawBgp, notification

LONG = 4095  # seconds: the longest Restart Time, longer than any test
RESTARTING = 0x8000
FAMILIES = ((1, True), (2, True))  # AFI, and whether forwarding went on
END_OF_RIB = {"ipv4": message(UPDATE, bytes(4)), "ipv6": message(UPDATE, b"\0\0\0\6\x80\x0f\3\0\2\1")}
ENDS = END_OF_RIB["ipv4"] + END_OF_RIB["ipv6"]
BAD_MESSAGE = message(9)
COLLISION = notification(6, 7)
BEGIN_OF_REFRESH = message(ROUTE_REFRESH, b"\0\1\1\1")


def graceful(seconds: int = LONG, families: tuple[tuple[int, bool], ...] = FAMILIES, flags: int = 0, capabilities: bytes = USUAL) -> bytes:
    """Capabilities with graceful restart."""
    return capabilities + capability(64, struct.pack("!H", flags | seconds) + b"".join(struct.pack("!HBB", afi, 1, 0x80 * kept) for afi, kept in families))


class Restarts(HostileCase):
    HOSTILE = 24
    SETTINGS = {"graceful_restart": {"restart_time": 3}}

    def setUp(self) -> None:
        super().setUp()
        self.marks = 0
        self.hold = 30  # seconds that peers say

    def open_of(self, number: int, capabilities: bytes = USUAL) -> bytes:
        return open_message(HOSTILE_AS, self.router_id(number), capabilities, self.hold)

    def routes(self, number: int) -> tuple[str, str]:
        return f"10.{number}.0.0/16", f"2001:db8:{number:x}::/48"

    def say(self, connection: RawBgp, *prefixes: str) -> None:
        for prefix in prefixes:
            connection.send(octets.announcement((prefix,), HOST6 if ":" in prefix else HOST, HOSTILE_AS))

    def up(self, capabilities: bytes = graceful(), number: int | None = None) -> tuple[int, RawBgp]:
        """A peer whose routes the receiver knows."""
        number = number or self.fresh()
        connection = self.session(number, capabilities)
        self.say(connection, *self.routes(number))
        connection.send(ENDS)
        self.receiver.has(*self.routes(number))
        return number, connection

    def lose(self, number: int, connection: RawBgp, end=RawBgp.close) -> None:
        """Returns when the speaker has seen it."""
        before = self.downs(number)
        end(connection)
        self.wait_until(lambda: self.downs(number) > before, "its session ends")

    def downs(self, number: int) -> int:
        return self.logged(rf"peer=hostile-{number - 10} .*Established -> ")

    def gone(self, capabilities: bytes = graceful(), end=RawBgp.close) -> int:
        """The same one, whose connection has ended."""
        number, connection = self.up(capabilities)
        self.lose(number, connection, end)
        return number

    def assert_stay(self, *prefixes: str) -> None:
        """Something that is told now comes, and these are there."""
        self.marks += 1
        self.announce(f"198.18.{self.marks}.0/24")
        self.receiver.has(f"198.18.{self.marks}.0/24")
        self.assertLessEqual(set(prefixes), set(self.receiver.routes))

    # ---- who goes away

    def test_routes_of_who_goes_without_a_word_stay_until_its_restart_time_is_over(self) -> None:
        stays = [self.gone(end=end) for end in (RawBgp.close, RawBgp.reset)]
        for seconds in (0, 1, 2):
            with self.subTest(seconds=seconds):
                self.receiver.lacks(*self.routes(self.gone(graceful(seconds))))
        self.assert_stay(*(prefix for number in stays for prefix in self.routes(number)))

    def test_routes_go_at_once_after_any_notification(self) -> None:
        def says(sent: bytes):
            def end(connection: RawBgp) -> None:
                connection.send(sent)
                connection.last_words()
                connection.close()
            return end

        stays = self.gone()
        for name, end in (("theirs", says(message(NOTIFICATION, notification(6, 4)))), ("ours", says(BAD_MESSAGE)),
                          ("ours, and a restart beside it", says(ENDS + BAD_MESSAGE))):
            with self.subTest(name):
                self.receiver.lacks(*self.routes(self.gone(end=end)))
        self.assert_stay(*self.routes(stays))

    def test_who_goes_silent_and_keeps_its_connection_is_no_restart(self) -> None:
        number = self.fresh()
        stays = self.gone()
        self.hold = 3
        _, connection = self.up(number=number)
        self.assertEqual(connection.last_words(), ([notification(4, 0)], "closed"))
        self.receiver.lacks(*self.routes(number))
        self.assert_stay(*self.routes(stays))

    def test_routes_that_nobody_waits_for_any_more_go_at_once(self) -> None:
        removed, stopped, stays = self.gone(), self.gone(), self.gone()
        peers = [peer for peer in self.peers() if peer["name"] != f"hostile-{removed - 10}"]
        self.write_speaker([peer | {"shutdown": peer["name"] == f"hostile-{stopped - 10}"} for peer in peers])
        self.reload()
        self.receiver.lacks(*self.routes(removed), *self.routes(stopped))
        self.assert_stay(*self.routes(stays))

    # ---- who comes back

    def test_who_comes_back_without_having_forwarded_has_lost_its_routes(self) -> None:
        for name, capabilities, stay in (
                ("no F bit", graceful(families=((1, False), (2, False)), flags=RESTARTING), ()),
                ("F bit of IPv4", graceful(families=((1, True), (2, False)), flags=RESTARTING), (0,)),
                ("F bit of IPv6", graceful(families=((1, False), (2, True)), flags=RESTARTING), (1,)),
                ("one family is not in the capability", graceful(families=((1, True),)), (0,)),
                ("one family is not in the session", graceful(capabilities=IPV4), (0,)),
                ("no family in the capability", graceful(families=()), ()),
                ("families that nobody has", graceful(families=((25, True), (1, False))), ()),
                ("no capability", USUAL, ()),
                ("F bits and a Restart Time of 0", graceful(0), (0, 1))):
            with self.subTest(name):
                number = self.gone()
                routes = self.routes(number)
                connection = self.session(number, capabilities)
                self.receiver.lacks(*(prefix for i, prefix in enumerate(routes) if i not in stay))
                self.assert_stay(*(routes[i] for i in stay))
                connection.send(ENDS if capabilities.startswith(USUAL) else END_OF_RIB["ipv4"])
                self.receiver.lacks(*routes)

    def test_of_who_comes_back_stays_what_it_says_again(self) -> None:
        number = self.gone(graceful(flags=RESTARTING))
        before = [self.receiver.routes[prefix] for prefix in self.routes(number)]
        more = f"10.{number}.1.0/24"
        connection = self.session(number, graceful(flags=RESTARTING))
        self.say(connection, more)
        self.receiver.has(more)
        self.assert_stay(*self.routes(number))
        self.say(connection, self.routes(number)[0])
        connection.send(END_OF_RIB["ipv4"])
        self.say(connection, f"10.{number}.2.0/24")
        self.receiver.has(f"10.{number}.2.0/24")
        self.assert_stay(*self.routes(number))
        connection.send(END_OF_RIB["ipv6"])
        self.receiver.lacks(self.routes(number)[1])
        self.assertIs(self.receiver.routes[self.routes(number)[0]], before[0], "nobody has noticed anything")

    def test_who_comes_back_and_never_ends_its_routes_keeps_the_old_ones_for_one_session_only(self) -> None:
        number = self.gone()
        more = f"10.{number}.1.0/24"
        connection = self.session(number, graceful())
        self.say(connection, more)
        self.receiver.has(more)
        self.assert_stay(*self.routes(number))
        self.lose(number, connection)
        self.receiver.lacks(*self.routes(number))
        self.assert_stay(more)
        self.lose(number, self.session(number, graceful()))
        self.receiver.lacks(more)

    def test_connections_that_never_become_sessions_do_not_prolong_the_restart_time(self) -> None:
        number, stays = self.gone(graceful(2)), self.gone()
        for sent in self.endless(b"", self.open_of(number, graceful()), open_message(HOSTILE_AS + 1, "10.0.0.1", graceful()), BAD_MESSAGE):
            try:
                with self.connect(number) as connection:
                    connection.send_until_closed(sent)
                    connection.message()
            except (Ended, OSError):
                pass  # as IdleHoldTimer or the OPEN has it
            if not set(self.routes(number)) & set(self.receiver.routes):
                break
        self.assert_stay(*self.routes(stays))

    def endless(self, *some: bytes):
        """One after the other, as long as a test may take."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            yield from some
        self.fail("it has never ended")

    def test_who_restarts_again_and_again_is_not_noticed_and_costs_nothing(self) -> None:
        number, connection = self.up()
        before = [self.receiver.routes[prefix] for prefix in self.routes(number)]
        self.lose(number, connection)
        for i in range(30):
            if i == 10:
                memory = self.memory()
            connection = self.session(number, graceful(flags=RESTARTING))
            self.say(connection, *self.routes(number), f"10.{number}.{i}.0/24")
            self.receiver.has(f"10.{number}.{i}.0/24")
            if i > 1:
                self.receiver.lacks(f"10.{number}.{i - 2}.0/24")
            self.lose(number, connection, RawBgp.reset if i % 2 else RawBgp.close)
        self.assertLess(self.memory() - memory, 4 << 20)
        for prefix, route in zip(self.routes(number), before):
            self.assertIs(self.receiver.routes[prefix], route)

    # ---- two connections

    def test_a_second_connection_with_an_open_proves_a_restart_when_the_session_is_not_new(self) -> None:
        """It is not new after ten seconds, and the first one is the older one."""
        (first, old), (second, young) = self.up(), self.up()
        before = [self.receiver.routes[prefix] for number in (first, second) for prefix in self.routes(number)]
        young_again = self.proof(second, young)
        for sent, answer in ((open_message(HOSTILE_AS + 1, "10.0.0.1", graceful()), [notification(2, 2)]), (message(KEEPALIVE), [])):
            with self.connect(first) as wrong:
                wrong.send(sent)
                self.assertEqual(wrong.last_words()[0], answer, "that is nobody, and no restart")
        self.say(old, f"10.{first}.1.0/24")
        self.receiver.has(f"10.{first}.1.0/24")
        again = self.connect(first)
        again.send(self.open_of(first, graceful()) + message(KEEPALIVE))
        self.assertEqual(old.last_words(), ([], "closed"))
        self.assert_stay(f"10.{first}.1.0/24", *self.routes(first), *self.routes(second))
        for number, connection in ((first, again), (second, young_again)):
            self.say(connection, *self.routes(number))
            connection.send(ENDS)
        self.receiver.lacks(f"10.{first}.1.0/24")
        for prefix, route in zip((*self.routes(first), *self.routes(second)), before):
            self.assertIs(self.receiver.routes[prefix], route)

    def proof(self, number: int, session: RawBgp) -> RawBgp:
        """Tries as long as the session wins."""
        for sent in self.endless(self.open_of(number, graceful())):
            another = self.connect(number)
            another.send(sent)
            try:
                another.hear(octets.KEEPALIVE)
            except Ended as end:
                self.assertEqual(str(end), f"NOTIFICATION {COLLISION.hex(' ')}")
                another.close()
                session.send(message(KEEPALIVE))
                time.sleep(0.2)
                continue
            another.send(message(KEEPALIVE))
            self.assertEqual(session.last_words(), ([], "closed"))
            return another

    # ---- our own restart

    def test_peers_that_always_say_they_restart_do_not_hold_up_ours(self) -> None:
        self.HOSTILE, self.SETTINGS = 2, {"graceful_restart": {"restart_time": LONG}}
        self.restart_among(graceful(flags=RESTARTING), USUAL)

    def test_peers_that_never_end_their_routes_hold_up_ours_for_the_restart_time(self) -> None:
        self.HOSTILE, self.SETTINGS = 3, {"graceful_restart": {"restart_time": 2}}
        self.restart_among(graceful(), graceful())  # and the third one does not come

    def restart_among(self, *capabilities: bytes) -> None:
        self.write_speaker()
        self.over = True
        self.daemon.kill()
        self.daemon.wait()
        self.source.wait_until(lambda: self.source.end is not None, "its end")
        self.start_program()
        for number, one in enumerate(capabilities, 10):
            connection = self.connect(number).establish(self.open_of(number, one))
            self.say(connection, *self.routes(number))
        self.start_witnesses()
        self.over = False
        self.receiver.has(*(prefix for number, _ in enumerate(capabilities, 10) for prefix in self.routes(number)))
        self.assertEqual(self.logged("event=bgp.restart"), 1)

    # ---- the same marks within a session (RFC 7313)

    def test_refreshes_that_begin_without_end_leave_nothing_behind_the_session(self) -> None:
        for times in (254, 255, 256, 20_000):
            with self.subTest(times=times):
                connection = self.session()
                self.say(connection, "192.0.2.0/24")
                connection.send(BEGIN_OF_REFRESH * times)
                self.say(connection, "192.0.3.0/24")
                self.receiver.has("192.0.2.0/24", "192.0.3.0/24")
                connection.close()
                self.receiver.lacks("192.0.2.0/24", "192.0.3.0/24")


if __name__ == "__main__":
    unittest.main()
