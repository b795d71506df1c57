#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""poplink-sim live beyond the demo: several cables and their delays, AF_PACKET, what goes wrong at its start, and its end. Runs in a
network namespace of its own (unshare)."""
import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest

from lab import frames
from lab.captures import read_pcap
from lab.namespaces import Namespace
from lab_case import EXAMPLE_REGION, PATIENCE, CardClient, LabCase

BACKBONE = [{"name": "backbone"}]
NOW_US_LOW, NOW_US_HIGH = 0x24, 0x28
REPEAT_FRAME, REPEAT_BYTES, REPEAT_WAIT, REPEAT_INTERVAL, REPEAT_LIFETIME, REPEAT_CONTROL, REPEAT_STATUS = (
    0x3500, 0x3580, 0x3584, 0x3588, 0x358C, 0x35C0, 0x3600)
REPEAT_ARM = 2

THREE_SITES = """
region: three
sites:
  - name: par
    role: entrypoint
    ports:
      - {id: 0, speed: 10G, use: cross_connect}
      - {id: 6, speed: 10G, use: backbone, peer: {site: rbx, port: 6}}
  - name: lon
    role: entrypoint
    ports:
      - {id: 0, speed: 10G, use: cross_connect}
      - {id: 6, speed: 10G, use: backbone, peer: {site: rbx, port: 7}}
  - name: rbx
    role: endpoint
    ports:
      - {id: 0, speed: 10G, use: vrack}
      - {id: 1, speed: 10G, use: vrack}
      - {id: 6, speed: 10G, use: backbone, peer: {site: par, port: 6}}
      - {id: 7, speed: 10G, use: backbone, peer: {site: lon, port: 6}}
vracks: [{id: a}, {id: b}]
services:
  - {name: a, vrack: a, mode: l2, tunnel_id: 101, pop: {site: par, port: 0}, dc: {site: rbx, port: 0}}
  - {name: b, vrack: b, mode: l2, tunnel_id: 102, pop: {site: lon, port: 0}, dc: {site: rbx, port: 1}}
"""


def interfaces(namespace: Namespace) -> set[str]:
    lines = namespace.run("ip", "-brief", "link").stdout.splitlines()
    return {line.split()[0].split("@")[0] for line in lines} - {"lo"}


def test_frame(number: int, tags: bytes = b"", size: int = 100, to_vrack: bool = True) -> bytes:
    macs = (frames.VRACK_MAC, frames.CUSTOMER_MAC) if to_vrack else (frames.CUSTOMER_MAC, frames.VRACK_MAC)
    return frames.frame(*macs, frames.TEST_ETHERTYPE, number.to_bytes(4, "big") * (size // 4), tags)


def processor_seconds(process: subprocess.Popen) -> float:
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Live(LabCase):
    def two_cards(self, attach: str = "best", delay_ns: int = 0, **cable: object) -> tuple[subprocess.Popen, Namespace, Namespace]:
        """customer namespace - par-th2 - backbone - rbx - vRack namespace, configured."""
        customer, vrack = self.namespace("customer"), self.namespace("vrack")
        for namespace in (customer, vrack):  # silent: nothing but the test's own frames wakes the simulation
            namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)
        sim = self.start_live({
            "par-th2": {0: {"interface": "e0", "netns": customer.path, "attach": attach}, 6: {"cable": "backbone"}},
            "rbx": {0: {"interface": "e0", "netns": vrack.path, "attach": attach}, 6: {"cable": "backbone"}},
        }, [{"name": "backbone", "delay_ns": delay_ns, **cable}])
        for site in ("par-th2", "rbx"):
            self.poplink("apply", EXAMPLE_REGION, "--node", self.node(site))
        return sim, customer, vrack

    def cross(self, source: Namespace, target: Namespace, wanted: list[bytes]) -> None:
        with target.packet_socket("e0") as inlet, source.packet_socket("e0") as outlet:
            listener = frames.Listener(inlet)
            for one in wanted:
                outlet.send(one)
            arrived = listener.collect(set(wanted), PATIENCE)
        self.assertEqual(len(arrived), len(set(wanted)), f"{source.name} to {target.name}")

    def refused(self, cards: dict[str, dict], cables: list[dict] = ()) -> str:
        run = self.run_program("poplink-sim", "live", "--lab", self.lab_file(cards, cables), expect=1)
        self.assertEqual(run.stdout, "", "not ready")
        self.assertEqual(list(self.directory.glob("*.sock")), [], "no socket is left")
        return run.stderr

    # ---- cables

    def test_each_of_two_cables_carries_its_own_service(self) -> None:
        spaces = {name: self.namespace(name) for name in ("par", "lon", "vrack_a", "vrack_b")}
        plug = {name: {"interface": "e0", "netns": namespace.path} for name, namespace in spaces.items()}
        captures = {101: self.directory / "par.pcap", 102: self.directory / "lon.pcap"}
        sim = self.start_live({"par": {0: plug["par"], 6: {"cable": "par"}}, "lon": {0: plug["lon"], 6: {"cable": "lon"}},
                               "rbx": {0: plug["vrack_a"], 1: plug["vrack_b"], 6: {"cable": "par"}, 7: {"cable": "lon"}}},
                              [{"name": "par", "pcap": str(captures[101])}, {"name": "lon", "pcap": str(captures[102])}])
        region = self.directory / "region.yaml"
        region.write_text(THREE_SITES)
        for site in ("par", "lon", "rbx"):
            self.poplink("apply", region, "--node", self.node(site))
        for pop, vrack in (("par", "vrack_a"), ("lon", "vrack_b")):
            self.cross(spaces[pop], spaces[vrack], [test_frame(i) for i in range(20)])
            self.cross(spaces[vrack], spaces[pop], [test_frame(i, to_vrack=False) for i in range(20)])
        sim.terminate()
        self.assertEqual(sim.wait(PATIENCE), 0)
        for s_vid, capture in captures.items():
            passed = [data for _, data in read_pcap(capture)]
            self.assertEqual({data[12:16] for data in passed}, {frames.tag(0x88A8, s_vid)})
            self.assertEqual(sum(data[16:18] == b"\x88\xb5" for data in passed), 40)

    def cable(self, *arguments: object, expect: int = 0) -> subprocess.CompletedProcess:
        return self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", *arguments, expect=expect)

    def link(self, site: str) -> str:
        return self.show("port", site)[6]["link"]

    def test_cable_can_be_cut_mended_and_deafened_while_it_runs(self) -> None:
        _, customer, vrack = self.two_cards()
        self.assertEqual(self.cable().stdout, "backbone  link up  loss 3 dB  towards par-th2 lost 0  towards rbx lost 0\n")
        self.assertTrue(self.cable("backbone", "cut").stdout.startswith("backbone  link down"))
        self.assertEqual({self.link(site) for site in ("par-th2", "rbx")}, {"down"})
        with customer.packet_socket("e0") as outlet:
            outlet.send(test_frame(1))
            while not (drops := self.show("counter", "par-th2")[0]["drops"]):
                time.sleep(0.01)
        self.assertEqual(drops, {"no_path": 1})
        self.cable("backbone", "mend")
        self.assertEqual({self.link(site) for site in ("par-th2", "rbx")}, {"up"})
        self.cross(customer, vrack, [test_frame(i) for i in range(5)])
        self.cable("backbone", "deafen", "rbx")
        self.assertEqual(self.link("par-th2"), "up")
        with customer.packet_socket("e0") as outlet:
            outlet.send(test_frame(2))
        self.cross(vrack, customer, [test_frame(3, to_vrack=False)])
        while json.loads(self.cable("--json").stdout)["cables"][0]["ends"] != [{"card": "par-th2", "deaf": False, "lost": 0},
                                                                               {"card": "rbx", "deaf": True, "lost": 1}]:
            time.sleep(0.01)
        self.cable("backbone", "mend")
        self.cross(customer, vrack, [test_frame(4)])

    def test_wrong_cable_command_says_why(self) -> None:
        control = self.directory / "lab.control"
        self.assertEqual(self.cable(expect=1).stderr, f"poplink-sim: no lab at {control}: No such file or directory "
                                                      "(does its file name a control?)\n")
        self.two_cards()
        for arguments, said in ((("spine", "cut"), "poplink-sim: there is no cable 'spine'\n"),
                                (("backbone", "deafen"), "poplink-sim: cable: deafen names an end, attenuate a loss in dB, and nothing else anything\n"),
                                (("backbone", "cut", "rbx"), "poplink-sim: cable: deafen names an end, attenuate a loss in dB, and nothing else anything\n"),
                                (("backbone", "deafen", "gra"), "poplink-sim: cable 'backbone' has no end 'gra'\n")):
            self.assertEqual(self.cable(*arguments, expect=1).stderr, said)
        self.assertIn("cut", self.cable("backbone", "bend", expect=1).stderr)
        self.cable("backbone", expect=1)
        self.assertEqual(self.link("rbx"), "up")

    def test_cable_s_delay_is_one_of_the_wall_clock_and_costs_no_processor(self) -> None:
        delay_ns = 600_000_000
        sim, customer, vrack = self.two_cards(delay_ns=delay_ns)
        with vrack.packet_socket("e0") as inlet, customer.packet_socket("e0") as outlet:
            listener, wanted = frames.Listener(inlet), test_frame(1)
            spent = processor_seconds(sim)
            sent = time.monotonic_ns()
            outlet.send(wanted)
            self.assertTrue(listener.collect({wanted}, PATIENCE))
            took = time.monotonic_ns() - sent
            spent = processor_seconds(sim) - spent
        self.assertGreaterEqual(took, delay_ns, "at least the delay, by the clock that the cable is on")
        self.assertLess(spent, 0.3, "processor time while the frame is in the cable: sleeping, not spinning")

    def test_client_is_served_while_a_frame_is_in_a_cable(self) -> None:
        _, customer, vrack = self.two_cards(delay_ns=1_000_000_000)
        with vrack.packet_socket("e0") as inlet, customer.packet_socket("e0") as outlet:
            listener, wanted = frames.Listener(inlet), test_frame(1)
            outlet.send(wanted)
            for _ in range(3):
                self.assertEqual(self.show("port", "rbx")[6]["link"], "up")
            self.assertTrue(listener.collect({wanted}, PATIENCE))

    def test_frames_keep_their_order_in_a_slow_cable(self) -> None:
        _, customer, vrack = self.two_cards(delay_ns=20_000_000)
        wanted = [test_frame(i) for i in range(200)]
        with vrack.packet_socket("e0") as inlet, customer.packet_socket("e0") as outlet:
            listener, arrived = frames.Listener(inlet), []
            for one in wanted:
                outlet.send(one)
            while len(arrived) < len(wanted) and (got := listener.receive(PATIENCE)) is not None:
                arrived += [got] if got in set(wanted) else []
        self.assertEqual(arrived, wanted)

    def test_ports_of_1g_and_10g_pass_frames(self) -> None:
        customer, vrack = self.namespace("customer"), self.namespace("vrack")
        self.start_live({
            "par-th2": {0: {"interface": "e0", "netns": customer.path, "speed": "1G"}, 6: {"cable": "backbone", "speed": "10G"}},
            "rbx": {0: {"interface": "e0", "netns": vrack.path, "speed": "1G"}, 6: {"cable": "backbone", "speed": "10G"}}}, BACKBONE)
        for site in ("par-th2", "rbx"):
            self.poplink("apply", EXAMPLE_REGION, "--node", self.node(site))
        self.cross(customer, vrack, [test_frame(i, size=1000) for i in range(50)])
        self.cross(vrack, customer, [test_frame(i, size=1000, to_vrack=False) for i in range(50)])

    # ---- interfaces

    def test_af_packet_carries_frames_as_they_are(self) -> None:
        sim, customer, vrack = self.two_cards(attach="packet")
        self.assertEqual(interfaces(customer), {"e0", "e0-card"})
        tags = [b"", frames.tag(0x8100, 5), frames.tag(0x8100, 100, 7, 1), frames.tag(0x8100, 0, 3), frames.tag(0x88A8, 7, 5, 1),
                frames.tag(0x88A8, 7) + frames.tag(0x8100, 9, 2), frames.tag(0x8100, 1) + frames.tag(0x8100, 2)]
        for source, target, to_vrack in ((customer, vrack, True), (vrack, customer, False)):
            self.cross(source, target, [test_frame(i, tag, size, to_vrack) for i, tag in enumerate(tags)
                                        for size in (46, 47, 500, 1450)])
        sim.send_signal(signal.SIGINT)
        self.assertEqual(sim.wait(PATIENCE), 0)
        self.assertEqual((interfaces(customer), interfaces(vrack)), (set(), set()), "the pairs are gone with it")

    def test_af_packet_carries_jumbo_payloads(self) -> None:
        _, customer, vrack = self.two_cards(attach="packet")
        for namespace, address in ((customer, "192.0.2.1/24"), (vrack, "192.0.2.2/24")):
            namespace.run("ip", "link", "set", "e0", "mtu", "9000", "up")
            namespace.run("ip", "address", "add", address, "dev", "e0")
        run = customer.run("ping", "-q", "-c", "5", "-i", "0.01", "-W", "30", "-M", "do", "-s", str(9000 - 28), "192.0.2.2", check=False)
        self.assertIn("5 received", run.stdout, run.stdout + run.stderr)

    def test_interface_that_is_there_already_is_named_and_left_alone(self) -> None:
        space = self.namespace("taken")
        space.run("ip", "link", "add", "e0", "type", "veth", "peer", "name", "e1")
        port = {"interface": "e0", "netns": space.path}
        tap, pair = "TAP e0: Invalid argument", "veth pair e0: RTNETLINK answers: File exists"
        self.assertEqual(self.refused({"a": {0: port | {"attach": "tap"}}}), f"poplink-sim: {tap}\n")
        self.assertEqual(self.refused({"a": {0: port | {"attach": "packet"}}}), f"poplink-sim: {pair}\n")
        self.assertEqual(self.refused({"a": {0: port}}), f"poplink-sim: {tap}; and {pair}\n")
        self.assertEqual(interfaces(space), {"e0", "e1"})

    def test_failed_start_takes_back_what_it_had_made(self) -> None:
        space = self.namespace("half")
        good = {"interface": "e0", "netns": space.path, "attach": "packet"}
        self.assertEqual(self.refused({"a": {0: good, 1: {"interface": "e1", "netns": "/nowhere"}}}),
                         "poplink-sim: network namespace /nowhere: No such file or directory\n")
        self.assertEqual(interfaces(space), set())

    def test_wrong_namespaces_and_names_are_named(self) -> None:
        no_namespace = self.directory / "file"
        no_namespace.write_text("")
        self.assertEqual(self.refused({"a": {0: {"interface": "e0", "netns": str(no_namespace)}}}),
                         f"poplink-sim: entering network namespace {no_namespace}: Invalid argument\n")
        long = "a-very-long-name"
        self.assertEqual(self.refused({"a": {0: {"interface": long, "attach": "tap"}}}),
                         f"poplink-sim: '{long}' is no name for an interface (1 to 15 characters)\n")
        self.assertEqual(self.refused({"a": {0: {"interface": "eleven-char", "attach": "packet"}}}),
                         "poplink-sim: 'eleven-char' is no name for a veth pair (1 to 10 characters)\n")

    def test_interface_that_is_taken_away_is_a_link_that_is_down(self) -> None:
        sim, customer, vrack = self.two_cards(attach="tap")
        customer.run("ip", "link", "delete", "e0")
        while self.show("port", "par-th2")[0]["link"] != "down":
            time.sleep(0.01)
        self.assertEqual(self.log.read_text(), "poplink-sim: interface e0 is gone; port 0 has no link\n")
        spent = processor_seconds(sim)
        self.assertEqual(self.show("port", "rbx")[0]["link"], "up", "the rest lives on")
        time.sleep(0.3)
        self.assertLess(processor_seconds(sim) - spent, 0.25, "and does not spin")

    # ---- its socket

    def test_owner_is_served_while_no_descriptor_is_left_for_others(self) -> None:
        sim = self.start_live({"a": {}})
        with CardClient(self.socket("a"), "the owner") as owner, contextlib.ExitStack() as others:
            used = len(os.listdir(f"/proc/{sim.pid}/fd"))
            resource.prlimit(sim.pid, resource.RLIMIT_NOFILE, (used + 5, used + 5))
            for _ in range(30):  # those that are not accepted wait in the backlog
                others.enter_context(socket.socket(socket.AF_UNIX)).connect(str(self.socket("a")))
            for _ in range(20):
                self.assertEqual(len(owner.read(NOW_US_LOW)), 1)
            self.assertEqual(len(os.listdir(f"/proc/{sim.pid}/fd")), used + 5, "the limit is reached")
            spent = processor_seconds(sim)
            time.sleep(0.3)
            self.assertLess(processor_seconds(sim) - spent, 0.25, "waits for a descriptor, does not spin")
            others.close()
            with self.assertRaisesRegex(RuntimeError, "is held by the owner"):
                CardClient(self.socket("a"))

    # ---- start and end

    def test_second_simulation_on_the_same_socket_is_refused(self) -> None:
        sim = self.start_live({"a": {}})
        run = self.run_program("poplink-sim", "live", "--lab", self.lab_file({"a": {}}), expect=1)
        self.assertEqual(run.stderr, f"poplink-sim: {self.socket('a')}: another program listens there (poplink-sim, process {sim.pid})\n")
        self.assertEqual(len(self.show("port", "a")), 8, "the first goes on")

    def test_signals_end_it_cleanly_also_under_traffic(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            sim, customer, vrack = self.two_cards()
            stop = threading.Event()
            with customer.packet_socket("e0") as outlet:
                outlet.setblocking(False)

                def flood() -> None:
                    while not stop.is_set():
                        try:
                            outlet.send(test_frame(1))
                        except OSError:  # no room now, or no interface any more
                            stop.wait(0.001)
                flooding = threading.Thread(target=flood, daemon=True)
                flooding.start()
                while self.show("port", "rbx")[0]["sent"]["frames"] < 100:
                    pass
                sim.send_signal(number)
                try:
                    self.assertEqual(sim.wait(PATIENCE), 0, number.name)
                finally:
                    stop.set()
                    flooding.join(PATIENCE)
            self.assertEqual(list(self.directory.glob("*.sock")), [])
            self.assertEqual((interfaces(customer), interfaces(vrack)), (set(), set()))
            self.assertEqual(self.log.read_text(), "")

    def test_killed_one_leaves_a_socket_that_the_next_replaces(self) -> None:
        sim = self.start_live({"a": {}})
        sim.kill()
        sim.wait(PATIENCE)
        self.assertTrue(self.socket("a").exists())
        self.start_live({"a": {}})
        self.assertEqual(len(self.show("port", "a")), 8)

    def test_capture_that_cannot_be_written_is_named(self) -> None:
        plug = {0: {"cable": "c"}, 1: {"cable": "c"}}
        self.assertEqual(self.refused({"a": plug}, [{"name": "c", "pcap": "not/there.pcap"}]),
                         "poplink-sim: not/there.pcap: No such file or directory\n")

    def test_wrong_lab_file_is_named_with_line_and_rule(self) -> None:
        lab = self.directory / "lab.yaml"
        lab.write_text("cards:\n  - {name: a, socket: a.sock, ports: {0: {cable: c}}}\n")
        self.assertEqual(self.run_program("poplink-sim", "live", "--lab", lab, expect=1).stderr,
                         f"poplink-sim: {lab}:2: cards[0].ports.0.cable: there is no cable 'c'\n")
        self.run_program("poplink-sim", "live", expect=1)
        self.run_program("poplink-sim", expect=1)

    def test_idle_card_repeats_a_pdu_when_its_owner_is_gone_and_sleeps_between(self) -> None:
        customer = self.namespace("customer")
        customer.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)
        sim = self.start_live({"a": {2: {"interface": "e0", "netns": customer.path}}})
        pdu = bytes.fromhex("0180c2000002 020000000001 8809") + bytes(range(110))
        with customer.packet_socket("e0") as inlet:
            listener = frames.Listener(inlet)
            with CardClient(self.socket("a")) as card:
                card.write(*((REPEAT_FRAME + i, int.from_bytes(pdu[i:i + 4], "little")) for i in range(0, len(pdu), 4)))
                card.write((REPEAT_BYTES, len(pdu)), (REPEAT_WAIT, 300_000), (REPEAT_INTERVAL, 200_000), (REPEAT_LIFETIME, 800_000),
                           (REPEAT_CONTROL + 4 * 2, REPEAT_ARM))
                self.assertEqual(card.read(REPEAT_STATUS + 4 * 2), (1,))
            spent = processor_seconds(sim)
            self.assertEqual([listener.receive(PATIENCE) for _ in range(3)], [pdu] * 3)
            spent = processor_seconds(sim) - spent
        self.assertLess(spent, 0.3, "processor time: sleeping, not spinning")
        with CardClient(self.socket("a")) as card:
            while card.read(REPEAT_STATUS + 4 * 2) != (0,):  # its lifetime ends by the wall clock
                time.sleep(0.01)

    def test_card_s_time_is_the_wall_clock_even_when_idle(self) -> None:
        self.start_live({"a": {}})
        with CardClient(self.socket("a")) as card:
            for _ in range(2):
                before = time.time_ns() // 1000
                low, high = card.read(NOW_US_LOW, NOW_US_HIGH)
                self.assertTrue(before <= high << 32 | low <= time.time_ns() // 1000 + 1)
                time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
