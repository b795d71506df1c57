#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a speaker answers to messages that are none, or not now: the octets of each NOTIFICATION (RFC 4271 section 6, RFC 6608)."""
import struct
import unittest

from hostile_case import ASN, HOSTILE_AS, ROUTER_ID, HostileCase, open_message
from lab.bgp import octets
from lab.bgp.octets import KEEPALIVE, NOTIFICATION, OPEN, ROUTE_REFRESH, UPDATE, capability, message
from raw_bgp import IPV4, IPV6, RawBgp, four_octet_as, notification

MARKER = b"\xff" * 16
STAGES = ("OpenSent", "OpenConfirm", "Established")


def header(size: int, kind: int, marker: bytes = MARKER) -> bytes:
    return marker + struct.pack("!HB", size, kind)


def bad_length(size: int) -> bytes:
    return notification(1, 2, struct.pack("!H", size))


def open_body(asn: int = HOSTILE_AS, hold: int = 30, router_id: bytes = b"\x0a\xff\x01\x01", version: int = 4, optional: bytes = b"\0") -> bytes:
    """`optional`: the length of the optional parameters, and they."""
    return struct.pack("!BHH", version, asn, hold) + router_id + optional


def parameters(*each: bytes) -> bytes:
    all_of_them = b"".join(each)
    return bytes((len(all_of_them),)) + all_of_them


def capabilities(*each: bytes) -> bytes:
    """One parameter that has them all."""
    return bytes((2, len(b"".join(each)))) + b"".join(each)


def extended(*each: bytes, size: int | None = None, said: int = 255) -> bytes:
    """RFC 9072 section 2; each parameter has a length of two octets."""
    all_of_them = b"".join(each)
    return bytes((said, 255)) + struct.pack("!H", len(all_of_them) if size is None else size) + all_of_them


def wide(kind: int, value: bytes, size: int | None = None) -> bytes:
    return struct.pack("!BH", kind, len(value) if size is None else size) + value


HEADERS = [
    ("the first octet of the marker", header(19, KEEPALIVE, b"\xfe" + MARKER[1:]), notification(1, 1)),
    ("the last octet of the marker", header(19, KEEPALIVE, MARKER[1:] + b"\0"), notification(1, 1)),
    ("something else than BGP", b"GET / HTTP/1.1\r\nHost: router\r\n\r\n", notification(1, 1)),
    *((f"length {size}", header(size, UPDATE), bad_length(size)) for size in (0, 18, 4097, 65535)),
    *((f"type {kind}", header(19, kind), notification(1, 3, bytes((kind,)))) for kind in (0, 6, 255)),
    ("short OPEN", header(28, OPEN), bad_length(28)),
    ("short UPDATE", header(22, UPDATE), bad_length(22)),
    ("short NOTIFICATION", header(20, NOTIFICATION), bad_length(20)),
    ("short KEEPALIVE", header(18, KEEPALIVE), bad_length(18)),
    ("long KEEPALIVE", header(20, KEEPALIVE), bad_length(20)),
]

UNSPECIFIC = notification(2, 0)
OPENS = [
    *((f"version {version}", open_body(version=version), notification(2, 1, b"\0\4")) for version in (0, 3, 5, 255)),
    ("another AS", open_body(asn=65011), notification(2, 2)),
    ("AS 0", open_body(asn=0), notification(2, 2)),
    ("our AS", open_body(asn=ASN), notification(2, 2)),
    ("another AS in four octets", open_body(optional=parameters(capabilities(four_octet_as(65011)))), notification(2, 2)),
    ("AS 0 in four octets", open_body(optional=parameters(capabilities(four_octet_as(0)))), notification(2, 2)),
    ("AS_TRANS and nothing else", open_body(asn=23456), notification(2, 2)),
    ("hold time 1", open_body(hold=1), notification(2, 6)),
    ("hold time 2", open_body(hold=2), notification(2, 6)),
    ("identifier 0", open_body(router_id=bytes(4)), notification(2, 3)),
    ("fewer parameters than said", open_body(optional=b"\4\2\0"), UNSPECIFIC),
    ("more parameters than said", open_body(optional=b"\0\2\0"), UNSPECIFIC),
    ("half a parameter", open_body(optional=parameters(b"\2")), UNSPECIFIC),
    ("a parameter longer than all", open_body(optional=parameters(b"\2\7" + IPV4)), UNSPECIFIC),
    ("authentication", open_body(optional=parameters(b"\1\1\0")), notification(2, 4)),
    ("parameter 254", open_body(optional=parameters(capabilities(IPV4), b"\xfe\0")), notification(2, 4)),
    ("half a capability", open_body(optional=parameters(capabilities(b"\1"))), UNSPECIFIC),
    ("a capability longer than its parameter", open_body(optional=parameters(capabilities(b"\1\5\0\1\0\1"))), UNSPECIFIC),
    ("a capability that goes on in the next parameter", open_body(optional=parameters(b"\2\4\1\4\0\1", b"\2\2\0\1")), UNSPECIFIC),
    ("a family in three octets", open_body(optional=parameters(capabilities(capability(1, b"\0\1\0")))), UNSPECIFIC),
    ("an AS in two octets", open_body(optional=parameters(capabilities(capability(65, b"\xfd\xf2")))), UNSPECIFIC),
    ("route refresh with a value", open_body(optional=parameters(capabilities(capability(2, b"\0")))), UNSPECIFIC),
    ("no family of ours", open_body(optional=parameters(capabilities(capability(1, b"\0\x19\0\x46")))), notification(2, 7, IPV4 + IPV6)),
    ("long parameters shorter than said", open_body(optional=extended(wide(2, IPV4), size=100)), UNSPECIFIC),
    ("long parameters longer than said", open_body(optional=extended(wide(2, IPV4), size=4)), UNSPECIFIC),
    ("long parameters without a length", open_body(optional=b"\xff\xff\0"), UNSPECIFIC),
    ("a long parameter longer than all", open_body(optional=extended(wide(2, IPV4, size=4000))), UNSPECIFIC),
    ("a long parameter with a short head", open_body(optional=extended(b"\2\0")), UNSPECIFIC),
    ("an unknown long parameter", open_body(optional=extended(wide(7, b""))), notification(2, 4)),
]
GOOD_OPENS = [
    ("no parameters", open_body()),
    ("an empty parameter", open_body(optional=parameters(capabilities()))),
    ("unknown capabilities", open_body(optional=parameters(capabilities(capability(254, b"x" * 40), IPV4, capability(0))))),
    ("each capability in its own parameter", open_body(optional=parameters(capabilities(IPV4), capabilities(IPV6)))),
    ("families that we do not have, too", open_body(optional=parameters(capabilities(capability(1, b"\0\x19\0\x46"), IPV4)))),
    ("hold time 0", open_body(hold=0)),
    ("hold time 3", open_body(hold=3)),
    ("hold time 65535", open_body(hold=65535)),
    ("our identifier (RFC 6286)", open_body(router_id=b"\xc0\0\2\1")),
    ("identifier 255.255.255.255", open_body(router_id=b"\xff\xff\xff\xff")),
    ("long parameters where short ones would do", open_body(optional=extended(wide(2, IPV4)))),
    ("long parameters, known by their type only", open_body(optional=extended(wide(2, IPV4), said=1))),
    ("an OPEN of 4096 octets", open_body(optional=extended(*(wide(2, capability(250, bytes(250))) for _ in range(15)),
                                                           wide(2, capability(250, bytes(228)) + capability(251, bytes(4)))))),
]
FULL = 4096 - 19


class Messages(HostileCase):
    HOSTILE, INTERNAL = 64, 4

    def at(self, stage: str) -> RawBgp:
        """A new peer in that state of the speaker's."""
        number = self.fresh()
        connection = self.connect(number)
        if stage == "OpenSent":
            connection.hear(OPEN)
            return connection
        connection.open(self.open_of(number))
        if stage == "Established":
            connection.send(message(KEEPALIVE))
            connection.wait_for(lambda kind, body: kind == UPDATE and octets.read_update(body).end_of_rib == "ipv4")
        return connection

    def assert_answer(self, connection: RawBgp, sent: bytes, answer: bytes | None) -> None:
        connection.send(sent)
        said, end = connection.last_words()
        self.assertEqual([each.hex(" ") for each in said], [] if answer is None else [answer.hex(" ")])
        self.assertEqual(end, "closed")
        connection.close()

    def test_headers_that_are_wrong_are_answered_in_every_state(self) -> None:
        for stage in STAGES:
            for name, sent, answer in HEADERS:
                with self.subTest(name, stage=stage):
                    self.assert_answer(self.at(stage), sent, answer)

    def test_route_refreshes_of_a_wrong_length_are_answered(self) -> None:
        for body, answer in ((b"", bad_length(19)), (b"\0\1", bad_length(21)), (b"\0\1\0", bad_length(22)), (b"\0\1\0\1\0", bad_length(24)),
                             (b"\0\1\1", notification(7, 1, message(ROUTE_REFRESH, b"\0\1\1"))),
                             (b"\0\1\2\1\0", notification(7, 1, message(ROUTE_REFRESH, b"\0\1\2\1\0")))):
            with self.subTest(body.hex(" ")):
                self.assert_answer(self.at("Established"), message(ROUTE_REFRESH, body), answer)

    def test_opens_that_are_wrong_are_answered(self) -> None:
        for name, body, answer in OPENS:
            with self.subTest(name):
                self.assert_answer(self.at("OpenSent"), message(OPEN, body), answer)

    def test_opens_that_are_unusual_are_good(self) -> None:
        for name, body in GOOD_OPENS:
            with self.subTest(name), self.at("OpenSent") as connection:
                connection.send(message(OPEN, body) + message(KEEPALIVE))
                connection.hear(KEEPALIVE)
                connection.wait_for(lambda kind, heard: kind == UPDATE and "198.51.100.0/24" in octets.read_update(heard).reached)
        self.assertEqual(len(message(OPEN, GOOD_OPENS[-1][1])), 4096)

    def test_our_identifier_is_refused_within_our_as(self) -> None:
        for router_id, answer in ((ROUTER_ID, notification(2, 3)), ("192.0.2.50", None)):
            with self.subTest(router_id):
                number = 10 + self.HOSTILE + (answer is None)
                connection = self.connect(number)
                connection.hear(OPEN)
                if answer:
                    self.assert_answer(connection, open_message(ASN, router_id), answer)
                else:
                    connection.send(open_message(ASN, router_id))
                    connection.hear(KEEPALIVE)

    def test_messages_that_a_state_does_not_take_are_errors_of_the_state_machine(self) -> None:
        sent = {"OPEN": message(OPEN, open_body(optional=parameters(capabilities(four_octet_as(HOSTILE_AS))))),
                "UPDATE": octets.announcement(("192.0.2.0/24",), "192.0.2.99", HOSTILE_AS), "KEEPALIVE": message(KEEPALIVE),
                "ROUTE-REFRESH": message(ROUTE_REFRESH, b"\0\1\0\1"), "empty UPDATE": message(UPDATE, bytes(4))}
        refused = {"OpenSent": ("UPDATE", "KEEPALIVE", "ROUTE-REFRESH", "empty UPDATE"),
                   "OpenConfirm": ("OPEN", "UPDATE", "ROUTE-REFRESH", "empty UPDATE"), "Established": ("OPEN",)}
        for subcode, (stage, names) in enumerate(refused.items(), 1):
            for name in names:
                with self.subTest(name, stage=stage):
                    self.assert_answer(self.at(stage), sent[name], notification(5, subcode))

    def test_a_notification_has_no_answer_in_any_state(self) -> None:
        longest = message(NOTIFICATION, notification(6, 2, b"\xff" * (FULL - 2)))
        self.assertEqual(len(longest), 4096)
        for stage in STAGES:
            for name, sent in (("Cease", message(NOTIFICATION, notification(6, 0))), ("of 4096 octets", longest),
                               ("of an unknown code", message(NOTIFICATION, notification(99, 99))),
                               ("with a text that is not what it says", message(NOTIFICATION, notification(6, 2, b"\x20\x1b[2Jx")))):
                with self.subTest(name, stage=stage):
                    self.assert_answer(self.at(stage), sent, None)
        self.assertNotIn("\x1b", self.log.read_text())

    def test_what_follows_an_error_is_not_looked_at(self) -> None:
        number = self.fresh()
        connection = self.session(number)
        good = octets.announcement(("192.0.2.0/24",), "192.0.2.99", HOSTILE_AS)
        self.assert_answer(connection, header(19, 9) + good * 50, notification(1, 3, b"\x09"))
        self.session(number)
        self.assertNotIn("192.0.2.0/24", self.receiver.routes)

    def test_octets_that_come_one_by_one_are_messages_too(self) -> None:
        number = self.fresh()
        connection = self.connect(number)
        update = octets.announcement(("192.0.2.0/24", "192.0.2.128/25"), "192.0.2.99", HOSTILE_AS)
        for octet in self.open_of(number) + message(KEEPALIVE) + update + message(KEEPALIVE):
            connection.send(bytes((octet,)))
        self.receiver.has("192.0.2.0/24", "192.0.2.128/25")
        self.assert_answer(connection, header(4097, UPDATE), bad_length(4097))
        self.receiver.lacks("192.0.2.0/24", "192.0.2.128/25")


if __name__ == "__main__":
    unittest.main()
