#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`poplinkd` without a card: BGP speakers on this host's loopback, and their operator's commands."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import unittest

from lab.namespaces import die_with_parent
from lab_case import BINARIES, PATIENCE, LabCase

USAGE, CONFIG, CARD = 1, 2, 3
PORT = 17900
# Of this process only, so that tests may run at the same time.
NETWORK = f"127.{64 + (os.getpid() >> 8) % 128}.{os.getpid() % 256}"
ASNS = {"north": 64600, "east": 65010, "west": 65020}
ADDRESSES = {name: f"{NETWORK}.{last}" for last, name in enumerate(ASNS, 1)}
MANY = 20_000


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: pathlib.Path):
        super().__init__("x", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


class SpeakerDaemon(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.speakers: dict[str, dict] = {name: self.speaker(name) for name in ASNS}

    # ---- files

    @staticmethod
    def speaker(name: str) -> dict:
        """AS and router by name; everything between peers goes in and out. An address of 127/8 is nobody's next hop, so all routes keep theirs."""
        return {"bgp": {"asn": ASNS[name], "router_id": f"192.0.2.{list(ASNS).index(name) + 1}", "reachable": ["0.0.0.0/0", "::/0"],
                        "listen": [{"address": ADDRESSES[name], "port": PORT}]},
                "peer_defaults": {"local_address": ADDRESSES[name], "port": PORT, "import": "accept-all", "export": "accept-all", "next_hop": "unchanged",
                                  "connect_retry": 1, "idle_hold": {"first": 0.1, "longest": 1}},
                "peers": []}

    def join(self, one: str, other: str, **keys: object) -> None:
        """Each is the other's peer; `keys` are those of `one`."""
        self.speakers[one]["peers"].append({"name": other, "address": ADDRESSES[other], "asn": ASNS[other], **keys})
        self.speakers[other]["peers"].append({"name": one, "address": ADDRESSES[one], "asn": ASNS[one]})

    def originate(self, name: str, *prefixes: str, **keys: object) -> None:
        self.speakers[name]["bgp"].setdefault("originate", []).extend({"prefix": prefix, "next_hop": "192.0.2.77", **keys} for prefix in prefixes)

    def write(self, name: str) -> pathlib.Path:
        file = self.directory / f"{name}.yaml"
        file.write_text(json.dumps(self.speakers[name]))
        return file

    def node(self, site: str, socket_path: object = None) -> pathlib.Path:
        node = self.directory / f"{site}.node.yaml"
        node.write_text(f"site: {site}\ntransport: none\napi: {self.api(site)}\nstate: {self.directory}/{site}.state\n")
        return node

    def api(self, name: str) -> pathlib.Path:
        return self.directory / f"{name}.api"

    # ---- processes

    def start(self, *names: str) -> list[subprocess.Popen]:
        daemons = []
        for name in names:
            with (self.directory / f"{name}.log").open("a") as log:
                daemon = subprocess.Popen([BINARIES / "poplinkd", self.write(name), "--node", self.node(name)], stdout=subprocess.PIPE, stderr=log, text=True,
                                          preexec_fn=die_with_parent)
            self.addCleanup(self._end, daemon)
            self.assertEqual(daemon.stdout.readline(), "ready\n", self.log_of(name))
            daemons.append(daemon)
        return daemons

    def log_of(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()

    def wait_for(self, what: str, holds) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"never: {what}\n" + "".join(file.read_text() for file in self.directory.glob("*.log")))
            time.sleep(0.05)

    def pair(self) -> list[subprocess.Popen]:
        self.join("north", "east")
        daemons = self.start("north", "east")
        self.wait_for("both are up", lambda: self.state("north", "east") == self.state("east", "north") == "Established")
        return daemons

    # ---- what they say

    def json(self, name: str, *command: str) -> dict:
        return json.loads(self.poplink(*command, "--node", self.node(name), "--json").stdout)

    def lines(self, name: str, *command: str) -> list[dict]:
        return [json.loads(line) for line in self.poplink(*command, "--node", self.node(name), "--json").stdout.splitlines()]

    def text(self, name: str, *command: str) -> str:
        return self.poplink(*command, "--node", self.node(name)).stdout

    def peer(self, name: str, peer: str) -> dict:
        return self.json(name, "show", "bgp", "neighbor", peer)

    def state(self, name: str, peer: str) -> str:
        return self.peer(name, peer)["state"]

    def prefixes(self, name: str, *options: str) -> list[str]:
        return sorted(route["prefix"] for route in self.lines(name, "show", "bgp", "routes", *options))

    def request(self, name: str, method: str, target: str, body: object = None) -> tuple[int, str, http.client.HTTPResponse]:
        connection = UnixConnection(self.api(name))
        self.addCleanup(connection.close)
        connection.request(method, target, body if body is None or isinstance(body, str) else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer

    # ---- sessions and reports

    def test_sessions_come_up_and_every_report_says_so(self) -> None:
        self.originate("east", "10.2.0.0/16", med=5, communities=["65010:1", "65010:1:2"])
        self.pair()
        self.wait_for("the route is there", lambda: self.prefixes("north") == ["10.2.0.0/16"])
        summary = self.json("north", "show", "bgp")
        self.assertEqual((summary["asn"], summary["router_id"], summary["tables"]["ipv4"]["prefixes"]), (64600, "192.0.2.1", 1))
        (peer,) = summary["peers"]
        self.assertEqual((peer["name"], peer["asn"], peer["address"], peer["state"]), ("east", 65010, ADDRESSES["east"], "Established"))
        self.assertEqual(peer["prefixes"], {"ipv4": {"received": 1, "accepted": 1, "best": 1, "advertised": 0, "limit": None}})
        self.assertRegex(peer["since"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(self.text("north", "show", "bgp"), rf"(?m)^east +{ADDRESSES['east']} +65010 +Established .* ipv4 +1 +1 +1 +0 ")
        neighbor = self.text("north", "show", "bgp", "neighbor", "east")
        for part in ("peer east: Established since ", "import accept-all, export accept-all", "router id 192.0.2.2", "hold 90.0 s"):
            self.assertIn(part, neighbor)
        (route,) = self.lines("north", "show", "bgp", "routes")
        (path,) = route["paths"]
        self.assertEqual({key: path[key] for key in ("peer", "best", "next_hop", "as_path", "med", "communities", "large_communities")},
                         {"peer": "east", "best": True, "next_hop": "192.0.2.77", "as_path": [65010], "med": None, "communities": ["65010:1"],
                          "large_communities": ["65010:1:2"]}, "MED is not told to other ASes")
        self.assertRegex(self.text("north", "show", "bgp", "routes"), r"(?m)^> +10\.2\.0\.0/16 +east +192\.0\.2\.77 +65010 +igp ")
        (told,) = self.lines("east", "show", "bgp", "advertised", "north")
        self.assertEqual((told["prefix"], told["as_path"]), ("10.2.0.0/16", [65010]))
        self.assertIn("10.2.0.0/16", self.text("east", "show", "bgp", "advertised", "north"))
        self.assertEqual(self.text("north", "show", "bgp", "advertised", "east"), "no routes\n")

    def test_routes_are_sorted_and_filtered(self) -> None:
        self.originate("north", "10.10.0.0/16", "10.9.0.0/16", "10.9.8.0/24")
        self.originate("east", "10.9.8.0/24")
        self.speakers["north"]["bgp"]["originate"].append({"prefix": "2001:db8::/32"})
        self.pair()
        self.wait_for("the route is there", lambda: len(self.prefixes("north", "--peer", "east")) == 1)
        shown = [line.split() for line in self.text("north", "show", "bgp", "routes").splitlines()]
        self.assertEqual([line[1] for line in shown if line[0] == ">" and "/" in line[1]], ["10.9.0.0/16", "10.9.8.0/24", "10.10.0.0/16", "2001:db8::/32"])
        self.assertEqual(self.prefixes("north", "10.9.0.0/16"), ["10.9.0.0/16"])
        self.assertEqual(self.prefixes("north", "10.9.0.0/16", "--longer"), ["10.9.0.0/16", "10.9.8.0/24"])
        self.assertEqual(self.prefixes("north", "10.8.0.0/16"), [])
        self.assertEqual(self.prefixes("north", "--family", "ipv6"), ["2001:db8::/32"])
        self.assertEqual([len(route["paths"]) for route in self.lines("north", "show", "bgp", "routes", "10.9.8.0/24")], [2])
        self.assertEqual([len(route["paths"]) for route in self.lines("north", "show", "bgp", "routes", "10.9.8.0/24", "--best")], [1])

    def test_explain_says_why_a_route_won_lost_or_was_refused_and_who_is_told(self) -> None:
        self.speakers["north"]["prefix_lists"] = {"small": [{"prefix": "10.0.0.0/8", "from": 24, "to": 32}]}
        self.speakers["north"]["policies"] = {"no-small": [{"name": "small", "match": {"prefix_list": "small"}, "then": "reject"}, {"name": "rest"}]}
        self.join("north", "east", **{"import": "no-small"})
        self.join("north", "west")
        self.originate("east", "10.1.0.0/16", "10.1.2.0/24")
        self.originate("north", "10.1.0.0/16")
        self.start("north", "east", "west")
        self.wait_for("west knows it", lambda: self.prefixes("west") == ["10.1.0.0/16"])
        self.wait_for("north has both", lambda: self.peer("north", "east")["prefixes"]["ipv4"]["received"] == 2)
        refused = self.text("north", "explain", "route", "10.1.2.3")
        self.assertRegex(refused, r"10\.1\.2\.0/24 is the longest match of 10\.1\.2\.3/32\n")
        self.assertIn("refused by import policy no-small: term small", refused)
        self.assertIn("west: not told: there is no route that may be taken", refused)
        taken = self.json("north", "explain", "route", "10.1.0.0/17")
        self.assertEqual([(path["peer"], path["why"]) for path in taken["paths"]], [(None, "the best one"), ("east", "lost: longer AS path")])
        self.assertEqual(taken["paths"][1]["import"], {"policy": "no-small", "accepted": True, "decided_by": "rest", "terms": ["rest"]})
        self.assertEqual([(peer["peer"], peer["advertised"]) for peer in taken["peers"]], [("east", True), ("west", True)])
        self.assertIn("it is the peer's own route", self.text("west", "explain", "route", "10.1.0.0/16"))
        self.assertEqual(self.text("north", "explain", "route", "192.0.2.1"), "no route to 192.0.2.1/32\n")

    def test_the_log_and_events_name_the_peer(self) -> None:
        self.pair()
        self.assertRegex(self.log_of("north"), r'event=bgp\.session site=north peer=east text="\w+ -> Established"')
        self.assertRegex(self.text("north", "show", "event"), r"bgp\.session peer east: \w+ -> Established")

    # ---- its file

    def test_a_wrong_file_is_refused_at_the_start_with_its_places(self) -> None:
        self.speakers["north"]["bgp"]["asn"] = 0
        self.join("north", "east", **{"import": "nothing"})
        said = self.run_program("poplinkd", self.write("north"), "--node", self.node("north"), expect=CONFIG).stderr
        self.assertRegex(said, r"north\.yaml:1: bgp\.asn: ")
        self.assertRegex(said, r"north\.yaml:1: peers\[0\]\.import: there is no policy 'nothing'")
        self.assertFalse(self.api("north").exists())

    def test_an_address_that_is_taken_is_no_defect_of_the_file(self) -> None:
        self.start("north")
        self.speakers["east"]["bgp"]["listen"] = self.speakers["north"]["bgp"]["listen"]
        said = self.run_program("poplinkd", self.write("east"), "--node", self.node("east"), expect=CARD).stderr
        self.assertIn("Address already in use", said)

    def test_a_wrong_file_at_a_reload_changes_nothing(self) -> None:
        self.originate("north", "10.1.0.0/16")
        north, _ = self.pair()
        self.wait_for("the route is there", lambda: self.prefixes("east") == ["10.1.0.0/16"])
        before = self.peer("north", "east")["since"]
        self.speakers["north"]["bgp"]["originate"] = []
        self.speakers["north"]["peers"][0]["hold_time"] = 2
        file = self.write("north")
        north.send_signal(signal.SIGHUP)
        self.wait_for("it is refused", lambda: "event=config.refused" in self.log_of("north"))
        said = self.poplink("apply", file, "--node", self.node("north"), expect=CONFIG).stderr
        self.assertIn("peers[0].hold_time", said)
        self.assertEqual(self.peer("north", "east")["since"], before)
        self.assertEqual(self.prefixes("east"), ["10.1.0.0/16"])

    def test_a_reload_does_the_difference_and_sessions_stay(self) -> None:
        self.originate("north", "10.1.0.0/16", "10.2.0.0/16")
        north, _ = self.pair()
        self.wait_for("routes are there", lambda: self.prefixes("east") == ["10.1.0.0/16", "10.2.0.0/16"])
        before = [self.peer(*names)["since"] for names in (("north", "east"), ("east", "north"))]
        file = self.write("north")
        self.assertEqual(self.json("north", "apply", str(file)), {"changes": []})
        self.assertEqual(self.text("north", "apply", str(file)), "north: nothing has changed\n")
        del self.speakers["north"]["bgp"]["originate"][0]
        self.originate("north", "10.3.0.0/16")
        self.join("north", "west")
        self.assertEqual(self.text("north", "apply", str(self.write("north"))),
                         "originate 10.3.0.0/16: added\noriginate 10.1.0.0/16: removed\npeer west: added\n")
        self.wait_for("routes follow", lambda: self.prefixes("east") == ["10.2.0.0/16", "10.3.0.0/16"])
        del self.speakers["north"]["peers"][1]
        self.write("north")
        north.send_signal(signal.SIGHUP)
        self.wait_for("west is no peer any more", lambda: "peer west: removed" in self.log_of("north"))
        self.assertEqual([self.peer(*names)["since"] for names in (("north", "east"), ("east", "north"))], before)

    def test_apply_has_no_dry_run_and_serves_one_file(self) -> None:
        self.start("north")
        self.assertIn("BGP speaker", self.poplink("apply", self.write("north"), "--node", self.node("north"), "--dry-run", expect=USAGE).stderr)
        self.assertIn("poplinkd serves", self.poplink("apply", self.write("east"), "--node", self.node("north"), expect=CARD).stderr)

    # ---- ends

    def test_a_clean_end_tells_the_peer(self) -> None:
        _, east = self.pair()
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(how.name):
                east.send_signal(how)
                self.assertEqual(east.wait(PATIENCE), 0)
                self.assertFalse(self.api("east").exists())
                self.wait_for("north is told", lambda: self.state("north", "east") != "Established")
                last = self.peer("north", "east")["last_notification"]
                self.assertEqual((last["direction"], last["text"]), ("received", "cease: administrative shutdown"))
                (east,) = self.start("east")
                self.wait_for("it is up again", lambda: self.state("north", "east") == "Established")

    def test_who_is_killed_comes_back(self) -> None:
        self.originate("east", "10.2.0.0/16")
        _, east = self.pair()
        self.wait_for("the route is there", lambda: self.prefixes("north") == ["10.2.0.0/16"])
        east.kill()
        east.wait(PATIENCE)
        self.wait_for("its routes are gone", lambda: self.prefixes("north") == [])
        self.start("east")
        self.wait_for("it is back", lambda: self.prefixes("north") == ["10.2.0.0/16"])
        self.assertEqual(self.peer("north", "east")["flaps"], 1)

    def test_without_a_daemon_commands_say_so(self) -> None:
        for command in (("show", "bgp"), ("bgp", "drain"), ("explain", "route", "10.0.0.0/8"), ("apply", str(self.write("north")))):
            said = self.poplink(*command, "--node", self.node("north"), expect=CARD).stderr
            self.assertIn("poplinkd does not run for north (no answer at", said)

    # ---- orders

    def test_clear_begins_the_session_anew_with_a_text(self) -> None:
        self.pair()
        self.assertEqual(self.text("north", "bgp", "clear", "east", "--text", "new cable"), "east: cleared (hard)\n")
        self.wait_for("east is told", lambda: self.peer("east", "north")["peer_shutdown_text"] == "new cable")
        self.wait_for("it is up again", lambda: self.state("east", "north") == "Established")
        self.assertEqual(self.peer("east", "north")["last_notification"]["text"], "cease: administrative reset")

    def test_soft_clears_keep_the_session_and_tell_everything_again(self) -> None:
        self.originate("north", "10.1.0.0/16")
        self.pair()
        self.wait_for("the route is there", lambda: self.prefixes("east") == ["10.1.0.0/16"])
        updates = lambda: self.peer("east", "north")["counters"]["messages_received"]["update"]
        for how, text in (("--soft-out", "soft_out"), ("--soft", "soft")):
            before = updates()
            self.assertEqual(self.text("north", "bgp", "clear", "--all", how), f"east: cleared ({text})\n")
            self.wait_for("it is told again", lambda: updates() > before)
        self.assertEqual(self.text("north", "bgp", "clear", "east", "--soft-in"), "east: cleared (soft_in)\n")
        self.assertEqual((self.peer("north", "east")["flaps"], self.peer("east", "north")["flaps"]), (0, 0))

    def test_a_shutdown_holds_until_it_is_started_or_the_file_is_read_again(self) -> None:
        self.pair()
        down = lambda: self.state("north", "east") == "Idle" and self.peer("north", "east")["shutdown"]
        self.text("north", "bgp", "shutdown", "east", "--text", "good night")
        self.assertTrue(down())
        self.wait_for("east is told", lambda: self.peer("east", "north")["peer_shutdown_text"] == "good night")
        self.assertIn("Idle, shut down", self.text("north", "show", "bgp"))
        self.text("north", "bgp", "start", "east")
        self.wait_for("it is up again", lambda: self.state("north", "east") == "Established")
        self.text("north", "bgp", "shutdown", "east")
        self.assertEqual(self.text("north", "apply", str(self.write("north"))), "peer east: started again, as the settings say\n")
        self.wait_for("it is up again", lambda: self.state("north", "east") == "Established")

    def test_drain_marks_all_routes_until_it_ends(self) -> None:
        self.originate("north", "10.1.0.0/16")
        self.pair()
        path = lambda: [(path["local_pref"], path["communities"]) for route in self.lines("east", "show", "bgp", "routes") for path in route["paths"]]
        self.text("north", "bgp", "drain")
        self.wait_for("it is least preferred", lambda: path() == [(0, ["graceful-shutdown"])])
        self.text("north", "bgp", "undrain")
        self.wait_for("it is as before", lambda: path() == [(None, [])])
        self.text("north", "bgp", "drain")
        self.assertEqual(self.text("north", "apply", str(self.write("north"))), "drain\n")
        self.wait_for("the file has the last word", lambda: path() == [(None, [])])

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

    def test_wrong_commands_say_what_is_wrong(self) -> None:
        self.start("north")
        for expect, *command in ((USAGE, "bgp", "clear"), (USAGE, "bgp", "clear", "nobody"), (USAGE, "bgp", "shutdown", "nobody"),
                                 (USAGE, "bgp", "clear", "--all", "x"), (USAGE, "bgp"), (USAGE, "explain", "route", "10.0.0.1/8"),
                                 (USAGE, "explain", "route", "nowhere"), (USAGE, "show", "bgp", "routes", "--longer"),
                                 (USAGE, "show", "bgp", "neighbor", "no/body"), (USAGE, "show", "bgp", "routes", "--peer", "nobody"), (CARD, "show", "lag")):
            with self.subTest(command):
                run = self.poplink(*command, "--node", self.node("north"), expect=expect)
                self.assertTrue(run.stderr.strip())

    # ---- the API

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


if __name__ == "__main__":
    unittest.main()
