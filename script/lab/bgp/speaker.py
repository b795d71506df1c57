# SPDX-License-Identifier: Apache-2.0
"""What a BGP speaker of the lab is told and what it tells, in the RFCs' words and in nobody's configuration language."""
import dataclasses

ROLES = ("provider", "customer", "peer", "route-server", "route-server-client")  # RFC 9234
FAMILIES = ("ipv4", "ipv6")


@dataclasses.dataclass(frozen=True)
class Origin:
    """A route that the speaker originates. Communities: "64600:1", large ones "64600:1:2", extended ones "rt:64600:7"."""
    prefix: str
    med: int | None = None
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    ext_communities: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        return family_of(self.prefix)


@dataclasses.dataclass(frozen=True)
class PrefixLimit:
    """`action`: discard, shut or restart. `restart_seconds`: of restart; FRR and OpenBGPD round up to minutes."""
    maximum: int
    action: str = "shut"
    restart_seconds: int = 60


@dataclasses.dataclass(frozen=True)
class Neighbor:
    """One who is one hop away. `restart_seconds`: graceful restart (RFC 4724) with this Restart Time; None: the capability is not sent.
    `ipv6_next_hops`: IPv4 routes may have them (RFC 8950). `policy`: routes are accepted and announced; without, RFC 8212 rules."""
    address: str
    asn: int
    local_address: str
    families: tuple[str, ...] = ("ipv4",)
    md5: str | None = None
    passive: bool = False
    ttl_security: bool = False
    role: str | None = None
    strict_role: bool = False
    restart_seconds: int | None = None
    prefix_limit: PrefixLimit | None = None
    ipv6_next_hops: bool = False
    policy: bool = True
    hold_seconds: int = 90


@dataclasses.dataclass(frozen=True)
class Speaker:
    """`drain`: everything it announces has the GRACEFUL_SHUTDOWN community (RFC 8326)."""
    asn: int
    router_id: str
    neighbors: tuple[Neighbor, ...]
    origins: tuple[Origin, ...] = ()
    drain: bool = False


@dataclasses.dataclass(frozen=True)
class Path:
    """A path that a speaker has from one of its neighbors. Communities are sorted, those with a name written as numbers. `as_path`: numbers with
    blanks between, sets in braces. `next_hop` of IPv6: the global one. `local_pref`, `med`: None where the speaker shows none."""
    prefix: str
    as_path: str
    next_hop: str
    origin: str
    med: int | None = None
    local_pref: int | None = None
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    ext_communities: tuple[str, ...] = ()
    stale: bool = False


def family_of(address: str) -> str:
    return "ipv6" if ":" in address else "ipv4"


# RFC 1997, 7999, 8326. Speakers print names; tests compare numbers.
_WELL_KNOWN = {"graceful-shutdown": "65535:0", "accept-own": "65535:1", "llgr-stale": "65535:6", "no-llgr": "65535:7", "blackhole": "65535:666",
               "no-export": "65535:65281", "no-advertise": "65535:65282", "local-as": "65535:65283", "no-export-subconfed": "65535:65283",
               "no-peer": "65535:65284"}


def community(text: str) -> str:
    """As numbers, whatever the speaker calls it: graceful-shutdown, GRACEFUL_SHUTDOWN, gracefulShutdown."""
    if text[0].isdigit():
        return text
    plain = text.lower().replace("-", "").replace("_", "")
    return next(number for name, number in _WELL_KNOWN.items() if name.replace("-", "") == plain)
