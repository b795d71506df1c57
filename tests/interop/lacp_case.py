# SPDX-License-Identifier: Apache-2.0
"""What the tests of our LACP against each partner share: the region, what both sides say, and frames that must or must not cross."""
import pathlib
import threading
import time

from lab.customer import BOTH as ALL, LAG_PORTS, LagLab
from lab.failover import Probes
from lab_case import PATIENCE, LabCase

FLOWS = 128
AWAY_SECONDS = 6  # longer than a partner with the short timeout waits for a silent one
REGION = """
region: lacp
defaults:
  lacp: {{mode: {mode}, rate: {rate}, min_links: {min_links}}}
sites:
  - name: par-th2
    role: entrypoint
    ports:
      - {{id: 0, speed: 10G, use: cross_connect}}
      - {{id: 1, speed: 10G, use: cross_connect}}
      - {{id: 6, speed: 10G, use: backbone, peer: {{site: rbx, port: 6}}}}
      - {{id: 7, speed: 10G, use: backbone, peer: {{site: rbx, port: 7}}}}
  - name: rbx
    role: endpoint
    ports:
      - {{id: 0, speed: 10G, use: vrack}}
      - {{id: 6, speed: 10G, use: backbone, peer: {{site: par-th2, port: 6}}}}
      - {{id: 7, speed: 10G, use: backbone, peer: {{site: par-th2, port: 7}}}}
vracks: [{{id: pn-1001}}]
services:
  - {{name: acme-lan, vrack: pn-1001, mode: l2, tunnel_id: 101, pop: {{site: par-th2, ports: [0, 1]}}, dc: {{site: rbx, port: 0}}}}
"""


class LacpCase(LabCase):
    """A test sets `lab` by begin(). SITE: whose LAG is looked at."""
    SITE = "par-th2"
    SPREADS = True  # the partner gives each member a share of the flows from the first frame on
    lab: LagLab

    def region(self, mode: str = "active", rate: str = "fast", min_links: int = 1) -> pathlib.Path:
        region = self.directory / "region.yaml"
        region.write_text(REGION.format(mode=mode, rate=rate, min_links=min_links))
        return region

    def begin(self, lab: LagLab) -> None:
        self.lab = self.enterContext(lab)
        lab.start()
        lab.start_daemons()

    def partner_carrying(self) -> set[int]:
        return self.lab.partner_carrying()

    def partner_flaps(self) -> object:
        return self.lab.partner_flaps()

    def assert_crosses(self, ports: set[int]) -> None:
        """All frames of many flows arrive, in both directions, each direction spread over all of these ports and no other."""
        for back in (False, True):
            spread = back or self.SPREADS
            before = self.frames()
            probes = Probes(self.lab, FLOWS, back)
            try:
                probes.round(seconds=1.0)
            finally:
                probes.close()
            self.assertEqual(probes.lost, set(), f"to the {'customer' if back else 'vRack'}")
            for port, (received, sent) in self.frames().items():
                count = sent - before[port][1] if back else received - before[port][0]
                with self.subTest(port=port, back=back):
                    if port in ports and spread:
                        self.assertGreater(count, FLOWS // len(ports) // 3, "a share of the flows")
                    elif port not in ports:
                        self.assertLess(count, FLOWS // 8, "at most LACPDUs")

    def frames(self) -> dict[int, tuple[int, int]]:
        """That the LAG's ports have received and sent, by the card's count."""
        return {port["port"]: (port["received"]["frames"], port["sent"]["frames"]) for port in self.lab.show("port", self.SITE)["ports"]
                if port["port"] in LAG_PORTS}

    def await_that(self, condition, what, seconds: float = 2 * PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what()}\n{self.lab.lag(self.SITE)}\n{self.lab.daemon_log(self.SITE).read_text()}")
            time.sleep(0.1)

    def await_carrying(self, ports: set[int], seconds: float = 2 * PATIENCE) -> None:
        """By both sides' word."""
        self.await_that(lambda: self.lab.carrying(self.SITE) == ports == self.partner_carrying(),
                        lambda: f"ours carries on {self.lab.carrying(self.SITE)}, the partner on {self.partner_carrying()}, not {ports}", seconds)

    # ---- what holds with every partner

    def check_comes_up(self) -> None:
        self.await_carrying(ALL)
        lag = self.lab.lag(self.SITE)
        self.assertEqual((lag["operational"], lag["links_up"]), (True, 2))
        self.assert_crosses(ALL)

    def check_cut(self, port: int) -> None:
        self.await_carrying(ALL)
        self.lab.cables(f"customer-{port}", "cut")
        self.await_carrying(ALL - {port})
        self.assert_crosses(ALL - {port})
        self.lab.cables(f"customer-{port}", "mend")
        self.await_carrying(ALL)
        self.assert_crosses(ALL)

    def check_one_way_loss(self, port: int, deaf: str, seconds: float = 2 * PATIENCE) -> None:
        """Nobody sees it, and LACP tells it to both."""
        self.await_carrying(ALL)
        self.lab.cables(f"customer-{port}", "deafen", deaf)
        self.await_carrying(ALL - {port}, seconds)
        (member,) = [one for one in self.lab.lag(self.SITE)["members"] if one["port"] == port]
        self.assertEqual(member["link"], "up")
        self.assert_crosses(ALL - {port})
        self.lab.cables(f"customer-{port}", "mend")
        self.await_carrying(ALL, seconds)
        self.assert_crosses(ALL)

    def check_min_links(self) -> None:
        """begin() with two."""
        self.await_carrying(ALL)
        self.lab.cables("customer-1", "cut")
        self.await_carrying(set())
        self.assertFalse(self.lab.lag(self.SITE)["operational"])
        self.lab.cables("customer-1", "mend")
        self.await_carrying(ALL)
        self.assert_crosses(ALL)

    def check_daemon_away(self, kill: bool) -> None:
        """The daemon ends and comes back later than the partner would wait for a silent one: it notices nothing, and no frame is lost."""
        self.await_carrying(ALL)
        flaps = self.partner_flaps()
        probes = [Probes(self.lab, FLOWS, back) for back in (False, True)]
        over = threading.Event()

        def traffic(one: Probes) -> None:
            while not over.is_set():
                one.round(seconds=1.0)
        threads = [threading.Thread(target=traffic, args=(one,)) for one in probes]
        for thread in threads:
            thread.start()
        try:
            self.lab.stop_daemon(self.SITE, kill)
            end = time.monotonic() + AWAY_SECONDS
            while time.monotonic() < end:
                self.assertEqual(self.partner_carrying(), ALL, "while the daemon is away")
                time.sleep(0.2)
            self.lab.start_daemon(self.SITE)
            for _ in range(20):
                self.assertEqual((self.lab.carrying(self.SITE), self.partner_carrying()), (ALL, ALL), "once it is back")
                time.sleep(0.1)
        finally:
            over.set()
            for thread in threads:
                thread.join()
            for one in probes:
                one.close()
        self.assertEqual([one.lost for one in probes], [set(), set()])
        self.assertGreater(min(one.rounds for one in probes), 2)
        self.assertEqual(self.partner_flaps(), flaps)
