#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The API of a BGP speaker: refusals, metrics, dumps, and streams to clients of every kind."""
import json
import pathlib
import re
import subprocess
import time
import unittest

from lab_case import PATIENCE
from speaker_case import ADDRESSES, SpeakerCase, UnixConnection

USAGE = 1
MANY = 20_000


class SpeakerApi(SpeakerCase):
    def test_wrong_requests_are_refused_with_their_field_and_change_nothing(self) -> None:
        self.pair()
        wrong = [(404, None, "GET", "/v1/bgp/neighbors/nobody", None), (404, None, "POST", "/v1/bgp/neighbors/nobody/clear", {}),
                 (404, None, "GET", "/v1/bgp/neighbors/nobody/advertised", None), (405, None, "GET", "/v1/bgp/drain", None),
                 (400, "family", "GET", "/v1/bgp/routes?family=ipv5", None), (400, "prefix", "GET", "/v1/bgp/routes?prefix=10.0.0.1/8", None),
                 (400, "longer", "GET", "/v1/bgp/routes?longer", None), (400, "family", "GET", "/v1/bgp/routes?prefix=::/0&family=ipv4", None),
                 (400, "peer", "GET", "/v1/bgp/routes?peer=nobody", None), (400, "best", "GET", "/v1/bgp/routes?best=2", None),
                 (400, "color", "GET", "/v1/bgp/routes?color=red", None), (400, "prefix", "GET", "/v1/bgp/explain", None),
                 (400, "address", "GET", "/v1/bgp/explain?address=fe80::1", None), (400, "prefix", "GET", "/v1/bgp/explain?address=::1&prefix=::/0", None),
                 (400, "how", "POST", "/v1/bgp/neighbors/east/clear", {"how": "gently"}), (400, "how", "POST", "/v1/bgp/neighbors/east/clear", {"how": 5}),
                 (400, "text", "POST", "/v1/bgp/neighbors/east/clear", {"text": "x" * 256}), (400, "text", "POST", "/v1/bgp/neighbors/east/shutdown", {"text": 1}),
                 (400, "drain", "POST", "/v1/bgp/drain", {}), (400, "drain", "POST", "/v1/bgp/drain", {"drain": "yes"}), (400, "drain", "POST", "/v1/bgp/drain", None),
                 (400, "file", "POST", "/v1/bgp/mrt", {"file": "relative"}), (400, "file", "POST", "/v1/bgp/mrt", {}), (400, None, "POST", "/v1/bgp/drain", "{")]
        for status, field, method, target, body in wrong:
            with self.subTest(target=target, body=body):
                got, text, _ = self.request("north", method, target, body)
                self.assertEqual((got, json.loads(text)["error"].get("field")), (status, field), text)
        self.assertEqual((self.state("north", "east"), self.peer("north", "east")["flaps"]), ("Established", 0))
        self.assertFalse(self.json("north", "show", "bgp")["drain"])

    def test_metrics_are_what_prometheus_reads(self) -> None:
        self.originate("east", "10.2.0.0/16")
        self.pair()
        self.wait_for("the route is there", lambda: self.prefixes("north") == ["10.2.0.0/16"])
        status, text, answer = self.request("north", "GET", "/metrics")
        self.assertEqual((status, answer.headers["Content-Type"]), (200, "text/plain; version=0.0.4"))
        types, samples = {}, {}
        for line in text.splitlines():
            if declared := re.fullmatch(r"# TYPE ([a-z_]+) (counter|gauge)", line):
                self.assertNotIn(declared[1], types, "a family is declared once")
                types[declared[1]] = declared[2]
            elif not line.startswith("# HELP "):
                sample = re.fullmatch(r'([a-z_]+)((?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (\S+)', line)
                self.assertIsNotNone(sample, line)
                self.assertIn(sample[1], types, "samples follow their type")
                self.assertNotIn(sample[1] + sample[2], samples, "a sample comes once")
                samples[sample[1] + sample[2]] = float(sample[3])
        self.assertTrue(all(name.endswith("_total") == (kind == "counter") for name, kind in types.items()), types)
        self.assertEqual(samples['poplink_bgp_session_up{peer="east"}'], 1)
        self.assertEqual(samples['poplink_bgp_prefixes{peer="east",family="ipv4",kind="received"}'], 1)
        self.assertGreaterEqual(samples['poplink_bgp_messages_total{peer="east",direction="received",type="keepalive"}'], 1)
        self.assertIn("poplink_bgp_event_loop_lag_seconds", samples)
        self.assertEqual(self.request("north", "HEAD", "/metrics")[:2], (200, ""))

    def memory(self, daemon: subprocess.Popen) -> int:
        """KiB."""
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{daemon.pid}/status").read_text())[1])

    def test_a_client_that_does_not_read_holds_up_nothing_and_loses_nothing(self) -> None:
        self.originate("north", *(f"10.{i >> 8}.{i & 255}.0/24" for i in range(MANY)))
        self.join("north", "east", hold_time=3)
        north, _ = self.start("north", "east")
        self.wait_for("all are told", lambda: self.json("east", "show", "bgp")["tables"]["ipv4"]["prefixes"] == MANY)
        before = self.memory(north)
        connections = []
        for target in ("/v1/bgp/routes", "/v1/bgp/neighbors/east/advertised"):
            connection = UnixConnection(self.api("north"))
            self.addCleanup(connection.close)
            connection.request("GET", target)
            connections.append(connection)
        time.sleep(4)  # longer than the hold time
        self.assertEqual((self.state("north", "east"), self.peer("north", "east")["flaps"]), ("Established", 0))
        self.assertLess(self.memory(north) - before, 4096, "what is not read is not kept")
        for connection in connections:
            records = [json.loads(line) for line in connection.getresponse().read().splitlines()]
            self.assertEqual(len({record["prefix"] for record in records}), MANY)
        self.assertEqual(self.text("north", "show", "bgp", "routes").count("\n"), MANY + 2)

    def test_who_hangs_up_in_the_middle_of_a_walk_is_forgotten(self) -> None:
        self.originate("north", *(f"10.{i >> 8}.{i & 255}.0/24" for i in range(MANY)))
        self.start("north")
        for _ in range(40):  # more than there may be streams
            connection = UnixConnection(self.api("north"))
            connection.request("GET", "/v1/bgp/routes")
            connection.sock.recv(1000)
            connection.close()
        self.wait_for("there is room for another", lambda: self.request("north", "GET", "/v1/bgp/routes?prefix=10.0.0.0/24")[0] == 200)

    def test_a_dump_is_a_table_for_others(self) -> None:
        self.originate("north", "10.1.0.0/16")
        self.speakers["north"]["bgp"]["originate"].append({"prefix": "2001:db8::/32", "communities": ["64600:7"]})
        self.originate("east", "10.1.0.0/16", "10.2.0.0/16")
        self.pair()
        self.wait_for("routes are there", lambda: len(self.prefixes("north")) == 3)
        file = self.directory / "table.mrt"
        file.write_text("what was there before")
        self.assertEqual(self.text("north", "bgp", "dump", "table.mrt"), f"{file}: 3 prefixes, 4 paths\n")
        dumped = subprocess.run(["bgpdump", "-m", file], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
        self.assertEqual([line.split("|", 2)[2] for line in dumped.splitlines()], [
            "B|0.0.0.0|64600|10.1.0.0/16||IGP|192.0.2.77|0|0||NAG||",
            f"B|{ADDRESSES['east']}|65010|10.1.0.0/16|65010|IGP|192.0.2.77|0|0||NAG||",
            f"B|{ADDRESSES['east']}|65010|10.2.0.0/16|65010|IGP|192.0.2.77|0|0||NAG||",
            "B|0.0.0.0|64600|2001:db8::/32||IGP|::|0|0|64600:7|NAG||"])
        self.assertEqual(list(self.directory.glob("table.mrt.*")), [], "drafts")
        self.assertIn("No such file", self.poplink("bgp", "dump", "none/table.mrt", "--node", self.node("north"), expect=USAGE).stderr)


if __name__ == "__main__":
    unittest.main()
