#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes without saying between ASes: nothing without a policy (RFC 8212), and a community before maintenance (RFC 8326)."""
import dataclasses
import unittest

from lab.bgp import octets
from bgp_case import RAW, BgpCase, against_each, origins

DRAIN = "65535:0"


class Policy(BgpCase):
    def begin_with_our_route(self, **more: object) -> None:
        """10.9.0.0/16 from a third one through us to the peer, and to one who listens only."""
        namespace, link, neighbors = self.third(("ipv4",))
        quiet, link_to_quiet, listeners = self.third(("ipv4",), "listener")
        self.pair(announced=origins(1), more=neighbors + tuple(dataclasses.replace(one, asn=RAW + 1) for one in listeners), **more)
        self.await_established()
        self.listener = self.raw(quiet, link_to_quiet, asn=RAW + 1)
        self.raw(namespace, link).send(octets.announcement(("10.9.0.0/16",), link.right["ipv4"], RAW))
        self.await_that(lambda: "10.9.0.0/16" in self.middles(), self.explain)

    def middles(self) -> set[str]:
        return {path.prefix for path in self.middle.routes("ipv4")}

    def at_peer(self) -> dict[str, tuple[str, ...]]:
        """Prefixes and their communities."""
        return {path.prefix: path.communities for path in self.peer.routes("ipv4")}

    def test_without_policy_nothing_is_taken_or_told(self) -> None:
        self.begin_with_our_route(ours={"policy": False})
        self.await_that(lambda: set(self.listener.routes) == {"10.9.0.0/16"}, self.explain)  # so the middle has told its neighbors what it has to tell
        self.assertEqual((self.middles(), self.at_peer()), ({"10.9.0.0/16"}, {}))
        self.middle.reconfigure(dataclasses.replace(self.middle.speaker, neighbors=tuple(
            dataclasses.replace(neighbor, policy=True) for neighbor in self.middle.speaker.neighbors)))
        expected = {"10.9.0.0/16"} | ({"10.0.0.0/24"} if self.PEER.answers_refresh else set())
        self.await_that(lambda: self.middles() >= expected and set(self.at_peer()) == {"10.9.0.0/16"},
                        lambda: f"{self.middles()} {self.at_peer()}\n{self.explain()}")

    def test_our_drain_reaches_the_peer_and_ends(self) -> None:
        self.begin_with_our_route()
        self.await_that(lambda: self.at_peer() == {"10.9.0.0/16": ()}, lambda: f"{self.at_peer()}\n{self.explain()}")
        quiet = self.middle.speaker
        for speaker, communities in ((dataclasses.replace(quiet, drain=True), (DRAIN,)), (quiet, ())):
            self.middle.reconfigure(speaker)
            self.await_that(lambda: self.at_peer() == {"10.9.0.0/16": communities}, lambda: f"{self.at_peer()}\n{self.explain()}")
            self.assertTrue(self.established())

    def test_drain_of_the_peer_arrives(self) -> None:
        self.pair(announced=origins(2), drain=True)
        self.await_established()
        self.await_that(lambda: [path.communities for path in self.middle.routes("ipv4")] == [(DRAIN,)] * 2, self.explain)


against_each(Policy, globals())

if __name__ == "__main__":
    unittest.main()
