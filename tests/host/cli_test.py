#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command `poplink` against a simulated card: what it changes, what it shows, what it says, and its exit codes."""
import contextlib
import json
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import unittest

from lab.processes import owned
from lab_case import BINARIES, EXAMPLE_REGION, ONE_LINK, PATIENCE, CardClient, LabCase, message, receive

USAGE, CONFIG, CARD = 1, 2, 3
SITE = "par-th2"
NO_SERVICES = ONE_LINK.split("services:\n  - name")[0] + "services: []\n"
FIRST_SERVICE = ONE_LINK.split("\n  - name: zenith-voice")[0] + "\n"


class Between(contextlib.AbstractContextManager):
    """A socket between `poplink` and its card that passes messages on; `before_answer(number)` runs ahead of each answer. Reads of the
    addresses in `instead` answer what stands there."""

    def __init__(self, path: pathlib.Path, card: pathlib.Path, before_answer=lambda number: None, instead: dict[int, int] | None = None):
        self.path, self.card, self.before_answer, self.instead, self.messages = path, card, before_answer, instead or {}, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.thread = threading.Thread(target=self._pass_on, daemon=True)
        self.thread.start()

    def _pass_on(self) -> None:
        client, _ = self.listener.accept()
        with client, socket.socket(socket.AF_UNIX) as card, contextlib.suppress(EOFError, OSError):
            card.connect(str(self.card))
            while True:
                question = receive(client)
                card.sendall(message(*question))
                answer = self._answer(*question, *receive(card))
                self.messages += 1
                self.before_answer(self.messages)
                client.sendall(message(*answer))

    def _answer(self, kind: int, question: bytes, answer_kind: int, answer: bytes) -> tuple[int, bytes]:
        if kind != CardClient.BATCH or answer_kind != kind:
            return answer_kind, answer
        count, *values = struct.unpack(f"<{len(answer) // 4}I", answer)
        reads = [address for write, address, _ in struct.iter_unpack("<III", question) if not write]
        values = [self.instead.get(address, value) for address, value in zip(reads, values)]
        return kind, struct.pack(f"<{len(answer) // 4}I", count, *values)

    def __exit__(self, *_) -> None:
        self.thread.join(PATIENCE)
        self.listener.close()
        self.path.unlink()


class Cli(LabCase):
    def start(self) -> None:
        self.start_live({SITE: {6: {"cable": "backbone"}}, "rbx": {6: {"cable": "backbone"}}}, [{"name": "backbone"}])

    def apply(self, region: object = None, *options: object, site: str = SITE, expect: int = 0) -> subprocess.CompletedProcess:
        return self.poplink("apply", region or self.one_link, "--node", self.node(site), *options, expect=expect)

    def region(self, text: str) -> pathlib.Path:
        file = self.directory / "region.yaml"
        file.write_text(text)
        return file

    def entries(self, site: str = SITE) -> dict[tuple[str, int], dict]:
        return {(table["table"], one["index"]): one["entry"] for table in self.show("table", site) for one in table["entries"]}

    # ---- apply

    def test_apply_a_second_time_changes_nothing(self) -> None:
        self.start()
        for site in (SITE, "rbx"):
            self.assertTrue(self.apply(site=site).stdout.endswith(f"\n{site}: 13 entries changed\n"))
            before = self.entries(site)
            self.assertEqual(len(before), 13)
            self.assertEqual(self.apply(site=site).stdout, f"{site}: 0 entries changed\n")
            self.assertEqual(self.entries(site), before)

    def test_apply_says_each_step_in_an_order_that_serves_no_half_entry(self) -> None:
        self.start()
        said = self.apply().stdout.splitlines()
        self.assertRegex(said[0], r"^set hash: seed \d+$")
        self.assertEqual(said[8], "add service 101: attachment 0, group 6, mtu 9000, pcp 0, s_tpid 34984, s_vid 101")
        self.assertEqual([line.split()[1] for line in said[1:-1]],
                         ["port"] * 3 + ["link"] * 3 + ["group"] + ["service"] * 2 + ["vid"] * 3 + ["attachment"])
        said = self.apply(self.region(NO_SERVICES)).stdout.splitlines()
        self.assertEqual(said[-1], f"{SITE}: 13 entries changed")
        self.assertEqual([line.split()[:2] for line in said[:-1]],
                         [["remove", table] for table in ["attachment"] + ["vid"] * 3 + ["service"] * 2 + ["group"] + ["link"] * 3 +
                          ["port"] * 3])
        self.assertEqual(self.entries(), {})

    def test_dry_run_tells_the_steps_and_changes_nothing(self) -> None:
        self.start()
        told = self.apply(self.one_link, "--dry-run").stdout.splitlines()
        self.assertEqual(told[-1], f"{SITE}: 13 entries to change")
        self.assertEqual(self.entries(), {})
        done = self.apply().stdout.splitlines()
        self.assertEqual(told[:-1], ["would " + line for line in done[:-1]])

    def test_apply_in_json_tells_the_same(self) -> None:
        self.start()
        told = json.loads(self.apply(self.one_link, "--dry-run", "--json").stdout)
        self.assertEqual((told["site"], told["dry_run"]), (SITE, True))
        self.assertFalse(told["hash"]["symmetric"])
        done = json.loads(self.apply(self.one_link, "--json").stdout)
        self.assertEqual(done, told | {"dry_run": False})
        self.assertEqual(done["steps"][0]["action"], "add")
        # A field that an entry does not set is 0 on the card.
        for step in done["steps"]:
            entry = self.entries()[step["table"], step["index"]]
            self.assertEqual({name: value for name, value in entry.items() if value},
                             {name: value for name, value in step["entry"].items() if value})
        self.assertEqual(json.loads(self.apply(self.one_link, "--json").stdout), {"site": SITE, "dry_run": False, "steps": []})

    def test_image_is_what_apply_programs_and_needs_no_card(self) -> None:
        image = self.directory / "tables.json"
        self.assertEqual(self.apply(self.one_link, "--image", image).stdout, "")
        self.start()
        self.apply()
        written = json.loads(image.read_text())["tables"]
        card = self.entries()
        self.assertEqual({(one["table"], one["index"]) for one in written}, set(card))
        for one in written:
            self.assertEqual(card[one["table"], one["index"]], dict.fromkeys(card[one["table"], one["index"]], 0) | one["entry"])
        counters = self.directory / "counters.json"
        self.run_program("poplink-sim", "batch", "--tables", image, "--counters", counters)
        self.assertEqual([one["service"] for one in json.loads(counters.read_text())["services"]], [101, 102])

    def test_removing_a_service_removes_its_entries_and_no_others(self) -> None:
        self.start()
        self.apply()
        before = self.entries()
        self.apply(self.region(FIRST_SERVICE))
        after = self.entries()
        gone = {("service", 102), ("vid", 1 << 12 | 300), ("vid", 6 << 12 | 102), ("port", 1), ("link", 1)}
        self.assertEqual(after, {key: entry for key, entry in before.items() if key not in gone})
        self.assertEqual(self.apply().stdout.splitlines()[-1], f"{SITE}: 5 entries changed")
        self.assertEqual(self.entries(), before)

    def test_changing_a_service_writes_only_what_differs(self) -> None:
        self.start()
        self.apply()
        changed = self.region(ONE_LINK.replace("mtu: 1500", "mtu: 1600"))
        self.assertEqual(self.apply(changed).stdout.splitlines(),
                         ["change service 102: attachment 1, group 6, mtu 1600, pcp 0, s_tpid 34984, s_vid 102",
                          f"{SITE}: 1 entry changed"])
        self.assertEqual(self.entries()["service", 102]["mtu"], 1600)

    def test_entries_that_nobody_ordered_are_removed(self) -> None:
        self.start()
        self.apply()
        before = self.entries()
        foreign = self.region(ONE_LINK.replace("vlan: 300", "vlan: 301").replace("tunnel_id: 102", "tunnel_id: 103"))
        self.apply(foreign)
        self.assertNotEqual(self.entries(), before)
        self.apply()
        self.assertEqual(self.entries(), before)

    def test_interrupted_apply_is_repaired_by_the_next(self) -> None:
        self.start()
        between = self.directory / "between.sock"
        node = self.node("between", between)
        node.write_text(node.read_text().replace("site: between", f"site: {SITE}"))
        command = [BINARIES / "poplink", "apply", self.one_link, "--node", node]
        with Between(between, self.socket(SITE), lambda number: None) as whole:
            subprocess.run(owned(command), check=True, capture_output=True, timeout=PATIENCE)
        wanted = self.entries()
        states = []
        for back in range(2, 7):  # each of six tables' entries are a message, and the hash, first of all, is set once only
            self.apply(self.region(NO_SERVICES))
            program: list[subprocess.Popen] = []
            started = threading.Event()

            def interrupt(number: int) -> None:
                if number == whole.messages - back:
                    started.wait(PATIENCE)
                    program[0].send_signal(signal.SIGINT)
                    program[0].wait(PATIENCE)

            with Between(between, self.socket(SITE), interrupt):
                program.append(subprocess.Popen(owned(command), stdout=subprocess.DEVNULL))
                started.set()
                self.assertEqual(program[0].wait(PATIENCE), -signal.SIGINT)
            states.append(self.entries())
            self.apply()
            self.assertEqual(self.entries(), wanted)
            self.assertEqual(self.apply().stdout, f"{SITE}: 0 entries changed\n")
        self.assertEqual(len({len(state) for state in states}), len(states), "each time it was stopped elsewhere")
        self.assertTrue(all(0 < len(state) < len(wanted) for state in states), states)

    # ---- LAGs

    LAG_REGION = EXAMPLE_REGION.with_name("lag.yaml")
    OUT = "ports 0, 1 stay out of service: LACP needs poplinkd\n"

    def test_ports_of_a_lag_stay_out_of_service_and_apply_says_so(self) -> None:
        self.start()
        for options in (("--dry-run",), (), ("--json",)):
            self.assertEqual(self.apply(self.LAG_REGION, *options).stderr, self.OUT)
        entries = self.entries()
        self.assertEqual([entries["port", port]["collecting"] for port in (0, 1, 6)], [0, 0, 1])
        self.assertEqual([entries["port", port]["attachment"] for port in (0, 1, 6)], [0, 0, 6])
        self.assertEqual(entries["link", 0]["ports"], 0)
        self.assertNotIn(("link", 1), entries)
        self.assertEqual(sum(table == "lag" for table, _ in entries), 256)
        self.assertEqual(self.apply(self.LAG_REGION).stdout, f"{SITE}: 0 entries changed\n")
        self.assertEqual(self.apply(self.LAG_REGION, site="rbx").stderr, "")

    def test_apply_leaves_a_port_that_lacp_has_put_into_service(self) -> None:
        self.start()
        self.apply(self.LAG_REGION)
        # By hand what LACP would do: table number, index, {s_tpid, attachment, collecting, role, valid} and {ports, valid}.
        for table, index, entry in ((5, 1, 0x88A8 << 8 | 1 << 3 | 1), (4, 0, 0b10 << 1 | 1)):
            self.poplink("card", "regs", f"sim:{self.socket(SITE)}", f"table_select={table}", f"table_index={index}", f"table_data[0]={entry}",
                         "table_command.write=1")
        self.assertEqual((self.entries()["port", 1]["collecting"], self.entries()["link", 0]["ports"]), (1, 2))
        run = self.apply(self.LAG_REGION)
        self.assertEqual(run.stdout, f"{SITE}: 0 entries changed\n")
        self.assertEqual(run.stderr, "port 0 stays out of service: LACP needs poplinkd\n")

    def test_lag_becomes_a_port_and_a_port_a_lag(self) -> None:
        self.start()
        self.apply(self.LAG_REGION)
        single = self.LAG_REGION.read_text().replace("    lags:", "    lags: []  #").replace("      - {ports: [0, 1], rate: fast}", "      #")
        said = self.apply(self.region(single.replace("ports: [0, 1]}", "port: 1}"))).stdout.splitlines()
        self.assertIn("remove lag 0 to 255: 256 entries", said)
        self.assertEqual({index for table, index in self.entries() if table in ("port", "link")}, {1, 6, 7})
        self.assertEqual(self.apply(self.LAG_REGION).stderr, self.OUT, "what ran without LACP does not run on")
        self.assertEqual(self.entries()["link", 0]["ports"], 0)

    def test_image_has_ports_of_lags_in_service_only_if_told(self) -> None:
        image = self.directory / "tables.json"

        def entry(table: str, index: int) -> dict:
            (one,) = [one for one in json.loads(image.read_text())["tables"] if (one["table"], one["index"]) == (table, index)]
            return one["entry"]
        self.assertEqual(self.apply(self.LAG_REGION, "--image", image).stderr,
                         "ports 0, 1 stay out of service: the image is without LACP; --lacp-up puts all ports of LAGs into service\n")
        self.assertEqual((entry("port", 1)["collecting"], entry("link", 0)["ports"]), (0, 0))
        self.assertEqual(self.apply(self.LAG_REGION, "--image", image, "--lacp-up").stderr, "")
        self.assertEqual((entry("port", 1)["collecting"], entry("link", 0)["ports"]), (1, 3))

    # ---- what is wrong

    def test_wrong_region_is_named_with_line_and_rule_and_the_card_stays_as_it_is(self) -> None:
        self.start()
        self.apply()
        before = self.entries()
        text = ONE_LINK.replace("tunnel_id: 102", "tunnel_id: 4095").replace("mode: l2", "mode: l3", 1)
        lines = {word: number for number, line in enumerate(text.splitlines(), 1) for word in ("4095", "l3") if word in line.split()}
        region = self.region(text)
        run = self.apply(region, expect=CONFIG)
        self.assertEqual(run.stderr, f"{region}:{lines['l3']}: services[0].mode: L3 services are not served by this version\n"
                                     f"{region}:{lines['4095']}: services[1].tunnel_id: must be a number from 1 to 4094, not '4095'\n")
        self.assertEqual(run.stdout, "")
        self.assertEqual(self.entries(), before)

    def test_file_that_cannot_be_read_is_named(self) -> None:
        for file in (self.directory / "nowhere.yaml", self.directory):
            self.assertEqual(self.apply(file, expect=CONFIG).stderr, f"{file}: cannot be read\n")
            self.assertEqual(self.poplink("show", "port", "--node", file, expect=CONFIG).stderr, f"{file}: cannot be read\n")
        self.assertEqual(self.apply(self.one_link, "--image", "not/there.json", expect=CONFIG).stderr,
                         "not/there.json: cannot be written\n")

    def test_node_of_a_site_that_is_not_in_the_region_is_refused(self) -> None:
        self.start()
        node = self.node("gra", self.socket(SITE))
        run = self.poplink("apply", self.one_link, "--node", node, expect=CONFIG)
        self.assertEqual(run.stderr, f"{node}:1: site: there is no site 'gra' in region 'eu-west'\n")
        self.assertEqual(self.entries(), {})

    def test_port_that_the_card_does_not_have_is_refused(self) -> None:
        self.start()
        region = self.region(ONE_LINK.replace("id: 1, speed: 10G, use: cross", "id: 9, speed: 10G, use: cross")
                             .replace("site: par-th2, port: 1", "site: par-th2, port: 9"))
        run = self.apply(region, expect=CONFIG)
        line = 1 + region.read_text().splitlines().index("      - {id: 9, speed: 10G, use: cross_connect}")
        self.assertEqual(run.stderr, f"{region}:{line}: sites[0].ports[1].id: the card of 'par-th2' has ports 0 to 7, not 9\n")
        self.assertEqual(self.entries(), {})

    def test_card_that_is_not_there_is_exit_code_3(self) -> None:
        hint = "(is poplink-sim running?)"
        self.assertEqual(self.apply(expect=CARD).stderr,
                         f"poplink: no simulated card at {self.socket(SITE)}: No such file or directory {hint}\n")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(self.socket(SITE)))
        self.assertEqual(self.poplink("show", "port", "--node", self.node(SITE), expect=CARD).stderr,
                         f"poplink: no simulated card at {self.socket(SITE)}: Connection refused {hint}\n")
        endless = self.directory / ("x" * 200)
        self.assertEqual(self.poplink("show", "port", "--node", self.node(SITE, endless), expect=CARD).stderr,
                         f"poplink: no simulated card at {endless}: File name too long {hint}\n")

    def test_second_client_is_told_who_holds_the_card(self) -> None:
        self.start()
        with CardClient(self.socket(SITE), "maintenance (somebody)"):
            for arguments in (("apply", self.one_link), ("show", "port")):
                run = self.poplink(*arguments, "--node", self.node(SITE), expect=CARD)
                self.assertEqual(run.stderr, f"poplink: the card at {self.socket(SITE)} is held by maintenance (somebody)\n")
        self.apply()

    def test_running_apply_is_named_with_its_process(self) -> None:
        self.start()
        between = self.directory / "between.sock"
        node = self.node("between", between)
        node.write_text(node.read_text().replace("site: between", f"site: {SITE}"))
        said = []

        def ask(number: int) -> None:
            if number == 5:
                said.append(self.poplink("show", "port", "--node", self.node(SITE), expect=CARD).stderr)

        with Between(between, self.socket(SITE), ask):
            with subprocess.Popen(owned([BINARIES / "poplink", "apply", self.one_link, "--node", node]), stdout=subprocess.DEVNULL) as program:
                self.assertEqual(program.wait(PATIENCE), 0)
        self.assertEqual(said, [f"poplink: the card at {self.socket(SITE)} is held by poplink apply (process {program.pid})\n"])

    def test_card_that_answers_nonsense_is_exit_code_3(self) -> None:
        hello = struct.pack("<IHHI", 2, 0x10EE, 0x504C, 1 << 20)
        malformed = f"poplink: the card at {self.socket(SITE)} sent a malformed answer\n"
        other_version = f"poplink: the card at {self.socket(SITE)} speaks protocol version 7, this program 2\n"
        lost = f"poplink: lost the card at {self.socket(SITE)}: End of file\n"
        for answers, said in (
                ([(10, b"")], malformed),
                ([(1, b"short")], malformed),
                ([(4, hello)], malformed),
                ([(1, struct.pack("<I", 7) + hello[4:])], other_version),
                ([(1, hello), (4, b"")], malformed),
                ([(1, hello), (4, struct.pack("<I", 5))], malformed),
                ([(1, hello), (4, struct.pack("<3I", 5, 1, 2))], malformed),
                ([(1, hello), (4, struct.pack("<9I", 8, *range(8)))], malformed),
                ([(1, hello), (5, b"is on fire")], f"poplink: the card at {self.socket(SITE)} is on fire\n"),
                ([(1, hello)], lost),
                ([], lost)):
            with self.answering(answers):
                self.assertEqual(self.poplink("show", "port", "--node", self.node(SITE), expect=CARD).stderr, said, answers)

    @contextlib.contextmanager
    def answering(self, answers: list[tuple[int, bytes]]):
        """A card that gives these answers and hangs up."""
        def serve(listener: socket.socket) -> None:
            client, _ = listener.accept()
            with client:
                for answer in answers:
                    receive(client)
                    client.sendall(message(*answer))
                with contextlib.suppress(EOFError, OSError):
                    receive(client)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.socket(SITE)))
            listener.listen()
            thread = threading.Thread(target=serve, args=(listener,), daemon=True)
            thread.start()
            yield
            thread.join(PATIENCE)
        self.socket(SITE).unlink()

    def test_wrong_usage_is_exit_code_1_and_touches_no_card(self) -> None:
        node = self.node(SITE)
        for arguments, part in (
                ((), "subcommand is required"), (("frobnicate",), ""), (("show",), "subcommand is required"),
                (("show", "weather", "--node", node), ""), (("apply",), "region is required"),
                (("apply", self.one_link), "--node is required"), (("show", "port"), "--node is required"),
                (("show", "port", "extra", "--node", node), "extra"), (("apply", self.one_link, "--node", node, "--force"), "--force"),
                (("show", "table", "colours", "--node", node), "colours not in {attachment,bucket,group,lag,link,port,service,vid}"),
                (("apply", self.one_link, "--node", node, "--image", "x", "--dry-run"), "excludes"),
                (("apply", self.one_link, "--node", node, "--image", "x", "--json"), "excludes"),
                (("apply", self.one_link, "--node", node, "--lacp-up"), "--image")):
            self.assertIn(part, self.poplink(*arguments, expect=USAGE).stderr)
        for arguments in (("--help",), ("apply", "--help"), ("show", "--help"), ("show", "table", "--help")):
            self.assertIn("Usage:", self.poplink(*arguments).stdout)

    # ---- show

    def shown(self, *arguments: object) -> list[str]:
        return self.poplink("show", *arguments, "--node", self.node(SITE)).stdout.splitlines()

    def test_show_service(self) -> None:
        self.start()
        self.assertEqual(self.shown("service"), ["no services"])
        self.assertEqual(self.show("service", SITE), [])
        self.apply()
        self.assertEqual(self.shown("service"), [
            "service  attachment  group  s_vid  mtu   to_backbone frames/bytes  from_backbone frames/bytes",
            "101      0           6      101    9000  0/0                       0/0",
            "102      1           6      102    1500  0/0                       0/0"])
        none = {"frames": 0, "bytes": 0}
        self.assertEqual(self.show("service", SITE)[1], {"service": 102, "attachment": 1, "group": 6, "s_vid": 102,
                                                         "mtu": 1500, "to_backbone": none, "from_backbone": none})

    def test_show_port(self) -> None:
        self.start()
        self.apply()
        lines = self.shown("port")
        self.assertEqual(lines[0], "port  role           link  speed  transmit  tx dBm  rx dBm  received frames/bytes  sent frames/bytes  module")
        self.assertEqual(lines[1], "0     cross_connect  down  10G    enabled   -       -       0/0                    0/0                none")
        self.assertEqual(lines[7], "6     backbone       up    10G    enabled   -2.0    -5.0    0/0                    0/0                "
                                   "Poplink SFP-10G-LR PL0000000106")
        self.assertEqual(lines[8], "7     off            down  10G    enabled   -       -       0/0                    0/0                none")
        none = {"frames": 0, "bytes": 0}
        port = self.show("port", SITE)[6]
        module = port.pop("module")
        self.assertEqual(port, {"port": 6, "role": "backbone", "link": "up", "held": False, "speed_mbit": 10000, "transmit": "enabled", "transmit_dbm": -2.0,
                                "receive_dbm": -5.0, "received": none, "sent": none})
        diagnostics = module.pop("diagnostics")
        self.assertEqual(module, {"readable": True, "fault": False, "los": False, "checksums_good": True, "type": "10GBASE-LR", "connector": "LC",
                                  "vendor": "Poplink", "oui": "02-50-4c", "part": "SFP-10G-LR", "revision": "A", "serial": "PL0000000106",
                                  "date": "250101", "bitrate_mbd": 10300, "wavelength_nm": 1310})
        self.assertEqual(diagnostics["bias_ma"], {"value": 32.0, "state": "good", "low_alarm": 5.0, "low_warning": 10.0, "high_warning": 70.0,
                                                  "high_alarm": 80.0})
        self.assertEqual(diagnostics["receive_dbm"], {"value": -5.0, "state": "good", "low_alarm": -18.39, "low_warning": -14.4,
                                                      "high_warning": 0.5, "high_alarm": 2.5})
        self.assertIsNone(self.show("port", SITE)[7]["module"])
        self.apply(site="rbx")
        self.assertEqual(self.show("port", "rbx")[0]["role"], "vrack")

    def test_show_counter(self) -> None:
        self.start()
        lines = self.shown("counter")
        self.assertEqual(lines[:3], ["port  counter   frames  bytes", "0     received  0       0", "0     sent      0       0"])
        self.assertEqual(len(lines), 1 + 8 * 2)
        none = {"frames": 0, "bytes": 0}
        self.assertEqual(self.show("counter", SITE)[0], {"port": 0, "received": none, "sent": none, "drops": {}, "drop_bytes": {}})

    def test_show_ecmp(self) -> None:
        self.start_live({SITE: {port: {"cable": f"backbone-{port}"} for port in (6, 7)},
                         "rbx": {port: {"cable": f"backbone-{port}"} for port in (6, 7)}},
                        [{"name": "backbone-6"}, {"name": "backbone-7"}])
        self.assertEqual(self.shown("ecmp"), ["no groups"])
        said = self.apply(EXAMPLE_REGION).stdout.splitlines()
        self.assertIn("add bucket 24576 to 24831: 256 entries", said)
        self.assertEqual(said[-1], f"{SITE}: 273 entries changed")
        self.assertEqual(self.apply(EXAMPLE_REGION).stdout, f"{SITE}: 0 entries changed\n")
        self.assertEqual(self.shown("ecmp"), [
            "group  services  link  ports  state  buckets  carries  sent frames/bytes  flows/s",
            "6      101,102   6     6      alive  128      128      0/0                0",
            "6      101,102   7     7      alive  128      128      0/0                0", self.FLOWS_NOTE])
        self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", "backbone-6", "cut")
        (group,) = self.show("ecmp", SITE)
        none, idle = {"frames": 0, "bytes": 0}, {"estimate": 0, "saturated": False}
        self.assertEqual(group, {"group": 6, "services": [101, 102], "spread": 0, "members": [
            {"link": 6, "ports": [6], "state": "dead", "buckets": 128, "carries": 0, "sent": none, "flows": idle},
            {"link": 7, "ports": [7], "state": "alive", "buckets": 128, "carries": 256, "sent": none, "flows": idle}]})
        weighted = EXAMPLE_REGION.read_text().replace("peer: {site: rbx, port: 7}", "weight: 30, peer: {site: rbx, port: 7}")
        said = self.apply(self.region(weighted)).stdout.splitlines()
        self.assertEqual(said[-1], f"{SITE}: 64 entries changed", "no bucket more than must")
        self.assertEqual([member["buckets"] for member in self.show("ecmp", SITE)[0]["members"]], [64, 192])
        self.apply()  # one link again, and it is dead
        self.assertEqual(self.shown("ecmp")[1:-1], ["6      101,102   6     6      dead   0        0        0/0                0"])
        self.assertEqual(self.show("ecmp", SITE)[0]["spread"], 256)
        self.run_program("poplink-sim", "cable", "--control", self.directory / "lab.control", "backbone-6", "mend")
        self.assertEqual(self.shown("ecmp")[1:-1], ["6      101,102   6     6      alive  0        256      0/0                0"])

    FLOWS_NOTE = "flows/s: about how many different flows the link carried in the last second, of all groups that use it"
    VERSION, FLOW_COUNTS = 0x00004, 0xC0000

    def test_show_ecmp_estimates_flows_and_says_when_it_cannot(self) -> None:
        self.start()
        self.apply(EXAMPLE_REGION)
        between = self.directory / "between.sock"

        def shown(instead: dict[int, int], *options: str) -> str:
            with Between(between, self.socket(SITE), instead=instead):
                return self.poplink("show", "ecmp", *options, "--node", self.node(SITE, between)).stdout
        counts = {self.FLOW_COUNTS + 4 * 6: 100, self.FLOW_COUNTS + 4 * 7: 4096}
        self.assertEqual([line.split()[-1] for line in shown(counts).splitlines()[1:-1]], ["101", ">34070"])
        self.assertEqual([member["flows"] for member in json.loads(shown(counts, "--json"))["groups"][0]["members"]],
                         [{"estimate": 101, "saturated": False}, {"estimate": 34070, "saturated": True}])
        older = counts | {self.VERSION: 2 << 16}
        self.assertEqual([line.split()[-1] for line in shown(older).splitlines()[1:-1]], ["-", "-"])
        self.assertEqual([member["flows"] for member in json.loads(shown(older, "--json"))["groups"][0]["members"]], [None, None])

    def test_show_table(self) -> None:
        self.start()
        self.apply()
        self.assertEqual(self.shown("table", "vid"), ["vid: 3 of 65536 entries used", "  4396: service 102", "  24677: service 101",
                                                      "  24678: service 102"])
        self.assertEqual([line for line in self.shown("table") if not line.startswith(" ")],
                         ["attachment: 1 of 16 entries used", "bucket: 0 of 65536 entries used", "group: 1 of 1024 entries used",
                          "lag: 0 of 4096 entries used", "link: 3 of 16 entries used", "port: 3 of 16 entries used",
                          "service: 2 of 4096 entries used", "vid: 3 of 65536 entries used"])
        (only,) = json.loads(self.poplink("show", "table", "attachment", "--json", "--node", self.node(SITE)).stdout)["tables"]
        self.assertEqual(only, {"table": "attachment", "capacity": 16, "used": 1, "entries": [
            {"index": 0, "entry": {"untagged_service": 0, "untagged_valid": 0, "valid": 1, "whole_service": 101, "whole_valid": 1}}]})


if __name__ == "__main__":
    unittest.main()
