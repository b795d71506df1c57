# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch with its userspace datapath, in a namespace: an LACP partner that needs no kernel module. Database, switch and all their files
are this object's own, and end with it or with this process. The switch is unpacked from its Debian package and not installed, because
that package starts a switch for the whole machine."""
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import time

from lab.lacp import CARRYING, Side
from lab.namespaces import Namespace
from lab.packages import Missing, fetching, unpacked
from lab.processes import end

PACKAGE = "openvswitch-switch"  # its libraries and the other programs come with openvswitch-common, which starts nothing
START_SECONDS = 60


class SwitchError(RuntimeError):
    pass


@dataclasses.dataclass(frozen=True)
class Member:
    """`receive`: current, expired or defaulted. `attached`: selected for the bond. `enabled`: the bond sends on it."""
    receive: str
    attached: bool
    enabled: bool
    actor: Side
    partner: Side

    @property
    def carries(self) -> bool:
        return self.enabled and CARRYING <= self.actor.state and CARRYING <= self.partner.state


@dataclasses.dataclass(frozen=True)
class Bond:
    """`lacp`: negotiated, configured (and nothing was negotiated) or off."""
    lacp: str
    members: dict[str, Member]

    @property
    def carrying(self) -> set[str]:
        return {name for name, member in self.members.items() if member.carries}


@dataclasses.dataclass(frozen=True)
class PduCounts:
    """Of a member since the switch started."""
    sent: int
    received: int
    bad: int
    marker_requests: int
    expired: int
    defaulted: int
    carrier_changes: int

    @property
    def flaps(self) -> tuple[int, int, int]:
        """Grows when the partner falls silent or the carrier goes or comes."""
        return self.expired, self.defaulted, self.carrier_changes


_SIDE = (r"  {0} sys_id: (?P<{0}_system>\S+)\n  {0} sys_priority: (?P<{0}_system_priority>\d+)\n  {0} port_id: (?P<{0}_port>\d+)\n"
         r"  {0} port_priority: (?P<{0}_port_priority>\d+)\n  {0} key: (?P<{0}_key>\d+)\n  {0} state:(?P<{0}_state>[^\n]*)\n")
_MEMBER = re.compile(r"member: (?P<name>\S+): (?P<receive>\w+) (?P<attached>attached|detached)\n(?:  [^\n]*\n|\n)*?" +
                     _SIDE.format("actor") + r"\n" + _SIDE.format("partner"))
_ENABLED = re.compile(r"^member (\S+): (enabled|disabled)$", re.MULTILINE)
_COUNTS = re.compile(r"member: (\S+):\n" + "".join(rf"  {name}: (\d+)\n" for name in (
    "TX PDUs", "RX PDUs", "RX Bad PDUs", "RX Marker Request PDUs", "Link Expired", "Link Defaulted", "Carrier Status Changed")))


def _side(match: re.Match, who: str) -> Side:
    return Side(match[f"{who}_system"], int(match[f"{who}_system_priority"]), int(match[f"{who}_port"]), int(match[f"{who}_port_priority"]),
                int(match[f"{who}_key"]), frozenset(match[f"{who}_state"].split()))


def read_bond(lacp_show: str, bond_show: str) -> Bond:
    """From what `ovs-appctl lacp/show BOND` (empty with LACP off) and `ovs-appctl bond/show BOND` print."""
    enabled = {name for name, state in _ENABLED.findall(bond_show) if state == "enabled"}
    status = re.search(r"^lacp_status: (\w+)$", bond_show, re.MULTILINE)
    if status is None:
        raise SwitchError(f"not what bond/show prints:\n{bond_show}")
    members = {match["name"]: Member(match["receive"], match["attached"] == "attached", match["name"] in enabled, _side(match, "actor"),
                                     _side(match, "partner")) for match in _MEMBER.finditer(lacp_show)}
    if len(members) != lacp_show.count("\nmember: "):
        raise SwitchError(f"not what lacp/show prints:\n{lacp_show}")
    return Bond(status[1], members)


def read_counts(text: str) -> dict[str, PduCounts]:
    """From what `ovs-appctl lacp/show-stats BOND` prints."""
    return {match[1]: PduCounts(*map(int, match.groups()[1:])) for match in _COUNTS.finditer(text)}


class OpenVSwitch:
    """`directory`: for its files, and empty; it must not be so long that sockets below it have no names."""

    def __init__(self, namespace: Namespace, directory: pathlib.Path):
        tree = unpacked(PACKAGE)
        self._vsctl = tree / "usr" / "bin" / "ovs-vsctl"
        self.namespace, self.directory = namespace, directory
        self._database, self.control = directory / "db.sock", directory / "vswitchd.ctl"
        self._running: list[subprocess.Popen] = []
        directory.mkdir(exist_ok=True)
        try:
            self._call("ovsdb-tool", "create", directory / "conf.db", tree / "usr" / "share" / "openvswitch" / "vswitch.ovsschema")
            self._start("/usr/sbin/ovsdb-server", directory / "conf.db", f"--remote=punix:{self._database}", f"--unixctl={directory / 'ovsdb.ctl'}")
            self._await(self._database)
            self.vsctl("--no-wait", "init")
            self._start(tree / "usr" / "lib" / "openvswitch-switch" / "ovs-vswitchd", f"unix:{self._database}", f"--unixctl={self.control}")
            self._await(self.control)
        except BaseException:
            self.close()
            raise

    def _environment(self) -> dict[str, str]:
        """So that nothing outside the directory is read or written."""
        return os.environ | {f"OVS_{what}": str(self.directory) for what in ("RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR")}

    def _start(self, program: object, *arguments: object) -> None:
        log = self.directory / f"{pathlib.Path(str(program)).name}.log"
        self._running.append(self.namespace.start(str(program), *map(str, arguments), "--no-chdir", "-vconsole:off", "-vsyslog:off", "-vfile:info",
                                                  f"--log-file={log}", env=self._environment(), stdin=subprocess.DEVNULL))

    def _await(self, socket: pathlib.Path) -> None:
        end = time.monotonic() + START_SECONDS
        while not socket.exists():
            if self._running[-1].poll() is not None or time.monotonic() > end:
                raise SwitchError(f"Open vSwitch did not start\n{self.logs()}")
            time.sleep(0.01)

    def _call(self, *command: object) -> str:
        try:
            run = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=START_SECONDS + 10, env=self._environment())
        except FileNotFoundError:
            raise Missing(f"there is no {command[0]} here: run script/bootstrap") from None
        if run.returncode:
            raise SwitchError(f"{' '.join(map(str, command))}: exit {run.returncode}\n{run.stderr}{self.logs()}")
        return run.stdout

    def vsctl(self, *arguments: str) -> str:
        """`ovs-vsctl`; returns when the switch is as it asks."""
        return self._call(self._vsctl, f"--db=unix:{self._database}", f"--timeout={START_SECONDS}", *arguments)

    def appctl(self, *arguments: str) -> str:
        return self._call("ovs-appctl", "-t", self.control, *arguments)

    def add_bond(self, bridge: str, bond: str, interfaces: list[str], mac: str, address: str = "", mtu: int = 1500, lacp: str = "active",
                 rate: str = "fast", **settings: str) -> None:
        """A bridge with a bond of the namespace's `interfaces`, and the bridge's own interface, with `mac` and `address` (192.0.2.1/24; empty:
        none), as the endpoint of traffic. `mac` is the LACP system too. `lacp`: active, passive or off. `rate`: fast or slow. `settings`: more of
        the bond's columns, such as `bond_updelay`."""
        self.vsctl("--", "add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev", f'other-config:hwaddr="{mac}"', "--",
                   "add-bond", bridge, bond, *interfaces, f"lacp={lacp}", "bond_mode=balance-tcp", f"other_config:lacp-time={rate}",
                   *(f"{key}={value}" for key, value in settings.items()), "--", "set", "interface", bridge, f"mtu_request={mtu}")
        for interface in interfaces:  # the userspace datapath reads along with the kernel, which must not answer for the bridge on a member
            self.namespace.run("sh", "-c", f"echo 1 >/proc/sys/net/ipv4/conf/{interface}/arp_ignore\n"
                                           f"echo 1 >/proc/sys/net/ipv6/conf/{interface}/disable_ipv6 || true")
        for interface in (*interfaces, bridge):
            self.namespace.run("ip", "link", "set", interface, "mtu", str(mtu), "up")
        if address:
            self.namespace.run("ip", "address", "add", address, "dev", bridge)

    def bond(self, bond: str) -> Bond:
        shown = self.appctl("bond/show", bond)
        return read_bond("" if "lacp_status: off" in shown else self.appctl("lacp/show", bond), shown)

    def counts(self, bond: str) -> dict[str, PduCounts]:
        return read_counts(self.appctl("lacp/show-stats", bond))

    def logs(self) -> str:
        return "\n".join(log.read_text(errors="replace")[-4000:] for log in sorted(self.directory.glob("*.log")))

    def close(self) -> None:
        for process in reversed(self._running):
            end(process)
        self._running.clear()

    def __enter__(self) -> "OpenVSwitch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def frames_of(namespace: Namespace, interface: str) -> tuple[int, int]:
    """Frames that the namespace's interface has sent and received."""
    (link,) = json.loads(namespace.run("ip", "-json", "-statistics", "link", "show", interface).stdout)
    return link["stats64"]["tx"]["packets"], link["stats64"]["rx"]["packets"]


if __name__ == "__main__":
    with fetching("Open vSwitch"):
        unpacked(PACKAGE)
