#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The BGP speakers of the lab by themselves: they keep to their own directories, end with whoever started them, and what they cannot is told."""
import os
import pathlib
import subprocess
import sys
import unittest

from lab.bgp.peer import PeerError, Unsupported
from lab.bgp.speaker import Neighbor, PrefixLimit, Speaker, community
from bgp_case import Bird, Frr, GoBgp, OpenBgpd, BgpCase
from lab.processes import owned

KINDS = (Bird, Frr, GoBgp, OpenBgpd)

# Starts a speaker and waits to be killed.
ABANDONED = """
import pathlib, sys, time
from lab.bgp import bird, frr, gobgp, openbgpd
from lab.bgp.speaker import Speaker
from lab.namespaces import Namespace
kinds = {"bird": bird.Bird, "frr": frr.Frr, "gobgp": gobgp.GoBgp, "openbgpd": openbgpd.OpenBgpd}
speaker = kinds[sys.argv[1]](Namespace("abandoned"), pathlib.Path(sys.argv[2]), Speaker(64600, "192.0.2.1", ())).start()
print("up", flush=True)
time.sleep(600)
"""
OUTSIDE = [pathlib.Path(place) for place in ("/run", "/etc", "/etc/frr", "/etc/bird", "/run/frr", "/run/openbgpd", "/var/log", "/var/log/frr")]


def processes_of(directory: pathlib.Path) -> list[str]:
    """Whose files or run folder are below it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(directory) in (entry / "cmdline").read_text() + (entry / "mounts").read_text():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


class Speakers(BgpCase):
    def test_each_ends_with_whoever_started_it(self) -> None:
        for kind in KINDS:
            with self.subTest(kind.name):
                directory = self.directory / f"left-{kind.name}"
                owner = self.enterContext(subprocess.Popen(owned([sys.executable, "-c", ABANDONED, kind.name, directory]), stdout=subprocess.PIPE,
                                                           text=True))
                self.assertEqual(owner.stdout.readline(), "up\n")
                self.assertTrue(processes_of(directory))
                owner.kill()
                owner.wait()
                self.await_that(lambda: not processes_of(directory), lambda: processes_of(directory))

    def test_each_leaves_nothing_outside_its_directory(self) -> None:
        before = {place: sorted(os.listdir(place)) if place.exists() else None for place in OUTSIDE}
        for kind in KINDS:
            with self.subTest(kind.name):
                peer = self.begin(kind, self.theirs, Speaker(64600, "192.0.2.1", ()))
                peer.stop()
                self.await_that(lambda: not processes_of(peer.directory), lambda: processes_of(peer.directory))
        self.assertEqual({place: sorted(os.listdir(place)) if place.exists() else None for place in OUTSIDE}, before)

    def test_configuration_that_is_refused_is_told(self) -> None:
        broken = Speaker(64600, "192.0.2.1", (Neighbor("198.18.1.300", 65010, "198.18.1.1"),))
        for kind in KINDS:
            with self.subTest(kind.name), self.assertRaisesRegex(PeerError, f"{kind.name} did not start"):
                kind(self.theirs, self.directory / f"broken-{kind.name}", broken).start()

    def test_what_one_cannot_is_told(self) -> None:
        def told(**settings: object) -> Speaker:
            return Speaker(64600, "192.0.2.1", (Neighbor(self.link.left["ipv4"], 65010, self.link.right["ipv4"], **settings),))
        for kind, settings in ((GoBgp, {"role": "peer"}), (GoBgp, {"families": ("ipv6",)}), (OpenBgpd, {"ipv6_next_hops": True}),
                               (Frr, {"prefix_limit": PrefixLimit(1, "discard")}), (OpenBgpd, {"prefix_limit": PrefixLimit(1, "discard")})):
            with self.subTest(kind.name, **settings), self.assertRaises(Unsupported):
                kind(self.theirs, self.directory / "unable", told(**settings)).start()

    def test_communities_with_names_are_numbers(self) -> None:
        for text, number in (("graceful-shutdown", "65535:0"), ("GRACEFUL_SHUTDOWN", "65535:0"), ("gracefulShutdown", "65535:0"),
                             ("noExport", "65535:65281"), ("NO_PEER", "65535:65284"), ("64600:7", "64600:7")):
            self.assertEqual(community(text), number)


if __name__ == "__main__":
    unittest.main()
