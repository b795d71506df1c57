#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Limits of prefixes, of both sides (RFC 4486: Cease, maximum number of prefixes reached)."""
import unittest

from lab.bgp import octets
from lab.bgp.speaker import PrefixLimit
from bgp_case import RAW, BgpCase, against_each, origins

LIMIT = 3
TOO_MANY = bytes((6, 1))


class Limits(BgpCase):
    def await_down(self) -> None:
        self.await_that(lambda: self.middle.session_state(self.link.right["ipv4"]) != "Established", self.explain)

    def test_as_many_as_the_limit_are_taken(self) -> None:
        announced = origins(LIMIT)
        self.pair(ours={"prefix_limit": PrefixLimit(LIMIT)}, announced=announced)
        self.await_established()
        self.await_routes(self.middle, "ipv4", self.from_peer(announced))
        self.assertTrue(self.established())

    def test_one_more_ends_the_session_for_good(self) -> None:
        self.pair(ours={"prefix_limit": PrefixLimit(LIMIT)}, announced=origins(LIMIT + 1))
        self.await_that(lambda: self.peer.told_of_too_many(self.link.left["ipv4"]), self.explain)
        self.assert_stays_down()
        self.assertEqual(self.middle.routes("ipv4"), [])

    def test_one_more_is_discarded(self) -> None:
        self.pair(ours={"prefix_limit": PrefixLimit(LIMIT, "discard")}, announced=origins(2 * LIMIT))
        self.await_established()
        self.await_that(lambda: len(self.middle.routes("ipv4")) == LIMIT, self.explain)
        self.middle.refresh(self.link.right["ipv4"])
        self.assertEqual(len(self.middle.routes("ipv4")), LIMIT)
        self.assertTrue(self.established())

    def test_session_that_one_more_ended_comes_back(self) -> None:
        namespace, link, neighbors = self.third(("ipv4",), prefix_limit=PrefixLimit(LIMIT, "restart", 2))
        self.pair(more=neighbors)
        self.await_established()
        raw = self.raw(namespace, link)
        raw.send(octets.announcement(tuple(origin.prefix for origin in origins(LIMIT + 1)), link.right["ipv4"], RAW))
        self.await_that(lambda: [body[:2] for body in raw.notifications] == [TOO_MANY], lambda: f"{raw.notifications}\n{self.explain()}")
        raw.start()
        raw.send(octets.announcement(("10.9.0.0/16",), link.right["ipv4"], RAW))
        self.await_that(lambda: [path.prefix for path in self.middle.routes("ipv4")] == ["10.9.0.0/16"], self.explain)

    def test_peer_whose_limit_we_exceed_hangs_up(self) -> None:
        namespace, link, neighbors = self.third(("ipv4",))
        self.pair(theirs={"prefix_limit": PrefixLimit(LIMIT)}, more=neighbors)
        self.await_established()
        raw = self.raw(namespace, link)
        raw.send(octets.announcement(tuple(origin.prefix for origin in origins(LIMIT + 1)), link.right["ipv4"], RAW))
        self.await_down()
        self.assert_stays_down()


against_each(Limits, globals())

if __name__ == "__main__":
    unittest.main()
