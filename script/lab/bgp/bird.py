# SPDX-License-Identifier: Apache-2.0
"""BIRD 2 as a BGP speaker of the lab."""
import pathlib
import re

from lab.bgp.peer import Peer, PeerError
from lab.bgp.speaker import FAMILIES, Neighbor, Path, Speaker
from lab.packages import unpacked

PACKAGE = "bird2"
_TABLES = {"ipv4": "master4", "ipv6": "master6"}
_ROLES = {"route-server": "rs_server", "route-server-client": "rs_client"}
_ACTIONS = {"discard": "block", "shut": "disable", "restart": "restart"}


def _pairs(texts: tuple[str, ...], attribute: str) -> str:
    """Statements of a filter that add communities."""
    return "".join(f" {attribute}.add(({', '.join(text.split(':'))}));" for text in texts)


def _numbers(text: str) -> tuple[str, ...]:
    """"(64600,1) (64600,2)" as communities."""
    return tuple(sorted(re.sub(r"\s*,\s*", ":", one) for one in re.findall(r"\(([^)]*)\)", text)))


class Bird(Peer):
    name = "bird"

    # ---- what it is told

    def _static(self, family: str) -> str:
        lines = []
        for origin in self.speaker.origins:
            if origin.family == family:
                med = f" lab_med = {origin.med};" if origin.med is not None else ""
                sets = (med + _pairs(origin.communities, "bgp_community") + _pairs(origin.large_communities, "bgp_large_community") +
                        _pairs(origin.ext_communities, "bgp_ext_community"))
                lines.append(f"  route {origin.prefix} blackhole" + (f" {{{sets} }}" if sets else "") + ";")
        return f"protocol static own_{family} {{\n  {family};\n" + "\n".join(lines) + "\n}\n"

    def _channel(self, neighbor: Neighbor, family: str) -> str:
        drain = "bgp_community.add((65535, 0)); " if self.speaker.drain else ""
        lines = []
        if neighbor.policy:  # a MED goes to another AS only if the export filter sets it
            lines += ["import all;", f"export filter {{ {drain}if defined(lab_med) then bgp_med = lab_med; accept; }};"]
        else:  # it refuses to start without any
            lines += ["import none;", "export none;"]
        if family == "ipv4" and neighbor.ipv6_next_hops:
            lines.append("extended next hop on;")
        if neighbor.prefix_limit:
            lines.append(f"import limit {neighbor.prefix_limit.maximum} action {_ACTIONS[neighbor.prefix_limit.action]};")
        return f"  {family} {{ {' '.join(lines)} }};\n"

    def _bgp(self, number: int, neighbor: Neighbor) -> str:
        lines = [f"local {neighbor.local_address} as {self.speaker.asn};", f"neighbor {neighbor.address} as {neighbor.asn};",
                 f"hold time {neighbor.hold_seconds};", "connect delay time 1;", "connect retry time 1;", "error wait time 1, 2;",
                 "graceful restart " + ("off;" if neighbor.restart_seconds is None else f"on; graceful restart time {neighbor.restart_seconds};")]
        lines += [f'password "{neighbor.md5}";'] if neighbor.md5 else []
        lines += ["passive on;"] if neighbor.passive else []
        lines += ["ttl security on;"] if neighbor.ttl_security else []
        if neighbor.role:
            lines.append(f"local role {_ROLES.get(neighbor.role, neighbor.role)};" + (" require roles on;" if neighbor.strict_role else ""))
        if neighbor.prefix_limit and neighbor.prefix_limit.action == "restart":
            lines.append(f"error wait time {neighbor.prefix_limit.restart_seconds}, {neighbor.prefix_limit.restart_seconds};")
        return (f"protocol bgp n{number} {{\n" + "".join(f"  {line}\n" for line in lines) +
                "".join(self._channel(neighbor, family) for family in neighbor.families) + "}\n")

    def configuration(self) -> str:
        return (f"log \"{self.directory}/messages.log\" all;\nrouter id {self.speaker.router_id};\ndebug protocols {{ states, events }};\n"
                "protocol device {}\nattribute int lab_med;\n" + "".join(map(self._static, FAMILIES)) +
                "".join(self._bgp(number, neighbor) for number, neighbor in enumerate(self.speaker.neighbors)))

    # ---- as a program

    @property
    def _file(self) -> pathlib.Path:
        return self.directory / "bird.conf"

    def _launch(self, restarted: bool) -> None:
        self._file.write_text(self.configuration())
        self._start(unpacked(PACKAGE) / "usr" / "sbin" / "bird", "-f", "-c", self._file, "-s", self.directory / "bird.ctl",
                    *(["-R"] if restarted else []))

    def birdc(self, *words: object, check: bool = True) -> str:
        return self._ask(unpacked(PACKAGE) / "usr" / "sbin" / "birdcl", "-s", self.directory / "bird.ctl", *words, check=check)

    def _answers(self) -> bool:
        return "Daemon is up" in self.birdc("show", "status", check=False)

    def reconfigure(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self._file.write_text(self.configuration())
        if "Reconfigur" not in self.birdc("configure"):
            raise PeerError(f"BIRD does not take\n{self.configuration()}")

    # ---- what it tells

    def _protocol(self, neighbor: str) -> str:
        return next(f"n{number}" for number, one in enumerate(self.speaker.neighbors) if one.address == neighbor)

    def neighbor(self, neighbor: str) -> str:
        return self.birdc("show", "protocols", "all", self._protocol(neighbor))

    def session_state(self, neighbor: str) -> str:
        found = re.search(r"BGP state:\s+(\w+)", self.neighbor(neighbor))
        return {"Down": "Idle", "Passive": "Active", "Close": "Idle"}.get(found[1], found[1]) if found else "Idle"

    def routes(self, family: str) -> list[Path]:
        shown = self.birdc("show", "route", "table", _TABLES[family], "where", "source", "=", "RTS_BGP", "all")
        # Routes themselves are not shown as stale: those of a neighbor that restarts, or has not sent End-of-RIB again, are.
        restarting = {self._protocol(one.address) for one in self.speaker.neighbors if "graceful restart active" in self.neighbor(one.address)}
        return sorted(read_routes(shown, restarting), key=lambda path: (path.prefix, path.as_path))

    def refresh(self, neighbor: str) -> None:
        self.birdc("reload", "in", self._protocol(neighbor))

    def shutdown(self, neighbor: str, text: str) -> None:
        self.birdc("disable", self._protocol(neighbor), f'"{text}"')

    def enable(self, neighbor: str) -> None:
        self.birdc("enable", self._protocol(neighbor))

    def shutdown_text(self, neighbor: str) -> str:
        found = re.search(r"^\s+Message:\s+(.*)$", self.neighbor(neighbor), re.MULTILINE)
        return found[1].strip('"') if found else ""

    def told_of_too_many(self, neighbor: str) -> bool:
        return f"{self._protocol(neighbor)}: Received: Maximum number of prefixes reached" in (self.directory / "messages.log").read_text()


_ATTRIBUTE = re.compile(r"^\s+BGP\.([\w.]+)(?: \[[^]]*\])?: ?(.*)$")


def read_routes(text: str, restarting: set[str]) -> list[Path]:
    """From what `show route all` prints. `restarting`: protocols whose routes are stale."""
    paths, prefix, protocol, values = [], "", "", {}

    def finish() -> None:
        if values:
            paths.append(Path(prefix, values.get("as_path", "").strip(), values["next_hop"].split()[0], values["origin"].lower(),
                              int(values["med"]) if "med" in values else None, int(values["local_pref"]) if "local_pref" in values else None,
                              _numbers(values.get("community", "")), _numbers(values.get("large_community", "")),
                              _numbers(values.get("ext_community", "")), protocol in restarting))
            values.clear()

    for line in text.splitlines():
        if started := re.match(r"^(\S+/\d+)?\s+\w+ \[(\S+) ", line):
            finish()
            prefix, protocol = started[1] or prefix, started[2]
        elif attribute := _ATTRIBUTE.match(line):
            values[attribute[1]] = attribute[2]
    finish()
    return paths
