#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our LACP and that of a stock Debian kernel's bonding, in a guest whose NICs are plugged into the card. Runs in a network namespace of its own
(unshare)."""
import json
import pathlib
import shutil
import subprocess
import time
import unittest

from lab.customer import LAG_PORTS, GuestCustomer
from lab.lacp import CARRYING
from lab.guest import nic_mac
from lab.two_cards import VRACK_ADDRESS
from lab_case import BINARIES, PATIENCE
from lacp_case import ALL, AWAY_SECONDS, FLOWS, LacpCase

STREAMS = 32
PINGS = 200


class LacpLinux(LacpCase):
    lab: GuestCustomer

    def start(self, rate: str = "fast", **settings: object) -> None:
        region = {key: settings.pop(key) for key in ("mode", "min_links") if key in settings}
        self.begin(GuestCustomer(BINARIES, self.region(rate=rate, **region), self.directory, [pathlib.Path(shutil.which("iperf3"))], rate=rate, **settings))

    def assert_crosses(self, ports: set[int]) -> None:
        """Pings are answered, and streams of UDP go over all of these ports and no other in each direction. How much of a stream an emulated machine
        takes is its own affair."""
        self.assertEqual(self.lab.bond.ping(VRACK_ADDRESS, PINGS), PINGS)
        for back in (False, True):
            before = self.frames()
            with self.lab.vrack.start("iperf3", "--server", "--one-off", "--forceflush", stdout=subprocess.PIPE, text=True) as server:
                try:
                    while "listening" not in (line := server.stdout.readline()):
                        self.assertTrue(line, "iperf3 did not start")
                    told = self.lab.guest.run(f"iperf3 -c {VRACK_ADDRESS} -u -b 50k -l 500 -P {STREAMS} -t 2 -J {'-R' if back else ''}", timeout=PATIENCE)
                finally:
                    server.kill()
            self.assertNotIn("error", json.loads(told.output))
            for port, (received, sent) in self.frames().items():
                count = sent - before[port][1] if back else received - before[port][0]
                with self.subTest(port=port, back=back):
                    if port in ports:
                        self.assertGreater(count, STREAMS * 2)
                    else:
                        self.assertLess(count, FLOWS // 8, "at most LACPDUs")

    def test_comes_up_and_carries_on_both_links(self) -> None:
        self.start()
        self.check_comes_up()
        lag, bond = self.lab.lag("par-th2"), self.lab.bond.read()
        self.assertEqual((lag["partner"]["address"], bond.partner, bond.ports), (nic_mac(0), lag["system"]["address"], 2))
        for member in lag["members"]:
            slave = bond.slaves[f"eth{member['port']}"]
            for said, heard in ((member["actor"], slave.partner), (member["partner"], slave.actor)):
                self.assertEqual((said["system"], said["system_priority"], said["port"], said["port_priority"], said["key"]),
                                 (heard.system, heard.system_priority, heard.port, heard.port_priority, heard.key))
                self.assertEqual(heard.state, CARRYING | {"activity", "timeout", "aggregation"})

    def test_slow_one_comes_up(self) -> None:
        self.start(rate="slow")
        self.await_carrying(ALL)
        self.assertEqual({slave.partner.state for slave in self.lab.bond.read().slaves.values()}, {CARRYING | {"activity", "aggregation"}})

    def test_one_that_waits_for_us_comes_up_and_two_that_wait_do_not(self) -> None:
        self.start(active=False)
        self.await_carrying(ALL)
        self.lab.stop_daemon("par-th2", kill=False)
        self.region(mode="passive")
        self.lab.start_daemon("par-th2")
        self.await_carrying(set())

    def test_member_that_is_cut_is_left_and_taken_again(self) -> None:
        self.start()
        for port in LAG_PORTS:
            self.check_cut(port)

    def test_both_are_cut_and_come_back(self) -> None:
        """Without any link the bond has no aggregator."""
        self.start()
        self.await_carrying(ALL)
        for action, carrying in (("cut", set()), ("mend", ALL)):
            for port in LAG_PORTS:
                self.lab.cables(f"customer-{port}", action)
            self.await_carrying(carrying)
        self.assert_crosses(ALL)

    def test_loss_towards_us_is_told_to_the_bond(self) -> None:
        self.start()
        self.check_one_way_loss(1, "par-th2")

    def test_loss_towards_the_bond_is_told_to_us(self) -> None:
        self.start()
        self.check_one_way_loss(0, "host")

    def test_too_few_links_carry_nothing(self) -> None:
        self.start(min_links=2)
        self.check_min_links()

    def test_daemon_that_is_killed_is_not_missed(self) -> None:
        self.start()
        self.await_carrying(ALL)
        flaps = self.partner_flaps()
        self.lab.guest.start(f"ping -q -A -w {3 * AWAY_SECONDS} {VRACK_ADDRESS} >/tmp/pings; echo over >>/tmp/pings")
        self.lab.stop_daemon("par-th2", kill=True)
        end = time.monotonic() + AWAY_SECONDS
        while time.monotonic() < end:
            self.assertEqual(self.partner_carrying(), ALL, "while the daemon is away")
            time.sleep(0.2)
        self.lab.start_daemon("par-th2")
        self.assertEqual((self.lab.carrying("par-th2"), self.partner_carrying()), (ALL, ALL))
        self.await_that(lambda: "over" in self.lab.guest.run("cat /tmp/pings").output, lambda: "pings do not end")
        told = self.lab.guest.run("cat /tmp/pings").output
        sent, received = (int(words[0]) for words in (part.split() for part in told.split(" ---\n")[1].split(",")[:2]))
        self.assertGreater(received, 0)
        self.assertLessEqual(sent - received, 1, f"the last one's answer is not waited for\n{told}")
        self.assertEqual(self.partner_flaps(), flaps)


if __name__ == "__main__":
    unittest.main()
