#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A simulated card in a virtual machine: what a stock Debian kernel and its tools make of it. A boot takes seconds, so a test does much
in one."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from lab.guest import Guest
from lab.processes import owned
from lab_case import BINARIES, HOUSE, PATIENCE, CardClient, LabCase

CARD, SECOND_CARD = "0000:01:00.0", "0000:02:00.0"
IN_SYSFS = f"/sys/bus/pci/devices/{CARD}"
CARD_MAP = json.loads((HOUSE / "tests" / "card" / "golden" / "card_map.json").read_text())
REGISTERS = {register["name"]: register for register in CARD_MAP["registers"]}
MAGIC = REGISTERS["magic"]["fields"][0]["reset"]
SCRATCH = REGISTERS["scratch"]["address"]

# Starts a guest and waits to be killed.
ABANDONED = """
import pathlib, sys, time
from lab.guest import Guest
directory, card = map(pathlib.Path, sys.argv[1:])
guest = Guest(directory, [card])
print(guest.pid, flush=True)
time.sleep(600)
"""


class VirtualMachine(LabCase):
    """customer namespace - card a - backbone - card b - vRack namespace; a is the guest's, and b if it is asked for."""

    def setUp(self) -> None:
        super().setUp()
        self.customer, self.vrack = self.namespace("customer"), self.namespace("vrack")
        for namespace in (self.customer, self.vrack):  # silent: nothing but a test's own frames is counted
            namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)
        qtest = str(self.directory / "qtest.sock")
        lab = {"cards": [{"name": "a", "socket": str(self.socket("a")),
                          "ports": {0: {"interface": "e0", "netns": self.customer.path}, 6: {"cable": "backbone"}} | self.more_ports(),
                          "qemu": {"socket": str(self.proxy), "qtest": qtest}},
                         {"name": "b", "socket": str(self.socket("b")), "qemu": {"socket": str(self.directory / "b.qemu"), "qtest": qtest},
                          "ports": {0: {"interface": "e0", "netns": self.vrack.path}, 6: {"cable": "backbone"}}}],
               "cables": [{"name": "backbone"}], "control": str(self.directory / "lab.control")}
        self.sim = self.start_lab(lab)

    def more_ports(self) -> dict:
        """Of card a."""
        return {}

    @property
    def proxy(self) -> pathlib.Path:
        return self.directory / "a.qemu"

    def boot(self, *programs: str, files: dict[str, bytes] | None = None, cards: str = "a") -> Guest:
        guest = Guest(self.directory, [self.directory / f"{card}.qemu" for card in cards], [BINARIES / program for program in programs], files)
        self.addCleanup(guest.close)
        return guest

    def cable(self, action: str) -> None:
        self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", "backbone", action)

    def await_in(self, guest: Guest, file: str, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in (seen := guest.run(f"cat {file} 2>/dev/null", check=False).output):
            self.assertLess(time.monotonic(), end, seen)
            time.sleep(0.05)

    def bind_vfio(self, guest: Guest, card: str = CARD) -> str:
        """Gives the group's number."""
        device = f"/sys/bus/pci/devices/{card}"
        guest.run(f"modprobe vfio_iommu_type1 allow_unsafe_interrupts=1 && modprobe vfio-pci && echo vfio-pci >{device}/driver_override"
                  f" && echo {card} >/sys/bus/pci/drivers_probe")
        self.assertEqual(guest.run(f"basename $(readlink {device}/driver)").output, "vfio-pci\n")
        return guest.run(f"basename $(readlink {device}/iommu_group)").output.strip()

    def test_stock_kernel_and_lspci_see_a_pci_function(self) -> None:
        guest = self.boot()
        shown = guest.run(f"lspci -vvv -s {CARD}").output
        for text in ("Network controller: Xilinx Corporation Device 504c", "Subsystem: Xilinx Corporation Device 504c",
                     "(32-bit, non-prefetchable) [size=1M]", "(32-bit, non-prefetchable) [size=4K]", "Power Management version 3",
                     "D0 NoSoftRst+", "MSI-X: Enable- Count=9 Masked-", "Vector table: BAR=2 offset=00000000",
                     "PBA: BAR=2 offset=00000800", "Express (v2) Endpoint", "FLReset+"):
            self.assertIn(text, shown)

        # Registers, by all sizes of access.
        base = int(guest.run(f"head -n 1 {IN_SYSFS}/resource").output.split()[0], 16)
        guest.run(f"echo 1 >{IN_SYSFS}/enable")

        def peek(offset: int, bits: int = 32) -> int:
            return int(guest.run(f"devmem {base + offset:#x} {bits}").output, 16)
        self.assertEqual(peek(0), MAGIC)
        self.assertEqual((peek(0, 8), peek(2, 16), peek(0, 64) & 0xFFFF_FFFF), (MAGIC & 0xFF, MAGIC >> 16, MAGIC))
        guest.run(f"devmem {base + SCRATCH:#x} 32 0xcafe")
        self.assertEqual(peek(SCRATCH), 0xCAFE)
        self.assertEqual(peek(0x60000), 0xFFFF_FFFF, "where no register answers")

        # The kernel resets it by itself, and finds it again.
        self.assertIn("flr", guest.run(f"cat {IN_SYSFS}/reset_method").output.split())
        guest.run(f"echo flr >{IN_SYSFS}/reset_method && echo 1 >{IN_SYSFS}/reset")
        self.assertEqual((peek(0), peek(SCRATCH)), (MAGIC, 0xCAFE), "configuration is restored, the card's state was never gone")

        # One owner, whichever way it came; another comes when the machine is off.
        with self.assertRaisesRegex(RuntimeError, r"is held by QEMU \(process \d+\)"):
            CardClient(self.socket("a"))
        guest.close()
        with CardClient(self.socket("a")) as card:
            self.assertEqual(card.read(0, SCRATCH), (MAGIC, 0xCAFE))
        self.assertEqual(self.log.read_text(), "")

    def test_vfio_gets_registers_interrupts_and_resets_of_two_cards(self) -> None:
        guest = self.boot("poplink-vfio-probe", cards="ab")
        cards = (CARD, SECOND_CARD)
        for card in cards:
            group = self.bind_vfio(guest, card)
            guest.start(f"poplink-vfio-probe {card} {group} >/tmp/{card} 2>&1; echo exit $? >>/tmp/{card}")
        for card in cards:
            self.await_in(guest, f"/tmp/{card}", "armed")
            shown = guest.run(f"lspci -vvv -s {card}").output
            self.assertIn("MSI-X: Enable+ Count=9 Masked-", shown)
            self.assertIn("BusMaster+", shown)
        self.cable("cut")
        for card in cards:
            self.await_in(guest, f"/tmp/{card}", "exit")
            self.assertEqual(guest.run(f"cat /tmp/{card}").output,
                             f"reset yes\nbar0 {1 << 20} magic {MAGIC:#010x}\nvectors 9\narmed\ninterrupt 8\n"
                             f"links {1 << 6:#06x} rings 0x00\nand cleared: links 0x0000 rings 0x00\n"
                             "scratch after reset 0xcafe\nexit 0\n")
        self.assertEqual(self.log.read_text(), "")

    def test_machine_ends_with_whoever_started_it_and_frees_the_card(self) -> None:
        owner = subprocess.Popen(owned([sys.executable, "-c", ABANDONED, self.directory, self.proxy]), stdout=subprocess.PIPE, text=True)
        qemu = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        owner.stdout.close()
        end = time.monotonic() + PATIENCE
        while os.path.exists(f"/proc/{qemu}") and time.monotonic() < end:
            time.sleep(0.01)
        self.assertFalse(os.path.exists(f"/proc/{qemu}"))
        with CardClient(self.socket("a")) as card:
            self.assertEqual(card.read(0), (MAGIC,))


if __name__ == "__main__":
    unittest.main()
