# SPDX-License-Identifier: Apache-2.0
"""What a customer's LAG does when a link, a direction or the daemon is lost under traffic: measured frame by frame, in both directions.
Times between frames are those of sending, so that a sender or receiver that this machine holds up is not taken for loss."""
import calendar
import collections
import contextlib
import dataclasses
import pathlib
import threading
import time
from collections.abc import Callable, Iterator

from lab import frames
from lab.captures import GrowingPcap, read_pcap
from lab.customer import BOTH, LagLab
from lab.failover import Probes, flow_of, lost_frames, probe

SITE = "par-th2"
UP, DOWN = "to the vRack", "to the customer"
FLOWS = 32
ROUND_SECONDS = 0.01  # between two frames of a flow
AWAY_ROUND_SECONDS = 0.1  # a daemon that starts reads the whole card, and the simulation of both has this much time left for frames
_BEFORE_SECONDS = 1.0
_PATIENCE = 10  # so often: a switch gives flows to a member that is back by their load, in its own time
_AFTER_SECONDS = 0.5


class Ports:
    """Which of the customer's cables each flow's frames took, by the captures' times and the sender."""

    def __init__(self, lab: LagLab):
        self._pcaps = {port: GrowingPcap(pcap) for port, pcap in lab.customer_pcaps.items()}
        for pcap in self._pcaps.values():
            pcap.read()

    def of_flows(self) -> dict[str, dict[bytes, set[int]]]:
        """Since the last time."""
        flows = {UP: collections.defaultdict(set), DOWN: collections.defaultdict(set)}
        for port, pcap in self._pcaps.items():
            for _, data in pcap.read():
                if key := flow_of(data, tags=0):
                    flows[DOWN if data[6:12] == frames.VRACK_MAC else UP][key].add(port)
        return flows


@contextlib.contextmanager
def traffic(lab: LagLab, flows: int = FLOWS, round_seconds: float = ROUND_SECONDS) -> Iterator[dict[str, Probes]]:
    """Numbered frames of many flows in both directions, from now until the block ends; what is lost is known afterwards."""
    probes = {UP: Probes(lab, flows), DOWN: Probes(lab, flows, back=True)}
    over = threading.Event()

    def send(one: Probes) -> None:
        while not over.is_set():
            one.round(round_seconds)
    senders = [threading.Thread(target=send, args=(one,)) for one in probes.values()]
    for sender in senders:
        sender.start()
    try:
        yield probes
    finally:
        over.set()
        for sender in senders:
            sender.join()
        for one in probes.values():
            one.close()


def longest_gap_ms(probes: Probes, flows: set[int]) -> float:
    """From the last frame of a flow that arrived to the next one that did, of those between which some were lost; 0: nothing was."""
    longest = 0.0
    for flow in flows:
        numbers = [number for number in range(probes.rounds) if (flow, number) in probes.received]
        for one, other in zip(numbers, numbers[1:]):
            if other - one > 1:
                longest = max(longest, (probes.sent_ns[flow, other] - probes.sent_ns[flow, one]) / 1e6)
    return longest


@dataclasses.dataclass
class Direction:
    """`flows` of which some were on the dead member. Lost: frames, of those and of the others."""
    flows: int
    on_dead: int
    lost: int
    lost_of_others: int
    gap_ms: float

    @classmethod
    def of(cls, probes: Probes, ways: dict[bytes, set[int]], dead: int, back: bool) -> "Direction":
        taken = {flow: ways.get(flow_of(probe(flow, 0, back), tags=0), set()) for flow in range(probes.flows)}
        on_dead = {flow for flow, ports in taken.items() if dead in ports}
        lost = probes.lost
        return cls(probes.flows, len(on_dead), sum(flow in on_dead for flow, _ in lost), sum(flow not in on_dead for flow, _ in lost),
                   longest_gap_ms(probes, on_dead))

    @property
    def undisturbed(self) -> bool:
        return 0 < self.on_dead < self.flows and self.lost_of_others == 0

    def __str__(self) -> str:
        return f"{self.lost} frames of {self.on_dead} flows, at most {self.gap_ms:.0f} ms; {self.lost_of_others} of {self.flows - self.on_dead} others"


@dataclasses.dataclass
class MemberCut:
    """`counted`: lost by the cards' and cables' own count, whosever frames they were."""
    directions: dict[str, Direction]
    counted: int

    def __str__(self) -> str:
        return "; ".join(f"{way}: {direction}" for way, direction in self.directions.items()) + f"; cards and cables count {self.counted}"


def cut_member(lab: LagLab, dead: int) -> MemberCut:
    """A customer's cable is cut under traffic and mended; returns when both sides carry on both links again."""
    ports, counted = Ports(lab), lost_frames(lab)
    try:
        with traffic(lab) as probes:
            for _ in range(_PATIENCE):
                time.sleep(_BEFORE_SECONDS)
                ways = ports.of_flows()
                if all(any(dead in taken for taken in flows.values()) for flows in ways.values()):
                    break
            lab.cables(f"customer-{dead}", "cut")
            lab.await_carrying(BOTH - {dead})
            time.sleep(_AFTER_SECONDS)
            lab.cables(f"customer-{dead}", "mend")
            lab.await_carrying(BOTH)
            time.sleep(_AFTER_SECONDS)
    finally:
        lab.cables(f"customer-{dead}", "mend")
    return MemberCut({way: Direction.of(one, ways[way], dead, way == DOWN) for way, one in probes.items()}, lost_frames(lab) - counted)


def member_times(lab: LagLab, kind: str, wanted: Callable[[str], bool], since_ns: int = 0, first: bool = False) -> dict[int, int]:
    """When the daemon last, or first, told of each member something of this kind whose text is wanted, in ns since 1970."""
    times = {}
    for event in lab.show("event", SITE)["events"]:
        when = nanoseconds(event["time"])
        if event["kind"] == kind and event["port"] is not None and when >= since_ns and wanted(event["text"]):
            times[event["port"]] = times.get(event["port"], when) if first else when
    return times


def nanoseconds(rfc3339: str) -> int:
    """Since 1970, of a time as the daemon tells it."""
    date, _, rest = rfc3339.partition(".")
    seconds = calendar.timegm(time.strptime(date, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 10**9 + int(rest.removesuffix("Z").ljust(9, "0"))


def link_up(lab: LagLab, since_ns: int = 0) -> dict[int, int]:
    """When each member's link came up last."""
    return member_times(lab, "lacp.link", lambda text: text.startswith("up"), since_ns)


def when_distributing(lab: LagLab, since_ns: int = 0) -> dict[int, int]:
    """When each member last began to distribute."""
    return member_times(lab, "lacp.mux", _distributing, since_ns)


def times_to_distributing(lab: LagLab) -> dict[int, float]:
    """Seconds from each member's link up, the last time, to its Distributing."""
    up, distributing = link_up(lab), when_distributing(lab)
    return {port: (distributing[port] - since) / 1e9 for port, since in up.items() if distributing.get(port, 0) >= since}


@dataclasses.dataclass
class OneWayLoss:
    """`silent_seconds`: from the last LACPDU that could be heard to the member out of service at the card."""
    port: int
    deaf: str
    silent_seconds: float

    def __str__(self) -> str:
        return f"{'we are' if self.deaf == SITE else 'the customer is'} deaf on port {self.port}: out after {self.silent_seconds:.2f} s of silence"


def one_way_loss(lab: LagLab, port: int, deaf: str) -> OneWayLoss:
    """A customer's cable loses what goes to `deaf` (the card's name, or host for the customer) and is mended when both sides have left it;
    returns when both carry on it again."""
    begin = time.time_ns()
    lab.cables(f"customer-{port}", "deafen", deaf)
    try:
        lab.await_carrying(BOTH - {port})
        out = member_times(lab, "lacp.mux", lambda text: not _distributing(text), begin, first=True)[port]
        ours = lab.lag(SITE)["system"]["address"]
        heard = max(pdu.when_ns for pdu in lacpdus(lab.customer_pcaps[port]) if pdu.when_ns < begin and (pdu.system == ours) == (deaf != SITE))
    finally:
        lab.cables(f"customer-{port}", "mend")
    lab.await_carrying(BOTH)
    return OneWayLoss(port, deaf, (out - heard) / 1e9)


@dataclasses.dataclass(frozen=True)
class Pdu:
    """An LACPDU: when it was sent, by which system, and its Actor_State (802.1AX, 6.4.2.3)."""
    when_ns: int
    system: str
    state: int


def lacpdus(pcap: pathlib.Path) -> list[Pdu]:
    return [Pdu(when, data[20:26].hex(":"), data[32]) for when, data in read_pcap(pcap) if data[12:16] == b"\x88\x09\x01\x01"]


@dataclasses.dataclass
class Absence:
    """What came of the daemon's. `lost`: frames of each direction."""
    sent: int
    lost: dict[str, int]
    counted: int
    stayed: bool  # members, by the partner's word at every moment, by its counts, and by both sides' in the end

    @property
    def as_promised(self) -> bool:
        return self.stayed and not any(self.lost.values()) and self.counted == 0

    def __str__(self) -> str:
        return (f"{sum(self.lost.values())} of {self.sent} frames lost, cards and cables count {self.counted}; "
                f"{'no member left Distributing' if self.stayed else 'a member left Distributing'}")


def daemon_away(lab: LagLab, seconds: float) -> Absence:
    """The daemon of the LAG is killed and started again so much later, under traffic."""
    counted, flaps, stayed = lost_frames(lab), lab.partner_flaps(), True
    with traffic(lab, round_seconds=AWAY_ROUND_SECONDS) as probes:
        time.sleep(_AFTER_SECONDS)
        lab.stop_daemon(SITE, kill=True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stayed &= lab.partner_carrying() == BOTH
            time.sleep(min(0.2, max(0.0, end - time.monotonic())))
        lab.start_daemon(SITE)
        time.sleep(_BEFORE_SECONDS)
        stayed &= lab.carrying(SITE) == BOTH == lab.partner_carrying()
    return Absence(sum(one.rounds * one.flows for one in probes.values()), {way: len(one.lost) for way, one in probes.items()},
                   lost_frames(lab) - counted, stayed and lab.partner_flaps() == flaps)


def _distributing(text: str) -> bool:
    return text == "DISTRIBUTING"
