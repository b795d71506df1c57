# SPDX-License-Identifier: Apache-2.0
"""BGP messages as octets (RFC 4271 section 4), for peers that say exactly what a test wants said and keep exactly what they hear."""
import dataclasses
import ipaddress
import struct

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
ORIGIN, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, COMMUNITIES, MP_REACH, MP_UNREACH, EXT_COMMUNITIES, LARGE, OTC = 1, 2, 3, 4, 5, 8, 14, 15, 16, 32, 35
OPTIONAL, TRANSITIVE, PARTIAL, EXTENDED_LENGTH = 0x80, 0x40, 0x20, 0x10
AFI = {"ipv4": 1, "ipv6": 2}
_AS_TRANS = 23456
_SEQUENCE = 2


@dataclasses.dataclass(frozen=True)
class Attribute:
    flags: int  # without the bit for the length's size, which says nothing
    code: int
    value: bytes

    def octets(self) -> bytes:
        if len(self.value) > 255:
            return struct.pack("!BBH", self.flags | EXTENDED_LENGTH, self.code, len(self.value)) + self.value
        return struct.pack("!BBB", self.flags, self.code, len(self.value)) + self.value


@dataclasses.dataclass(frozen=True)
class Update:
    """`reached` and `withdrawn`: of all families, as "10.0.0.0/24". MP_REACH_NLRI stays among the attributes."""
    withdrawn: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    reached: tuple[str, ...]

    def attribute(self, code: int) -> Attribute | None:
        return next((one for one in self.attributes if one.code == code), None)

    @property
    def end_of_rib(self) -> str | None:
        """The family whose End-of-RIB (RFC 4724 section 2) this is."""
        if not self.attributes and not self.withdrawn and not self.reached:
            return "ipv4"
        if len(self.attributes) == 1 and self.attributes[0].code == MP_UNREACH and len(self.attributes[0].value) == 3:
            return next(family for family, afi in AFI.items() if afi == int.from_bytes(self.attributes[0].value[:2], "big"))
        return None


def message(kind: int, body: bytes = b"") -> bytes:
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def capability(code: int, value: bytes = b"") -> bytes:
    return bytes((code, len(value))) + value


def open_message(asn: int, router_id: str, hold_seconds: int, capabilities: bytes) -> bytes:
    parameters = bytes((2, len(capabilities))) + capabilities
    return message(OPEN, struct.pack("!BHH", 4, asn if asn < 65536 else _AS_TRANS, hold_seconds) + ipaddress.ip_address(router_id).packed +
                   bytes((len(parameters),)) + parameters)


def nlri(prefixes: tuple[str, ...]) -> bytes:
    nets = [ipaddress.ip_network(prefix) for prefix in prefixes]
    return b"".join(bytes((net.prefixlen,)) + net.network_address.packed[:(net.prefixlen + 7) // 8] for net in nets)


def as_path(*asns: int) -> Attribute:
    return Attribute(TRANSITIVE, AS_PATH, bytes((_SEQUENCE, len(asns))) + b"".join(asn.to_bytes(4, "big") for asn in asns) if asns else b"")


def announcement(prefixes: tuple[str, ...], next_hop: str, *asns: int, more: tuple[Attribute, ...] = ()) -> bytes:
    """IPv6 prefixes, or an IPv6 next hop, go into MP_REACH_NLRI. `asns`: the AS_PATH, four octets each. `more`: attributes, written as they are."""
    hop = ipaddress.ip_address(next_hop)
    family = 2 if ":" in prefixes[0] else 1
    attributes = [Attribute(TRANSITIVE, ORIGIN, b"\0"), as_path(*asns)]
    plain = family == 1 and hop.version == 4
    if plain:
        attributes.append(Attribute(TRANSITIVE, NEXT_HOP, hop.packed))
    else:
        value = struct.pack("!HBB", family, 1, len(hop.packed)) + hop.packed + b"\0" + nlri(prefixes)
        attributes.insert(0, Attribute(OPTIONAL, MP_REACH, value))
    octets = b"".join(one.octets() for one in (*attributes, *more))
    return message(UPDATE, struct.pack("!HH", 0, len(octets)) + octets + (nlri(prefixes) if plain else b""))


def _prefixes(octets: bytes, version: int) -> tuple[str, ...]:
    found = []
    size = 4 if version == 4 else 16
    kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    while octets:
        length = octets[0]
        used = (length + 7) // 8
        address = kind(octets[1:1 + used].ljust(size, b"\0"))
        found.append(f"{address}/{length}")
        octets = octets[1 + used:]
    return tuple(found)


def _attributes(octets: bytes) -> tuple[Attribute, ...]:
    found = []
    while octets:
        flags, code = octets[0], octets[1]
        head = 4 if flags & EXTENDED_LENGTH else 3
        length = int.from_bytes(octets[2:head], "big")
        found.append(Attribute(flags & ~EXTENDED_LENGTH, code, octets[head:head + length]))
        octets = octets[head + length:]
    return tuple(found)


def read_update(body: bytes) -> Update:
    """Of a well-formed UPDATE, without its header."""
    size = int.from_bytes(body[:2], "big")
    withdrawn = _prefixes(body[2:2 + size], 4)
    start = 4 + size
    end = start + int.from_bytes(body[start - 2:start], "big")
    attributes, reached = _attributes(body[start:end]), _prefixes(body[end:], 4)
    for one in attributes:
        version = 4 if one.value[:2] == b"\0\1" else 6
        if one.code == MP_REACH:
            reached += _prefixes(one.value[5 + one.value[3]:], version)
        elif one.code == MP_UNREACH:
            withdrawn += _prefixes(one.value[3:], version)
    return Update(withdrawn, attributes, reached)
