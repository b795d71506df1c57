#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Modules and light in a running lab: what `poplink show port` says of them, and what happens when light fades. Runs in a network namespace
of its own (unshare)."""
import json
import subprocess
import unittest

from lab import frames
from lab.failover import probe
from lab_case import EXAMPLE_REGION, PATIENCE, LabCase

LINKS = (6, 7)
FLOWS = 64
SITES = ("par-th2", "rbx")


class Optics(LabCase):
    def start(self, modules: dict | None = None, **cable: object) -> None:
        """customer namespace - par-th2 = two cables = rbx - vRack namespace. `modules`: of par-th2's ports, by number."""
        self.customer, self.vrack = self.namespace("customer"), self.namespace("vrack")
        for namespace in (self.customer, self.vrack):
            namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)
        cards = {site: {0: {"interface": "e0", "netns": namespace.path}, **{link: {"cable": f"backbone-{link}"} for link in LINKS}}
                 for site, namespace in zip(SITES, (self.customer, self.vrack))}
        for port, module in (modules or {}).items():
            cards["par-th2"][port]["module"] = module
        self.start_live(cards, [{"name": f"backbone-{link}", **cable} for link in LINKS])

    def cable(self, *arguments: object, expect: int = 0) -> subprocess.CompletedProcess:
        return self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", *arguments, expect=expect)

    def port(self, site: str, number: int) -> dict:
        return self.show("port", site)[number]

    def members(self) -> dict[int, dict]:
        (group,) = self.show("ecmp", "par-th2")
        return {member["link"]: member for member in group["members"]}

    def cross(self, sequence: int) -> dict[int, int]:
        """A frame of each flow to the vRack; how many each link carried."""
        before = self.members()
        wanted = [probe(flow, sequence) for flow in range(FLOWS)]
        with self.vrack.packet_socket("e0") as inlet, self.customer.packet_socket("e0") as outlet:
            listener = frames.Listener(inlet)
            for one in wanted:
                outlet.send(one)
            self.assertEqual(len(listener.collect(set(wanted), PATIENCE)), FLOWS)
        return {link: member["sent"]["frames"] - before[link]["sent"]["frames"] for link, member in self.members().items()}

    def test_flows_leave_a_cable_whose_light_fades(self) -> None:
        self.start()
        for site in SITES:
            self.poplink("apply", EXAMPLE_REGION, "--node", self.node(site))
        usual = self.cross(0)
        self.assertEqual(sum(usual.values()), FLOWS)
        self.assertTrue(all(usual.values()), "both links carry flows")

        self.cable("backbone-6", "attenuate", "12")
        for site in SITES:
            port = self.port(site, 6)
            self.assertEqual((port["link"], port["receive_dbm"], port["module"]["los"]), ("up", -14.0, False), "weak, but enough")
        self.assertEqual(self.cross(1), usual)

        answer = self.cable("backbone-6", "attenuate", "13.5").stdout
        self.assertIn("backbone-6  link down  loss 13.5 dB  towards par-th2 lost 0  towards rbx lost 0\n", answer)
        for site in SITES:
            port = self.port(site, 6)
            self.assertEqual((port["link"], port["transmit_dbm"], port["receive_dbm"], port["module"]["los"]), ("down", -2.0, -15.5, True))
            self.assertEqual(port["module"]["diagnostics"]["receive_dbm"]["state"], "low_warning")
            self.assertEqual(self.port(site, 7)["link"], "up")
        members = self.members()
        self.assertEqual((members[6]["state"], members[6]["carries"], members[7]["state"]), ("dead", 0, "alive"))
        self.assertEqual(self.cross(2), {6: 0, 7: FLOWS}, "the other carries them, none is lost")

        self.cable("backbone-6", "mend")
        self.assertEqual(self.port("rbx", 6)["receive_dbm"], -5.0)
        self.assertEqual(self.cross(3), usual, "each is back where it was")

    def test_cut_cable_is_dark_and_a_deaf_one_is_not(self) -> None:
        self.start(loss_db=1.5)
        self.cable("backbone-6", "deafen", "rbx")
        self.assertEqual(self.port("rbx", 6)["receive_dbm"], -3.5)
        self.cable("backbone-6", "cut")
        for site in SITES:
            port = self.port(site, 6)
            self.assertEqual((port["link"], port["receive_dbm"], port["module"]["los"]), ("down", None, True))
            self.assertEqual(port["transmit_dbm"], -2.0, "it goes on sending")

    def test_module_is_what_the_lab_file_says(self) -> None:
        self.start({0: {"part": "X-LR"}, 6: {"vendor": "ACME", "serial": "Z 17"}, 7: "none"})
        module = self.port("par-th2", 6)["module"]
        self.assertEqual((module["vendor"], module["part"], module["serial"]), ("ACME", "SFP-10G-LR", "Z 17"))
        self.assertEqual((module["type"], module["connector"], module["oui"], module["wavelength_nm"], module["bitrate_mbd"]),
                         ("10GBASE-LR", "LC", "02-50-4c", 1310, 10300))
        self.assertTrue(module["readable"] and module["checksums_good"] and not module["fault"])
        self.assertEqual(module["diagnostics"]["temperature_c"]["value"], 36.5)
        port = self.port("par-th2", 0)
        self.assertEqual((port["link"], port["module"]["part"]), ("up", "X-LR"), "towards the host too")
        port = self.port("par-th2", 7)
        self.assertEqual((port["link"], port["module"], port["transmit_dbm"], port["receive_dbm"]), ("down", None, None, None))
        far = self.port("rbx", 7)
        self.assertEqual((far["link"], far["receive_dbm"], far["module"]["los"]), ("down", None, True), "nobody sends at it")
        self.assertNotEqual(far["module"]["serial"], self.port("rbx", 6)["module"]["serial"])
        lines = self.poplink("show", "port", "--node", self.node("par-th2")).stdout.splitlines()
        self.assertEqual(lines[0].split("  ")[0], "port")
        self.assertEqual(lines[7].split(), ["6", "off", "up", "10G", "enabled", "-2.0", "-5.0", "0/0", "0/0", "ACME", "SFP-10G-LR", "Z", "17"])
        self.assertEqual(lines[8].split(), ["7", "off", "down", "10G", "enabled", "-", "-", "0/0", "0/0", "none"])

    def test_wrong_losses_are_refused(self) -> None:
        self.start()
        for arguments, said in ((("backbone-6", "attenuate"), "cable: deafen names an end, attenuate a loss in dB, and nothing else anything"),
                                (("backbone-6", "attenuate", "much"), "cable: 'much' is no loss in dB"),
                                (("backbone-6", "attenuate", "61"), "a cable loses from 0 to 60 dB, not 61.0")):
            self.assertEqual(self.cable(*arguments, expect=1).stderr, f"poplink-sim: {said}\n")
        states = json.loads(self.cable("--json").stdout)["cables"]
        self.assertEqual([(one["cable"], one["link"], one["loss_db"]) for one in states], [("backbone-6", "up", 3.0), ("backbone-7", "up", 3.0)])


if __name__ == "__main__":
    unittest.main()
