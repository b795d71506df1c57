#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`poplinkd` as a process: two simulated cards, a daemon each, whose LAGs are each other's customers."""
import json
import pathlib
import signal
import subprocess
import time
import unittest

from lab.processes import owned
from lab_case import BINARIES, PATIENCE, LabCase

USAGE, CONFIG, CARD = 1, 2, 3
SITES = ("par-th2", "rbx")
PORTS = "".join(f"      - {{id: {id}, speed: 10G, use: USE}}\n" for id in (0, 1))
BACKBONE = "      - {id: 6, speed: 10G, use: backbone, peer: {site: OTHER, port: 6}}\n"
REGION = f"""region: test
defaults:
  lacp: {{mode: active, rate: fast, aggregate_wait_ms: 200}}
sites:
  - name: par-th2
    role: entrypoint
    ports:
{PORTS.replace("USE", "cross_connect")}{BACKBONE.replace("OTHER", "rbx")}  - name: rbx
    role: endpoint
    ports:
{PORTS.replace("USE", "vrack")}{BACKBONE.replace("OTHER", "par-th2")}vracks:
  - {{id: pn-1}}
services:
  - name: acme-lan
    vrack: pn-1
    mode: l2
    tunnel_id: 101
    pop: {{site: par-th2, ports: [0, 1]}}
    dc: {{site: rbx, ports: [0, 1]}}
"""


class Poplinkd(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.region = self.directory / "region.yaml"
        self.region.write_text(REGION)

    def start_cards(self, ends: dict[str, list[str]] | None = None, **settings: str) -> subprocess.Popen:
        """`ends`: of each site's ports 0 and 1, the cables. `settings`: of par-th2's port 1."""
        ends = ends or {site: ["customer-0", "customer-1"] for site in SITES}
        cards = {site: {port: {"cable": name} for port, name in enumerate(names)} for site, names in ends.items()}
        cards["par-th2"][1] |= settings
        return self.start_live(cards, [{"name": name} for name in sorted({name for names in ends.values() for name in names})])

    def node(self, site: str, socket_path: object = None) -> pathlib.Path:
        node = self.directory / f"{site}.node.yaml"
        node.write_text(f"site: {site}\ncard: 0\ntransport: sim\nsocket: {socket_path or self.socket(site)}\n"
                        f"api: {self.directory}/{site}.api\nstate: {self.directory}/{site}.state\n")
        return node

    def log_of(self, site: str) -> pathlib.Path:
        return self.directory / f"{site}.log"

    def daemon(self, site: str, *options: str) -> subprocess.Popen:
        with self.log_of(site).open("a") as log:
            daemon = subprocess.Popen(owned([BINARIES / "poplinkd", self.region, "--node", self.node(site), *options]), stdout=subprocess.PIPE,
                                      stderr=log, text=True)
        self.addCleanup(self._end, daemon)
        self.assertEqual(daemon.stdout.readline(), "ready\n", self.log_of(site).read_text())
        return daemon

    def refused_daemon(self, *arguments: object, expect: int) -> str:
        return self.run_program("poplinkd", *arguments, expect=expect).stderr

    def wait_for(self, what, *arguments: object) -> None:
        end = time.monotonic() + PATIENCE
        while not what(*arguments):
            self.assertLess(time.monotonic(), end, f"{what.__name__}{arguments} never held\n" +
                            "".join(self.log_of(site).read_text() for site in SITES if self.log_of(site).exists()))
            time.sleep(0.05)

    def lag(self, site: str) -> dict:
        (lag,) = self.show("lag", site)
        return lag

    def is_up(self, site: str) -> bool:
        return all(member["distributing"] for member in self.lag(site)["members"])

    def both_up(self) -> list[subprocess.Popen]:
        daemons = [self.daemon(site) for site in SITES]
        for site in SITES:
            self.wait_for(self.is_up, site)
        return daemons

    def logged(self, site: str, text: str) -> bool:
        return text in self.log_of(site).read_text()

    def entries(self, site: str) -> dict[tuple[str, int], dict]:
        return {(table["table"], one["index"]): one["entry"] for table in self.show("table", site) for one in table["entries"]}

    # ---- up and down

    def test_two_cards_come_up_and_say_so(self) -> None:
        self.start_cards()
        self.both_up()
        lag = self.lag("par-th2")
        self.assertEqual((lag["ports"], lag["services"], lag["operational"], lag["links_up"]), ([0, 1], ["acme-lan"], True, 2))
        self.assertEqual(lag["partner"]["address"], self.lag("rbx")["system"]["address"])
        for member in lag["members"]:
            self.assertEqual((member["mux"], member["receive"], member["reason"]), ("DISTRIBUTING", "CURRENT", "none"))
            self.assertTrue(member["partner"]["state"]["collecting"])
            self.assertGreater(member["counters"]["lacpdus_received"], 0)
        self.assertEqual(self.entries("par-th2")["link", 0]["ports"], 0b11)

    def test_a_clean_stop_leaves_the_card_at_work_and_the_next_start_goes_on(self) -> None:
        self.start_cards()
        daemon, _ = self.both_up()
        for how, code in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)):
            with self.subTest(how.name):
                before = self.events("rbx")
                daemon.send_signal(how)
                self.assertEqual(daemon.wait(PATIENCE), code)
                self.assertEqual(self.entries("par-th2")["link", 0]["ports"], 0b11)
                self.assertEqual((self.directory / "par-th2.api").exists(), how == signal.SIGKILL)
                daemon = self.daemon("par-th2")
                time.sleep(3.5)  # longer than the short timeout: whoever had been missed would be out by now
                self.assertTrue(self.is_up("par-th2") and self.is_up("rbx"))
                self.assertEqual(self.events("rbx"), before, "the partner noticed")

    def test_a_port_whose_link_fell_without_a_daemon_is_held_until_there_is_one(self) -> None:
        self.start_cards()
        daemon, _ = self.both_up()
        daemon.kill()
        daemon.wait()
        for action in ("cut", "mend"):
            self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", "customer-1", action)
        self.assertEqual([port["held"] for port in self.show("port", "par-th2")][:3], [False, True, False])
        self.assertRegex(self.poplink("show", "port", "--node", self.node("par-th2")).stdout, r"(?m)^1 .* up, held ")
        self.daemon("par-th2")
        self.wait_for(self.is_up, "par-th2")
        self.assertEqual([port["held"] for port in self.show("port", "par-th2")][:3], [False, False, False])

    def events(self, site: str) -> list[dict]:
        return [event for event in self.show("event", site) if event["kind"].startswith("lacp.")]

    def test_without_a_card_any_more_it_ends_and_says_why(self) -> None:
        sim = self.start_cards()
        daemon, _ = self.both_up()
        sim.terminate()
        self.assertEqual(daemon.wait(PATIENCE), CARD)
        self.assertTrue(self.logged("par-th2", "event=card.lost"), self.log_of("par-th2").read_text())

    # ---- members that do not fit

    def reasons(self, site: str) -> list[str]:
        return [member["reason"] for member in self.lag(site)["members"]]

    def carrying(self, site: str) -> list[bool]:
        return [member["distributing"] for member in self.lag(site)["members"]]

    def start_both(self) -> None:
        for site in SITES:
            self.daemon(site)

    def test_a_cable_from_a_lag_to_itself_carries_nothing(self) -> None:
        self.start_cards({"par-th2": ["loop", "loop"], "rbx": []})
        self.daemon("par-th2")
        self.wait_for(lambda: self.reasons("par-th2") == ["loopback", "loopback"])
        self.assertEqual(self.carrying("par-th2"), [False, False])

    def test_a_member_of_another_speed_is_out(self) -> None:
        self.start_cards(speed="1G")
        self.start_both()
        self.wait_for(lambda: self.carrying("par-th2") == self.carrying("rbx") == [True, False])
        self.assertEqual(self.reasons("par-th2"), ["none", "speed_differs"])
        self.assertEqual(self.lag("par-th2")["members"][1]["speed_mbit"], 1000)

    def test_a_cable_into_another_lag_of_the_partner_is_out(self) -> None:
        self.start_cards()
        self.daemon("par-th2")
        self.region = self.directory / "two-lags.yaml"
        self.region.write_text(REGION.replace("site: rbx, ports: [0, 1]", "site: rbx, port: 0")
                               .replace("    role: endpoint\n", "    role: endpoint\n    lags: [{ports: [0]}, {ports: [1]}]\n"))
        self.daemon("rbx")
        # Of the partner's two LAGs the one that is heard first has ours.
        self.wait_for(lambda: sorted(self.carrying("par-th2")) == [False, True])
        self.assertEqual(sorted(self.reasons("par-th2")), ["key_differs", "none"])

    def test_a_partner_that_is_another_now_is_told_and_the_lag_comes_up_with_it(self) -> None:
        self.start_cards()
        _, other = self.both_up()
        other.kill()
        other.wait()
        (self.directory / "rbx.state").unlink()
        self.region.write_text(REGION.replace("    role: endpoint\n", "    role: endpoint\n    lacp_system: \"02:00:00:00:77:00\"\n"))
        self.daemon("rbx")
        self.wait_for(lambda: self.lag("par-th2")["partner"]["address"] == "02:00:00:00:77:00" and self.is_up("par-th2"))
        self.assertTrue(any(event["kind"] == "lacp.partner" and "02:00:00:00:77:00" in event["text"] for event in self.events("par-th2")))

    def test_more_members_than_wanted_stand_by_and_take_over(self) -> None:
        self.region.write_text(REGION.replace("rate: fast,", "rate: fast, max_active: 1,"))
        self.start_cards()
        self.start_both()
        self.wait_for(lambda: self.carrying("par-th2") == self.carrying("rbx") == [True, False])
        self.assertEqual(self.lag("par-th2")["members"][1]["selected"], "STANDBY")
        self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", "customer-0", "cut")
        self.wait_for(lambda: self.carrying("par-th2") == self.carrying("rbx") == [False, True])

    # ---- the region file again

    def test_the_same_file_again_changes_nothing(self) -> None:
        self.start_cards()
        daemon, _ = self.both_up()
        before = self.events("rbx")
        daemon.send_signal(signal.SIGHUP)
        self.wait_for(self.logged, "par-th2", "0 entries changed")
        self.assertEqual(json.loads(self.apply("par-th2", "--json").stdout), {"site": "par-th2", "dry_run": False, "steps": []})
        self.assertEqual(self.events("rbx"), before)

    def apply(self, site: str, *options: str, file: object = None, expect: int = 0) -> subprocess.CompletedProcess:
        return self.poplink("apply", file or self.region, "--node", self.node(site), *options, expect=expect)

    def test_a_broken_file_is_refused_with_its_places_and_changes_nothing(self) -> None:
        self.start_cards()
        daemon, _ = self.both_up()
        before = self.entries("par-th2")
        self.region.write_text(REGION.replace("tunnel_id: 101", "tunnel_id: 5000\n    pcp: 9"))
        daemon.send_signal(signal.SIGHUP)
        self.wait_for(self.logged, "par-th2", "event=config.refused")
        said = self.apply("par-th2", expect=CONFIG).stderr
        for part in ("region.yaml:", "services[0].tunnel_id", "services[0].pcp"):
            self.assertIn(part, said)
            self.assertIn(part, self.log_of("par-th2").read_text())
        self.assertEqual(self.entries("par-th2"), before)
        self.assertTrue(self.is_up("par-th2") and self.is_up("rbx"))

    def test_a_member_that_is_taken_out_tells_its_partner_and_the_other_goes_on(self) -> None:
        self.start_cards()
        self.both_up()
        self.region.write_text(REGION.replace("site: par-th2, ports: [0, 1]", "site: par-th2, ports: [0]")
                               .replace("    role: entrypoint\n", "    role: entrypoint\n    lags: [{ports: [0]}]\n"))
        told = self.apply("par-th2", "--dry-run").stdout
        self.assertIn("would ", told)
        self.assertTrue(self.is_up("par-th2"))
        self.apply("par-th2")
        self.wait_for(lambda: [member["distributing"] for member in self.lag("rbx")["members"]] == [True, False])
        self.assertEqual(self.lag("par-th2")["ports"], [0])

    def test_another_file_than_its_own_is_not_applied(self) -> None:
        self.start_cards()
        self.daemon("par-th2")
        other = self.directory / "other.yaml"
        other.write_text(REGION)
        self.assertIn("poplinkd serves", self.apply("par-th2", file=other, expect=CARD).stderr)

    # ---- wrong starts

    def test_a_wrong_file_touches_no_card(self) -> None:
        self.start_cards()
        self.region.write_text(REGION.replace("mode: active", "mode: on"))
        said = self.refused_daemon(self.region, "--node", self.node("par-th2"), expect=CONFIG)
        self.assertRegex(said, r"region\.yaml:3: defaults\.lacp\.mode: ")
        self.assertEqual(self.entries("par-th2"), {})
        self.refused_daemon(self.region, expect=USAGE)
        self.refused_daemon(self.region, "--node", self.directory / "none.yaml", expect=CONFIG)

    def test_a_site_that_is_not_there_is_a_wrong_node_file(self) -> None:
        self.start_cards()
        node = self.node("par-th2")
        node.write_text(node.read_text().replace("site: par-th2", "site: par-th9"))
        self.assertIn("there is no site 'par-th9'", self.refused_daemon(self.region, "--node", node, expect=CONFIG))

    def test_a_card_has_one_daemon(self) -> None:
        self.start_cards()
        self.daemon("par-th2")
        said = self.refused_daemon(self.region, "--node", self.node("par-th2"), expect=CARD)
        self.assertIn("poplinkd (process", said)
        self.assertTrue(self.show("lag", "par-th2"), "the first one serves on")

    def test_without_a_card_it_says_which_is_missing(self) -> None:
        said = self.refused_daemon(self.region, "--node", self.node("par-th2"), expect=CARD)
        self.assertIn(str(self.socket("par-th2")), said)

    def test_a_broken_state_is_told_and_lags_begin_anew(self) -> None:
        self.start_cards()
        (self.directory / "par-th2.state").write_text("{\"version\": 1, \"lags\": [{}]}")
        self.both_up()
        self.assertTrue(self.logged("par-th2", "level=warning event=daemon.state"))

    def test_a_state_that_cannot_be_kept_is_told_once(self) -> None:
        self.start_cards()
        (self.directory / "par-th2.state").mkdir()
        self.both_up()
        self.assertEqual(self.log_of("par-th2").read_text().count("a restart will begin LAGs anew"), 1)

    # ---- its log

    def test_every_line_of_the_log_is_json_when_asked(self) -> None:
        self.start_cards()
        self.daemon("par-th2", "--log-format", "json")
        self.daemon("rbx")
        self.wait_for(self.is_up, "par-th2")
        lines = [json.loads(line) for line in self.log_of("par-th2").read_text().splitlines()]
        self.assertTrue(all({"time", "level", "event", "site", "text"} <= set(line) for line in lines))
        self.assertIn(("lacp.mux", 1, "DISTRIBUTING"), [(line["event"], line.get("port"), line["text"]) for line in lines])

    def test_without_interrupts_it_looks_by_itself(self) -> None:
        self.start_cards()
        for site in SITES:
            self.daemon(site, "--poll")
        for site in SITES:
            self.wait_for(self.is_up, site)


if __name__ == "__main__":
    unittest.main()
