# SPDX-License-Identifier: Apache-2.0
"""The demo: real Linux traffic through two cycle-accurate cards, each promise checked. Started by script/demo."""
import argparse
import contextlib
import dataclasses
import json
import pathlib
import math
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from lab import frames
from lab.customer import LAG_PORTS, SwitchCustomer
from lab.failover import Probes, cut_under_traffic
from lab.lag_promises import balanced, comes_up, daemon_is_not_missed, link_cut, one_way_losses, same_region_again
from lab.processes import owned
from lab.traffic import tcp_streams
from lab.two_cards import LINKS, MTU, VRACK_ADDRESS, scratch_directory

HOUSE = pathlib.Path(__file__).resolve().parents[2]
S_VID = 101
ARRIVAL_SECONDS = 5.0  # far beyond any delay of the lab; only a lost frame waits this long


@dataclasses.dataclass
class Result:
    what: str
    held: bool
    detail: str


class Report:
    def __init__(self) -> None:
        self.results: list[Result] = []

    def add(self, what: str, held: bool, detail: str) -> None:
        self.results.append(Result(what, held, detail))
        print(f"  {'ok  ' if held else 'FAIL'}  {what:46} {detail}", flush=True)

    def attempt(self, what: str, step, *arguments) -> None:
        """One promise: `step` gives (held, detail). A step that breaks is a promise not held, and the others still run."""
        try:
            self.add(what, *step(*arguments))
        except (RuntimeError, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            self.add(what, False, f"{type(error).__name__}: {error}")

    @property
    def all_held(self) -> bool:
        return all(r.held for r in self.results)


def ping(lab: SwitchCustomer, count: int, payload_bytes: int) -> tuple[bool, str]:
    run = lab.customer.run("ping", "-q", "-c", str(count), "-i", "0.01", "-W", "2", "-M", "do", "-s", str(payload_bytes),
                           VRACK_ADDRESS, check=False)
    received = re.search(r"(\d+) received", run.stdout)
    times = re.search(r"= [\d.]+/([\d.]+)/([\d.]+)/", run.stdout)
    answered = int(received[1]) if received else 0
    return answered == count, f"{answered}/{count} answered" + (f", {times[1]} ms average" if times else f" {run.stderr.strip()}")


@contextlib.contextmanager
def ends(lab: SwitchCustomer) -> Iterator[tuple[list[socket.socket], list[socket.socket]]]:
    """Raw sockets at the customer, one for each of his links, and at the vRack. A switch neither forwards reserved addresses nor any tags that it is
    given, so these frames are sent and received at the links themselves."""
    with contextlib.ExitStack() as open_ones:
        yield ([open_ones.enter_context(lab.customer.packet_socket(f"p{port}")) for port in LAG_PORTS],
               [open_ones.enter_context(lab.vrack.packet_socket("e0"))])


def tagged_frames_cross(lab: SwitchCustomer) -> tuple[bool, str]:
    """One and two customer tags, every PCP and DEI, several lengths, both directions, in turn by all of the customer's links: delivered byte for byte."""
    tags = [frames.tag(0x8100, 100 + pcp, pcp, dei) for pcp in range(8) for dei in range(2)]
    tags += [frames.tag(0x88A8, 7, pcp, 1) + frames.tag(0x8100, 42, 7 - pcp) for pcp in range(8)]
    tags += [frames.tag(0x8100, 9) + frames.tag(0x8100, 10)]
    delivered, sent = 0, 0
    for back in (False, True):
        macs = (frames.CUSTOMER_MAC, frames.VRACK_MAC) if back else (frames.VRACK_MAC, frames.CUSTOMER_MAC)
        wanted = {frames.frame(*macs, frames.TEST_ETHERTYPE, bytes([i, size & 255]) * (size // 2), tag)
                  for i, tag in enumerate(tags) for size in (46, 511, 1500)}
        with ends(lab) as (customer, vrack):
            outlets, inlets = (vrack, customer) if back else (customer, vrack)
            listeners = [frames.Listener(inlet) for inlet in inlets]
            for number, one in enumerate(sorted(wanted)):
                outlets[number % len(outlets)].send(one)
            sent += len(wanted)
            delivered += len(frames.collect(listeners, wanted, ARRIVAL_SECONDS))
    return delivered == sent, f"{delivered}/{sent} delivered unchanged"


def iperf(lab: SwitchCustomer, seconds: int) -> tuple[bool, str]:
    end = tcp_streams(lab, seconds)
    mbits = end["sum_received"]["bits_per_second"] / 1e6
    return mbits > 0, f"{mbits:.0f} Mbit/s TCP, {end['sum_sent']['retransmits']} retransmits"


LINK_LOCAL = {  # drop reason -> frame
    "lldp": frames.frame(bytes.fromhex("0180c200000e"), frames.CUSTOMER_MAC, 0x88CC,
                         bytes.fromhex("0207040200000000010403656430" "06020078" "0000")),
    "stp": frames.frame(bytes.fromhex("0180c2000000"), frames.CUSTOMER_MAC, 38, bytes.fromhex("424203000002027c")),
    "slow_protocol": frames.frame(bytes.fromhex("0180c2000002"), frames.CUSTOMER_MAC, 0x8809, bytes.fromhex("03010114")),  # OAM
}


def drops(lab: SwitchCustomer, site: str, port: int) -> dict[str, int]:
    for entry in lab.show("counter", site)["ports"]:
        if entry["port"] == port:
            return entry["drops"]
    raise KeyError(f"{site} has no port {port}")


def link_local_stays(lab: SwitchCustomer, reason: str, count: int = 5) -> tuple[bool, str]:
    """The customer's frame is counted by its reason and never arrives; a frame sent behind it does, so the wait is over. His switch's LACPDUs are
    slow frames that count too."""
    behind = frames.frame(frames.VRACK_MAC, frames.CUSTOMER_MAC, frames.TEST_ETHERTYPE, f"behind {reason}".encode())
    before = drops(lab, "par-th2", 0).get(reason, 0)
    with ends(lab) as ((outlet, _), (inlet,)):
        listener = frames.Listener(inlet)
        for _ in range(count):
            outlet.send(LINK_LOCAL[reason])
        outlet.send(behind)
        crossed, end = 0, time.monotonic() + ARRIVAL_SECONDS
        while (got := listener.receive(max(0.01, end - time.monotonic()))) != behind:
            if got is None:
                return False, "the frame sent behind them did not arrive"
            crossed += got == LINK_LOCAL[reason]
    counted = drops(lab, "par-th2", 0).get(reason, 0) - before
    as_sent = counted >= count if reason == "slow_protocol" else counted == count
    return crossed == 0 and as_sent, f"{min(counted, count)} of {count} counted as {reason}, {crossed} crossed"


WRONG_TAG = frames.frame(frames.VRACK_MAC, frames.CUSTOMER_MAC, frames.TEST_ETHERTYPE, b"lost" * 20, frames.tag(0x8100, 4095))


def capture_tells_why(lab: SwitchCustomer) -> tuple[bool, str]:
    """`poplink capture` shows, from the daemon that has the card's rings, why the customer's STP and wrongly tagged frames did not cross."""
    capture = subprocess.Popen(owned([lab.binaries / "poplink", "capture", "--node", lab.node_file("par-th2"), "--port", "0",
                                      "--outcome", "stp,reserved_vid", "--count", "2", "--seconds", str(int(ARRIVAL_SECONDS))]),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        ready = capture.stderr.readline()
        with ends(lab) as ((outlet, _), _):
            for one in (LINK_LOCAL["stp"], WRONG_TAG):
                outlet.send(one)
        out, err = capture.communicate(timeout=10 * ARRIVAL_SECONDS)
    finally:
        capture.kill()
        capture.wait()
    reasons = re.findall(r"dropped: (\w+), ([^(\n]*)", out)
    return ({reason for reason, _ in reasons} == {"stp", "reserved_vid"},
            "; ".join(f"{reason}: {text.strip()}" for reason, text in reasons) or ready + err)


def members(lab: SwitchCustomer) -> dict[int, dict]:
    """What each link has carried towards the data centre."""
    (group,) = lab.show("ecmp", "par-th2")["groups"]
    return {member["link"]: member for member in group["members"]}


def many_flows(lab: SwitchCustomer, flows: int) -> tuple[bool, str]:
    """Frames of each flow: all arrive, and the links' counters show half of them each, as the buckets say. They come for three seconds, so
    that one whole second of the card's has them all; its count of flows is shown and not judged, as it depends on this machine's pace."""
    rounds = 3
    before, probes = members(lab), Probes(lab, flows)
    for _ in range(rounds):
        probes.round(seconds=1.0)
    now = members(lab)
    probes.close()
    carried = {link: (member["sent"]["frames"] - before[link]["sent"]["frames"]) / rounds for link, member in members(lab).items()}
    in_share = all(abs(count - flows / len(LINKS)) <= 4 * math.sqrt(flows) / 2 for count in carried.values())
    return (len(probes.received) == rounds * flows and in_share,
            f"{len(probes.received)}/{rounds * flows} arrived; by the card's own count " +
            ", ".join(f"{member['flows']['estimate']} flows on link {link}" for link, member in now.items()))


def failover(lab: SwitchCustomer, link: int, flows: int, streams: int) -> tuple[bool, str]:
    """A cable is cut and mended under TCP streams and many flows more. The streams are held at a rate that the simulation carries, so
    that nothing is lost but by the cut."""
    seconds, tcp = 6, {}
    iperf3 = threading.Thread(target=lambda: tcp.update(tcp_streams(lab, seconds, "--parallel", str(streams), "--bitrate", "10M")))
    iperf3.start()
    time.sleep(1)  # the streams are there
    cut = cut_under_traffic(lab, link, flows)
    iperf3.join()
    if not tcp:
        return False, f"{cut}; iperf3 did not end"
    mbits, retransmits = tcp["sum_received"]["bits_per_second"] / 1e6, tcp["sum_sent"]["retransmits"]
    return cut.as_promised, f"{cut}; {streams} TCP streams went on: {mbits:.0f} Mbit/s, {retransmits} retransmits"


def backbone_has_s_tag(lab: SwitchCustomer) -> tuple[bool, str]:
    """One pass over the capture. Each frame is dissected by itself: reassembling the iperf3 stream proves nothing here, and can take
    tshark minutes when a heuristic dissector asks for ever more of it."""
    tagged = others = malformed = 0
    for pcap in lab.backbone_pcaps.values():
        run = subprocess.run(["tshark", "-n", "-r", pcap, "-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "occurrence=f",
                              "-e", "ieee8021ad.id", "-e", "ieee8021ad.svid", "-e", "_ws.malformed"],
                             capture_output=True, text=True, timeout=120, check=True)
        for line in run.stdout.splitlines():
            vid, svid, broken = line.split("\t")
            outer = svid or vid  # with a second 0x88A8 tag behind it tshark calls the outer VID svid
            tagged += outer == str(S_VID)
            others += outer != str(S_VID)
            malformed += broken != ""
    return tagged > 0 and others == 0 and malformed == 0, f"tshark: {tagged} frames with S-VID {S_VID}, {others} without, {malformed} malformed"


def run(lab: SwitchCustomer, report: Report, iperf_seconds: int) -> None:
    lab.start()
    lab.start_daemons()
    report.add("a daemon has each card, region applied", True, ", ".join(("par-th2 (EntryPoint)", "rbx (EndPoint)")))
    report.attempt("LAG up on both links", comes_up, lab)
    report.attempt("the same region again changes nothing", same_region_again, lab)
    report.attempt("ping across the two cards", ping, lab, 20, 56)
    report.attempt(f"{MTU}-byte payloads", ping, lab, 20, MTU - 28)
    report.attempt("one and two customer tags", tagged_frames_cross, lab)
    report.attempt("iperf3", iperf, lab, iperf_seconds)
    for reason in LINK_LOCAL:
        report.attempt(f"the customer's {reason} frames stay out", link_local_stays, lab, reason)
    report.attempt("capture tells why a frame was dropped", capture_tells_why, lab)
    report.attempt("flows spread over both backbone links", many_flows, lab, 2000)
    report.attempt("flows spread over both customer links", balanced, lab, 2000)
    report.attempt("a backbone cable cut under traffic", failover, lab, LINKS[-1], 200, 8)
    report.attempt("a customer's cable cut under traffic", link_cut, lab, LAG_PORTS[-1], 8)
    report.attempt("one-way loss told by LACP", one_way_losses, lab)
    report.attempt("the daemon killed and started again", daemon_is_not_missed, lab, 4.0)
    report.attempt("S-tag on the backbone", backbone_has_s_tag, lab)


def keep(lab: SwitchCustomer) -> None:
    enter = "nsenter -t {} --user --preserve-credentials --net"
    if pathlib.Path("/proc/self/uid_map").read_text().split()[2] != "1":  # the machine's own user namespace
        enter = "nsenter -t {} --net"
    node, cable = f"--node {lab.node_file('par-th2')}", f"{lab.binaries}/poplink-sim cable --control {lab.control}"
    print(f"""
Kept running, Ctrl-C ends it. To play (in another terminal, same user):
  customer shell   {enter.format(lab.customer.pid)} bash
  vRack shell      {enter.format(lab.vrack.pid)} bash
  customer's LAG   {lab.binaries}/poplink show lag {node}
  the switch's     {enter.format(lab.customer.pid)} ovs-appctl -t {lab.switch.control} lacp/show
  as it happens    {lab.binaries}/poplink show event {node} --follow
  cut a link       {cable} customer-1 cut
  half of it       {cable} customer-1 deafen par-th2
  and mend it      {cable} customer-1 mend
  counters         {lab.binaries}/poplink show counter {node}
  dropped frames   {lab.binaries}/poplink capture {node}
  backbone links   {lab.binaries}/poplink show ecmp {node}
  cut a cable      {cable} backbone-7 cut
  its traffic      tshark -r {lab.backbone_pcaps[LINKS[0]]}
""", flush=True)
    signal.pause()


def demo(options: argparse.Namespace) -> int:
    report = Report()
    print("customer namespace with a switch = LAG of two links = EntryPoint card = two backbone links = EndPoint card - vRack namespace\n", flush=True)
    with scratch_directory() as directory, SwitchCustomer(options.binaries, HOUSE / "docs" / "examples" / "lag.yaml", pathlib.Path(directory),
                                                          **{"other_config:bond-rebalance-interval": "1000"}) as lab:
        run(lab, report, options.iperf_seconds)
        held = sum(r.held for r in report.results)
        print(f"\n{held} of {len(report.results)} held", flush=True)
        if options.json:
            options.json.write_text(json.dumps([dataclasses.asdict(r) for r in report.results], indent=2) + "\n")
        if options.keep:
            keep(lab)
    return 0 if report.all_held else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument("--binaries", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="leave it running to play with, until Ctrl-C")
    parser.add_argument("--iperf-seconds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the report as JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return demo(options)
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
        return 130
    except RuntimeError as error:
        print(f"script/demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
