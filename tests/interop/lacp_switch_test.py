#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our LACP and that of Open vSwitch, over two cross-connects. Runs in a network namespace of its own (unshare)."""
import time
import unittest

from lab.customer import LAG_PORTS, SwitchCustomer
from lab.lacp import CARRYING
from lab.traffic import tcp_streams
from lab.two_cards import CUSTOMER_MAC
from lab_case import BINARIES
from lacp_case import ALL, LacpCase


class LacpSwitch(LacpCase):
    SPREADS = False  # it moves flows by their load, when it next looks at that
    lab: SwitchCustomer

    def start(self, lacp: str = "active", rate: str = "fast", **region: object) -> None:
        self.begin(SwitchCustomer(BINARIES, self.region(rate=rate, **region), self.directory, lacp, rate))

    def check_sides(self, timeout: set[str]) -> None:
        """Each says of the other what that says of itself."""
        ours = self.lab.lag("par-th2")
        self.assertEqual(ours["partner"]["address"], CUSTOMER_MAC)
        bond = self.lab.switch.bond("bond0")
        self.assertEqual(bond.lacp, "negotiated")
        for member in ours["members"]:
            theirs = bond.members[f"p{member['port']}"]
            self.assertEqual((theirs.receive, theirs.attached, theirs.enabled), ("current", True, True))
            for said, heard in ((member["actor"], theirs.partner), (member["partner"], theirs.actor)):
                self.assertEqual((said["system"], said["system_priority"], said["port"], said["port_priority"], said["key"]),
                                 (heard.system, heard.system_priority, heard.port, heard.port_priority, heard.key))
                self.assertEqual(heard.state, CARRYING | {"activity", "aggregation"} | timeout)
            self.assertEqual(theirs.partner.system, ours["system"]["address"])
        self.assertEqual({one.bad for one in self.lab.switch.counts("bond0").values()}, {0})

    def test_fast_comes_up_and_carries_on_both_links(self) -> None:
        self.start()
        self.check_comes_up()
        self.check_sides({"timeout"})

    def test_both_sides_spread_their_flows(self) -> None:
        """We do from the first frame on; the switch by its flows' load, which has to be worth it."""
        self.start()
        self.await_carrying(ALL)
        self.lab.switch.vsctl("set", "port", "bond0", "other_config:bond-rebalance-interval=1000")

        def spread() -> bool:
            before = self.frames()
            tcp_streams(self.lab, 2, "--parallel", "16", "--bitrate", "1M")
            received, sent = zip(*((now[0] - before[port][0], now[1] - before[port][1]) for port, now in self.frames().items()))
            self.assertGreater(min(sent), sum(sent) / 20, "ours")
            return min(received) > sum(received) / 5
        self.await_that(spread, lambda: self.lab.switch.appctl("bond/show", "bond0"))

    def test_slow_comes_up_and_carries_on_both_links(self) -> None:
        self.start(rate="slow")
        self.check_comes_up()
        self.check_sides(set())
        self.check_cut(0)

    def test_one_that_waits_for_us_comes_up(self) -> None:
        self.start(lacp="passive")
        self.check_comes_up()

    def test_one_that_we_wait_for_comes_up(self) -> None:
        self.start(mode="passive")
        self.check_comes_up()

    def test_both_passive_stay_down(self) -> None:
        self.start(lacp="passive", mode="passive")
        self.await_that(lambda: {member["link"] for member in self.lab.lag("par-th2")["members"]} == {"up"}, lambda: "no link")
        time.sleep(5)  # what somebody said would be there long ago
        self.assertEqual((self.lab.carrying("par-th2"), self.partner_carrying()), (set(), set()))
        self.assertFalse(self.lab.lag("par-th2")["operational"])
        self.assertEqual([member["counters"]["lacpdus_sent"] for member in self.lab.lag("par-th2")["members"]], [0, 0])
        self.assertEqual({one.received for one in self.lab.switch.counts("bond0").values()}, {0})

    def test_member_that_is_cut_is_left_and_taken_again(self) -> None:
        self.start()
        for port in LAG_PORTS:
            self.check_cut(port)

    def test_loss_towards_us_is_told_to_the_switch(self) -> None:
        self.start()
        self.check_one_way_loss(1, "par-th2")

    def test_loss_towards_the_switch_is_told_to_us(self) -> None:
        self.start()
        self.check_one_way_loss(0, "host")

    def test_too_few_links_carry_nothing(self) -> None:
        self.start(min_links=2)
        self.check_min_links()

    def test_daemon_that_is_killed_is_not_missed(self) -> None:
        self.start()
        self.check_daemon_away(kill=True)

    def test_daemon_that_is_stopped_is_not_missed(self) -> None:
        self.start()
        self.check_daemon_away(kill=False)

    def test_cable_that_is_cut_while_the_daemon_is_away_is_left(self) -> None:
        self.start()
        self.await_carrying(ALL)
        self.lab.stop_daemon("par-th2", kill=True)
        self.lab.cables("customer-1", "cut")
        self.lab.start_daemon("par-th2")
        self.await_carrying({0})
        self.assert_crosses({0})
        self.lab.cables("customer-1", "mend")
        self.await_carrying(ALL)
        self.assert_crosses(ALL)


if __name__ == "__main__":
    unittest.main()
