#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IPv4 routes with IPv6 next hops (RFC 8950), over a session that has no IPv4 address."""
import unittest

from lab.bgp import octets
from lab.bgp.speaker import Neighbor
from bgp_case import OURS, RAW, THEIRS, BgpCase, against_each, origins, path_of


class NextHops(BgpCase):
    def setUp(self) -> None:
        super().setUp()
        for namespace in (self.ours, self.theirs):  # or its IPv4 address would be the next hop
            namespace.run("ip", "-4", "address", "flush", "scope", "global")

    def neighbors(self, ours: bool, families: tuple[str, ...], asn: int, **settings: object) -> tuple[Neighbor, ...]:
        local, remote = (self.link.left, self.link.right) if ours else (self.link.right, self.link.left)
        return (Neighbor(remote["ipv6"], asn, local["ipv6"], ("ipv4", "ipv6"), ipv6_next_hops=True, **settings),)

    def test_ipv4_routes_come_with_ipv6_next_hops(self) -> None:
        announced = origins() + origins(family="ipv6")
        self.pair(("ipv6",), announced=announced)
        self.await_established()
        for family in ("ipv4", "ipv6"):
            self.await_routes(self.middle, family, [path_of(origin, self.link.right["ipv6"], THEIRS) for origin in announced if origin.family == family])

    def test_ipv4_routes_go_with_ipv6_next_hops(self) -> None:
        namespace, link, neighbors = self.third(("ipv4",))
        self.pair(("ipv6",), more=neighbors)
        self.await_established()
        self.raw(namespace, link).send(octets.announcement(("10.9.0.0/16",), link.right["ipv4"], RAW))
        expected = [("10.9.0.0/16", f"{OURS} {RAW}", self.link.left["ipv6"])]
        self.await_that(lambda: [(path.prefix, path.as_path, path.next_hop) for path in self.peer.routes("ipv4")] == expected, lambda:
                        f"{self.peer.routes('ipv4')}\n{self.explain()}")


against_each(NextHops, globals())

if __name__ == "__main__":
    unittest.main()
