# SPDX-License-Identifier: Apache-2.0
"""A customer whose two cross-connects are one LAG: two cards, a `poplinkd` for each, and a partner that speaks LACP by itself."""
import json
import pathlib
import signal
import subprocess
import time

from lab.guest import Guest
from lab.linux_bond import LinuxBond
from lab.open_vswitch import OpenVSwitch
from lab.processes import owned
from lab.two_cards import CUSTOMER_ADDRESS, CUSTOMER_MAC, LINKS, MTU, SITES, VRACK_ADDRESS, VRACK_MAC, TwoCards

LAG_PORTS = (0, 1)  # of par-th2; cable customer-N ends at port N
BOTH = set(LAG_PORTS)
DAEMON_SECONDS = 60


class LagLab(TwoCards):
    """TwoCards whose cards have daemons. What is plugged into par-th2's LAG is a subclass's matter."""

    def __init__(self, binaries: pathlib.Path, region: pathlib.Path, directory: pathlib.Path):
        super().__init__(binaries, region, directory)
        self.customer_pcaps = {port: directory / f"customer-{port}.pcap" for port in LAG_PORTS}
        self._daemons: dict[str, subprocess.Popen] = {}
        self._daemons_wanted = False

    def _customer_ports(self) -> dict[int, dict]:
        """What the LAG's ports are plugged into, without their cables' names."""
        raise NotImplementedError

    def _plug_in_customer(self) -> None:
        """Once the simulation is up."""
        raise NotImplementedError

    def partner_carrying(self) -> set[int]:
        """The ports on which the partner sends and receives, by its own word, and believes that we do."""
        raise NotImplementedError

    def partner_flaps(self) -> object:
        """What changes whenever the partner has doubts about a link."""
        raise NotImplementedError

    def start(self) -> None:
        self._start_simulator()
        self._set_up(self.vrack, VRACK_MAC, VRACK_ADDRESS)
        self._plug_in_customer()

    def _lab(self) -> dict:
        lab = super()._lab()
        lab["cards"][0]["ports"] |= {port: plug | {"cable": f"customer-{port}"} for port, plug in self._customer_ports().items()}
        lab["cables"] += [{"name": f"customer-{port}", "pcap": str(pcap)} for port, pcap in self.customer_pcaps.items()]
        return lab

    def node_file(self, site: str) -> pathlib.Path:
        """For a daemon, and for whoever asks one."""
        if site not in self.daemon_sites or not self._daemons_wanted:
            return super().node_file(site)
        node = self.directory / f"{site}.daemon.yaml"
        node.write_text(super().node_file(site).read_text() + f"api: {self.directory}/{site}.api\nstate: {self.directory}/{site}.state\n")
        return node

    @property
    def daemon_sites(self) -> tuple[str, ...]:
        return SITES

    def start_daemons(self) -> None:
        for site in self.daemon_sites:
            self.start_daemon(site)

    def start_daemon(self, site: str) -> None:
        """Returns when it serves its card."""
        self._daemons_wanted = True
        log = self.daemon_log(site)
        with log.open("a") as file:
            daemon = subprocess.Popen(owned([self.binaries / "poplinkd", self.region, "--node", self.node_file(site)]), stdout=subprocess.PIPE, stderr=file,
                                      text=True)
        self._daemons[site] = daemon
        if (daemon.stdout.readline() or "").strip() != "ready":
            self.stop_daemon(site, kill=True)
            raise RuntimeError(f"poplinkd of {site} did not start:\n{log.read_text()}")

    def stop_daemon(self, site: str, kill: bool) -> int:
        """Its exit code, negative for a signal."""
        daemon = self._daemons.pop(site)
        daemon.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            return daemon.wait(DAEMON_SECONDS)
        finally:
            daemon.kill()
            daemon.wait()
            daemon.stdout.close()

    def restart_daemon(self, site: str, kill: bool = True) -> None:
        self.stop_daemon(site, kill)
        self.start_daemon(site)

    def daemon_log(self, site: str) -> pathlib.Path:
        return self.directory / f"{site}.daemon.log"

    def lag(self, site: str) -> dict:
        """`poplink show lag`, of the only one."""
        (lag,) = self.show("lag", site)["lags"]
        return lag

    def carrying(self, site: str) -> set[int]:
        """The LAG's ports on which frames may come and go, and the partner says so of its side too."""
        return {member["port"] for member in self.lag(site)["members"]
                if all(side[what] for side in (member, member["partner"]["state"]) for what in ("collecting", "distributing"))}

    def await_carrying(self, ports: set[int], seconds: float = 60) -> None:
        """Until both sides say that these ports carry frames, and no others."""
        end = time.monotonic() + seconds
        while not self.carrying("par-th2") == ports == self.partner_carrying():
            if time.monotonic() > end:
                raise RuntimeError(f"not {sorted(ports)}: ours carries on {sorted(self.carrying('par-th2'))}, the partner on "
                                   f"{sorted(self.partner_carrying())}")
            time.sleep(0.05)

    def close(self) -> None:
        for site in list(self._daemons):
            self.stop_daemon(site, kill=True)
        super().close()


class SwitchCustomer(LagLab):
    """The partner is Open vSwitch; its bond is `bond0` of ports p0 and p1, and its own interface e0 has the customer's address.
    `settings`: more of the bond's columns."""

    def __init__(self, binaries: pathlib.Path, region: pathlib.Path, directory: pathlib.Path, lacp: str = "active", rate: str = "fast",
                 **settings: str):
        super().__init__(binaries, region, directory)
        self._lacp, self._rate, self._settings = lacp, rate, settings
        self.switch: OpenVSwitch | None = None

    def _customer_ports(self) -> dict[int, dict]:
        return {port: {"interface": f"p{port}", "netns": self.customer.path} for port in LAG_PORTS}

    def _plug_in_customer(self) -> None:
        self.switch = OpenVSwitch(self.customer, self.directory / "ovs")
        self.switch.add_bond("e0", "bond0", [f"p{port}" for port in LAG_PORTS], CUSTOMER_MAC, f"{CUSTOMER_ADDRESS}/24", MTU, self._lacp, self._rate,
                             **self._settings)

    def partner_carrying(self) -> set[int]:
        """A switch controls both directions together: it goes on sending to who says no more than that he does not collect. -1: there still is one."""
        bond = self.switch.bond("bond0")
        undecided = any(member.enabled != member.carries for member in bond.members.values())
        return {int(name.removeprefix("p")) for name in bond.carrying} | ({-1} if undecided else set())

    def partner_flaps(self) -> object:
        return {name: counts.flaps for name, counts in self.switch.counts("bond0").items()}

    def close(self) -> None:
        if self.switch is not None:
            self.switch.close()
        super().close()


class GuestCustomer(LagLab):
    """The partner is a Linux bond in a virtual machine; its slave ethN is at port N. `settings`: of the bond."""

    def __init__(self, binaries: pathlib.Path, region: pathlib.Path, directory: pathlib.Path, programs: list[pathlib.Path] = (), **settings: object):
        super().__init__(binaries, region, directory)
        self._programs, self._settings = programs, settings
        self.guest: Guest | None = None
        self.bond: LinuxBond | None = None

    def _customer_ports(self) -> dict[int, dict]:
        return {port: {"stream": str(self._nic(port))} for port in LAG_PORTS}

    def _nic(self, port: int) -> pathlib.Path:
        return self.directory / f"nic-{port}.sock"

    def _plug_in_customer(self) -> None:
        self.guest = Guest(self.directory, [], self._programs, nics=[self._nic(port) for port in LAG_PORTS])
        self.bond = LinuxBond(self.guest, list(LAG_PORTS), address=f"{CUSTOMER_ADDRESS}/24", **self._settings)

    def partner_carrying(self) -> set[int]:
        return {int(name.removeprefix("eth")) for name in self.bond.read().carrying}

    def partner_flaps(self) -> object:
        return {name: (slave.link_failures, slave.actor_churn, slave.partner_churn) for name, slave in self.bond.read().slaves.items()}

    def cables(self, *action: str) -> list[dict]:
        """A cut or mended cable is one that the guest sees too, which a stream cannot tell it."""
        states = super().cables(*action)
        if action and action[0].startswith("customer-") and action[1] in ("cut", "mend"):
            self.guest.set_link(int(action[0].removeprefix("customer-")), action[1] == "mend")
        return states

    def close(self) -> None:
        if self.guest is not None:
            self.guest.close()
        super().close()


class BackToBack(LagLab):
    """Both partners are poplink: customer namespace - par-th2 - backbone - rbx = LAG = gra - backbone - sbg - vRack namespace. rbx and gra have
    daemons; cable customer-N joins their ports N."""

    SITES = ("par-th2", "rbx", "gra", "sbg")

    @property
    def daemon_sites(self) -> tuple[str, ...]:
        return "rbx", "gra"

    def start(self) -> None:
        TwoCards.start(self)

    def _lab(self) -> dict:
        cross = {port: {"cable": f"customer-{port}"} for port in LAG_PORTS}
        ports = ({0: {"interface": "e0", "netns": self.customer.path}}, cross, cross, {0: {"interface": "e0", "netns": self.vrack.path}})
        links = ("west", "west", "east", "east")
        return {"cards": [self._card(site, plug | {LINKS[0]: {"cable": link}}) for site, plug, link in zip(self.SITES, ports, links)],
                "cables": [{"name": name} for name in ("west", "east", *(f"customer-{port}" for port in LAG_PORTS))],
                "control": str(self.control)}

    def start_daemons(self) -> None:
        super().start_daemons()
        for site in set(self.SITES) - set(self.daemon_sites):
            self.poplink("apply", self.region, "--node", self.node_file(site))
