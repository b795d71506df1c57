#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Graceful restart (RFC 4724): of the peer, whom we help, and of ourselves, whom the peer helps."""
import dataclasses
import unittest

from lab.bgp import octets
from bgp_case import FAMILIES, RAW, BgpCase, against_each, origins

LONG, SHORT = 60, 4  # Restart Times
MORE = ("10.9.0.0/16", "10.8.0.0/16")


class Restart(BgpCase):
    def setUp(self) -> None:
        super().setUp()
        self.announced = origins() + origins(family="ipv6")

    def begin_and_kill_the_peer(self, seconds: int, **more: object) -> None:
        if not self.PEER.restarts_gracefully:
            self.skipTest(f"{self.PEER.name} helps others only")
        self.pair(FAMILIES, announced=self.announced, restart_seconds=seconds, **more)
        self.await_established()
        for family in FAMILIES:
            self.await_routes(self.middle, family, self.from_peer(self.announced, family))
        self.peer.kill()

    def stale(self, speaker, family: str) -> set[str]:
        return {path.prefix for path in speaker.routes(family) if path.stale}

    def prefixes(self, speaker, family: str) -> set[str]:
        return {path.prefix for path in speaker.routes(family)}

    def test_routes_of_a_killed_peer_stay_until_it_is_back(self) -> None:
        namespace, link, neighbors = self.third()
        self.begin_and_kill_the_peer(LONG, more=neighbors)
        heard = self.raw(namespace, link)
        for family in FAMILIES:
            expected = {origin.prefix for origin in self.announced if origin.family == family}
            self.await_that(lambda: self.stale(self.middle, family) == expected, lambda: f"{self.middle.routes(family)}\n{self.middle.logs()}")
        ipv4 = {origin.prefix for origin in self.announced if origin.family == "ipv4"}
        self.await_that(lambda: set(heard.routes) == ipv4, lambda: heard.routes)
        left = tuple(origin for origin in self.announced if origin.prefix not in ("10.0.2.0/24", "2001:db8:1002::/48"))
        self.peer.speaker = dataclasses.replace(self.peer.speaker, origins=left)
        self.peer.restart()
        self.await_established()
        for family in FAMILIES:
            self.await_routes(self.middle, family, self.from_peer(left, family))  # the swept ones are gone, no other is stale
        self.await_that(lambda: set(heard.routes) == ipv4 - {"10.0.2.0/24"}, lambda: heard.routes)
        self.assertEqual([update.withdrawn for update in heard.updates if update.withdrawn], [("10.0.2.0/24",)], "others went")

    def test_routes_of_a_peer_that_stays_away_go(self) -> None:
        self.begin_and_kill_the_peer(SHORT)
        for family in FAMILIES:
            self.await_routes(self.middle, family, [])

    def test_routes_go_at_once_when_the_peer_says_goodbye(self) -> None:
        self.pair(announced=self.announced, restart_seconds=LONG)
        self.await_established()
        self.await_routes(self.middle, "ipv4", self.from_peer(self.announced))
        self.peer.shutdown(self.link.left["ipv4"], "for good")
        self.await_routes(self.middle, "ipv4", [])

    def test_the_peer_keeps_our_routes_while_we_are_away(self) -> None:
        namespace, link, neighbors = self.third(("ipv4",))
        self.pair(more=neighbors, restart_seconds=LONG)
        self.await_established()
        source = self.raw(namespace, link)
        source.send(octets.announcement(MORE, link.right["ipv4"], RAW))
        self.await_that(lambda: self.prefixes(self.peer, "ipv4") == set(MORE), self.explain)
        self.middle.kill()
        self.await_that(lambda: self.stale(self.peer, "ipv4") == set(MORE), lambda: f"{self.peer.routes('ipv4')}\n{self.peer.logs()}")
        self.middle.restart()
        source.start().send(octets.announcement(MORE[:1], link.right["ipv4"], RAW))
        self.await_established()
        self.await_that(lambda: self.prefixes(self.peer, "ipv4") == {MORE[0]} and not self.stale(self.peer, "ipv4"), self.explain)


against_each(Restart, globals())

if __name__ == "__main__":
    unittest.main()
