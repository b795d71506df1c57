#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands with and without a poplinkd that has the card: the same output and exit codes. Runs in a network namespace of its own (unshare)."""
import pathlib
import re
import signal
import subprocess
import unittest

from capture_case import CaptureCase
from lab import frames
from lab.processes import owned
from lab_case import BINARIES, PATIENCE

USAGE, CARD = 1, 3
SITE = "par-th2"
STP = frames.frame(bytes.fromhex("0180c2000000"), frames.CUSTOMER_MAC, 38, bytes.fromhex("424203000002027c"))
LACP = frames.frame(bytes.fromhex("0180c2000002"), frames.CUSTOMER_MAC, 0x8809, bytes.fromhex("01010114") + bytes(106))
WRONG_TAG = frames.frame(frames.VRACK_MAC, frames.CUSTOMER_MAC, frames.TEST_ETHERTYPE, b"lost" * 40, frames.tag(0x8100, 4095))


class DaemonCli(CaptureCase):
    def setUp(self) -> None:
        super().setUp()
        self.customer = self.namespace("customer")
        self.customer.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)  # silent but for the test's own frames
        self.start_live({SITE: {0: {"interface": "e0", "netns": self.customer.path}}})
        self.poplink("apply", self.one_link, "--node", self.node(SITE))

    def node(self, site: str, socket_path: object = None) -> pathlib.Path:
        node = super().node(site, socket_path)
        node.write_text(node.read_text() + f"api: {self.api}\nstate: {self.directory}/{site}.state\n")
        return node

    @property
    def api(self) -> pathlib.Path:
        return self.directory / f"{SITE}.api"

    def daemon(self) -> subprocess.Popen:
        daemon = self.start("poplinkd", self.one_link, "--node", self.node(SITE), "--log-level", "error")
        self.assertEqual(daemon.stdout.readline(), "ready\n")
        return daemon

    def stop(self, daemon: subprocess.Popen, how: signal.Signals = signal.SIGTERM) -> None:
        daemon.send_signal(how)
        _, said = daemon.communicate(timeout=PATIENCE)
        self.assertEqual(daemon.returncode, 0 if how == signal.SIGTERM else -how, said)

    def said(self, *arguments: object) -> tuple[int, str, str]:
        run = subprocess.run(owned([BINARIES / "poplink", *map(str, arguments), "--node", self.node(SITE)]), capture_output=True, text=True,
                             timeout=PATIENCE, cwd=self.directory)
        return run.returncode, run.stdout, run.stderr

    def both(self, *commands: tuple) -> list[tuple[int, str, str]]:
        """What each says and its exit code: the same without the daemon and with it."""
        without = [self.said(*command) for command in commands]
        daemon = self.daemon()
        for command, before in zip(commands, without, strict=True):
            self.assertEqual(self.said(*command), before, command)
        self.stop(daemon)
        return without

    # ---- what a card says

    def test_show_is_the_same(self) -> None:
        nouns = [("show", noun) for noun in ("service", "port", "counter", "ecmp", "table")] + [("show", "table", "service"), ("card", "info")]
        for code, out, err in self.both(*nouns, *[(*command, "--json") for command in nouns]):
            self.assertEqual((code, err), (0, ""))
            self.assertTrue(out)

    def test_registers_are_the_same(self) -> None:
        good = [("card", "regs", "port_control[2].enable=0"), ("card", "regs", "port_control[2]", "serial_low", "--json"),
                ("card", "regs", "port_control[2].enable=1", "magic"), ("card", "regs", "port_control")]
        wrong = [("card", "regs", name) for name in ("port_contro", "port_control[2].enable=2", "port_control[99]", "magic=1", "port_control[1]=x")]
        said = self.both(*good, *wrong)
        self.assertEqual([code for code, _, _ in said], [0] * len(good) + [USAGE] * len(wrong))
        self.assertIn("the card has no register 'port_contro'", said[len(good)][2])

    def test_one_wrong_register_writes_none(self) -> None:
        daemon = self.daemon()
        before = self.said("card", "regs", "port_control[2]")
        self.assertEqual(self.said("card", "regs", "port_control[2].enable=0", "no_such=1")[0], USAGE)
        self.assertEqual(self.said("card", "regs", "port_control[2]"), before)
        self.stop(daemon)

    # ---- what only the daemon knows

    def test_lags_and_events_need_the_daemon(self) -> None:
        message = f"poplink: poplinkd does not run for {SITE} card 0 (no answer at {self.api})\n"
        for command in (("show", "lag"), ("show", "event", "--json"), ("show", "event", "--follow")):
            self.assertEqual(self.said(*command), (CARD, "", message))
        self.daemon()
        self.assertEqual(self.said("show", "lag"), (0, "no LAGs\n", ""))
        self.assertIn("info daemon.ready: ", self.said("show", "event")[1])

    def test_following_ends_with_a_signal_or_with_the_daemon(self) -> None:
        for json in ([], ["--json"]):
            for end in (signal.SIGINT, signal.SIGTERM):
                daemon = self.daemon()
                follower = self.start("poplink", "show", "event", "--follow", "--node", self.node(SITE), *json)
                self.assertTrue(follower.stdout.readline())
                follower.send_signal(end)
                self.assertEqual((follower.wait(PATIENCE), follower.stderr.read()), (0, ""))
                self.stop(daemon)
            daemon = self.daemon()
            follower = self.start("poplink", "show", "event", "--follow", "--node", self.node(SITE), *json)
            self.assertTrue(follower.stdout.readline())
            self.stop(daemon, signal.SIGKILL)
            self.assertEqual((follower.wait(PATIENCE), follower.stderr.read()), (CARD, f"poplink: poplinkd at {self.api} has hung up\n"))

    # ---- who has the card

    def test_tap_is_refused(self) -> None:
        self.daemon()
        code, _, err = self.said("tap", "--port", 3, "--interface", "host0")
        self.assertEqual(code, CARD)
        self.assertIn(f"poplinkd has the card of {SITE} ({self.api})", err)

    def test_a_socket_that_was_left_is_nobody(self) -> None:
        self.stop(self.daemon(), signal.SIGKILL)
        self.assertTrue(self.api.is_socket())
        self.assertEqual(self.said("show", "port")[0], 0)
        self.assertEqual(self.said("show", "lag")[0], CARD)
        self.stop(self.daemon())
        self.assertFalse(self.api.exists())

    def test_a_socket_that_may_not_be_opened_is_an_error(self) -> None:
        self.daemon()
        self.api.chmod(0)
        for command in (("show", "port"), ("show", "lag"), ("card", "info"), ("capture",)):
            # Even root, without its capabilities.
            run = subprocess.run(owned(["setpriv", "--bounding-set=-all", "--inh-caps=-all", BINARIES / "poplink", *command, "--node", self.node(SITE)]),
                                 capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (CARD, "", f"poplink: {self.api}: Permission denied\n"), command)

    # ---- captured frames

    def capture(self, *arguments: object) -> subprocess.Popen:
        return self.started_capture("--node", self.node(SITE), *arguments)

    def captured(self, *arguments: object) -> tuple[list[str], str]:
        """Lines without their times, in any order, and the last word. What still comes when it has ended is not missing in the next one."""
        capture = self.capture(*arguments)
        self.send(STP, WRONG_TAG, LACP)
        out, err = self.ended(capture)
        return sorted(re.sub(r"^\d\d:\d\d:\d\d\.\d{6} ", "", line) for line in out.splitlines()), err

    def test_captures_are_the_same(self) -> None:
        wishes = (("--count", 3), ("--count", 1, "--outcome", "stp"), ("--count", 1, "--filter", "ether proto 0x8809"),
                  ("--count", 1, "--filter", "vlan", "--port", "0,16", "--outcome", "all"))
        without = [self.captured(*wish) for wish in wishes]
        self.assertEqual([len(lines) for lines, _ in without], [3, 1, 1, 1])
        daemon = self.daemon()
        self.assertEqual([self.captured(*wish) for wish in wishes], without)
        self.stop(daemon)

    def test_files_are_the_same_but_for_the_time(self) -> None:
        files = []
        for daemon in (None, self.daemon):
            running = daemon() if daemon else None
            for frame, wish in ((STP, "stp"), (LACP, "slow_protocol")):
                capture = self.capture("--count", 1, "--outcome", wish, "--write", self.directory / "some.pcapng")
                self.send(frame)
                self.ended(capture)
                files.append((self.directory / "some.pcapng").read_bytes())
            if running:
                self.stop(running)
        self.assertEqual(*[[self.untimed(file) for file in half] for half in (files[:2], files[2:])])

    @staticmethod
    def untimed(data: bytes) -> bytes:
        """Of enhanced packet blocks (type 6), the timestamp is in bytes 12 to 19."""
        found = b""
        while data:
            kind, size = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
            found += data[:12] + data[20:size] if kind == 6 else data[:size]
            data = data[size:]
        return found

    def test_several_capture_at_once_what_each_wants(self) -> None:
        self.daemon()
        captures = {words: self.capture("--count", 1, "--outcome", words) for words in ("stp", "reserved_vid")}
        endless = self.capture()
        self.send(STP, WRONG_TAG)
        for words, capture in captures.items():
            self.assertIn(f"dropped: {words}", self.ended(capture)[0])
        self.send(STP)
        for _ in range(3):
            self.assertIn("dropped: ", endless.stdout.readline())
        endless.send_signal(signal.SIGINT)
        self.assertIn("3 frames captured\n", self.ended(endless)[1])

    def test_a_capture_ends_with_the_daemon(self) -> None:
        for end in (signal.SIGKILL, signal.SIGTERM):
            daemon = self.daemon()
            capture = self.capture()
            self.send(STP)
            self.assertIn("stp", capture.stdout.readline())
            self.stop(daemon, end)
            self.assertEqual(self.ended(capture, CARD), ("", f"poplink: poplinkd at {self.api} has hung up\n"))

    def test_wrong_wishes_are_refused_alike(self) -> None:
        for code, _, err in self.both(("capture", "--filter", "no such words"), ("capture", "--outcome", "runt"), ("capture", "--port", "17"),
                                      ("capture", "--service", "4096"), ("capture", "--write", "/no/such/place")):
            self.assertEqual(code, USAGE)
            self.assertTrue(err)


if __name__ == "__main__":
    unittest.main()
