#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The labs that our LACP meets its partners in, without our LACP: partners speak into the card's ports, cables are cut as both sides see, and
daemons start and end. Runs in a network namespace of its own (unshare)."""
import os
import pathlib
import signal
import time
import unittest

from lab.customer import LAG_PORTS, BackToBack, GuestCustomer, LagLab, SwitchCustomer
from lab.failover import Probes
from lab_case import BINARIES, EXAMPLE_REGION, PATIENCE, LabCase

# Stands in for the daemon: serves nothing and lives until it is told to end, or fails as it is told.
DAEMON = """#!/bin/sh
if [ -e {directory}/broken ]; then echo "{directory}/region.yaml:1: is wrong" >&2; exit 2; fi
trap 'exit 0' TERM
echo ready
while :; do sleep 0.1; done
"""


class Customers(LabCase):
    def await_that(self, condition, what) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what())
            time.sleep(0.1)

    def slow_protocol(self, lab: LagLab) -> dict[int, int]:
        """LACPDUs that a card without a daemon has dropped, by port."""
        return {port["port"]: port["drops"].get("slow_protocol", 0) for port in lab.show("counter", "par-th2")["ports"] if port["port"] in LAG_PORTS}

    def speaks_on_both(self, lab: LagLab) -> None:
        before = self.slow_protocol(lab)
        self.await_that(lambda: all(count > before[port] for port, count in self.slow_protocol(lab).items()), lambda: self.slow_protocol(lab))

    def begin(self, lab: LagLab) -> None:
        self.enterContext(lab)
        lab.start()
        lab.poplink("apply", EXAMPLE_REGION, "--node", lab.node_file("par-th2"))

    def link(self, lab: LagLab, port: int) -> str:
        return lab.show("port", "par-th2")["ports"][port]["link"]

    def test_switch_speaks_on_both_cross_connects(self) -> None:
        lab = SwitchCustomer(BINARIES, EXAMPLE_REGION, self.directory)
        self.begin(lab)
        self.speaks_on_both(lab)
        before = lab.switch.counts("bond0")["p1"].carrier_changes
        lab.cables("customer-1", "cut")
        self.assertEqual((self.link(lab, 0), self.link(lab, 1)), ("up", "down"))
        self.await_that(lambda: lab.switch.counts("bond0")["p1"].carrier_changes > before, lab.switch.logs)
        lab.cables("customer-1", "mend")
        self.speaks_on_both(lab)

    def test_frames_cross_from_the_switch_and_back(self) -> None:
        lab = SwitchCustomer(BINARIES, EXAMPLE_REGION, self.directory, lacp="off")
        self.begin(lab)
        lab.poplink("apply", EXAMPLE_REGION, "--node", lab.node_file("rbx"))
        lab.switch.vsctl("set", "port", "bond0", "bond_mode=active-backup")  # balance-tcp drops everything until LACP has agreed
        lab.cables("customer-1", "cut")
        self.await_that(lambda: "member p1: disabled" in lab.switch.appctl("bond/show"), lambda: lab.switch.appctl("bond/show"))
        for back in (False, True):
            probes = Probes(lab, 100, back)
            try:
                probes.round(seconds=1.0)
            finally:
                probes.close()
            self.assertEqual(probes.lost, set(), back)

    def test_linux_speaks_on_both_cross_connects(self) -> None:
        lab = GuestCustomer(BINARIES, EXAMPLE_REGION, self.directory)
        self.begin(lab)
        self.speaks_on_both(lab)
        lab.cables("customer-1", "cut")
        self.assertEqual((self.link(lab, 0), self.link(lab, 1)), ("up", "down"))
        self.await_that(lambda: lab.bond.read().slaves["eth1"].mii == "down", lab.bond.read)
        lab.cables("customer-1", "mend")
        self.await_that(lambda: lab.bond.read().slaves["eth1"].mii == "up", lab.bond.read)
        self.speaks_on_both(lab)

    def test_cards_back_to_back_see_each_other_s_link(self) -> None:
        lab = BackToBack(BINARIES, EXAMPLE_REGION, self.directory)
        self.enterContext(lab)
        lab.start()
        lab.cables("customer-1", "cut")
        for site in lab.daemon_sites:
            links = [port["link"] for port in lab.show("port", site)["ports"]]
            self.assertEqual([links[port] for port in LAG_PORTS], ["up", "down"])

    def test_daemons_start_end_and_say_why_they_do_not(self) -> None:
        binaries = self.directory / "bin"
        binaries.mkdir()
        for name in ("poplink", "poplink-sim"):
            (binaries / name).symlink_to(BINARIES / name)
        daemon = binaries / "poplinkd"
        daemon.write_text(DAEMON.format(directory=self.directory))
        daemon.chmod(0o755)
        with SwitchCustomer(binaries, EXAMPLE_REGION, self.directory) as lab:
            lab.start_daemons()
            self.assertEqual(lab.stop_daemon("rbx", kill=False), 0)
            lab.start_daemon("rbx")
            lab.restart_daemon("rbx")
            self.assertEqual(lab.stop_daemon("rbx", kill=True), -signal.SIGKILL)
            (self.directory / "broken").touch()
            with self.assertRaisesRegex(RuntimeError, "poplinkd of rbx did not start:\n.*region.yaml:1: is wrong"):
                lab.start_daemon("rbx")
            self.assertIn(f"api: {self.directory}/rbx.api\n", lab.node_file("rbx").read_text())
        self.assertEqual(self.still_running(daemon), [], "those that ran end with the lab")

    @staticmethod
    def still_running(program: pathlib.Path) -> list[str]:
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if str(program).encode() in pathlib.Path("/proc", entry, "cmdline").read_bytes():
                    found.append(entry)
            except OSError:
                continue
        return found


if __name__ == "__main__":
    unittest.main()
