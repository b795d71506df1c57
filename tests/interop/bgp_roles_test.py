#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Roles (RFC 9234): pairs that fit and pairs that do not, and Only to Customer."""
import unittest

from lab.bgp import octets
from bgp_case import OURS, RAW, THEIRS, BgpCase, against_each, origins

ROLE = 9  # the capability
NUMBERS = {"provider": 0, "route-server": 1, "route-server-client": 2, "customer": 3, "peer": 4}


def otc(update: octets.Update) -> int | None:
    attribute = update.attribute(octets.OTC)
    return None if attribute is None else int.from_bytes(attribute.value, "big")


class Roles(BgpCase):
    def assert_fits(self, ours: str, theirs: str) -> None:
        self.pair(ours={"role": ours, "strict_role": True}, theirs={"role": theirs, "strict_role": True})
        self.await_established()

    def test_provider_and_customer(self) -> None:
        self.assert_fits("provider", "customer")

    def test_customer_and_provider(self) -> None:
        self.assert_fits("customer", "provider")

    def test_peer_and_peer(self) -> None:
        self.assert_fits("peer", "peer")

    def test_route_server_and_client(self) -> None:
        self.assert_fits("route-server", "route-server-client")

    def test_client_and_route_server(self) -> None:
        self.assert_fits("route-server-client", "route-server")

    def test_roles_that_do_not_fit_keep_apart(self) -> None:
        self.pair(ours={"role": "provider"}, theirs={"role": "peer"})
        self.assert_stays_down()

    def test_strict_role_refuses_who_has_none(self) -> None:
        self.pair(ours={"role": "provider", "strict_role": True})
        self.assert_stays_down()

    def test_role_without_strictness_bears_who_has_none(self) -> None:
        self.pair(ours={"role": "provider"})
        self.await_established()

    def test_routes_of_a_provider_go_to_customers_only(self) -> None:
        announced = origins()
        below, link_below, customers = self.third(("ipv4",), "below", role="provider")
        above, link_above, providers = self.third(("ipv4",), "above", role="customer")
        self.pair(ours={"role": "customer"}, theirs={"role": "provider"}, announced=announced, more=customers + providers)
        self.await_established()
        customer = self.raw(below, link_below, more=self.role("customer"))
        self.await_that(lambda: len(customer.routes) == len(announced), self.explain)
        self.assertEqual({otc(update) for update in customer.routes.values()}, {THEIRS})
        provider = self.raw(above, link_above, more=self.role("provider"))
        customer.send(octets.announcement(("10.9.0.0/16",), link_below.right["ipv4"], RAW))
        self.await_that(lambda: provider.routes, self.explain)
        self.assertEqual(set(provider.routes), {"10.9.0.0/16"}, "customers' routes go to all, providers' to customers only")
        self.assertIsNone(otc(provider.routes["10.9.0.0/16"]))

    def test_our_routes_reach_a_customer_marked(self) -> None:
        """The peer is our customer and leaks to a raw peer of its own, who hears nothing, as the mark forbids it."""
        namespace, link, neighbors = self.third(("ipv4",))
        beside = self.namespace("beside")
        direct = self.join(self.theirs, beside)
        self.pair(ours={"role": "provider"}, theirs={"role": "customer"}, announced=origins(1), more=neighbors,
                  peers_more=self.at_right(direct, role="peer"))
        self.await_established()
        self.raw(namespace, link).send(octets.announcement(("10.9.0.0/16",), link.right["ipv4"], RAW))
        self.await_that(lambda: "10.9.0.0/16" in {path.prefix for path in self.peer.routes("ipv4")}, self.explain)
        heard = self.raw(beside, direct, more=self.role("peer"))
        self.await_that(lambda: heard.routes, self.explain)
        self.assertEqual(set(heard.routes), {"10.0.0.0/24"})

    def test_leak_by_a_customer_is_not_taken(self) -> None:
        """What a customer sends with OTC has been at a provider or peer of its before."""
        namespace, link, neighbors = self.third(("ipv4",), role="provider")
        self.pair(more=neighbors)
        self.await_established()
        customer = self.raw(namespace, link, more=self.role("customer"))
        mark = octets.Attribute(octets.OPTIONAL | octets.TRANSITIVE, octets.OTC, OURS.to_bytes(4, "big"))
        customer.send(octets.announcement(("10.9.0.0/16",), link.right["ipv4"], RAW, more=(mark,)))
        customer.send(octets.announcement(("10.8.0.0/16",), link.right["ipv4"], RAW))
        self.await_that(lambda: self.peer.routes("ipv4"), self.explain)
        self.assertEqual({path.prefix for path in self.peer.routes("ipv4")}, {"10.8.0.0/16"})

    @staticmethod
    def role(name: str) -> bytes:
        return octets.capability(ROLE, bytes((NUMBERS[name],)))


against_each(Roles, globals())

if __name__ == "__main__":
    unittest.main()
