#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cables between a card and what is no card: interfaces of a namespace and machines' NICs at sockets. Cut, deaf and dim ones, as both sides
see them. Runs in a network namespace of its own (unshare)."""
import json
import pathlib
import socket
import struct
import subprocess
import time
import unittest

from lab import frames
from lab.captures import read_pcap
from lab.namespaces import Namespace
from lab_case import PATIENCE, LabCase


def test_frame(number: int, to_vrack: bool = True, size: int = 100) -> bytes:
    macs = (frames.VRACK_MAC, frames.CUSTOMER_MAC) if to_vrack else (frames.CUSTOMER_MAC, frames.VRACK_MAC)
    return frames.frame(*macs, frames.TEST_ETHERTYPE, number.to_bytes(4, "big") * (size // 4))


class Nic:
    """A machine's NIC as QEMU's `-netdev stream` plugs it in."""

    def __init__(self, path: pathlib.Path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))

    def send(self, frame: bytes) -> None:
        self.socket.sendall(struct.pack("!I", len(frame)) + frame)

    def receive(self) -> bytes:
        (size,) = struct.unpack("!I", self._exactly(4))
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = self.socket.recv(size, socket.MSG_WAITALL)
        if len(data) != size:
            raise EOFError
        return data

    def close(self) -> None:
        self.socket.close()


class Outlets(LabCase):
    def start(self, customer: dict, vrack: dict, cables: list[dict] = ()) -> subprocess.Popen:
        """par-th2, whose port 0 is plugged into `customer`, over a backbone to rbx, with port 0 plugged into `vrack`; configured."""
        sim = self.start_live({"par-th2": {0: customer, 6: {"cable": "backbone"}}, "rbx": {0: vrack, 6: {"cable": "backbone"}}},
                              [{"name": "backbone"}, *cables])
        for site in ("par-th2", "rbx"):
            self.poplink("apply", self.one_link, "--node", self.node(site))
        return sim

    def silent(self, name: str) -> Namespace:
        """Nothing but the test's own frames comes from it."""
        namespace = self.namespace(name)
        namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)
        return namespace

    def cable(self, *arguments: object, expect: int = 0) -> subprocess.CompletedProcess:
        return self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", *arguments, expect=expect)

    def ends(self, name: str) -> list[dict]:
        (cable,) = [one for one in json.loads(self.cable("--json").stdout)["cables"] if one["cable"] == name]
        return cable["ends"]

    def await_that(self, condition, what: str = "") -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.01)

    @staticmethod
    def carrier(namespace: Namespace) -> bool:
        (link,) = json.loads(namespace.run("ip", "-json", "link", "show", "e0").stdout)
        return "NO-CARRIER" not in link["flags"]

    def link(self) -> str:
        return self.show("port", "par-th2")[0]["link"]

    def cross(self, source: Namespace, target: Namespace, wanted: list[bytes]) -> None:
        with target.packet_socket("e0") as inlet, source.packet_socket("e0") as outlet:
            listener = frames.Listener(inlet)
            for one in wanted:
                outlet.send(one)
            arrived = listener.collect(set(wanted), PATIENCE)
        self.assertEqual(len(arrived), len(set(wanted)), f"{source.name} to {target.name}")

    def cut_and_mend(self, attach: str) -> None:
        customer, vrack = self.silent("customer"), self.silent("vrack")
        pcap = self.directory / "customer.pcap"
        self.start({"interface": "e0", "netns": customer.path, "attach": attach, "cable": "customer-0"},
                   {"interface": "e0", "netns": vrack.path}, [{"name": "customer-0", "pcap": str(pcap)}])
        self.assertIn("customer-0  link up  loss 3 dB  towards par-th2 lost 0  towards host lost 0\n", self.cable().stdout)
        self.cross(customer, vrack, [test_frame(1)])
        for _ in range(3):
            self.cable("customer-0", "cut")
            self.assertEqual(self.link(), "down")
            self.assertEqual(self.show("port", "par-th2")[0]["receive_dbm"], None)
            self.await_that(lambda: not self.carrier(customer), "the host still sees a carrier")
            self.cable("customer-0", "mend")
            self.assertEqual(self.link(), "up")
            self.await_that(lambda: self.carrier(customer), "the host sees no carrier")
        self.cross(customer, vrack, [test_frame(2)])
        self.cross(vrack, customer, [test_frame(3, to_vrack=False)])

        self.cable("customer-0", "attenuate", "20")
        self.await_that(lambda: not self.carrier(customer), "too little light is no light")
        self.cable("customer-0", "mend")
        self.await_that(lambda: self.carrier(customer))

        # One strand and then the other: nobody sees it, frames say it.
        before = self.ends("customer-0")
        self.cable("customer-0", "deafen", "host")
        with vrack.packet_socket("e0") as outlet:
            outlet.send(test_frame(4, to_vrack=False))
        self.cross(customer, vrack, [test_frame(5)])
        self.await_that(lambda: self.ends("customer-0") == [before[0], before[1] | {"deaf": True, "lost": before[1]["lost"] + 1}])
        self.cable("customer-0", "mend")
        self.cable("customer-0", "deafen", "par-th2")
        with customer.packet_socket("e0") as outlet:
            outlet.send(test_frame(6))
        self.cross(vrack, customer, [test_frame(7, to_vrack=False)])
        self.await_that(lambda: self.ends("customer-0")[0] == before[0] | {"deaf": True, "lost": before[0]["lost"] + 1})
        self.assertTrue(self.carrier(customer))
        self.assertEqual(self.link(), "up")
        self.cable("customer-0", "mend")
        self.cross(customer, vrack, [test_frame(8)])
        passed = {data for _, data in read_pcap(pcap)}
        self.assertTrue({test_frame(1), test_frame(7, to_vrack=False), test_frame(8)} <= passed)
        self.assertFalse({test_frame(4, to_vrack=False), test_frame(6)} & passed, "what is lost is on no tap")
        self.assertEqual(self.log.read_text(), "")

    def test_cable_to_a_tap_is_cut_and_deafened_as_both_sides_see(self) -> None:
        self.cut_and_mend("tap")

    def test_cable_to_a_veth_pair_is_cut_and_deafened_as_both_sides_see(self) -> None:
        self.cut_and_mend("packet")

    def test_port_without_module_gives_the_host_no_carrier(self) -> None:
        customer, vrack = self.silent("customer"), self.silent("vrack")
        self.start({"interface": "e0", "netns": customer.path, "module": "none"}, {"interface": "e0", "netns": vrack.path})
        self.await_that(lambda: not self.carrier(customer))
        self.assertTrue(self.carrier(vrack))
        self.assertEqual([one["cable"] for one in json.loads(self.cable("--json").stdout)["cables"]], ["backbone"], "who has no name is no one's")

    def test_delay_of_a_cable_to_a_host_is_waited_for(self) -> None:
        customer, vrack = self.silent("customer"), self.silent("vrack")
        delay_ns = 50_000_000
        self.start({"interface": "e0", "netns": customer.path, "cable": "long"}, {"interface": "e0", "netns": vrack.path},
                   [{"name": "long", "delay_ns": delay_ns}])
        begin = time.monotonic_ns()
        self.cross(customer, vrack, [test_frame(i) for i in range(200)])
        self.assertGreaterEqual(time.monotonic_ns() - begin, delay_ns)

    def test_interface_that_is_taken_away_stays_a_link_that_is_down(self) -> None:
        customer, vrack = self.silent("customer"), self.silent("vrack")
        self.start({"interface": "e0", "netns": customer.path, "attach": "tap", "cable": "customer-0"},
                   {"interface": "e0", "netns": vrack.path}, [{"name": "customer-0"}])
        customer.run("ip", "link", "delete", "e0")
        self.await_that(lambda: self.link() == "down")
        for action in ("cut", "mend"):
            self.assertIn("customer-0  link down", self.cable("customer-0", action).stdout)
        self.assertEqual(self.link(), "down")
        self.assertEqual(self.log.read_text(), "poplink-sim: interface e0 is gone; port 0 has no link\n")

    def test_wrong_ends_are_refused(self) -> None:
        customer, vrack = self.silent("customer"), self.silent("vrack")
        self.start({"interface": "e0", "netns": customer.path, "cable": "customer-0"}, {"interface": "e0", "netns": vrack.path},
                   [{"name": "customer-0"}])
        for arguments, said in ((("customer-0", "deafen", "e0"), "cable 'customer-0' has no end 'e0'"),
                                (("backbone", "deafen", "host"), "cable 'backbone' has no end 'host'"),
                                (("customer-0", "deafen"), "cable: deafen names an end, attenuate a loss in dB, and nothing else anything")):
            self.assertEqual(self.cable(*arguments, expect=1).stderr, f"poplink-sim: {said}\n")
        self.assertEqual([end["deaf"] for end in self.ends("customer-0")], [False, False])

    # ---- a machine's NIC

    def plug_in(self, name: str) -> Nic:
        nic = Nic(self.directory / name)
        self.addCleanup(nic.close)
        return nic

    def with_a_machine(self) -> Namespace:
        vrack = self.silent("vrack")
        self.sim = self.start({"stream": str(self.directory / "nic.sock"), "cable": "customer-0"}, {"interface": "e0", "netns": vrack.path},
                              [{"name": "customer-0"}])
        return vrack

    def test_machine_s_frames_cross_the_cards_both_ways(self) -> None:
        vrack = self.with_a_machine()
        self.assertEqual(self.link(), "down", "nobody is plugged in")
        nic = self.plug_in("nic.sock")
        self.await_that(lambda: self.link() == "up")
        with vrack.packet_socket("e0") as packet:
            listener = frames.Listener(packet)
            wanted = [test_frame(i, size=size) for i, size in enumerate((46, 500, 1500, 8000))]
            for one in wanted:
                nic.send(one)
            self.assertEqual(listener.collect(set(wanted), PATIENCE), set(wanted))
            short = test_frame(9)[:20]
            nic.send(short)
            self.assertTrue(listener.collect({short.ljust(60, b"\0")}, PATIENCE), "padded by the card's port as by any MAC")
            for one in [test_frame(i, to_vrack=False, size=size) for i, size in enumerate((46, 1500))]:
                packet.send(one)
                self.assertEqual(nic.receive(), one)

    def test_machine_that_leaves_takes_the_link_with_it_and_may_come_back(self) -> None:
        vrack = self.with_a_machine()
        for number in range(3):
            nic = self.plug_in("nic.sock")
            self.await_that(lambda: self.link() == "up")
            with vrack.packet_socket("e0") as packet:
                nic.send(test_frame(number))
                self.assertTrue(frames.Listener(packet).collect({test_frame(number)}, PATIENCE))
            nic.close()
            self.await_that(lambda: self.link() == "down")
        self.assertEqual(self.log.read_text(), "")
        self.sim.terminate()
        self.assertEqual(self.sim.wait(PATIENCE), 0)
        self.assertFalse((self.directory / "nic.sock").exists())

    def test_second_machine_and_one_that_speaks_something_else_are_told_off(self) -> None:
        vrack = self.with_a_machine()
        nic, second = self.plug_in("nic.sock"), self.plug_in("nic.sock")
        with self.assertRaises(EOFError):
            second.receive()
        nic.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with self.assertRaises(EOFError):
            nic.receive()
        self.await_that(lambda: self.link() == "down")
        turned_away, hung_up = self.log.read_text().splitlines()
        self.assertRegex(turned_away, r"nic\.sock: process \d+ is turned away: process \d+ is plugged in there$")
        self.assertRegex(hung_up, r"nic\.sock: process \d+ announced a frame of 1195725856 bytes, which are from 14 to 16384: it is hung up on$")
        third = self.plug_in("nic.sock")
        self.await_that(lambda: self.link() == "up")
        with vrack.packet_socket("e0") as packet:
            third.send(test_frame(1))
            self.assertTrue(frames.Listener(packet).collect({test_frame(1)}, PATIENCE))

    def test_machine_that_does_not_read_loses_by_a_count_that_is_shown(self) -> None:
        vrack = self.with_a_machine()
        self.plug_in("nic.sock")
        self.await_that(lambda: self.link() == "up")
        with vrack.packet_socket("e0") as packet:
            end = time.monotonic() + PATIENCE
            while self.ends("customer-0")[1]["refused"] == 0:
                self.assertLess(time.monotonic(), end)
                for _ in range(100):
                    packet.send(test_frame(1, to_vrack=False, size=8000))
        self.assertRegex(self.cable().stdout, r"customer-0 .* towards host lost 0 refused \d+\n")
        self.sim.terminate()
        self.assertEqual(self.sim.wait(PATIENCE), 0)
        self.assertRegex(self.log.read_text(), r"nic\.sock had no room for \d+ frames\n$")

    def test_cut_cable_to_a_machine_loses_its_frames(self) -> None:
        vrack = self.with_a_machine()
        nic = self.plug_in("nic.sock")
        self.await_that(lambda: self.link() == "up")
        self.cable("customer-0", "cut")
        self.assertEqual(self.link(), "down")
        nic.send(test_frame(1))
        self.await_that(lambda: self.ends("customer-0")[0]["lost"] == 1)
        self.cable("customer-0", "mend")
        with vrack.packet_socket("e0") as packet:
            nic.send(test_frame(2))
            self.assertTrue(frames.Listener(packet).collect({test_frame(2)}, PATIENCE))


if __name__ == "__main__":
    unittest.main()
