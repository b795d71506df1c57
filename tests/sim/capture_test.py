#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`poplink capture` and `poplink tap` over a live card's rings. Runs in a network namespace of its own (unshare)."""
import json
import pathlib
import re
import signal
import subprocess
import time
import unittest

from capture_case import CaptureCase
from lab import frames
from lab_case import HOUSE, PATIENCE, CardClient

USAGE, CARD = 1, 3
CARD_MAP = json.loads((HOUSE / "tests" / "card" / "golden" / "card_map.json").read_text())
REGISTERS = {register["name"]: register for register in CARD_MAP["registers"]}

STP = frames.frame(bytes.fromhex("0180c2000000"), frames.CUSTOMER_MAC, 38, bytes.fromhex("424203000002027c"))
LACP = frames.frame(bytes.fromhex("0180c2000002"), frames.CUSTOMER_MAC, 0x8809, bytes.fromhex("01010114") + bytes(106))
WRONG_TAG = frames.frame(frames.VRACK_MAC, frames.CUSTOMER_MAC, frames.TEST_ETHERTYPE, b"lost" * 40, frames.tag(0x8100, 4095))
GOOD = frames.frame(frames.VRACK_MAC, frames.CUSTOMER_MAC, frames.TEST_ETHERTYPE, b"good" * 40)


class Rings(CaptureCase):
    def setUp(self) -> None:
        super().setUp()
        self.customer, self.vrack = self.namespace("customer"), self.namespace("vrack")
        for namespace in (self.customer, self.vrack):  # silent but for the test's own frames
            namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)
        self.sim = self.start_live({"par-th2": {0: {"interface": "e0", "netns": self.customer.path}, 6: {"cable": "backbone"}},
                                    "rbx": {0: {"interface": "e0", "netns": self.vrack.path}, 6: {"cable": "backbone"}}},
                                   [{"name": "backbone"}])
        for site in ("par-th2", "rbx"):
            self.poplink("apply", self.one_link, "--node", self.node(site))
        self.card = f"sim:{self.socket('par-th2')}"

    def capture(self, *arguments: object) -> subprocess.Popen:
        return self.started_capture(self.card, *arguments)

    def enabled(self) -> list[int]:
        """Rings that are enabled and the capture, as the next owner finds them."""
        end = time.monotonic() + PATIENCE
        control = REGISTERS["ring_control"]
        addresses = [control["address"] + control["stride"] * ring for ring in range(control["count"])]
        while True:
            try:
                with CardClient(self.socket("par-th2")) as card:
                    return [value & 1 for value in card.read(*addresses, REGISTERS["capture_control"]["address"])]
            except RuntimeError:  # not yet free
                self.assertLess(time.monotonic(), end)
                time.sleep(0.01)

    # ---- capture

    def test_dropped_frames_are_shown_with_port_and_reason(self) -> None:
        capture = self.capture("--count", 3)
        self.send(STP, GOOD, WRONG_TAG, LACP)
        out, err = self.ended(capture)
        lines = sorted(re.sub(r"^\d\d:\d\d:\d\d\.\d{6} ", "", line) for line in out.splitlines())
        mac = frames.CUSTOMER_MAC.hex(":")
        self.assertEqual(lines, sorted([
            f"port0 {mac} > 01:80:c2:00:00:00 0x0026 60 bytes, dropped: stp, spanning tree or other bridge PDU (01:80:C2:00:00:00) is not forwarded",
            f"port0 {mac} > {frames.VRACK_MAC.hex(':')} 0x8100 {len(WRONG_TAG)} bytes, dropped: reserved_vid, outer VLAN id 4095 is reserved",
            f"port0 {mac} > 01:80:c2:00:00:02 0x8809 {len(LACP)} bytes, to the host: slow_protocol, slow protocol (LACP, marker, OAM) ends at this port: it is for the host"]))
        self.assertIn("3 frames captured", err)

    def test_file_tells_wireshark_port_reason_and_time(self) -> None:
        file = self.directory / "drops.pcapng"
        before = time.time()
        capture = self.capture("--count", 2, "--write", file)
        self.send(WRONG_TAG, LACP)
        self.ended(capture)
        run = subprocess.run(["tshark", "-n", "-r", file, "-T", "fields", "-E", "separator=|", "-e", "frame.interface_name", "-e", "frame.comment",
                              "-e", "frame.len", "-e", "frame.time_epoch", "-e", "eth.src", "-e", "frame.protocols"],
                             capture_output=True, text=True, timeout=PATIENCE, check=True)
        rows = {row[1].split(",")[0]: row for row in (line.split("|") for line in run.stdout.splitlines())}
        self.assertEqual(set(rows), {"dropped: reserved_vid", "to the host: slow_protocol"})
        for row, sent in ((rows["dropped: reserved_vid"], WRONG_TAG), (rows["to the host: slow_protocol"], LACP)):
            self.assertEqual(row[0], "port0")
            self.assertEqual(int(row[2]), len(sent))
            self.assertEqual(row[4], frames.CUSTOMER_MAC.hex(":"))
            self.assertLess(before - 1, float(row[3]))
            self.assertLess(float(row[3]), time.time() + 1)
        self.assertIn("lacp", rows["to the host: slow_protocol"][5])

    def test_filters_outcomes_ports_and_expressions(self) -> None:
        for arguments, wanted in ((["--outcome", "stp"], STP), (["--filter", "ether proto 0x8809"], LACP), (["--outcome", "forwarded"], GOOD),
                                  (["--outcome", "reserved_vid,forwarded", "--filter", "vlan"], WRONG_TAG),
                                  (["--outcome", "all", "--filter", "greater 178"], WRONG_TAG)):
            file = self.directory / "some.pcapng"
            capture = self.capture("--count", 1, "--port", "0", "--write", file, *arguments)
            self.send(STP, LACP, WRONG_TAG, GOOD)
            self.ended(capture)
            self.assertEqual(self.packets(file), [wanted.ljust(60, b"\0")], arguments)
        capture = self.capture("--port", "3", "--outcome", "all", "--seconds", 1)
        self.send(STP, GOOD)
        self.assertEqual(self.ended(capture)[0], "")

    def test_new_addresses_are_shown_once(self) -> None:
        capture = self.capture("--new-addresses", "--outcome", "stp", "--count", 3)
        other = frames.frame(frames.VRACK_MAC, bytes.fromhex("020000000077"), frames.TEST_ETHERTYPE, b"else" * 40)
        self.send(GOOD, GOOD, other, GOOD, other, STP)
        lines = self.ended(capture)[0].splitlines()
        self.assertEqual([re.search(r"port0 (\S+) >.*, (new source address|dropped: stp)", line).groups() for line in lines],
                         [(frames.CUSTOMER_MAC.hex(":"), "new source address"), ("02:00:00:00:00:77", "new source address"),
                          (frames.CUSTOMER_MAC.hex(":"), "dropped: stp")])

    @staticmethod
    def packets(file: pathlib.Path) -> list[bytes]:
        found, data = [], file.read_bytes()
        while data:
            kind, size = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
            if kind == 6:
                found.append(data[28:28 + int.from_bytes(data[20:24], "little")])
            data = data[size:]
        return found

    def test_card_is_left_in_order_by_a_signal_and_by_a_kill(self) -> None:
        for end, status in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)):
            capture = self.capture()
            self.assertIn("is held by poplink capture", self.poplink("card", "info", self.card, expect=CARD).stderr)
            self.send(STP)
            self.assertIn("stp", capture.stdout.readline())
            capture.send_signal(end)
            self.ended(capture, status)
            self.assertEqual(self.enabled(), [0] * 9)
            self.send(STP, GOOD)  # the card works on
        self.assertEqual(self.log.read_text(), "")

    def test_card_that_goes_away_ends_capture_and_tap(self) -> None:
        for options in ([], ["--poll"]):
            capture = self.capture(*options)
            tap = self.start("poplink", "tap", f"sim:{self.socket('rbx')}", "--port", 3, "--interface", "host0", *options, netns=self.vrack)
            self.assertIn("is port 3", tap.stdout.readline())
            self.sim.kill()
            self.sim.wait()
            for process in (capture, tap):
                self.assertIn("lost the card", self.ended(process, CARD)[1])
            self.sim = self.start_live({"par-th2": {}, "rbx": {}})

    def test_wrong_wishes_are_refused(self) -> None:
        for arguments, words in ((["capture", self.card, "--filter", "no such words"], "filter 'no such words'"),
                                 (["capture", self.card, "--outcome", "runt"], "runt"), (["capture", self.card, "--port", "17"], "17"),
                                 (["capture"], "which card?"), (["capture", self.card, "--write", "/no/such/place"], "cannot write"),
                                 (["tap", self.card, "--port", "0", "--interface", "x0"], "port 0 serves a site"),
                                 (["tap", self.card, "--port", "9", "--interface", "x0"], "no port 9"),
                                 (["tap", self.card, "--port", "3", "--interface", "a-name-that-is-too-long"], "no name for an interface")):
            self.assertIn(words, self.poplink(*arguments, expect=USAGE).stderr)
        self.assertEqual(self.enabled(), [0] * 9)

    # ---- tap

    def test_host_s_interface_reaches_the_port_s_peer(self) -> None:
        """Two hosts, each behind the host port of a card, the cards joined by a second cable."""
        self._end(self.sim)
        self.start_live({name: {2: {"cable": "between"}} for name in ("a", "b")}, [{"name": "between"}])
        taps = []
        for name, space, address in (("a", self.customer, "10.9.0.1"), ("b", self.vrack, "10.9.0.2")):
            tap = self.start("poplink", "tap", f"sim:{self.socket(name)}", "--port", 2, "--interface", "host0", netns=space)
            self.assertIn("is port 2", tap.stdout.readline())
            space.run("ip", "address", "add", f"{address}/24", "dev", "host0")
            taps.append(tap)
        run = self.customer.run("ping", "-q", "-c", "20", "-i", "0.02", "-W", "5", "-s", "1400", "10.9.0.2")
        self.assertIn("20 received", run.stdout)
        taps[0].send_signal(signal.SIGTERM)
        out, _ = self.ended(taps[0])
        self.assertRegex(out, r"2\d frames received, 2\d sent, 0 lost")
        self.assertNotIn("host0", self.customer.run("ip", "-brief", "link").stdout)
        with CardClient(self.socket("a")) as card:
            self.assertEqual(card.read(REGISTERS["ring_control"]["address"] + 4)[0] & 1, 0)


if __name__ == "__main__":
    unittest.main()
