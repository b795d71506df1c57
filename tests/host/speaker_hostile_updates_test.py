#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What wrong, large and oddly ordered UPDATEs of one peer come to at another (RFC 7606)."""
import random
import struct
import unittest

from hostile_case import HOST, HOST6, HOSTILE_AS, HostileCase
from lab.bgp import octets
from lab.bgp.octets import (AS_PATH, COMMUNITIES, EXT_COMMUNITIES, LARGE, LOCAL_PREF, MED, MP_REACH, MP_UNREACH, NEXT_HOP, OPTIONAL, ORIGIN, OTC,
                            PARTIAL, TRANSITIVE, UPDATE, Attribute, as_path, message, nlri)
from raw_bgp import RawBgp, notification

BOTH = OPTIONAL | TRANSITIVE
ATOMIC, AGGREGATOR, ORIGINATOR, CLUSTERS, AS4_PATH = 6, 7, 9, 10, 17
ROUTES = {"ipv4": ("192.0.2.0/24", "192.0.2.128/25"), "ipv6": ("2001:db8:2::/48", "2001:db8:2:3::/64")}
LARGEST = 4096


def hop(address: str = HOST) -> Attribute:
    return Attribute(TRANSITIVE, NEXT_HOP, bytes(map(int, address.split("."))))


def reach(prefixes: tuple[str, ...], next_hop: bytes | None = None) -> Attribute:
    next_hop = next_hop if next_hop is not None else octets.ipaddress.ip_address(HOST6).packed
    return Attribute(OPTIONAL, MP_REACH, struct.pack("!HBB", 2, 1, len(next_hop)) + next_hop + b"\0" + nlri(prefixes))


def path(*segments: tuple[int, tuple[int, ...]]) -> bytes:
    return b"".join(bytes((kind, len(asns))) + b"".join(asn.to_bytes(4, "big") for asn in asns) for kind, asns in segments)


def attributes_of(family: str) -> dict[int, Attribute]:
    """Of a good announcement of ROUTES, by type."""
    where = hop() if family == "ipv4" else reach(ROUTES["ipv6"])
    return {one.code: one for one in (Attribute(TRANSITIVE, ORIGIN, b"\0"), as_path(HOSTILE_AS), where)}


def update(attributes: bytes, plain: bytes = b"", withdrawn: bytes = b"") -> bytes:
    return message(UPDATE, struct.pack("!H", len(withdrawn)) + withdrawn + struct.pack("!H", len(attributes)) + attributes + plain)


def announce(family: str, *instead: Attribute, without: int = 0, behind: bytes = b"") -> bytes:
    """ROUTES with some attributes replaced, added or left out; `behind`: octets after the last attribute."""
    attributes = attributes_of(family) | {one.code: one for one in instead}
    attributes.pop(without, None)
    return update(b"".join(one.octets() for one in attributes.values()) + behind, nlri(ROUTES["ipv4"]) if family == "ipv4" else b"")


def wrong_path(value: bytes) -> Attribute:
    return Attribute(TRANSITIVE, AS_PATH, value)


WITHDRAW = {
    "ORIGIN 3": Attribute(TRANSITIVE, ORIGIN, b"\3"),
    "ORIGIN of two octets": Attribute(TRANSITIVE, ORIGIN, b"\0\0"),
    "empty ORIGIN": Attribute(TRANSITIVE, ORIGIN, b""),
    "optional ORIGIN": Attribute(BOTH, ORIGIN, b"\0"),
    "AS_PATH of an unknown segment": wrong_path(path((5, (HOSTILE_AS,)))),
    "AS_PATH with an empty segment": wrong_path(path((2, (HOSTILE_AS,)), (2, ()))),
    "AS_PATH that ends inside a segment": wrong_path(path((2, (HOSTILE_AS, 1)))[:-1]),
    "AS_PATH with an octet behind": wrong_path(path((2, (HOSTILE_AS,))) + b"\2"),
    "AS_PATH with AS 0 (RFC 7607)": wrong_path(path((2, (HOSTILE_AS, 0)))),
    "AS_PATH with a set (RFC 9774)": wrong_path(path((2, (HOSTILE_AS,)), (1, (65020, 65021)))),
    "AS_PATH of a confederation": wrong_path(path((3, (65020,)), (2, (HOSTILE_AS,)))),
    "MED of three octets": Attribute(OPTIONAL, MED, bytes(3)),
    "transitive MED": Attribute(BOTH, MED, bytes(4)),
    "COMMUNITIES of five octets": Attribute(BOTH, COMMUNITIES, bytes(5)),
    "empty COMMUNITIES": Attribute(BOTH, COMMUNITIES, b""),
    "EXTENDED COMMUNITIES of seven octets": Attribute(BOTH, EXT_COMMUNITIES, bytes(7)),
    "LARGE_COMMUNITY of eleven octets": Attribute(BOTH, LARGE, bytes(11)),
    "ONLY_TO_CUSTOMER of three octets": Attribute(BOTH, OTC, bytes(3)),
}
WITHDRAW_IPV4 = {
    "NEXT_HOP of three octets": Attribute(TRANSITIVE, NEXT_HOP, bytes(3)),
    **{f"NEXT_HOP {address}": hop(address) for address in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255")},
}
WITHDRAW_IPV6 = {f"next hop {octets.ipaddress.ip_address(address)}": reach(ROUTES["ipv6"], octets.ipaddress.ip_address(address).packed)
                 for address in ("::", "::1", "ff02::1")}
DISCARD = {
    "ATOMIC_AGGREGATE with a value": Attribute(TRANSITIVE, ATOMIC, b"\0"),
    "AGGREGATOR of six octets": Attribute(BOTH, AGGREGATOR, bytes((0xfd, 0xf2, 192, 0, 2, 1))),
    "AGGREGATOR of AS 0": Attribute(BOTH, AGGREGATOR, bytes((0, 0, 0, 0, 192, 0, 2, 1))),
    "LOCAL_PREF from outside": Attribute(TRANSITIVE, LOCAL_PREF, bytes(4)),
    "ORIGINATOR_ID from outside": Attribute(OPTIONAL, ORIGINATOR, bytes(4)),
    "CLUSTER_LIST of two octets from outside": Attribute(OPTIONAL, CLUSTERS, bytes(2)),
    "AS4_PATH of a new speaker": Attribute(BOTH, AS4_PATH, path((2, (65020,)))),
    "an unknown attribute that is not transitive": Attribute(OPTIONAL, 99, b"x"),
}
DUPLICATE = Attribute(TRANSITIVE, ORIGIN, b"\2").octets()
UNKNOWN = Attribute(TRANSITIVE, 99, b"\1\2")
BAD_HOP = reach(ROUTES["ipv6"], bytes(5))
LONG_PREFIX = Attribute(OPTIONAL, MP_REACH, reach(()).value + b"\x81" + bytes(17))
CUT_WITHDRAWAL = Attribute(OPTIONAL, MP_UNREACH, b"\0\2\1\x40\x20")
RESETS = [
    ("Withdrawn Routes longer than the message", message(UPDATE, b"\0\5\0\0\0\0"), notification(3, 1)),
    ("attributes longer than the message", message(UPDATE, b"\0\0\0\5\0\0"), notification(3, 1)),
    ("no length of attributes", message(UPDATE, b"\0\2\x18\1"), notification(3, 1)),
    ("a prefix of 33 bits", announce("ipv4")[:-8] + b"\x21\1\2\3\4\5\6\7", notification(3, 10)),
    ("a prefix that the message cuts", update(b"".join(one.octets() for one in attributes_of("ipv4").values()), b"\x18\1\2"), notification(3, 10)),
    ("a withdrawn prefix of 33 bits", update(b"", withdrawn=b"\x21\1\2\3\4\5"), notification(3, 10)),
    ("an unknown well-known attribute", announce("ipv4", UNKNOWN), notification(3, 2, UNKNOWN.octets())),
    ("two MP_REACH_NLRI", announce("ipv6", behind=reach(ROUTES["ipv6"]).octets()), notification(3, 1)),
    ("a next hop of five octets", announce("ipv6", BAD_HOP), notification(3, 9, BAD_HOP.octets())),
    ("an IPv6 prefix of 129 bits", announce("ipv6", LONG_PREFIX), notification(3, 9, LONG_PREFIX.octets())),
    ("MP_UNREACH_NLRI that ends inside a prefix", update(CUT_WITHDRAWAL.octets()), notification(3, 9, CUT_WITHDRAWAL.octets())),
    ("a wrong attribute, and no route to withdraw (RFC 7606 section 5.2)", update(Attribute(TRANSITIVE, ORIGIN, b"\3").octets()),
     notification(3, 6, Attribute(TRANSITIVE, ORIGIN, b"\3").octets())),
]
# The orders that follow are of these; 200 is nobody's, and goes on with the Partial bit.
MANY = (Attribute(OPTIONAL, MED, bytes((0, 0, 0, 9))), Attribute(BOTH, COMMUNITIES, bytes((0xfd, 0xf2, 0, 1, 0xfd, 0xf2, 0, 2))),
        Attribute(BOTH, EXT_COMMUNITIES, bytes((0, 2, 0xfd, 0xf2, 0, 0, 0, 7))), Attribute(BOTH, LARGE, bytes(range(12))),
        Attribute(BOTH, AGGREGATOR, bytes((0, 0, 0xfd, 0xf2, 192, 0, 2, 1))), Attribute(TRANSITIVE, ATOMIC, b""), Attribute(BOTH, 200, b"who?"))


class Updates(HostileCase):
    def setUp(self) -> None:
        super().setUp()
        self.marks = 0

    def mark(self, connection: RawBgp) -> None:
        """Returns when the receiver has been told all that the connection has sent until now."""
        self.marks += 1
        prefix = f"198.18.{self.marks}.0/24"
        connection.send(octets.announcement((prefix,), HOST, HOSTILE_AS))
        self.receiver.has(prefix)

    def community(self, number: int) -> Attribute:
        return Attribute(BOTH, COMMUNITIES, struct.pack("!HH", HOSTILE_AS, number))

    def received(self, prefix: str, code: int) -> bytes | None:
        update = self.receiver.routes.get(prefix)
        attribute = update.attribute(code) if update else None
        return attribute.value if attribute else None

    # ---- RFC 7606

    def assert_withdrawn(self, connection: RawBgp, family: str, sent: bytes) -> None:
        connection.send(announce(family))
        self.receiver.has(*ROUTES[family])
        connection.send(sent)
        self.receiver.lacks(*ROUTES[family])
        self.mark(connection)

    def test_wrong_attributes_withdraw_the_routes_that_they_come_with(self) -> None:
        for family, own in (("ipv4", WITHDRAW_IPV4), ("ipv6", WITHDRAW_IPV6)):
            connection = self.session()
            for name, wrong in (WITHDRAW | own).items():
                with self.subTest(name, family=family):
                    self.assert_withdrawn(connection, family, announce(family, wrong))
            for missing in (ORIGIN, AS_PATH, *([NEXT_HOP] if family == "ipv4" else [])):
                with self.subTest("missing", type=missing, family=family):
                    self.assert_withdrawn(connection, family, announce(family, without=missing))
            for behind in (b"\x80", b"\xc0\x08", b"\xc0\x08\x08\1\2\3\4", b"\xd0\x08\1"):
                with self.subTest("the list ends inside an attribute", behind=behind.hex(), family=family):
                    self.assert_withdrawn(connection, family, announce(family, behind=behind))

    def test_wrong_attributes_that_decide_nothing_are_left_out(self) -> None:
        for family in ROUTES:
            connection = self.session()
            for number, (name, wrong) in enumerate(DISCARD.items()):
                with self.subTest(name, family=family):
                    community = self.community(number)
                    connection.send(announce(family, wrong, community))
                    for prefix in ROUTES[family]:
                        self.receiver.wait_until(lambda: self.received(prefix, COMMUNITIES) == community.value, "the new route")
                        self.assertIsNone(self.received(prefix, wrong.code))

    def test_of_two_attributes_the_first_counts(self) -> None:
        connection = self.session()
        connection.send(announce("ipv4", behind=DUPLICATE))
        self.receiver.has(*ROUTES["ipv4"])
        self.assertEqual(self.received(ROUTES["ipv4"][0], ORIGIN), b"\0")

    def test_what_cannot_be_read_ends_the_session_and_its_routes(self) -> None:
        for name, sent, answer in RESETS:
            with self.subTest(name):
                connection = self.session()
                connection.send(announce("ipv4") + announce("ipv6"))
                self.receiver.has(*ROUTES["ipv4"], *ROUTES["ipv6"])
                connection.send(sent)
                self.assertEqual([each.hex(" ") for each in connection.last_words()[0]], [answer.hex(" ")])
                self.receiver.lacks(*ROUTES["ipv4"], *ROUTES["ipv6"])

    def test_errors_of_one_peer_leave_the_routes_of_another(self) -> None:
        connection = self.session()
        self.announce("192.0.2.0/24")
        connection.send(octets.announcement(("192.0.2.0/24", "198.51.100.0/24"), HOST, HOSTILE_AS))
        self.mark(connection)
        connection.send(update(b"".join(one.octets() for one in (attributes_of("ipv4") | {ORIGIN: WITHDRAW["ORIGIN 3"]}).values()),
                               nlri(("192.0.2.0/24", "198.51.100.0/24"))))
        self.mark(connection)
        self.receiver.has("192.0.2.0/24", "198.51.100.0/24")

    def test_the_order_of_attributes_means_nothing(self) -> None:
        heard = set()
        connection = self.session()
        for seed in range(12):
            community = self.community(seed)
            for family, prefixes in ROUTES.items():
                attributes = [*attributes_of(family).values(), *MANY]
                random.Random(seed).shuffle(attributes)
                connection.send(update(b"".join(one.octets() for one in attributes), nlri(prefixes) if family == "ipv4" else b""))
                self.receiver.has(*prefixes)
                heard.add((family, self.receiver.routes[prefixes[0]].attributes))
                connection.send(announce(family, community))  # something else, so that the next one is told too
                self.receiver.wait_until(lambda: self.received(prefixes[0], COMMUNITIES) == community.value, "the route in between")
                connection.send(octets.message(UPDATE, struct.pack("!H", len(nlri(prefixes))) + nlri(prefixes) + bytes(2)) if family == "ipv4" else
                                update(Attribute(OPTIONAL, MP_UNREACH, b"\0\2\1" + nlri(prefixes)).octets()))
                self.receiver.lacks(*prefixes)
        self.assertEqual(sorted(family for family, _ in heard), ["ipv4", "ipv6"])
        for _, attributes in heard:
            self.assertIn(Attribute(BOTH | PARTIAL, 200, b"who?"), attributes)

    # ---- as large as can be

    def test_an_update_full_of_prefixes_announces_and_one_withdraws_them(self) -> None:
        connection = self.session()
        head = len(update(b"".join(one.octets() for one in attributes_of("ipv4").values())))
        prefixes = tuple(f"10.{i >> 8}.{i & 255}.0/24" for i in range((LARGEST - head) // 4))
        sent = octets.announcement(prefixes, HOST, HOSTILE_AS)
        self.assertGreater(len(sent), LARGEST - 4)
        connection.send(sent)
        self.receiver.has(*prefixes)
        more = tuple(f"10.{i >> 8}.{i & 255}.0/24" for i in range((LARGEST - 23) // 4))
        gone = update(b"", withdrawn=nlri(more) + b"\0")
        self.assertEqual(len(gone), LARGEST)
        connection.send(gone)
        self.receiver.lacks(*prefixes)

    def test_an_update_of_attributes_only_is_taken(self) -> None:
        connection = self.session()
        head = len(update(b"".join(one.octets() for one in attributes_of("ipv4").values())))
        sent = update(b"".join(one.octets() for one in (*attributes_of("ipv4").values(), Attribute(BOTH, 200, bytes(LARGEST - head - 4)))))
        self.assertEqual(len(sent), LARGEST)
        connection.send(sent)
        self.mark(connection)

    def test_a_path_of_a_thousand_as_numbers_goes_on_with_ours_in_front(self) -> None:
        connection = self.session()
        asns = (HOSTILE_AS, *range(100_000, 101_000))
        segments = wrong_path(path(*((2, asns[i:i + 255]) for i in range(0, len(asns), 255))))
        connection.send(announce("ipv4", segments))
        self.receiver.has(*ROUTES["ipv4"])
        heard = self.received(ROUTES["ipv4"][0], AS_PATH)
        self.assertEqual([asn for _, asn in self._asns(heard)], [64600, *asns])

    @staticmethod
    def _asns(value: bytes) -> list[tuple[int, int]]:
        found, at = [], 0
        while at < len(value):
            kind, count = value[at], value[at + 1]
            found += [(kind, int.from_bytes(value[at + 2 + 4 * i:at + 6 + 4 * i], "big")) for i in range(count)]
            at += 2 + 4 * count
        return found

    def test_routes_that_grow_beyond_a_message_go_one_by_one_or_not_at_all(self) -> None:
        connection = self.session()
        asns = (HOSTILE_AS, *range(100_000, 101_000))
        segments = wrong_path(path(*((2, asns[i:i + 255]) for i in range(0, len(asns), 255))))
        attributes = [one.octets() for one in (*attributes_of("ipv4").values(), segments) if one != as_path(HOSTILE_AS)]
        for prefixes in (ROUTES["ipv4"], ROUTES["ipv4"][:1]):
            connection.send(announce("ipv4"))
            self.receiver.wait_until(lambda: self.received(ROUTES["ipv4"][0], 200) is None, "the short route")
            used = len(update(b"".join(attributes), nlri(prefixes)))
            filling = Attribute(BOTH, 200, bytes(LARGEST - used - 3))
            sent = update(b"".join(attributes) + filling.octets(), nlri(prefixes))
            self.assertEqual(len(sent), LARGEST)
            connection.send(sent)  # four octets more with our AS: without the other prefix there is room for them
            if len(prefixes) == 1:
                self.receiver.lacks(*prefixes)
            else:
                self.receiver.wait_until(lambda: all(self.received(prefix, 200) == filling.value for prefix in prefixes), "both routes")

    def test_a_thousand_communities_arrive_as_they_were(self) -> None:
        connection = self.session()
        many = Attribute(BOTH, COMMUNITIES, b"".join(struct.pack("!HH", HOSTILE_AS, i) for i in range(1005)))
        connection.send(announce("ipv4", many))
        self.receiver.has(*ROUTES["ipv4"])
        self.assertEqual(self.received(ROUTES["ipv4"][1], COMMUNITIES), many.value)


if __name__ == "__main__":
    unittest.main()
