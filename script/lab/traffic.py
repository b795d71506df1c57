# SPDX-License-Identifier: Apache-2.0
"""Traffic between the customer's and the vRack's namespace, measured by the usual tools."""
import json
import re
import subprocess

from lab.two_cards import VRACK_ADDRESS, TwoCards


def tcp_streams(lab: TwoCards, seconds: int, *options: str) -> dict:
    """What iperf3 says at the end of TCP streams from the customer to the vRack; one, at full speed, without `options`."""
    with lab.vrack.start("iperf3", "--server", "--one-off", "--forceflush", stdout=subprocess.PIPE, text=True) as server:
        try:
            while "listening" not in (line := server.stdout.readline()):
                if not line:
                    raise RuntimeError("iperf3 server did not start")
            run = lab.customer.run("iperf3", "--client", VRACK_ADDRESS, "--time", str(seconds), "--json", *options, check=False,
                                   timeout=seconds + 30)
        finally:
            server.kill()
    result = json.loads(run.stdout)
    if "error" in result:
        raise RuntimeError(result["error"])
    return result["end"]


def round_trips_ms(lab: TwoCards, count: int, interval_seconds: float) -> list[float]:
    """Of the pings that were answered."""
    run = lab.customer.run("ping", "-c", str(count), "-i", str(interval_seconds), "-W", "2", VRACK_ADDRESS, check=False,
                           timeout=count * interval_seconds + 30)
    return [float(ms) for ms in re.findall(r"time=([\d.]+) ms", run.stdout)]
