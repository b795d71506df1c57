# SPDX-License-Identifier: Apache-2.0
"""What the tests of BGP against other speakers share: the speaker in the middle, the peer, links between them, and routes that must arrive. The
speaker in the middle is poplinkd, or BIRD (POPLINK_BGP_MIDDLE=bird), which shows that the laboratory itself works."""
import dataclasses
import os
import time

from lab.bgp.bird import Bird
from lab.bgp.frr import Frr
from lab.bgp.gobgp import GoBgp
from lab.bgp.openbgpd import OpenBgpd
from lab.bgp.peer import Peer, Unsupported
from lab.bgp.poplink import Poplink
from lab.bgp.raw_peer import RawPeer
from lab.bgp.speaker import FAMILIES, Neighbor, Origin, Path, Speaker
from lab.namespaces import Namespace
from lab_case import LabCase

MIDDLE = {"poplink": Poplink, "bird": Bird}[os.environ.get("POPLINK_BGP_MIDDLE", "poplink")]
OURS, THEIRS, RAW = 64600, 65010, 65020
FOUR_OCTETS = 4_200_000_010
SECONDS = 40  # only something that hangs takes so long
TRY_SECONDS = 5  # within which what may not come up would have come up


@dataclasses.dataclass(frozen=True)
class Link:
    """Between two namespaces; each end's address of each family."""
    left: dict[str, str]
    right: dict[str, str]


def origins(count: int = 3, family: str = "ipv4", first: int = 0, **attributes: object) -> tuple[Origin, ...]:
    """So many prefixes, with a MED unless told otherwise: not all speakers originate without."""
    attributes = {"med": 50} | attributes
    prefixes = (f"10.{number >> 8}.{number & 255}.0/24" if family == "ipv4" else f"2001:db8:{0x1000 + number:x}::/48"
                for number in range(first, first + count))
    return tuple(Origin(prefix, **attributes) for prefix in prefixes)


def path_of(origin: Origin, next_hop: str, *asns: int, med: bool = True) -> Path:
    """As who has learned it over these ASes sees it; preference left out."""
    return Path(origin.prefix, " ".join(map(str, asns)), next_hop, "igp", origin.med if med else None, None, tuple(sorted(origin.communities)),
                tuple(sorted(origin.large_communities)), tuple(sorted(origin.ext_communities)))


def seen(speaker: Peer, family: str) -> list[Path]:
    """Its routes without what is its own business."""
    return [dataclasses.replace(path, local_pref=None) for path in speaker.routes(family)]


class BgpCase(LabCase):
    """A subclass is a set of scenarios; a subclass of that with PEER runs them against one speaker."""
    PEER: type[Peer]

    def setUp(self) -> None:
        super().setUp()
        self._links = 0
        self.ours = self.namespace("ours")
        self.theirs = self.namespace("theirs")
        self.link = self.join(self.ours, self.theirs)

    def join(self, left: Namespace, right: Namespace) -> Link:
        self._links += 1
        number, names = self._links, (f"to{self._links}", f"from{self._links}")
        left.run("ip", "link", "add", names[0], "type", "veth", "peer", "name", names[1], "netns", str(right.pid))
        for end, (namespace, name) in enumerate(zip((left, right), names), 1):
            namespace.run("sh", "-c", f"echo 0 >/proc/sys/net/ipv6/conf/{name}/accept_dad")
            for address in (f"198.18.{number}.{end}/24", f"2001:db8:{number}::{end}/64"):
                namespace.run("ip", "address", "add", address, "dev", name)
        for namespace, name in zip((left, right), names):
            namespace.run("ip", "link", "set", name, "up")
        for namespace, name in zip((left, right), names):  # FRR does not announce IPv6 before it has a link-local address
            self.await_that(lambda: "fe80" in namespace.run("ip", "-6", "address", "show", "dev", name, "-tentative").stdout, lambda: name)
        return Link({"ipv4": f"198.18.{number}.1", "ipv6": f"2001:db8:{number}::1"}, {"ipv4": f"198.18.{number}.2", "ipv6": f"2001:db8:{number}::2"})

    def await_that(self, condition, what, seconds: float = SECONDS) -> None:
        """`what`: tells how it is instead."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.fail(str(what()))
            time.sleep(0.1)

    # ---- speakers

    def begin(self, kind: type[Peer], namespace: Namespace, speaker: Speaker) -> Peer:
        peer = kind(namespace, self.directory / f"{namespace.name}-{kind.name}", speaker)
        self.addCleanup(peer.stop)
        try:
            return peer.start()
        except Unsupported as reason:
            self.skipTest(str(reason))

    def neighbors(self, ours: bool, families: tuple[str, ...], asn: int, **settings: object) -> tuple[Neighbor, ...]:
        """A session for each family, over addresses of that family."""
        local, remote = (self.link.left, self.link.right) if ours else (self.link.right, self.link.left)
        return tuple(Neighbor(remote[family], asn, local[family], (family,), **settings) for family in families)

    def pair(self, families: tuple[str, ...] = ("ipv4",), ours: dict | None = None, theirs: dict | None = None, announced: tuple[Origin, ...] = (),
             our_asn: int = OURS, their_asn: int = THEIRS, expected: int | None = None, more: tuple[Neighbor, ...] = (),
             peers_more: tuple[Neighbor, ...] = (), drain: bool = False, **both: object) -> None:
        """Starts `middle` and `peer`. `ours`, `theirs`: what each side's neighbor is, besides `both`. `announced`: by the peer. `expected`: the AS
        that the middle takes the peer for. `more`, `peers_more`: neighbors of the middle, of the peer. `drain`: the peer's."""
        self.families, self.our_asn, self.their_asn = families, our_asn, their_asn
        self.middle = self.begin(MIDDLE, self.ours, Speaker(
            our_asn, "192.0.2.1", self.neighbors(True, families, expected or their_asn, **(both | (ours or {}))) + more))
        self.peer = self.begin(self.PEER, self.theirs, Speaker(
            their_asn, "192.0.2.2", self.neighbors(False, families, our_asn, **(both | (theirs or {}))) + peers_more, announced, drain))

    def third(self, families: tuple[str, ...] = FAMILIES, name: str = "third", **settings: object) -> tuple[Namespace, Link, tuple[Neighbor, ...]]:
        """A namespace behind another link of the middle, and what is the middle's neighbors there."""
        namespace = self.namespace(name)
        link = self.join(self.ours, namespace)
        return namespace, link, self.at_right(link, families, **settings)

    @staticmethod
    def at_right(link: Link, families: tuple[str, ...] = ("ipv4",), asn: int = RAW, **settings: object) -> tuple[Neighbor, ...]:
        """Whom a speaker at the left end has there."""
        return tuple(Neighbor(link.right[family], asn, link.left[family], (family,), **settings) for family in families)

    def raw(self, namespace: Namespace, link: Link, family: str = "ipv4", asn: int = RAW, **more: object) -> RawPeer:
        """At the right end of the link, established with who is at the left one."""
        return self.enterContext(RawPeer(namespace, link.right[family], link.left[family], asn, "192.0.2.3", (family,), **more))

    # ---- what must be

    def states(self) -> list[tuple[str, str]]:
        return [(self.middle.session_state(self.link.right[family]), self.peer.session_state(self.link.left[family])) for family in self.families]

    def established(self) -> bool:
        return all(state == ("Established", "Established") for state in self.states())

    def explain(self) -> str:
        return f"{self.states()}\n{self.middle.logs()}\n{self.peer.logs()}"

    def await_established(self) -> None:
        self.await_that(self.established, self.explain)

    def assert_stays_down(self) -> None:
        """By the middle's word: the other side may think that it is up until nobody answers."""
        end = time.monotonic() + TRY_SECONDS
        while time.monotonic() < end:
            self.assertNotIn("Established", [ours for ours, _ in self.states()])
            time.sleep(0.2)

    def await_routes(self, speaker: Peer, family: str, paths: list[Path]) -> None:
        """That it has these and no other."""
        expected = sorted(paths, key=lambda path: (path.prefix, path.as_path))
        self.await_that(lambda: seen(speaker, family) == expected,
                        lambda: f"{speaker.name} has\n{seen(speaker, family)[:5]}\nnot\n{expected[:5]}\n{self.explain()}")

    def from_peer(self, announced: tuple[Origin, ...], family: str = "ipv4") -> list[Path]:
        """As the middle sees them."""
        return [path_of(origin, self.link.right[family], self.their_asn) for origin in announced if origin.family == family]


def against_each(scenarios: type[BgpCase], space: dict) -> None:
    """Puts a class of the scenarios for each peer into a module's names: FrrSession from Session."""
    for peer in (Bird, Frr, GoBgp, OpenBgpd):
        name = peer.__name__ + scenarios.__name__
        space[name] = type(name, (scenarios,), {"PEER": peer, "__module__": scenarios.__module__})
