#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The LACP partners of the lab by themselves, without any of our own LACP: what they say is read right, and they do what the tests of ours will
want of them. Runs in a network namespace of its own (unshare)."""
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from lab.guest import Guest, nic_mac
from lab.lacp import CARRYING
from lab.linux_bond import LinuxBond
from lab.namespaces import Namespace
from lab.open_vswitch import OpenVSwitch, SwitchError, frames_of
from lab.processes import owned
from lab_case import PATIENCE, LabCase
from nic_patch import NicPatch

LEFT_MAC, RIGHT_MAC = "02:00:00:00:0a:01", "02:00:00:00:0b:01"

# Starts a switch and waits to be killed.
ABANDONED = """
import pathlib, sys, time
from lab.namespaces import Namespace
from lab.open_vswitch import OpenVSwitch
switch = OpenVSwitch(Namespace("abandoned"), pathlib.Path(sys.argv[1]))
print("up", flush=True)
time.sleep(600)
"""


def processes_below(directory: pathlib.Path) -> list[int]:
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(directory).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


class Partners(LabCase):
    def await_that(self, condition, what: object = "") -> None:
        end = time.monotonic() + 2 * PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what() if callable(what) else what)
            time.sleep(0.1)

    def switch(self, name: str) -> OpenVSwitch:
        switch = OpenVSwitch(self.namespace(name), self.directory / name)
        self.addCleanup(switch.close)
        return switch

    def two_switches(self, left: dict | None = None, right: dict | None = None) -> tuple[OpenVSwitch, OpenVSwitch]:
        """Two bonds of two links each, p0 to p0 and p1 to p1; `left` and `right`: arguments of add_bond."""
        switches = self.switch("left"), self.switch("right")
        for port in ("p0", "p1"):
            switches[0].namespace.run("ip", "link", "add", port, "type", "veth", "peer", "name", port, "netns", str(switches[1].namespace.pid))
        for number, (switch, mac, more) in enumerate(zip(switches, (LEFT_MAC, RIGHT_MAC), (left, right)), 1):
            switch.add_bond("e0", "bond0", ["p0", "p1"], mac, f"192.0.2.{number}/24", **(more or {}))
        return switches

    def await_carrying(self, switch: OpenVSwitch, members: set[str]) -> None:
        self.await_that(lambda: switch.bond("bond0").carrying == members, lambda: switch.bond("bond0"))

    def ping(self, namespace: Namespace, address: str, count: int = 20) -> None:
        run = namespace.run("ping", "-q", "-c", str(count), "-i", "0.01", "-W", "10", address, check=False)
        self.assertIn(f" {count} received", run.stdout)

    def test_two_switches_bond_and_each_says_what_the_other_is(self) -> None:
        left, right = self.two_switches(right={"rate": "slow", "lacp": "passive"})
        for switch in (left, right):
            self.await_carrying(switch, {"p0", "p1"})
        before = left.counts("bond0")
        self.ping(left.namespace, "192.0.2.2")
        self.await_that(lambda: not any("expired" in side.state for switch in (left, right) for member in switch.bond("bond0").members.values()
                                        for side in (member.actor, member.partner)), "as ports are before they hear of each other")
        ours, theirs = left.bond("bond0"), right.bond("bond0")
        self.assertEqual(ours.lacp, "negotiated")
        for name, member in ours.members.items():
            self.assertEqual((member.receive, member.attached, member.enabled), ("current", True, True))
            self.assertEqual((member.actor.system, member.partner.system), (LEFT_MAC, RIGHT_MAC))
            self.assertEqual(member.actor.state, CARRYING | {"activity", "timeout", "aggregation"})
            self.assertEqual(member.partner.state, CARRYING | {"aggregation"}, "slow and passive")
            self.assertEqual((member.partner, member.actor), (theirs.members[name].actor, theirs.members[name].partner))
            self.assertEqual(member.actor.key, ours.members["p0"].actor.key)
        counts = left.counts("bond0")
        self.assertEqual(set(counts), {"p0", "p1"})
        for name, one in counts.items():
            self.assertGreater(one.received, 0)
            self.assertEqual((one.bad, one.marker_requests), (0, 0))
            self.assertEqual(one.flaps, before[name].flaps)
        self.assertGreater(sum(frames_of(left.namespace, "p0")), 0)

    def test_member_without_carrier_is_left_and_taken_again(self) -> None:
        left, right = self.two_switches()
        self.await_carrying(left, {"p0", "p1"})
        before = left.counts("bond0")["p1"].carrier_changes
        right.namespace.run("ip", "link", "set", "p1", "down")
        self.await_carrying(left, {"p0"})
        self.await_that(lambda: left.counts("bond0")["p1"].carrier_changes > before, lambda: left.counts("bond0"))
        self.await_that(lambda: not left.bond("bond0").members["p1"].attached, lambda: left.bond("bond0"))
        self.ping(left.namespace, "192.0.2.2")
        right.namespace.run("ip", "link", "set", "p1", "up")
        for switch in (left, right):
            self.await_carrying(switch, {"p0", "p1"})

    def test_cut_cable_of_a_card_is_a_carrier_that_the_switch_misses(self) -> None:
        switch = self.switch("left")
        self.start_live({"a": {port: {"interface": f"p{port}", "netns": switch.namespace.path, "cable": f"customer-{port}"} for port in (0, 1)}},
                        [{"name": f"customer-{port}"} for port in (0, 1)])
        switch.add_bond("e0", "bond0", ["p0", "p1"], LEFT_MAC)
        self.await_that(lambda: set(switch.bond("bond0").members) == {"p0", "p1"})
        for action in ("cut", "mend"):
            before = switch.counts("bond0")
            self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", "customer-1", action)
            self.await_that(lambda: switch.counts("bond0")["p1"].carrier_changes > before["p1"].carrier_changes, switch.logs)
            self.assertEqual(switch.counts("bond0")["p0"].carrier_changes, before["p0"].carrier_changes)

    def test_switches_that_both_wait_for_the_other_carry_nothing(self) -> None:
        left, right = self.two_switches({"lacp": "passive"}, {"lacp": "passive"})
        self.assertEqual((left.bond("bond0").lacp, left.bond("bond0").carrying), ("configured", set()))
        self.assertEqual({one.sent for one in left.counts("bond0").values()}, {0})

    def test_bond_without_lacp_has_no_sides(self) -> None:
        left, _ = self.two_switches({"lacp": "off"}, {"lacp": "off"})
        self.assertEqual((left.bond("bond0").lacp, left.bond("bond0").members), ("off", {}))

    def test_wrong_settings_are_told(self) -> None:
        switch = self.switch("left")
        with self.assertRaisesRegex(SwitchError, "ovs-vsctl.*\n.*sometimes"):
            switch.add_bond("e0", "bond0", ["p0", "p1"], LEFT_MAC, lacp="sometimes")
        with self.assertRaisesRegex(SwitchError, "no such bond"):
            switch.bond("bond0")

    def test_switch_ends_with_whoever_started_it(self) -> None:
        directory = self.directory / "abandoned"
        owner = subprocess.Popen(owned([sys.executable, "-c", ABANDONED, directory]), stdout=subprocess.PIPE, text=True)
        self.assertEqual(owner.stdout.readline(), "up\n")
        self.assertGreaterEqual(len(processes_below(directory)), 3)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        owner.stdout.close()
        self.await_that(lambda: not processes_below(directory), lambda: processes_below(directory))

    def test_switch_leaves_nothing_behind_outside_its_directory(self) -> None:
        places = [pathlib.Path(place) for place in ("/var/run/openvswitch", "/var/log/openvswitch", "/etc/openvswitch")]
        before = {place: sorted(os.listdir(place)) if place.exists() else None for place in places}
        switch = self.switch("left")
        switch.close()
        self.assertEqual(processes_below(switch.directory), [])
        self.assertEqual({place: sorted(os.listdir(place)) if place.exists() else None for place in places}, before)

    # ---- Linux

    def guest_and_switch(self, **bond: object) -> tuple[Guest, OpenVSwitch]:
        """A guest whose NICs eth0 and eth1 are patched to p0 and p1 of a switch with a bond."""
        switch = self.switch("right")
        sockets = [self.directory / f"nic{number}.sock" for number in (0, 1)]
        for number, path in enumerate(sockets):
            switch.namespace.run("ip", "link", "add", f"p{number}", "type", "veth", "peer", "name", f"q{number}")
            switch.namespace.run("ip", "link", "set", f"q{number}", "up")
            self.addCleanup(NicPatch(path, switch.namespace, f"q{number}").close)
        switch.add_bond("e0", "bond0", ["p0", "p1"], RIGHT_MAC, "192.0.2.2/24", **bond)
        guest = Guest(self.directory, [], nics=sockets)
        self.addCleanup(guest.close)
        return guest, switch

    def test_linux_bond_and_switch_agree_and_links_come_and_go(self) -> None:
        guest, switch = self.guest_and_switch()
        bond = LinuxBond(guest, [0, 1], address="192.0.2.1/24", min_links=2)
        self.await_that(lambda: bond.read().carrying == {"eth0", "eth1"}, bond.read)
        self.await_carrying(switch, {"p0", "p1"})
        self.assertEqual(bond.ping("192.0.2.2", 20), 20)
        seen = bond.read()
        self.assertEqual((seen.up, seen.rate, seen.ports, seen.partner), (True, "fast", 2, RIGHT_MAC))
        for number in (0, 1):
            slave, member = seen.slaves[f"eth{number}"], switch.bond("bond0").members[f"p{number}"]
            self.assertEqual((slave.mii, slave.aggregator), ("up", seen.aggregator))
            self.assertEqual((slave.actor, slave.partner.system, slave.partner.port), (member.partner, RIGHT_MAC, member.actor.port))
            self.assertEqual(slave.actor.state, CARRYING | {"activity", "timeout", "aggregation"})
            self.assertEqual(slave.partner.state, slave.actor.state)
            self.assertEqual(slave.actor.system, nic_mac(0))
        self.assertGreater(sum(bond.frames("eth0")), 0)

        guest.set_link(1, False)
        self.await_that(lambda: bond.read().slaves["eth1"].mii == "down", bond.read)
        self.assertFalse(bond.read().up, "min_links is two")
        bond.set("min_links", 1)
        self.await_that(lambda: bond.read().up, bond.read)
        self.await_carrying(switch, {"p0"})
        guest.set_link(1, True)
        self.await_that(lambda: bond.read().carrying == {"eth0", "eth1"}, bond.read)
        self.assertEqual(bond.read().slaves["eth1"].link_failures, 1)


if __name__ == "__main__":
    unittest.main()
