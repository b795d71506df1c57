#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The driver and the command `poplink` in a virtual machine, over a stock kernel's sysfs and vfio, and over a simulated card's socket."""
import json
import unittest

from lab.guest import Guest
from vm_test import CARD, IN_SYSFS, REGISTERS, VirtualMachine

SAID = """\
dma 1 vectors 9
runs 1
sent: status 0
interrupt 1
nobody's memory: status 2
large 262144
reset: runs 0
"""


class DriverInGuest(VirtualMachine):
    def card(self, guest: Guest, *arguments: str) -> dict:
        return json.loads(guest.run(f"poplink card {' '.join(arguments)} --json").output)

    def test_poplink_finds_the_card_and_reaches_it_with_and_without_vfio(self) -> None:
        guest = self.boot("poplink")
        (one,) = self.card(guest, "list")["cards"]
        self.assertEqual((one["address"], one["id"], one["driver"], one["link"]["width"]), (CARD, "10ee:504c", None, 8))
        self.assertEqual((one["serial"], one["owner"]), ("0000000000000001", None))
        about = self.card(guest, "info", CARD)
        self.assertEqual((about["serial"], about["ready"], about["dma"], about["interrupt_vectors"]), ("0000000000000001", True, False, 0))
        (scratch,) = self.card(guest, "regs", CARD, "scratch=0xcafe")["registers"]
        self.assertEqual(scratch["value"], 0xCAFE)
        self.assertEqual(guest.run(f"cat {IN_SYSFS}/enable").output, "0\n", "as it was found")

        group = int(self.bind_vfio(guest))
        (one,) = self.card(guest, "list")["cards"]
        self.assertEqual((one["driver"], one["iommu_group"]), ("vfio-pci", group))
        for name in (CARD, "serial:1"):
            about = self.card(guest, "info", name)
            self.assertEqual((about["card"], about["serial"], about["dma"], about["interrupt_vectors"]),
                             (CARD, "0000000000000001", True, 9))
        self.assertEqual(self.card(guest, "regs", CARD, "scratch")["registers"], [scratch], "what the kernel resets is not the registers")
        shown = self.card(guest, "regs", CARD)["registers"]
        self.assertEqual(len(shown), sum(register["count"] for register in REGISTERS.values()))

    def test_driver_shares_memory_and_gets_interrupts_by_vfio(self) -> None:
        guest = self.boot("poplink-driver-probe")
        self.bind_vfio(guest)
        self.assertEqual(guest.run(f"poplink-driver-probe {CARD} map").output,
                         "mapped 4096 at 0x100000, 4194304 at 0x102000\n" * 2)
        guest.run("echo 8 >/proc/sys/vm/nr_hugepages")
        for _ in range(2):
            self.assertEqual(guest.run(f"poplink-driver-probe {CARD} physical").output, SAID)
        self.assertEqual([port["sent"]["frames"] for port in self.sent(guest)], [0] * 6 + [2, 0])

    def sent(self, guest: Guest) -> list[dict]:
        guest.close()  # and the card is whoever's comes next
        return self.show("port", "a")

    def test_driver_shares_memory_and_gets_interrupts_over_the_socket(self) -> None:
        for _ in range(2):
            self.assertEqual(self.run_program("poplink-driver-probe", f"sim:{self.socket('a')}").stdout, SAID)
        self.assertEqual([port["sent"]["frames"] for port in self.show("port", "a")], [0] * 6 + [2, 0])
        self.assertEqual(self.log.read_text(), "")


if __name__ == "__main__":
    unittest.main()
