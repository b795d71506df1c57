#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sessions: who connects, over what, what protects them, and how they end."""
import unittest

from bgp_case import FAMILIES, FOUR_OCTETS, THEIRS, BgpCase, against_each, origins

LAST_WORDS = "maintenance until 04:00"


class Session(BgpCase):
    def test_sessions_over_both_families(self) -> None:
        self.pair(FAMILIES)
        self.await_established()

    def test_as_numbers_of_four_octets(self) -> None:
        announced = origins()
        self.pair(our_asn=FOUR_OCTETS, their_asn=FOUR_OCTETS + 1, announced=announced)
        self.await_established()
        self.await_routes(self.middle, "ipv4", self.from_peer(announced))

    def test_who_is_passive_is_connected_to(self) -> None:
        self.pair(ours={"passive": True})
        self.await_established()

    def test_who_meets_a_passive_one_connects(self) -> None:
        self.pair(theirs={"passive": True})
        self.await_established()

    def test_two_passive_ones_stay_apart(self) -> None:
        self.pair(passive=True)
        self.assert_stays_down()

    def test_both_connect_and_one_connection_stays(self) -> None:
        self.pair()
        self.await_established()
        self.await_that(lambda: self.connections() == 1, lambda: f"{self.connections()} connections\n{self.explain()}")
        self.assertTrue(self.established())

    def connections(self) -> int:
        shown = self.ours.run("ss", "-Htn", "state", "established", "dst", self.link.right["ipv4"]).stdout
        return len(shown.splitlines())

    def test_same_md5_key_protects_the_session(self) -> None:
        self.pair(FAMILIES, md5="mekmitasdigoat")
        self.await_established()

    def test_another_md5_key_keeps_apart(self) -> None:
        self.pair(ours={"md5": "mekmitasdigoat"}, theirs={"md5": "goatmekmitasdi"})
        self.assert_stays_down()

    def test_md5_key_on_our_side_only_keeps_apart(self) -> None:
        self.pair(ours={"md5": "mekmitasdigoat"})
        self.assert_stays_down()

    def test_ttl_security_on_both_sides(self) -> None:
        self.pair(FAMILIES, ttl_security=True)
        self.await_established()

    def test_ttl_security_refuses_who_sends_other_ttls(self) -> None:
        self.pair(ours={"ttl_security": True})
        self.assert_stays_down()

    def test_wrong_as_number_keeps_apart(self) -> None:
        self.pair(expected=THEIRS + 1)
        self.assert_stays_down()

    def test_our_shutdown_says_why(self) -> None:
        self.pair()
        self.await_established()
        self.middle.shutdown(self.link.right["ipv4"], LAST_WORDS)
        self.await_that(lambda: self.peer.shutdown_text(self.link.left["ipv4"]) == LAST_WORDS, self.explain)
        self.assert_stays_down()
        self.middle.enable(self.link.right["ipv4"])
        self.await_established()

    def test_their_shutdown_is_understood(self) -> None:
        self.pair()
        self.await_established()
        self.peer.shutdown(self.link.left["ipv4"], LAST_WORDS)
        self.await_that(lambda: self.middle.shutdown_text(self.link.right["ipv4"]) == LAST_WORDS, self.explain)
        self.assert_stays_down()
        self.peer.enable(self.link.left["ipv4"])
        self.await_established()


against_each(Session, globals())

if __name__ == "__main__":
    unittest.main()
