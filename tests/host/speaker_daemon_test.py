#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`poplinkd` without a card, a BGP speaker: what its operator types, and what becomes of sessions."""
import signal
import unittest

from lab_case import PATIENCE
from speaker_case import ADDRESSES, SpeakerCase

USAGE, CONFIG, CARD = 1, 2, 3


class SpeakerDaemon(SpeakerCase):
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

    def test_what_kept_a_session_from_coming_up_is_no_problem_of_it_later(self) -> None:
        self.join("north", "east")
        self.start("north")
        self.wait_for("nobody is there", lambda: self.peer("north", "east")["last_error"])
        self.assertRegex(self.text("north", "show", "bgp"), r"(?m)^east .* Connection refused$")
        self.start("east")
        self.wait_for("it is up", lambda: self.state("north", "east") == "Established")
        self.assertRegex(self.text("north", "show", "bgp"), r"(?m)^east .* Established .* -$")
        self.assertRegex(self.text("north", "show", "bgp", "neighbor", "east"), r"(?m)^  last error: [0-9ms ]+ ago, ")

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

    def test_wrong_commands_say_what_is_wrong(self) -> None:
        self.start("north")
        for expect, *command in ((USAGE, "bgp", "clear"), (USAGE, "bgp", "clear", "nobody"), (USAGE, "bgp", "shutdown", "nobody"),
                                 (USAGE, "bgp", "clear", "--all", "x"), (USAGE, "bgp"), (USAGE, "explain", "route", "10.0.0.1/8"),
                                 (USAGE, "explain", "route", "nowhere"), (USAGE, "show", "bgp", "routes", "--longer"),
                                 (USAGE, "show", "bgp", "neighbor", "no/body"), (USAGE, "show", "bgp", "routes", "--peer", "nobody"), (CARD, "show", "lag")):
            with self.subTest(command):
                run = self.poplink(*command, "--node", self.node("north"), expect=expect)
                self.assertTrue(run.stderr.strip())


if __name__ == "__main__":
    unittest.main()
