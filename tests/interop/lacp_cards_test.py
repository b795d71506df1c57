#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our LACP and our LACP: two cards with a LAG between them, each with its daemon, and customers' frames through both. Runs in a network namespace of
its own (unshare)."""
import pathlib
import unittest

from lab.customer import LAG_PORTS, BackToBack
from lab_case import BINARIES
from lacp_case import LacpCase

LAG = "".join(f"      - {{id: {port}, speed: 10G, use: USE}}\n" for port in LAG_PORTS)
BACKBONE = "      - {id: 6, speed: 10G, use: backbone, peer: {site: PEER, port: 6}}\n"


def site(name: str, role: str, ports: str, peer: str) -> str:
    use = "cross_connect" if role == "entrypoint" else "vrack"
    return f"  - name: {name}\n    role: {role}\n    ports:\n{ports.replace('USE', use)}{BACKBONE.replace('PEER', peer)}"


ONE = "      - {id: 0, speed: 10G, use: USE}\n"
REGION = ("region: chain\ndefaults:\n  lacp: {{mode: {mode}, rate: fast, min_links: {min_links}}}\nsites:\n" +
          (site("par-th2", "entrypoint", ONE, "rbx") + site("rbx", "endpoint", LAG, "par-th2") + site("gra", "entrypoint", LAG, "sbg") +
           site("sbg", "endpoint", ONE, "gra")).replace("{", "{{").replace("}", "}}") + """\
vracks: [{{id: pn-1}}, {{id: pn-2}}]
services:
  - {{name: west, vrack: pn-1, mode: l2, tunnel_id: 101, pop: {{site: par-th2, port: 0}}, dc: {{site: rbx, ports: [0, 1]}}}}
  - {{name: east, vrack: pn-2, mode: l2, tunnel_id: 102, pop: {{site: gra, ports: [0, 1]}}, dc: {{site: sbg, port: 0}}}}
""")


class LacpCards(LacpCase):
    SITE = "gra"
    lab: BackToBack

    def start(self, mode: str = "active", min_links: int = 1) -> None:
        region = self.directory / "region.yaml"
        region.write_text(REGION.format(mode=mode, min_links=min_links))
        self.begin(BackToBack(BINARIES, pathlib.Path(region), self.directory))

    def partner_carrying(self) -> set[int]:
        return self.lab.carrying("rbx")

    def partner_flaps(self) -> object:
        return [(member["port"], member["last_change"]) for member in self.lab.lag("rbx")["members"]]

    def test_two_cards_come_up_and_carry_on_both_links(self) -> None:
        self.start()
        self.check_comes_up()
        ours, theirs = self.lab.lag("gra"), self.lab.lag("rbx")
        self.assertEqual((ours["partner"]["address"], theirs["partner"]["address"]), (theirs["system"]["address"], ours["system"]["address"]))

    def test_member_that_is_cut_is_left_and_taken_again(self) -> None:
        self.start()
        for port in LAG_PORTS:
            self.check_cut(port)

    def test_loss_in_either_direction_is_told_to_both(self) -> None:
        self.start()
        for port, deaf in zip(LAG_PORTS, ("gra", "rbx")):
            self.check_one_way_loss(port, deaf)

    def test_too_few_links_carry_nothing(self) -> None:
        self.start(min_links=2)
        self.check_min_links()

    def test_daemon_that_is_killed_is_not_missed(self) -> None:
        self.start()
        self.check_daemon_away(kill=True)

    def test_both_passive_stay_down(self) -> None:
        self.start(mode="passive")
        self.await_that(lambda: {member["link"] for member in self.lab.lag("gra")["members"]} == {"up"}, lambda: "no link")
        for site in ("rbx", "gra"):
            lag = self.lab.lag(site)
            self.assertFalse(lag["operational"])
            self.assertEqual([member["counters"]["lacpdus_sent"] for member in lag["members"]], [0, 0])


if __name__ == "__main__":
    unittest.main()
