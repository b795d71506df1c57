#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""poplink-sim batch: captures in, captures, stamps and counters out, always the same; and what it says of wrong input."""
import csv
import json
import pathlib
import random
import re
import struct
import unittest

from lab import frames
from lab.captures import read_pcap, write_pcap
from lab_case import LabCase

NS_PER_CYCLE = 4
S_TAG = frames.tag(0x88A8, 101)
SECOND = 10**9


def frame(size: int, number: int = 0, tags: bytes = b"") -> bytes:
    payload = number.to_bytes(4, "big") + bytes(range(256)) * 36
    return frames.frame(frames.VRACK_MAC, frames.CUSTOMER_MAC, frames.TEST_ETHERTYPE, payload, tags)[:size]


def unpack_lz4(block: bytes) -> bytes:
    out, at = bytearray(), 0

    def length(nibble: int) -> int:
        nonlocal at
        more = 255 if nibble == 15 else 0
        while more == 255:
            more = block[at]
            nibble += more
            at += 1
        return nibble

    while at < len(block):
        token = block[at]
        at += 1
        literals = length(token >> 4)
        out += block[at:at + literals]
        at += literals
        if at >= len(block):
            break
        distance = int.from_bytes(block[at:at + 2], "little")
        at += 2
        for _ in range(length(token & 15) + 4):
            out.append(out[-distance])
    return bytes(out)


def read_fst(file: pathlib.Path) -> tuple[tuple[int, int], set[str]]:
    """First and last time, and the names of all signals."""
    data = file.read_bytes()
    times, names, at = (0, 0), set(), 0
    while at < len(data):
        kind, length = struct.unpack_from(">BQ", data, at)
        if kind == 0:  # header
            times = struct.unpack_from(">QQ", data, at + 9)
        elif kind == 6:  # hierarchy, LZ4
            names = {name.decode() for name in re.findall(rb"[A-Za-z_]\w+", unpack_lz4(data[at + 17:at + 1 + length]))}
        at += 1 + length
    return times, names


class Batch(LabCase):
    def image(self) -> pathlib.Path:
        image = self.directory / "tables.json"
        self.poplink("apply", self.one_link, "--node", self.node("par-th2"), "--image", image)
        return image

    def capture(self, name: str, content: list[tuple[int, bytes]]) -> pathlib.Path:
        return write_pcap(self.directory / name, content)

    def batch(self, *arguments: object) -> str:
        return self.run_program("poplink-sim", "batch", "--tables", self.image(), *arguments).stdout

    def stamps(self, *arguments: object) -> dict[str, list[dict]]:
        file = self.directory / "stamps.csv"
        self.batch("--stamps", file, *arguments)
        rows = {"in": [], "out": []}
        with file.open() as lines:
            for row in csv.DictReader(lines):
                rows[row.pop("direction")].append({key: int(value) for key, value in row.items() if value})
        return rows

    def test_a_wave_shows_a_window_with_the_sources_names(self) -> None:
        captured = self.capture("in.pcap", [(0, frame(64, i)) for i in range(20)])
        sent, file = self.directory / "out.pcap", self.directory / "wave.fst"
        first = self.stamps("--in", f"0={captured}", "--out", f"6={sent}")["in"][3]["last_cycle"]
        without = (sent.read_bytes(), (self.directory / "stamps.csv").read_bytes())
        self.stamps("--in", f"0={captured}", "--out", f"6={sent}", "--wave", file, "--wave-from", first, "--wave-cycles", 50)
        self.assertEqual(without, (sent.read_bytes(), (self.directory / "stamps.csv").read_bytes()), "watching changes nothing")
        times, names = read_fst(file)
        self.assertEqual(times, (first * NS_PER_CYCLE, (first + 50) * NS_PER_CYCLE - NS_PER_CYCLE // 2))
        self.assertLessEqual({"clk", "rx_tvalid", "in_header", "from_backbone", "customer_tags", "out_drop"}, names)

    def test_a_wave_that_cannot_be_written_is_an_error(self) -> None:
        captured = self.capture("in.pcap", [(0, frame(64))])
        for arguments, told in ((("--wave", self.directory / "no" / "wave.fst"), "cannot be written"),
                                (("--wave", self.directory / "wave.fst", "--wave-from", 10**9), "the card came to rest in cycle"),
                                (("--wave", self.directory / "wave.fst", "--wave-from", 1), "the first frame comes in cycle")):
            with self.subTest(told):
                self.assertIn(told, self.refused("--in", f"0={captured}", *arguments))

    def test_same_files_in_give_the_same_bytes_out(self) -> None:
        draw = random.Random(5)
        customer = self.capture("customer.pcap", [(0, frame(draw.randint(60, 1500), i)) for i in range(400)])
        backbone = self.capture("backbone.pcap", [(0, frame(draw.randint(64, 1500), i, S_TAG)) for i in range(400)])
        tagged = self.capture("tagged.pcap", [(0, frame(100, i, frames.tag(0x8100, 300 + i % 2))) for i in range(400)])
        outputs = ("out0.pcap", "out6.pcap", "stamps.csv", "counters.json")
        results = []
        for run in ("first", "second"):
            to = self.directory / run
            to.mkdir()
            said = self.batch("--in", f"0={customer}", f"1={tagged}", f"6={backbone}", "--out", f"0={to}/out0.pcap",
                              f"6={to}/out6.pcap", "--stamps", to / "stamps.csv", "--counters", to / "counters.json")
            results.append([said] + [(to / name).read_bytes() for name in outputs])
        self.assertEqual(*results)
        self.assertEqual([data for _, data in read_pcap(self.directory / "first" / "out0.pcap")],
                         [data[:12] + data[16:] for _, data in read_pcap(backbone)], "the S-tag popped, in order")
        self.assertEqual(len(read_pcap(self.directory / "first" / "out6.pcap")), 400 + 200, "VLAN 301 has no service")

    def test_counters_tell_what_happened(self) -> None:
        lldp = frames.frame(bytes.fromhex("0180c200000e"), frames.CUSTOMER_MAC, 0x88CC, b"")
        captured = self.capture("in.pcap", [(0, frame(60, i)) for i in range(3)] + [(0, lldp)] * 2)
        counters = self.directory / "counters.json"
        self.batch("--in", f"0={captured}", "--counters", counters)
        told = json.loads(counters.read_text())
        self.assertEqual(told["ports"][0], {"port": 0, "received": {"frames": 5, "bytes": 300}, "sent": {"frames": 0, "bytes": 0},
                                            "drops": {"lldp": 2}})
        self.assertEqual(told["ports"][6]["sent"], {"frames": 3, "bytes": 192})
        self.assertEqual(told["services"][0], {"service": 101, "to_backbone": {"frames": 3, "bytes": 180},
                                               "from_backbone": {"frames": 0, "bytes": 0}})

    def test_idle_card_has_one_latency_for_every_length(self) -> None:
        sizes = [60, 61, 64, 127, 128, 129, 511, 1500, 9000, 60]
        captured = self.capture("in.pcap", [(i * 40_000, frame(size, i)) for i, size in enumerate(sizes)])
        rows = self.stamps("--in", f"0={captured}", "--timing", "capture")
        self.assertEqual([row["number"] for row in rows["in"]], list(range(len(sizes))))
        self.assertEqual([(row["port"], row["number"], row["bytes"]) for row in rows["out"]],
                         [(6, i, size + 4) for i, size in enumerate(sizes)])
        latencies = {out["first_cycle"] - came["last_cycle"] for came, out in zip(rows["in"], rows["out"])}
        self.assertEqual(len(latencies), 1, latencies)
        self.assertGreater(latencies.pop(), 0)
        for out in rows["out"]:
            self.assertGreaterEqual(out["last_cycle"] - out["first_cycle"], -(-out["bytes"] // 64) - 1)

    def test_wire_timing_is_back_to_back_at_the_speed(self) -> None:
        captured = self.capture("in.pcap", [(i * SECOND, frame(61, i)) for i in range(50)])
        for speed, cycles in ((10, 17), (1, 170)):  # 85 bytes with preamble, FCS and gap
            came = [row["last_cycle"] for row in self.stamps("--in", f"0={captured}", "--speed", speed)["in"]]
            self.assertEqual({b - a for a, b in zip(came, came[1:])}, {cycles}, f"{speed} Gbit/s")
        came = [row["last_cycle"] for row in self.stamps("--in", f"0={captured}", "--speed", 0)["in"]]
        self.assertEqual(came[-1] - came[0], 49, "a frame per cycle")

    def test_capture_timing_keeps_the_times_of_all_ports(self) -> None:
        start = 1_700_000_000 * SECOND
        first = self.capture("first.pcap", [(start, frame(60, 1)), (start + 3600 * SECOND, frame(60, 2))])
        second = self.capture("second.pcap", [(start + 8000, frame(60, 3, frames.tag(0x8100, 300))),
                                              (start + 1800 * SECOND, frame(60, 4, frames.tag(0x8100, 300)))])
        out = self.directory / "out.pcap"
        self.batch("--in", f"0={first}", f"1={second}", "--out", f"6={out}", "--timing", "capture")
        left = read_pcap(out)
        self.assertEqual(len(left), 4)
        delays = [time - sent for (time, _), sent in zip(left, (start, start + 8000, start + 1800 * SECOND, start + 3600 * SECOND))]
        self.assertEqual(len(set(delays)), 1, f"one time through an idle card: {delays}")
        self.assertGreater(delays[0], 68 * 8 / 10, "at least on the wire")

    def test_outputs_do_not_depend_on_how_many_tables_were_loaded(self) -> None:
        captured = self.capture("in.pcap", [(0, frame(60))])
        image = json.loads(self.image().read_text())
        image["tables"] += [{"table": "vid", "index": 20_000 + i, "entry": {"valid": 1, "service": 9}} for i in range(50)]
        larger = self.directory / "larger.json"
        larger.write_text(json.dumps(image))
        times = []
        for tables in (self.image(), larger):
            out = self.directory / "out.pcap"
            self.run_program("poplink-sim", "batch", "--tables", tables, "--in", f"0={captured}", "--out", f"6={out}")
            times.append([time for time, _ in read_pcap(out)])
        self.assertEqual(*times)

    def test_short_frames_are_padded_as_on_a_wire(self) -> None:
        captured = self.capture("in.pcap", [(0, frame(42))])
        out = self.directory / "out.pcap"
        self.batch("--in", f"0={captured}", "--out", f"6={out}")
        self.assertEqual([data for _, data in read_pcap(out)], [frame(42)[:12] + S_TAG + frame(42)[12:] + bytes(18)])

    def test_file_may_be_read_and_written(self) -> None:
        captured = self.capture("both.pcap", [(0, frame(60))])
        self.batch("--in", f"0={captured}", "--out", f"6={captured}")
        self.assertEqual([len(data) for _, data in read_pcap(captured)], [64])

    def test_nothing_in_is_nothing_out(self) -> None:
        out = self.directory / "out.pcap"
        self.assertEqual(self.batch("--out", f"6={out}").split(" frames")[0], "0")
        self.assertEqual(read_pcap(out), [])

    def refused(self, *arguments: object, code: int = 1) -> str:
        return self.run_program("poplink-sim", "batch", *arguments, expect=code).stderr

    def test_wrong_arguments_are_named(self) -> None:
        captured = self.capture("in.pcap", [(0, frame(60))])
        usage = "write PORT=FILE, PORT from 0 to 7"
        for text in ("8=x", "-1=x", "x=x", "=x", "0=", "0", "100=x", "0x1=x"):
            self.assertEqual(self.refused(f"--in={text}"), f"poplink-sim: --in {text}: {usage}\n")
            self.assertEqual(self.refused(f"--out={text}"), f"poplink-sim: --out {text}: {usage}\n")
        self.assertEqual(self.refused("--in", f"0={captured}", f"0={captured}"),
                         f"poplink-sim: --in 0={captured}: the port has a file already\n")
        self.assertEqual(self.refused("--out", "0=same.pcap", "1=same.pcap"), "poplink-sim: same.pcap: is to be written twice\n")
        self.assertEqual(self.refused("--stamps", "same", "--counters", "same"), "poplink-sim: same: is to be written twice\n")
        for wrong in (("--speed", "25"), ("--timing", "later"), ("--colour", "red")):
            self.assertIn(wrong[0], self.refused(*wrong))

    def test_missing_input_is_named_and_outputs_stay_as_they_are(self) -> None:
        out = self.directory / "out.pcap"
        out.write_text("precious")
        self.assertEqual(self.refused("--in", "0=nowhere.pcap", "--out", f"6={out}"),
                         "poplink-sim: nowhere.pcap: No such file or directory\n")
        self.assertEqual(out.read_text(), "precious")
        self.assertEqual(self.refused("--tables", "nowhere.json"), "poplink-sim: nowhere.json: cannot be read\n")

    def test_captures_over_years_cannot_be_played_at_their_times(self) -> None:
        captured = self.capture("in.pcap", [(0, frame(60)), (1_700_000_000 * SECOND, frame(60))])
        self.assertEqual(self.refused("--in", f"0={captured}", "--timing", "capture"),
                         "poplink-sim: the captures span more than 100 days; without their times: --timing wire\n")

    def test_outputs_that_cannot_be_written_are_named(self) -> None:
        captured = self.capture("in.pcap", [(0, frame(60, i)) for i in range(10)])
        for option in ("--stamps", "--counters"):
            for file in ("not/there", "/dev/full"):
                self.assertEqual(self.refused("--in", f"0={captured}", option, file), f"poplink-sim: {file}: cannot be written\n")
        self.assertEqual(self.refused("--out", "6=not/there"), "poplink-sim: not/there: No such file or directory\n")
        self.assertEqual(self.refused("--out", "6=/dev/full"), "poplink-sim: /dev/full: cannot be written\n")

    def test_bad_table_images_are_refused(self) -> None:
        image = self.directory / "bad.json"
        entry = {"table": "service", "index": 1, "entry": {"valid": 1}}
        for text, problem in (
                ("{", "is no table image: "),
                ("[]", "is no table image: "),
                ("{}", "is no table image: "),
                ('{"tables": [{}]}', "is no table image: "),
                (json.dumps({"tables": [entry | {"index": "one"}]}), '"one" is no number from 0\n'),
                (json.dumps({"tables": [entry | {"entry": {"valid": "yes"}}]}), '"yes" is no number from 0\n'),
                (json.dumps({"tables": [entry | {"entry": {"valid": 1.5}}]}), "1.5 is no number from 0\n"),
                (json.dumps({"tables": [entry | {"table": "colours"}]}), "the card has no table 'colours'\n"),
                (json.dumps({"tables": [entry | {"entry": {"colour": 1}}]}), "table service has no field 'colour'\n"),
                (json.dumps({"tables": [entry | {"entry": {"s_vid": 4096}}]}),
                 "table service: 4096 does not fit the 12 bits of field 's_vid'\n"),
                (json.dumps({"tables": [entry | {"index": 4096}]}), "the card refused entry 4096 of table service\n"),
                (json.dumps({"tables": [entry | {"index": 2**32 + 1}]}), "no table has an entry 4294967297\n"),
                (json.dumps({"tables": [entry | {"index": -1}]}), "-1 is no number from 0\n")):
            image.write_text(text)
            said = self.refused("--tables", image)
            self.assertTrue(said.startswith(f"poplink-sim: {image}: {problem}"), f"{text}\n{said}")


if __name__ == "__main__":
    unittest.main()
