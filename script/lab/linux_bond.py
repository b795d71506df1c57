# SPDX-License-Identifier: Apache-2.0
"""Linux bonding in a guest, mode 802.3ad: the LACP partner that most hosts have."""
import dataclasses
import re

from lab.guest import Guest
from lab.lacp import CARRYING, STATE_BITS, Side

BOND = "bond0"


class BondError(RuntimeError):
    pass


@dataclasses.dataclass(frozen=True)
class Slave:
    """`mii`: up or down, the carrier as the bond sees it. Churn: monitoring, churned or none."""
    mii: str
    link_failures: int
    aggregator: int
    actor_churn: str
    partner_churn: str
    actor: Side
    partner: Side

    @property
    def carries(self) -> bool:
        return self.mii == "up" and CARRYING <= self.actor.state and CARRYING <= self.partner.state


@dataclasses.dataclass(frozen=True)
class Bond:
    """`up`: enough links for its min_links. Aggregator, count of ports and partner are the active aggregator's; 0, 0 and nothing: there is none, as no
    link is up."""
    up: bool
    rate: str
    aggregator: int
    ports: int
    partner: str
    slaves: dict[str, Slave]

    @property
    def carrying(self) -> set[str]:
        return {name for name, slave in self.slaves.items() if slave.carries and slave.aggregator == self.aggregator}


def _side(text: str, key: str) -> Side:
    state = int(_value(text, "port state"))
    return Side(_value(text, "system mac address"), int(_value(text, "system priority")), int(_value(text, "port number")),
                int(_value(text, "port priority")), int(_value(text, key)), frozenset(name for i, name in enumerate(STATE_BITS) if state >> i & 1))


def _value(text: str, name: str) -> str:
    found = re.search(rf"^\s*{re.escape(name)}: (.*)$", text, re.MULTILINE)
    if found is None:
        raise BondError(f"no '{name}' in what the kernel says of its bond:\n{text}")
    return found[1]


def _slave(text: str) -> Slave:
    rest, _, sides = text.partition("details actor lacp pdu:")
    actor, _, partner = sides.partition("details partner lacp pdu:")
    return Slave(_value(rest, "MII Status"), int(_value(rest, "Link Failure Count")), int(_value(rest, "Aggregator ID")),
                 _value(rest, "Actor Churn State"), _value(rest, "Partner Churn State"), _side(actor, "port key"), _side(partner, "oper key"))


def read_bond(text: str) -> Bond:
    """From /proc/net/bonding/NAME as root reads it."""
    head, *slaves = re.split(r"^Slave Interface: ", text, flags=re.MULTILINE)
    aggregator = (0, 0, "") if "has no active aggregator" in head else (
        int(_value(head, "Aggregator ID")), int(_value(head, "Number of ports")), _value(head, "Partner Mac Address"))
    return Bond(_value(head, "MII Status") == "up", _value(head, "LACP rate"), *aggregator, {one.partition("\n")[0]: _slave(one) for one in slaves})


class LinuxBond:
    """The guest's NICs `nics` in one bond. `active`: speaks first. `settings`: more of the bond's options by their names in sysfs
    (Documentation/networking/bonding.rst), such as ad_actor_sys_prio."""

    def __init__(self, guest: Guest, nics: list[int], rate: str = "fast", active: bool = True, min_links: int = 0, address: str = "", mtu: int = 1500,
                 **settings: object):
        self.guest = guest
        options = {"mode": "802.3ad", "miimon": 100, "lacp_rate": rate, "lacp_active": "on" if active else "off", "min_links": min_links,
                   "xmit_hash_policy": "layer3+4", **settings}
        sysfs = f"/sys/class/net/{BOND}/bonding"
        guest.run("modprobe virtio_pci && modprobe virtio_net && modprobe bonding max_bonds=0\n"
                  f"echo +{BOND} >/sys/class/net/bonding_masters")
        for option, value in options.items():
            guest.run(f"echo {value} >{sysfs}/{option}")
        for nic in nics:
            guest.run(f"ip link set eth{nic} down && echo +eth{nic} >{sysfs}/slaves")
        guest.run(f"ip link set {BOND} mtu {mtu} up" + (f" && ip address add {address} dev {BOND}" if address else ""))

    def read(self) -> Bond:
        return read_bond(self.guest.run(f"cat /proc/net/bonding/{BOND}").output)

    def set(self, option: str, value: object) -> None:
        """Options that may change while the bond is up."""
        self.guest.run(f"echo {value} >/sys/class/net/{BOND}/bonding/{option}")

    def frames(self, interface: str = BOND) -> tuple[int, int]:
        """That the bond, or one of its slaves, has sent and received."""
        statistics = f"/sys/class/net/{interface}/statistics"
        sent, received = self.guest.run(f"cat {statistics}/tx_packets {statistics}/rx_packets").output.split()
        return int(sent), int(received)

    def ping(self, address: str, count: int) -> int:
        """How many of so many pings, one behind the other, were answered."""
        result = self.guest.run(f"ping -q -A -c {count} -W 5 {address}", check=False, timeout=60 + count)
        found = re.search(r"(\d+) packets received", result.output)
        if found is None:
            raise BondError(f"ping: {result.output}")
        return int(found[1])
