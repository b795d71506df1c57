# SPDX-License-Identifier: Apache-2.0
"""A backbone cable is cut under traffic: which flows moved, which did not notice, what was lost. Every flow is looked at, on both cables,
in both directions."""
import collections
import dataclasses
import socket
import struct
import threading
import time

from lab import frames
from lab.captures import GrowingPcap
from lab.two_cards import LINKS, SITES, TwoCards

_ROUNDS = 5  # frames of each probe flow in each phase
_ROUND_SECONDS = 0.1
_PROBE = b"poplink probe"
_FILL = bytes(200)  # a switch that spreads flows by their load does so only when there is some
_QUIET_SECONDS = 0.5
_NOBODY = bytes([10, 9, 1, 1])  # an address that nobody has


def probe(flow: int, sequence: int, back: bool = False) -> bytes:
    """A UDP datagram of a flow, in a frame from the customer to the vRack, or back."""
    payload = _PROBE + struct.pack("!II", flow, sequence) + _FILL
    udp = struct.pack("!HHHH", 0x8000 + flow % 4096, 40000 + flow // 4096, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), sequence & 0xFFFF, 0x4000, 64, 17, 0, bytes([10, 9, 0, flow % 251]),
                     _NOBODY)
    checksum = sum(struct.unpack("!10H", ip))
    checksum = ~((checksum & 0xFFFF) + (checksum >> 16)) & 0xFFFF
    macs = (frames.CUSTOMER_MAC, frames.VRACK_MAC) if back else (frames.VRACK_MAC, frames.CUSTOMER_MAC)
    return frames.frame(*macs, 0x0800, ip[:10] + struct.pack("!H", checksum) + ip[12:] + udp)


class Probes:
    """Sends numbered frames of many flows from the customer to the vRack, or back, and collects what arrives."""

    def __init__(self, lab: TwoCards, flows: int, back: bool = False):
        self.flows, self.rounds, self.received, self._back = flows, 0, set(), back
        self.sent_ns: dict[tuple[int, int], int] = {}  # (flow, round) -> time.monotonic_ns()
        source, target = (lab.vrack, lab.customer) if back else (lab.customer, lab.vrack)
        self._outlet, self._inlet = source.packet_socket("e0"), target.packet_socket("e0")
        self._inlet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        frames.accept_only(self._inlet, _NOBODY)
        frames.ignore_outgoing(self._inlet)  # probes of the other direction are no arrivals
        self._stop = threading.Event()
        self._collector = threading.Thread(target=self._collect)
        self._collector.start()

    def _collect(self) -> None:
        self._inlet.settimeout(_QUIET_SECONDS)
        while True:
            try:
                data = self._inlet.recv(16384)
            except TimeoutError:
                if self._stop.is_set():
                    return
                continue
            at = data.find(_PROBE, 42)
            if at == 42:
                self.received.add(struct.unpack_from("!II", data, at + len(_PROBE)))

    def round(self, seconds: float = _ROUND_SECONDS) -> None:
        """A frame of each flow, evenly over `seconds`."""
        end = time.monotonic() + seconds
        for flow in range(self.flows):
            self.sent_ns[flow, self.rounds] = time.monotonic_ns()
            self._outlet.send(probe(flow, self.rounds, self._back))
            time.sleep(max(0.0, (end - time.monotonic()) / (self.flows - flow)))
        self.rounds += 1

    @property
    def lost(self) -> set[tuple[int, int]]:
        """(flow, round) of what was sent and has not arrived; after close() it will not."""
        return {(flow, number) for flow in range(self.flows) for number in range(self.rounds)} - self.received

    def close(self) -> None:
        """Waits for what is still under way."""
        self._stop.set()
        self._collector.join()
        self._inlet.close()
        self._outlet.close()


class Cables:
    """Where each flow's frames went, by their captures' times."""

    def __init__(self, lab: TwoCards):
        self._pcaps = {link: GrowingPcap(pcap) for link, pcap in lab.backbone_pcaps.items()}
        for pcap in self._pcaps.values():
            pcap.read()
        self._seen: list[tuple[int, int, bytes]] = []  # (time, link, flow)

    def links_of_flows(self, begin_ns: int, end_ns: int) -> dict[bytes, set[int]]:
        for link, pcap in self._pcaps.items():
            self._seen += [(when, link, key) for when, data in pcap.read() if (key := flow_of(data))]
        flows = collections.defaultdict(set)
        for when, link, key in self._seen:
            if begin_ns <= when < end_ns:
                flows[key].add(link)
        return flows


def flow_of(frame: bytes, tags: int = 1) -> bytes:
    """Protocol, addresses and ports of an IPv4 frame with so many tags; empty for other frames."""
    at = 14 + 4 * tags
    if frame[at - 2:at] != b"\x08\x00" or frame[at] != 0x45 or frame[at + 9] not in (6, 17):
        return b""
    return frame[at + 9:at + 10] + frame[at + 12:at + 24]


def lost_frames(lab: TwoCards) -> int:
    """By the cables' own count, and by the cards' drops of frames that had no live way on, or came where none were taken."""
    lost = sum(end["lost"] for cable in lab.cables() for end in cable["ends"])
    for site in SITES:
        for port in lab.show("counter", site)["ports"]:
            lost += sum(port["drops"].get(reason, 0) for reason in ("no_path", "egress_down", "not_collecting"))
    return lost


@dataclasses.dataclass
class Cut:
    """What happened to the flows that were there before, during and after."""
    flows: int
    on_dead_link: int
    moved: int
    undisturbed: int
    back: int
    lost: int
    probes_lost: int
    probes_lost_of_others: int  # of flows that did not use the dead link

    @property
    def as_promised(self) -> bool:
        return (0 < self.on_dead_link < self.flows and self.moved == self.on_dead_link and self.probes_lost_of_others == 0 and
                self.undisturbed == self.flows - self.on_dead_link and self.back == self.flows and self.probes_lost <= self.lost)

    def __str__(self) -> str:
        return (f"{self.flows} flows: {self.moved} moved, {self.undisturbed} undisturbed, {self.lost} frames lost, "
                f"{self.back} as before after mending")


def cut_under_traffic(lab: TwoCards, dead: int, flows: int) -> Cut:
    cable = f"backbone-{dead}"
    cables, probes, lost_before = Cables(lab), Probes(lab, flows), lost_frames(lab)

    def phase() -> tuple[int, int]:
        begin = time.time_ns()
        for _ in range(_ROUNDS):
            probes.round()
        return begin, time.time_ns()

    def under_way(action: str) -> None:
        worker = threading.Thread(target=lab.cables, args=(cable, action))
        worker.start()
        probes.round()
        worker.join()

    try:
        before = phase()
        under_way("cut")
        during = phase()
        under_way("mend")
        after = phase()
    finally:
        lab.cables(cable, "mend")
        probes.close()
    ways = [cables.links_of_flows(*times) for times in (before, during, after)]
    all_flows = set(ways[0]) & set(ways[1]) & set(ways[2])
    on_dead = {flow for flow in all_flows if ways[0][flow] == {dead}}
    rest = all_flows - on_dead
    (survivor,) = set(LINKS) - {dead}
    lost_probes = probes.lost
    dead_probes = {flow for flow in range(flows) if flow_of(probe(flow, 0), tags=0) in on_dead}
    return Cut(flows=len(all_flows), on_dead_link=len(on_dead),
               moved=sum(ways[1][flow] == {survivor} for flow in on_dead),
               undisturbed=sum(ways[0][flow] == ways[1][flow] == {survivor} for flow in rest),
               back=sum(ways[2][flow] == ways[0][flow] for flow in all_flows),
               lost=lost_frames(lab) - lost_before, probes_lost=len(lost_probes),
               probes_lost_of_others=sum(flow not in dead_probes for flow, _ in lost_probes))
