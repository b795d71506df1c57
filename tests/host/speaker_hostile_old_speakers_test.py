#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that know AS numbers of two octets only (RFC 6793): what AS4_PATH and AS4_AGGREGATOR of one come to at a new and at an old one."""
import dataclasses
import struct
import unittest

from bgp_witness import Witness
from hostile_case import ASN, HOST, HOSTILE_AS, SOURCE_AS, USUAL, HostileCase
from lab.bgp import octets
from lab.bgp.octets import AS_PATH, COMMUNITIES, NEXT_HOP, OPTIONAL, ORIGIN, PARTIAL, TRANSITIVE, UPDATE, Attribute, message, nlri
from raw_bgp import RawBgp, four_octet_as

BOTH = OPTIONAL | TRANSITIVE
AGGREGATOR, AS4_PATH, AS4_AGGREGATOR = 7, 17, 18
SET, SEQUENCE, CONFED_SEQUENCE, CONFED_SET = 1, 2, 3, 4
AS_TRANS = 23456
BIG, BIGGER = 70_000, 4_200_000_000  # AS numbers of four octets
PREFIX = "192.0.2.0/24"
Asns = tuple[int, ...]


def segment(asns: Asns, width: int, kind: int = SEQUENCE) -> bytes:
    return bytes((kind, len(asns))) + b"".join(asn.to_bytes(width, "big") for asn in asns)


def path(asns: Asns, width: int) -> bytes:
    """Sequences as few as can be."""
    return b"".join(segment(asns[i:i + 255], width) for i in range(0, len(asns), 255))


def short(asn: int) -> int:
    return asn if asn <= 65535 else AS_TRANS


def aggregator(asn: int, width: int) -> bytes:
    return asn.to_bytes(width, "big") + bytes((192, 0, 2, 9))


@dataclasses.dataclass(frozen=True)
class Case:
    """What an old speaker says, and what it means: `asns` in AS_PATH behind the peer's own; what is the path then; likewise who has aggregated."""
    name: str
    asns: Asns = (AS_TRANS, 65020)
    as4_path: bytes | None = None
    whole: Asns = (HOSTILE_AS, AS_TRANS, 65020)
    aggregator: bytes | None = None
    as4_aggregator: bytes | None = None
    aggregated_by: int | None = None


LAST = segment((BIG, 65020), 4)  # the end of the path as it was
MERGED = (HOSTILE_AS, BIG, 65020)
OLD, NEW = aggregator(AS_TRANS, 2), aggregator(BIGGER, 4)
TAKEN = [
    Case("AS_TRANS without AS4_PATH"),
    Case("AS4_PATH that is shorter", as4_path=LAST, whole=MERGED),
    Case("AS4_PATH as long as AS_PATH", as4_path=segment(MERGED, 4), whole=MERGED),
    Case("AS4_PATH in two segments", as4_path=segment((BIG,), 4) + segment((65020,), 4), whole=MERGED),
    Case("AS4_PATH longer than AS_PATH", as4_path=segment((HOSTILE_AS, BIG, BIGGER, 65020), 4)),
    Case("AS4_PATH that says other small numbers", (65021, 65022), segment((65023,), 4), (HOSTILE_AS, 65021, 65023)),
    Case("AS4_PATH with segments of a confederation", as4_path=segment((65101, BIGGER), 4, CONFED_SEQUENCE) + LAST, whole=MERGED),
    Case("AS4_PATH with nothing but a confederation", as4_path=segment((65101,), 4, CONFED_SEQUENCE)),
    Case("AS4_PATH beside an empty AS_PATH but for the peer", (), segment((HOSTILE_AS, BIG), 4), (HOSTILE_AS,)),
    Case("aggregated by a new speaker", aggregator=OLD, as4_aggregator=NEW, as4_path=LAST, whole=MERGED, aggregated_by=BIGGER),
    Case("aggregated later by an old speaker", aggregator=aggregator(65030, 2), as4_aggregator=NEW, as4_path=LAST, aggregated_by=65030),
    Case("aggregated by an old speaker only", aggregator=aggregator(65030, 2), as4_path=LAST, whole=MERGED, aggregated_by=65030),
    Case("AS_TRANS has aggregated", aggregator=OLD, aggregated_by=AS_TRANS),
    Case("AS4_AGGREGATOR alone", as4_aggregator=NEW, as4_path=LAST, whole=MERGED),
    Case("AS4_AGGREGATOR that says AS_TRANS", aggregator=OLD, as4_aggregator=aggregator(AS_TRANS, 4), aggregated_by=AS_TRANS),
]
DISCARDED = [Case(f"AS4_PATH {name}", as4_path=wrong) for name, wrong in {
    "without octets": b"", "that ends inside a segment": LAST[:-1], "with an octet behind": LAST + b"\2", "of two octets": segment((65020,), 2),
    "of an unknown segment": segment((BIG,), 4, 5), "with an empty segment": LAST + segment((), 4), "with AS 0": segment((BIG, 0), 4),
    "of a segment that is longer than a message": b"\2\xff" + bytes((1,)) * 8,
}.items()] + [Case(f"AS4_AGGREGATOR {name}", aggregator=OLD, as4_aggregator=wrong, as4_path=LAST, whole=MERGED, aggregated_by=AS_TRANS) for name, wrong in {
    "without octets": b"", "of six octets": NEW[2:], "of nine octets": NEW + b"\0", "of AS 0": aggregator(0, 4)}.items()
] + [Case(f"AGGREGATOR {name}", aggregator=wrong, as4_aggregator=NEW, as4_path=LAST, whole=MERGED) for name, wrong in {
    "of eight octets": aggregator(BIG, 4), "of AS 0": aggregator(0, 2)}.items()]
WITHDRAWN = {
    "AS_PATH of four octets": {AS_PATH: path((HOSTILE_AS, 65020), 4)},
    "AS_PATH with AS 0": {AS_PATH: path((HOSTILE_AS, 0), 2)},
    "AS_PATH with a set (RFC 9774)": {AS_PATH: path((HOSTILE_AS,), 2) + segment((65020, 65021), 2, SET)},
    "AS4_PATH with a set (RFC 9774)": {AS4_PATH: segment((BIG, BIGGER), 4, SET)},
    "AS4_PATH with a set of a confederation": {AS4_PATH: segment((BIG, BIGGER), 4, CONFED_SET)},
    "no AS_PATH, but AS4_PATH": {AS_PATH: None, AS4_PATH: LAST},
}
REFUSED = {"our AS": segment((ASN, 65020), 4), "an AS in front that is not the peer's": segment((BIG, 65020, 65021), 4)}


class OldSpeakers(HostileCase):
    HOSTILE = 4

    def setUp(self) -> None:
        super().setUp()
        self.sender = self.session()
        number = self.fresh()
        self.old = Witness(self.connect(number), self.open_of(number))
        self.addCleanup(self.old.close)
        self.old.has("198.51.100.0/24")
        self.marks = 0

    def open_of(self, number: int, capabilities: bytes = USUAL) -> bytes:
        """Without the capability for AS numbers of four octets."""
        return octets.open_message(HOSTILE_AS, self.router_id(number), 30, capabilities)

    def tearDown(self) -> None:
        self.assertEqual((self.old.end, self.old.notifications), (None, []))
        super().tearDown()

    def say(self, connection: RawBgp | Witness, values: dict[int, bytes | None], partial: tuple[int, ...] = (), prefix: str = PREFIX) -> bytes:
        """Announces it with these attributes among the usual ones; None leaves one out, `partial` are types with that bit. Returns the community that
        marks the UPDATE, unless there is one among `values`."""
        self.marks += 1
        usual = {ORIGIN: b"\0", AS_PATH: path((HOSTILE_AS, 65020), 2), NEXT_HOP: bytes(map(int, HOST.split("."))),
                 COMMUNITIES: struct.pack("!HH", HOSTILE_AS, self.marks)}
        all_values = usual | values
        attributes = b"".join(Attribute((TRANSITIVE if code < 4 else BOTH) | PARTIAL * (code in partial), code, value).octets()
                              for code, value in sorted(all_values.items()) if value is not None)
        connection.send(message(UPDATE, struct.pack("!HH", 0, len(attributes)) + attributes + nlri((prefix,))))
        return all_values[COMMUNITIES]

    def told(self, receiver: Witness, community: bytes) -> dict[int, Attribute]:
        """The attributes with which that UPDATE has arrived, without those of every route."""
        receiver.wait_until(lambda: PREFIX in receiver.routes and receiver.routes[PREFIX].attribute(COMMUNITIES).value == community, "the route")
        return {one.code: one for one in receiver.routes[PREFIX].attributes if one.code not in (ORIGIN, NEXT_HOP, COMMUNITIES)}

    def assert_told(self, community: bytes, asns: Asns, aggregated_by: int | None = None) -> None:
        whole = (ASN, *asns)
        new = [Attribute(TRANSITIVE, AS_PATH, path(whole, 4))]
        old = [Attribute(TRANSITIVE, AS_PATH, path(tuple(map(short, whole)), 2))]
        if max(whole) > 65535:
            old.append(Attribute(BOTH, AS4_PATH, path(whole, 4)))
        if aggregated_by is not None:
            new.append(Attribute(BOTH, AGGREGATOR, aggregator(aggregated_by, 4)))
            old.append(Attribute(BOTH, AGGREGATOR, aggregator(short(aggregated_by), 2)))
            if aggregated_by > 65535:
                old.append(Attribute(BOTH, AS4_AGGREGATOR, aggregator(aggregated_by, 4)))
        for receiver, expected in ((self.receiver, new), (self.old, old)):
            self.assertEqual(self.told(receiver, community), {one.code: one for one in expected})

    def says(self, case: Case) -> dict[int, bytes | None]:
        return {AS_PATH: path((HOSTILE_AS, *case.asns), 2), AS4_PATH: case.as4_path, AGGREGATOR: case.aggregator, AS4_AGGREGATOR: case.as4_aggregator}

    def test_what_old_speakers_say_in_two_attributes_becomes_whole(self) -> None:
        for case in TAKEN:
            with self.subTest(case.name):
                self.assert_told(self.say(self.sender, self.says(case)), case.whole, case.aggregated_by)

    def test_the_second_attribute_is_left_out_when_it_is_wrong(self) -> None:
        for case in DISCARDED:
            with self.subTest(case.name):
                self.assert_told(self.say(self.sender, self.says(case)), case.whole, case.aggregated_by)

    def test_wrong_paths_of_two_octets_withdraw_their_routes(self) -> None:
        for name, wrong in WITHDRAWN.items():
            with self.subTest(name):
                self.assert_told(self.say(self.sender, {}), (HOSTILE_AS, 65020))
                self.say(self.sender, wrong)
                for receiver in (self.receiver, self.old):
                    receiver.lacks(PREFIX)

    def test_a_path_made_whole_is_checked_as_one(self) -> None:
        for name, as4_path in REFUSED.items():
            with self.subTest(name):
                self.assert_told(self.say(self.sender, {}), (HOSTILE_AS, 65020))
                self.say(self.sender, {AS_PATH: path((HOSTILE_AS, AS_TRANS, 65020), 2), AS4_PATH: as4_path})
                for receiver in (self.receiver, self.old):
                    receiver.lacks(PREFIX)

    def test_partial_stays_where_somebody_has_not_known_an_attribute(self) -> None:
        sent = {AS_PATH: path((HOSTILE_AS, AS_TRANS, 65020), 2), AGGREGATOR: OLD, AS4_PATH: LAST, AS4_AGGREGATOR: NEW}
        told = self.told(self.receiver, self.say(self.sender, sent, (AGGREGATOR, AS4_PATH, AS4_AGGREGATOR)))
        self.assertEqual(told, {AS_PATH: Attribute(TRANSITIVE, AS_PATH, path((ASN, *MERGED), 4)),
                                AGGREGATOR: Attribute(BOTH | PARTIAL, AGGREGATOR, NEW)})

    def test_a_path_that_is_too_long_in_two_attributes_is_withdrawn_from_old_speakers_only(self) -> None:
        """Seven hundred numbers: four octets each to a new speaker, six to an old one."""
        long = (SOURCE_AS, *range(BIG, BIG + 700))
        community = self.say(self.source, {AS_PATH: path((SOURCE_AS, BIG), 4)})
        self.assert_told(community, (SOURCE_AS, BIG))
        community = self.say(self.source, {AS_PATH: path(long, 4)})
        self.assertEqual(self.told(self.receiver, community)[AS_PATH].value, path((ASN, *long), 4))
        self.old.lacks(PREFIX)
        self.assert_told(self.say(self.source, {AS_PATH: path((SOURCE_AS, BIGGER), 4)}), (SOURCE_AS, BIGGER))

    def test_a_peer_that_comes_back_old_or_new_speaks_and_hears_as_it_has_said(self) -> None:
        number = self.fresh()
        whole = (ASN, SOURCE_AS, BIG)
        self.assert_told(self.say(self.source, {AS_PATH: path(whole[1:], 4)}), whole[1:])
        for width, heard, capability in ((4, whole, four_octet_as(HOSTILE_AS)), (2, (ASN, SOURCE_AS, AS_TRANS), b""), (4, whole, four_octet_as(HOSTILE_AS))):
            with self.subTest(width=width), self.session(number, USUAL + capability) as again:
                told = octets.read_update(again.wait_for(lambda kind, body: kind == UPDATE and PREFIX in octets.read_update(body).reached))
                self.assertEqual(told.attribute(AS_PATH).value, path(heard, width))
                self.say(again, {AS_PATH: path((HOSTILE_AS, 65020), width)}, prefix="192.0.3.0/24")
                self.receiver.has("192.0.3.0/24")
                self.assertEqual(self.receiver.routes["192.0.3.0/24"].attribute(AS_PATH).value, path((ASN, HOSTILE_AS, 65020), 4))
            self.receiver.lacks("192.0.3.0/24")


if __name__ == "__main__":
    unittest.main()
