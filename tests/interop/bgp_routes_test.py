#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Routes through the speaker in the middle: what a peer announces is what the next one hears, attribute by attribute, octet by octet."""
import ipaddress
import unittest

from lab.bgp import octets
from lab.bgp.octets import Attribute, OPTIONAL, PARTIAL, TRANSITIVE
from lab.bgp.raw_peer import RawPeer
from bgp_case import FAMILIES, OURS, RAW, THEIRS, BgpCase, against_each, origins

MANY = {"ipv4": 300, "ipv6": 200}
ENHANCED_REFRESH = 70  # the capability
UNKNOWN = 200  # an attribute that nobody knows
TOLD_ANEW = {octets.AS_PATH, octets.NEXT_HOP, octets.MED, octets.MP_REACH}  # what another AS is told differs from what was heard
FULL = {"communities": ("64600:1", "65010:300"), "large_communities": ("64600:1:2", "4200000000:7:8"), "ext_communities": ("rt:64600:7",)}


def kept(update: octets.Update) -> list[Attribute]:
    """Attributes that go through an AS as they are, by their codes."""
    return sorted((one for one in update.attributes if one.code not in TOLD_ANEW), key=lambda one: one.code)


def next_hops(update: octets.Update) -> list[str]:
    """The global one first."""
    reach = update.attribute(octets.MP_REACH)
    if reach is None:
        return [str(ipaddress.ip_address(update.attribute(octets.NEXT_HOP).value))]
    hops = reach.value[4:4 + reach.value[3]]
    return [str(ipaddress.ip_address(hops[start:start + 16])) for start in range(0, len(hops), 16)]


class Routes(BgpCase):
    def test_many_routes_of_both_families_arrive_and_go(self) -> None:
        announced = sum((origins(MANY[family], family, **FULL) for family in FAMILIES), ())
        self.pair(FAMILIES, announced=announced)
        self.await_established()
        for family in FAMILIES:
            self.await_routes(self.middle, family, self.from_peer(announced, family))
        self.peer.stop()
        for family in FAMILIES:
            self.await_routes(self.middle, family, [])

    def test_our_routes_arrive_at_the_peer(self) -> None:
        namespace, link, neighbors = self.third()
        self.pair(FAMILIES, more=neighbors)
        self.await_established()
        prefixes = {"ipv4": ("10.9.0.0/16", "192.0.2.128/25", "10.9.9.9/32", "0.0.0.0/0"), "ipv6": ("2001:db8:9::/48", "2001:db8::5/128", "::/0")}
        for family in FAMILIES:
            source = self.raw(namespace, link, family)
            source.send(octets.announcement(prefixes[family], link.right[family], RAW, 65030))
            expected = {(prefix, f"{OURS} {RAW} 65030", self.link.left[family]) for prefix in prefixes[family]}
            self.await_that(lambda: self.at_peer(family) == expected, lambda: f"{self.at_peer(family)} not {expected}\n{self.explain()}")
            source.close()
            self.await_that(lambda: not self.at_peer(family), lambda: self.at_peer(family))

    def at_peer(self, family: str) -> set[tuple[str, str, str]]:
        return {(path.prefix, path.as_path, path.next_hop) for path in self.peer.routes(family)}

    def test_attributes_go_through_octet_by_octet(self) -> None:
        """What the peer says itself is heard by a raw neighbor of its own; what the middle makes of it by one behind the middle."""
        announced = origins(5, **FULL) + origins(5, "ipv6", **FULL) + origins(2, first=50) + origins(2, "ipv6", first=50)
        behind, link, neighbors = self.third()
        beside = self.namespace("beside")
        direct = self.join(self.theirs, beside)
        self.pair(FAMILIES, announced=announced, more=neighbors, peers_more=self.at_right(direct, FAMILIES))
        self.await_established()
        for family in FAMILIES:
            with self.subTest(family=family):
                said = self.raw(beside, direct, family)
                heard = self.raw(behind, link, family)
                prefixes = {origin.prefix for origin in announced if origin.family == family}
                for who in (said, heard):
                    self.await_that(lambda: set(who.routes) == prefixes, lambda: f"{set(who.routes)} not {prefixes}\n{self.explain()}")
                for prefix in prefixes:
                    ours, theirs = heard.routes[prefix], said.routes[prefix]
                    self.assertEqual(kept(ours), kept(theirs), prefix)
                    self.assertEqual(ours.attribute(octets.AS_PATH).value, octets.as_path(OURS, THEIRS).value)
                    self.assertEqual(next_hops(ours)[0], link.left[family])
                    self.assertIsNone(ours.attribute(octets.MED), "a MED ends at the next AS")
                    self.assertIsNone(ours.attribute(octets.LOCAL_PREF))

    def test_unknown_attributes_reach_the_peer_and_nobody_loses_them(self) -> None:
        """From a raw neighbor through the middle and the peer to another raw one."""
        namespace, link, neighbors = self.third(("ipv4",))
        beside = self.namespace("beside")
        direct = self.join(self.theirs, beside)
        self.pair(more=neighbors, peers_more=self.at_right(direct, asn=RAW + 1))
        self.await_established()
        last = self.raw(beside, direct, asn=RAW + 1)
        value = bytes(range(256)) + b"end"
        self.raw(namespace, link).send(octets.announcement(("10.9.0.0/16",), link.right["ipv4"], RAW, more=(
            Attribute(OPTIONAL | TRANSITIVE, UNKNOWN, value), Attribute(OPTIONAL, UNKNOWN + 1, b"not for others"))))
        self.await_that(lambda: "10.9.0.0/16" in last.routes, self.explain)
        update = last.routes["10.9.0.0/16"]
        self.assertEqual(update.attribute(UNKNOWN), Attribute(OPTIONAL | TRANSITIVE | PARTIAL, UNKNOWN, value))
        self.assertIsNone(update.attribute(UNKNOWN + 1))

    def test_refresh_by_the_peer_loses_nothing(self) -> None:
        namespace, link, neighbors = self.third(("ipv4",))
        self.pair(more=neighbors)
        self.await_established()
        self.raw(namespace, link).send(octets.announcement(("10.9.0.0/16", "10.8.0.0/16"), link.right["ipv4"], RAW))
        expected = {(prefix, f"{OURS} {RAW}", self.link.left["ipv4"]) for prefix in ("10.9.0.0/16", "10.8.0.0/16")}
        self.await_that(lambda: self.at_peer("ipv4") == expected, self.explain)
        self.peer.refresh(self.link.left["ipv4"])
        self.await_that(lambda: self.at_peer("ipv4") == expected, self.explain)
        self.assertTrue(self.established())

    def test_refresh_by_us_loses_nothing(self) -> None:
        announced = origins()
        self.pair(announced=announced)
        self.await_established()
        self.await_routes(self.middle, "ipv4", self.from_peer(announced))
        self.middle.refresh(self.link.right["ipv4"])
        self.await_routes(self.middle, "ipv4", self.from_peer(announced))
        self.assertTrue(self.established())

    def test_who_asks_for_a_refresh_hears_everything_again(self) -> None:
        """With enhanced route refresh (RFC 7313) between its two marks."""
        announced = origins()
        namespace, link, neighbors = self.third(("ipv4",))
        self.pair(announced=announced, more=neighbors)
        self.await_established()
        for more, begin, end in ((b"", [], []), (octets.capability(ENHANCED_REFRESH), [b"\0\1\1\1"], [b"\0\1\2\1"])):
            with self.subTest(more):
                asker = self.raw(namespace, link, more=more)
                self.await_that(lambda: len(asker.routes) == len(announced), self.explain)
                asker.forget()
                asker.request_refresh("ipv4")
                self.await_that(lambda: len(asker.routes) == len(announced) and refreshes(asker)[len(begin):] == end,
                                lambda: f"{asker.messages}\n{self.explain()}")
                heard = [kind for kind, _ in asker.messages if kind != octets.KEEPALIVE]
                updates = [octets.UPDATE] * heard.count(octets.UPDATE)
                self.assertEqual(heard, [octets.ROUTE_REFRESH] * len(begin) + updates + [octets.ROUTE_REFRESH] * len(end))
                self.assertEqual(refreshes(asker), begin + end)
                asker.close()

    def test_refresh_is_asked_for_in_so_many_octets(self) -> None:
        namespace, link, neighbors = self.third(("ipv4",))
        self.pair(more=neighbors)
        raw = self.raw(namespace, link)
        raw.forget()
        self.middle.refresh(link.right["ipv4"])
        self.await_that(lambda: refreshes(raw) == [b"\0\1\0\1"], lambda: f"{raw.messages}\n{self.explain()}")


def refreshes(raw: RawPeer) -> list[bytes]:
    return [body for kind, body in raw.messages if kind == octets.ROUTE_REFRESH]


against_each(Routes, globals())

if __name__ == "__main__":
    unittest.main()
