#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The driver and the command `poplink` in a virtual machine, over a stock kernel's sysfs and vfio, and over a simulated card's socket."""
import json
import unittest

from lab import frames
from lab.guest import Guest
from lab_case import ONE_LINK, PATIENCE
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
        readable = [register for register in REGISTERS.values() if any("r" in field["software"] for field in register["fields"])]
        self.assertEqual(len(shown), sum(register["count"] for register in readable))

    def test_tables_are_programmed_from_the_guest_and_frames_that_cross_are_counted_there(self) -> None:
        """By vfio, and in the end by sysfs."""
        node = "site: par-th2\ncard: 0\ntransport: pci\nserial: 1\niova: physical\n"
        guest = self.boot("poplink", files={"region.yaml": ONE_LINK.encode(), "node.yaml": node.encode()})

        def poplink(command: str) -> dict:
            return json.loads(guest.run(f"poplink {command} --json").output)

        self.bind_vfio(guest)
        # Tables from the guest, on the other card from here; then frames cross and are counted.
        guest.run("poplink apply /region.yaml --node /node.yaml")
        self.poplink("apply", self.one_link, "--node", self.node("rbx", self.socket("b")))
        (services,) = poplink("show table service --node /node.yaml")["tables"]
        self.assertEqual([one["entry"]["s_vid"] for one in services["entries"]], [101, 102])
        wanted = [frames.frame(frames.VRACK_MAC, frames.CUSTOMER_MAC, frames.TEST_ETHERTYPE, number.to_bytes(4, "big") * 20)
                  for number in range(20)]
        with self.vrack.packet_socket("e0") as inlet, self.customer.packet_socket("e0") as outlet:
            listener = frames.Listener(inlet)
            for one in wanted:
                outlet.send(one)
            self.assertEqual(len(listener.collect(set(wanted), PATIENCE)), len(wanted))
        counted = {one["service"]: one["to_backbone"] for one in poplink("show service --node /node.yaml")["services"]}
        self.assertEqual(counted, {101: {"frames": 20, "bytes": sum(map(len, wanted))}, 102: {"frames": 0, "bytes": 0}})

        # Whoever comes after vfio finds the card as it is.
        guest.run(f"echo {CARD} >/sys/bus/pci/drivers/vfio-pci/unbind && echo 1 >{IN_SYSFS}/enable")
        self.assertEqual(guest.run("poplink apply --dry-run /region.yaml --node /node.yaml").output, "par-th2: 0 entries to change\n")
        self.assertEqual(self.log.read_text(), "")

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
