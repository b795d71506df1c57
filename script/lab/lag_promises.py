# SPDX-License-Identifier: Apache-2.0
"""What the demo promises of a customer's LAG. Each gives (held, detail)."""
import math
import threading
import time

from lab.customer import BOTH, LagLab
from lab.member_loss import DOWN, SITE, UP, Ports, cut_member, daemon_away, one_way_loss, times_to_distributing, traffic
from lab.traffic import tcp_streams

BALANCING_SECONDS = 10  # the switch moves flows by their load, once a second
IPERF_SECONDS = 8


def comes_up(lab: LagLab) -> tuple[bool, str]:
    lab.await_carrying(BOTH)
    times = times_to_distributing(lab)
    return set(times) == BOTH, "by both sides' word; Distributing " + ", ".join(f"{times[port]:.1f} s after link {port} came up" for port in sorted(times))


def same_region_again(lab: LagLab) -> tuple[bool, str]:
    said = lab.poplink("apply", lab.region, "--node", lab.node_file(SITE)).strip()
    return said == f"{SITE}: 0 entries changed" and lab.carrying(SITE) == BOTH, said


def balanced(lab: LagLab, flows: int) -> tuple[bool, str]:
    """A frame of each flow a second, in both directions. The card gives half of them to each customer link, as the buckets say; how fairly
    the switch spreads its own is its affair, and it gets some time for it, but each link is to have a good share."""
    ports, end = Ports(lab), time.monotonic() + BALANCING_SECONDS
    with traffic(lab, flows, round_seconds=1.0) as probes:
        while True:
            time.sleep(1.0)
            shares = {way: [sum(port in taken for taken in ways.values()) for port in sorted(BOTH)] for way, ways in ports.of_flows().items()}
            if min(shares[UP]) >= sum(shares[UP]) / 3 or time.monotonic() > end:
                break
    lost, to_customer = sum(len(one.lost) for one in probes.values()), sum(shares[DOWN])
    fair = (min(shares[UP]) >= sum(shares[UP]) / 6 and
            all(abs(count - to_customer / 2) <= 4 * math.sqrt(to_customer) / 2 for count in shares[DOWN]))
    return fair and lost == 0, "; ".join(f"{way}: {' and '.join(map(str, share))}" for way, share in shares.items()) + f"; {lost} frames lost"


def link_cut(lab: LagLab, port: int, streams: int) -> tuple[bool, str]:
    """Under TCP streams. They are few bits among many flows of the same load, which a switch that spreads by load spreads evenly."""
    tcp = {}
    iperf3 = threading.Thread(target=lambda: tcp.update(tcp_streams(lab, IPERF_SECONDS, "--parallel", str(streams), "--bitrate", "200K")))
    iperf3.start()
    time.sleep(1)  # the streams are there
    try:
        cut = cut_member(lab, port)
    finally:
        iperf3.join()
    return (bool(tcp) and all(direction.undisturbed for direction in cut.directions.values()),
            f"lost {cut}; taken again; " + (f"{streams} TCP streams went on: {tcp['sum_sent']['retransmits']} retransmits" if tcp else "iperf3 did not end"))


def one_way_losses(lab: LagLab) -> tuple[bool, str]:
    losses = [one_way_loss(lab, 1, SITE), one_way_loss(lab, 0, "host")]
    return True, "; ".join(map(str, losses))


def daemon_is_not_missed(lab: LagLab, seconds: float) -> tuple[bool, str]:
    absence = daemon_away(lab, seconds)
    return absence.as_promised, f"away for {seconds:g} s, longer than the switch waits for a silent partner: {absence}"
