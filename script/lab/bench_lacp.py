# SPDX-License-Identifier: Apache-2.0
"""LACP and its partners in figures: how soon a LAG is there, how soon a silent member is out, what a cut costs, and what the daemon's absence does.
Part of script/bench."""
import dataclasses
import pathlib
import re
import statistics
import threading
import time
from collections.abc import Callable

from lab.customer import BOTH, GuestCustomer, LagLab, SwitchCustomer
from lab.failover import lost_frames
from lab.member_loss import SITE, Absence, cut_member, daemon_away, lacpdus, link_up, one_way_loss, when_distributing
from lab.two_cards import VRACK_ADDRESS, scratch_directory

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples" / "lag.yaml"
PING_SECONDS = 0.1
_DISTRIBUTING = 0x20  # bit of a state octet (802.1AX, 6.4.2.3)


@dataclasses.dataclass(frozen=True)
class Effort:
    runs: int = 5
    away_seconds: tuple[float, ...] = (0.2, 2.0, 10.0)


QUICK = Effort(runs=1, away_seconds=(0.2,))


def open_vswitch(binaries: pathlib.Path, directory: pathlib.Path, rate: str) -> LagLab:
    # It looks at its members' load once a second, so that a member that is back soon has flows for the next run.
    return SwitchCustomer(binaries, region(directory, rate), directory, rate=rate, **{"other_config:bond-rebalance-interval": "1000"})


def linux(binaries: pathlib.Path, directory: pathlib.Path, rate: str) -> LagLab:
    return GuestCustomer(binaries, region(directory, rate), directory, rate=rate)


def region(directory: pathlib.Path, rate: str) -> pathlib.Path:
    """The example, with this rate asked of the partner."""
    file = directory / "region.yaml"
    file.write_text(EXAMPLE.read_text().replace("rate: fast", f"rate: {rate}"))
    return file


PARTNERS: dict[str, tuple[Callable[..., LagLab], str]] = {
    "Open vSwitch, fast": (open_vswitch, "fast"), "Open vSwitch, slow": (open_vswitch, "slow"), "Linux bond, fast": (linux, "fast")}


def seconds_to_distributing(lab: LagLab) -> float:
    """Both cables are cut and mended. From the later link up to the last of both sides' members Distributing: ours by the daemon's events, the
    partner's by what it says on the wire."""
    for port in sorted(BOTH):
        lab.cables(f"customer-{port}", "cut")
    lab.await_carrying(set())
    begin = time.time_ns()
    for port in sorted(BOTH):
        lab.cables(f"customer-{port}", "mend")
    lab.await_carrying(BOTH)
    up, ours, system = link_up(lab, begin), when_distributing(lab, begin), lab.lag(SITE)["system"]["address"]
    theirs = [min(pdu.when_ns for pdu in lacpdus(lab.customer_pcaps[port])
                  if pdu.when_ns >= up[port] and pdu.system != system and pdu.state & _DISTRIBUTING) for port in sorted(BOTH)]
    return (max(*ours.values(), *theirs) - max(up.values())) / 1e9


def guest_daemon_away(lab: GuestCustomer, seconds: float) -> Absence:
    """As daemon_away, with pings of the guest as the traffic."""
    counted, flaps, pings = lost_frames(lab), lab.partner_flaps(), round((seconds + 3) / PING_SECONDS)
    answered: list[int] = []

    def ping() -> None:
        said = lab.guest.run(f"ping -q -i {PING_SECONDS} -c {pings} -W 5 {VRACK_ADDRESS}", check=False, timeout=60 + pings)
        answered.append(int(found[1]) if (found := re.search(r"(\d+) packets received", said.output)) else 0)
    pinging = threading.Thread(target=ping)
    pinging.start()
    time.sleep(1.0)
    lab.stop_daemon(SITE, kill=True)
    time.sleep(seconds)
    lab.start_daemon(SITE)
    pinging.join()
    stayed = lab.carrying(SITE) == BOTH == lab.partner_carrying() and lab.partner_flaps() == flaps
    return Absence(pings, {"of pings": pings - answered[0]}, lost_frames(lab) - counted, stayed)


def measure(lab: LagLab, rate: str, effort: Effort, progress: Callable[[str], None]) -> dict:
    """Figures of one partner; what makes no sense with it is missing."""
    figures: dict = {}
    lab.start()
    lab.start_daemons()
    lab.await_carrying(BOTH)
    progress("links up")
    figures["up_seconds"] = [seconds_to_distributing(lab) for _ in range(effort.runs)]
    if rate == "fast":
        progress("one-way loss")
        for deaf, end in (("we", SITE), ("the customer", "host")):
            figures[f"silent_seconds, {deaf}"] = [one_way_loss(lab, run % 2, end).silent_seconds for run in range(effort.runs)]
    switch = isinstance(lab, SwitchCustomer)
    if switch:
        progress("cuts")
        figures["cuts"] = [dataclasses.asdict(cut_member(lab, 1 - run % 2)) for run in range(effort.runs)]
    progress("the daemon away")
    figures["away"] = {seconds: dataclasses.asdict((daemon_away if switch else guest_daemon_away)(lab, seconds)) for seconds in effort.away_seconds}
    return figures


def lacp(build: pathlib.Path, effort: Effort, progress: Callable[[str], None]) -> dict[str, dict]:
    """Figures by partner."""
    figures = {}
    for name, (make, rate) in PARTNERS.items():
        with scratch_directory("bench") as directory, make(build / "bin", pathlib.Path(directory), rate) as lab:
            figures[name] = measure(lab, rate, effort, lambda what: progress(f"{name}: {what}"))
    return figures


def _median_max(values: list[float] | None, unit: str) -> list[str]:
    return ["", ""] if values is None else [unit.format(statistics.median(values)), unit.format(max(values))]


def rows(figures: dict[str, dict]) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, header, rows) of each table."""
    times = [[name, str(len(one["up_seconds"])), *_median_max(one["up_seconds"], "{:.2f}"), *_median_max(one.get("silent_seconds, we"), "{:.2f}"),
              *_median_max(one.get("silent_seconds, the customer"), "{:.2f}"), ""] for name, one in figures.items()]
    cuts = []
    for name, one in figures.items():
        for way in (one["cuts"][0]["directions"] if "cuts" in one else ()):
            of_way = [cut["directions"][way] for cut in one["cuts"]]
            cuts.append([name, way, str(len(of_way)), *_median_max([direction["lost"] for direction in of_way], "{:g}"),
                         f"{max(direction['gap_ms'] for direction in of_way):.0f}", str(sum(direction["lost_of_others"] for direction in of_way)),
                         f"{statistics.median(cut['counted'] for cut in one['cuts']):g}", ""])
    away = [[name, f"{seconds:g}", str(absence["sent"]), str(sum(absence["lost"].values())), str(absence["counted"]),
             "none" if absence["stayed"] else "SOME"] for name, one in figures.items() for seconds, absence in one["away"].items()]
    return [("LACP: seconds from links up to Distributing on both sides, and from the last LACPDU heard to the silent member out",
             ["partner", "runs", "up: median", "max", "we deaf: median", "max", "customer deaf: median", "max", ""], times),
            ("A customer's cable cut: frames lost of the flows on it, the longest gap in a flow, frames of other flows",
             ["partner", "direction", "runs", "lost: median", "max", "longest gap, ms", "others lost", "cards and cables count", ""], cuts),
            ("The daemon killed and started again: frames lost, partner's state changes",
             ["partner", "away, s", "sent", "lost", "cards and cables count", "state changes"], away)]
