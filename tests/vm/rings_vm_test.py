#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The driver's rings over a stock kernel's vfio: `poplink capture` and `poplink tap` in a virtual machine, and what becomes of them, and of
the machine's memory, when processes are killed and cards reset or pulled under traffic."""
import json
import re
import threading
import time
import unittest

from lab import frames
from lab.guest import Guest
from lab_case import ONE_LINK, PATIENCE
from vm_test import CARD, IN_SYSFS, VirtualMachine

NODE = "site: par-th2\ncard: 0\ntransport: pci\nserial: 1\niova: physical\n"
STP = frames.frame(bytes.fromhex("0180c2000000"), frames.CUSTOMER_MAC, 38, bytes.fromhex("424203000002027c"))
LACP = frames.frame(bytes.fromhex("0180c2000002"), frames.CUSTOMER_MAC, 0x8809, bytes.fromhex("01010114") + bytes(106))
LOST = 3  # exit code: the card cannot be reached
FRAMES = 2500  # by interrupts, and as many by polling


class Flood:
    """Frames into an interface of a namespace, numbered from 1, until its end; no more than a simulated card can take."""
    BURST, PAUSE = 16, 0.004

    def __init__(self, namespace, interface: str):
        self._stop = threading.Event()
        self._outlet = namespace.packet_socket(interface)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(self.PAUSE):
            for _ in range(self.BURST):
                number += 1
                try:
                    self._outlet.send(frames.frame(frames.VRACK_MAC, frames.CUSTOMER_MAC, frames.TEST_ETHERTYPE, number.to_bytes(4, "big") * 50))
                except OSError:  # no room, or the card's end is gone
                    break

    def end(self) -> None:
        self._stop.set()
        self._thread.join()
        self._outlet.close()


class RingsInGuest(VirtualMachine):
    """Behind port 2 of card a there is a peer, too."""

    def more_ports(self) -> dict:
        self.peer = self.namespace("peer")
        self.peer.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)
        return {2: {"interface": "e0", "netns": self.peer.path}}

    def boot_with_rings(self, *programs: str) -> Guest:
        guest = self.boot("poplink", *programs, files={"region.yaml": ONE_LINK.encode(), "node.yaml": NODE.encode()})
        self.bind_vfio(guest)
        guest.run("echo 16 >/proc/sys/vm/nr_hugepages && modprobe tun")
        return guest

    def start(self, guest: Guest, name: str, command: str) -> None:
        """Its output goes to the file /tmp/NAME, its errors to NAME.err, and in the end its exit code to NAME.exit."""
        guest.start(f"{command} >/tmp/{name} 2>/tmp/{name}.err; echo $? >/tmp/{name}.exit")

    def ended(self, guest: Guest, name: str, status: int) -> tuple[str, str]:
        self.await_in(guest, f"/tmp/{name}.exit", "\n")
        out, err = (guest.run(f"cat /tmp/{file}").output for file in (name, f"{name}.err"))
        self.assertEqual(guest.run(f"cat /tmp/{name}.exit").output, f"{status}\n", out[-2000:] + err)
        return out, err

    def start_capture(self, guest: Guest, name: str, *options: str) -> None:
        card = "serial:1 --iova-physical" if "--poll" in options else "--node /node.yaml"  # one and the same
        self.start(guest, name, f"poplink capture {card} {' '.join(options)}")
        self.await_in(guest, f"/tmp/{name}.err", "capturing at")

    def interrupts(self, guest: Guest) -> dict[int, int]:
        """How often each vector has come since it was set up; empty: none is."""
        found = {}
        for line in guest.run("cat /proc/interrupts").output.splitlines():
            if vector := re.search(rf"vfio-msix\[(\d+)\]\({CARD}\)", line):
                found[int(vector[1])] = sum(int(word) for word in line.split()[1:3])
        return found

    def register_reads(self) -> int:
        run = self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", "--json")
        return {card["card"]: card["register_reads"] for card in json.loads(run.stdout)["cards"]}["a"]

    # ---- it works

    def test_capture_shows_frames_by_interrupts_and_by_polling_and_says_when_it_cannot(self) -> None:
        guest = self.boot("poplink", files={"region.yaml": ONE_LINK.encode(), "node.yaml": NODE.encode()})
        for command in ("capture --node /node.yaml", "tap --node /node.yaml --port 2 --interface host0"):
            refused = guest.run(f"poplink {command}", check=False)
            self.assertEqual(refused.status, LOST)
            self.assertIn(f"the card at {CARD} is reached by its registers only: it cannot share memory (bind vfio-pci)", refused.output)
        self.bind_vfio(guest)
        guest.run("echo 16 >/proc/sys/vm/nr_hugepages && poplink apply /region.yaml --node /node.yaml")
        mac = frames.CUSTOMER_MAC.hex(":")
        for name, *options in (("interrupts",), ("polling", "--poll")):
            self.start_capture(guest, name, "--count 2", *options)
            if not options:
                self.assertEqual(sorted(self.interrupts(guest)), list(range(9)))
            else:
                self.assertEqual(self.interrupts(guest), {})
                self.assertIn("MSI-X: Enable-", guest.run(f"lspci -vvv -s {CARD}").output)
            with self.customer.packet_socket("e0") as outlet:
                outlet.send(STP)
                outlet.send(LACP)
            out, err = self.ended(guest, name, 0)
            self.assertEqual(sorted(line.split(" ", 1)[1] for line in out.splitlines()), sorted([
                f"port0 {mac} > 01:80:c2:00:00:00 0x0026 60 bytes, dropped: stp, spanning tree or other bridge PDU (01:80:C2:00:00:00) is not forwarded",
                f"port0 {mac} > 01:80:c2:00:00:02 0x8809 {len(LACP)} bytes, to the host: slow_protocol, slow protocol (LACP, marker, OAM) ends at this port: it is for the host"]))
            self.assertIn("2 frames captured\n", err)
        self.assertEqual(self.log.read_text(), "")

    def test_tap_reaches_a_peer_behind_the_card_by_interrupts_and_by_polling(self) -> None:
        guest = self.boot_with_rings()
        self.peer.run("ip", "address", "add", "10.9.0.2/24", "dev", "e0")
        for name, *options in (("interrupts",), ("polling", "--poll")):
            self.start(guest, name, f"poplink tap --node /node.yaml --port 2 --interface host0 {' '.join(options)}")
            self.await_in(guest, f"/tmp/{name}", f"interface host0 (TAP) is port 2 of {CARD}")
            guest.run("ip address add 10.9.0.1/24 dev host0")
            said = guest.run("ping -q -c 20 -i 0.05 -W 20 -s 1400 10.9.0.2").output
            self.assertIn("20 packets transmitted, 20 packets received", said)
            fired = self.interrupts(guest)
            self.assertEqual(fired.get(1, 0) > 0, not options, fired)  # of the ring of class 1
            guest.run("kill -TERM $(pidof poplink)")
            out, _ = self.ended(guest, name, 0)
            self.assertRegex(out, r"2\d frames received, \d+ sent, 0 lost")
            self.assertNotIn("host0", guest.run("ip link").output)
        self.assertEqual(self.log.read_text(), "")

    # ---- it fails as it should

    def test_kill_reset_and_removal_under_a_flood_harm_nothing(self) -> None:
        guest = self.boot_with_rings("poplink-memory-guard", "poplink-rings-probe")
        flood = Flood(self.peer, "e0")
        self.addCleanup(flood.end)

        def capture_some(name: str, *options: str) -> None:
            self.start_capture(guest, name, "--port 2 --count 200", *options)
            self.assertEqual(self.ended(guest, name, 0)[0].count("port2 "), 200)

        # Killed: what the rings had is somebody else's from now on, who finds nothing in it but his own.
        self.start_capture(guest, "killed", "--port 2")
        self.await_in(guest, "/tmp/killed", "port2")
        self.start(guest, "others", "poplink-memory-guard 32 /tmp/end")
        self.await_in(guest, "/tmp/others", "guards 12 huge pages")
        guest.run("kill -KILL $(pidof poplink)")
        self.ended(guest, "killed", 128 + 9)
        self.start(guest, "next", "poplink-memory-guard 16 /tmp/go")
        self.await_in(guest, "/tmp/next", "guards 4 huge pages")
        with self.peer.packet_socket("e0") as outlet:  # for a ring that has had none yet: all its descriptors are good still
            for _ in range(20):
                outlet.send(LACP)
        shown = guest.run(f"lspci -vvv -s {CARD}").output
        for text in ("BusMaster-", "MSI-X: Enable-"):
            self.assertIn(text, shown)
        registers = json.loads(guest.run(f"poplink card regs {CARD} ring_control ring_status capture_control --json").output)["registers"]
        self.assertEqual([one["value"] & 1 for one in registers], [0] * 17)
        guest.run("touch /tmp/go")
        self.assertIn("\n0 words harmed\n", self.ended(guest, "next", 0)[0])
        guest.run("rm /tmp/go")
        capture_some("after_the_kill")

        # Reset by the kernel, behind the owner's back. While that lasts the card does not answer, as one that is gone.
        self.start_capture(guest, "reset", "--port 2")
        self.await_in(guest, "/tmp/reset", "port2")
        guest.run(f"echo 1 >{IN_SYSFS}/reset")
        self.assertRegex(self.ended(guest, "reset", LOST)[1], rf"\npoplink: (ring \d of the card at {CARD} was disabled by somebody else: the card has "
                         rf"been reset|the card at {CARD} is gone)\n")
        capture_some("after_the_reset", "--poll")

        # Reset by the owner; and before, thousands of frames without a register read.
        self.start(guest, "probe", f"poplink-rings-probe {CARD} {FRAMES} /tmp/go")
        self.await_in(guest, "/tmp/probe", "ready")
        reads = self.register_reads()
        guest.run("touch /tmp/go")
        self.await_in(guest, "/tmp/probe", "done")
        self.assertEqual(self.register_reads() - reads, 0)
        guest.run("rm /tmp/go")
        out, _ = self.ended(guest, "probe", 0)
        self.assertEqual(out, f"ready\ninterrupts: all, {FRAMES} frames, 0 wrong\npolling: all, {2 * FRAMES} frames, 0 wrong\ndone\n"
                         f"ring 1 of the card at {CARD} was disabled by somebody else: the card has been reset\n"
                         f"after the reset: all, {FRAMES // 10} frames, 0 wrong\n")

        # Pulled. Without a reset at the end: for that of a card that is gone a kernel waits more than a minute before it lets the process end.
        guest.run(f"echo >{IN_SYSFS}/reset_method")
        self.start_capture(guest, "pulled", "--port 2")
        self.await_in(guest, "/tmp/pulled", "port2")
        self.assertEqual(self.log.read_text(), "")
        self.sim.kill()
        self.assertIn(f"poplink: the card at {CARD} is gone\n", self.ended(guest, "pulled", LOST)[1])
        after = guest.run(f"poplink card info {CARD}", check=False)
        self.assertEqual((after.status, after.output), (LOST, "poplink: lost the card: its registers are not there any more\n"))
        guest.run("touch /tmp/end")
        self.assertIn("\n0 words harmed\n", self.ended(guest, "others", 0)[0])


if __name__ == "__main__":
    unittest.main()
