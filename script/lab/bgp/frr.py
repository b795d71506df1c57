# SPDX-License-Identifier: Apache-2.0
"""FRR's bgpd, with the zebra that tells it of interfaces, as a BGP speaker of the lab."""
import dataclasses
import json
import pathlib
import socket
from collections.abc import Iterator

from lab.bgp.peer import START_SECONDS, Peer, PeerError, Unsupported
from lab.bgp.speaker import FAMILIES, Neighbor, Origin, Path, community
from lab.packages import unpacked

PACKAGE = "frr"
_ROLES = {"route-server": "rs-server", "route-server-client": "rs-client"}
_SUCCESS, _WARNING = 0, 1
_SAFI = {"ipv4": "ipv4 unicast", "ipv6": "ipv6 unicast"}


class Frr(Peer):
    name = "frr"
    accounts = ("frr", "frrvty")

    # ---- what it is told

    def _neighbor(self, neighbor: Neighbor) -> Iterator[str]:
        to = f" neighbor {neighbor.address}"
        yield f"{to} remote-as {neighbor.asn}"
        yield f"{to} update-source {neighbor.local_address}"
        yield f"{to} timers {neighbor.hold_seconds // 3} {neighbor.hold_seconds}"
        yield f"{to} timers connect 1"
        yield f"{to} advertisement-interval 0"
        if neighbor.md5:
            yield f"{to} password {neighbor.md5}"
        if neighbor.passive:
            yield f"{to} passive"
        if neighbor.ttl_security:
            yield f"{to} ttl-security hops 1"
        if neighbor.role:
            yield f"{to} local-role {_ROLES.get(neighbor.role, neighbor.role)}" + (" strict-mode" if neighbor.strict_role else "")
        if neighbor.ipv6_next_hops:
            yield f"{to} capability extended-nexthop"
        yield f"{to} graceful-restart" + ("-disable" if neighbor.restart_seconds is None else "")

    def _family(self, family: str) -> Iterator[str]:
        yield f" address-family {_SAFI[family]}"
        for origin in self.speaker.origins:
            if origin.family == family:
                yield f"  network {origin.prefix} route-map {self._map_of(origin)}"
        for neighbor in self.speaker.neighbors:
            to = f"  neighbor {neighbor.address}"
            if family not in neighbor.families:
                yield f"  no neighbor {neighbor.address} activate"
                continue
            yield f"{to} activate"
            yield f"{to} soft-reconfiguration inbound"
            if neighbor.policy:
                yield f"{to} route-map everything in"
                yield f"{to} route-map {'drain' if self.speaker.drain else 'everything'} out"
            if limit := neighbor.prefix_limit:
                if limit.action == "discard":
                    raise Unsupported("FRR cannot discard what is over a prefix limit")
                yield f"{to} maximum-prefix {limit.maximum}" + (f" restart {-(-limit.restart_seconds // 60)}" if limit.action == "restart" else "")
        yield " exit-address-family"

    def _map_of(self, origin: Origin) -> str:
        """One for all routes with the same attributes: bgpd takes long to read many."""
        first = next(number for number, one in enumerate(self.speaker.origins) if dataclasses.replace(one, prefix="") == dataclasses.replace(
            origin, prefix=""))
        return f"origin-{first}"

    def _route_maps(self) -> Iterator[str]:
        yield "route-map everything permit 10"
        yield "route-map drain permit 10\n set community graceful-shutdown additive"
        for name, origin in {self._map_of(origin): origin for origin in self.speaker.origins}.items():
            yield f"route-map {name} permit 10"
            if origin.med is not None:
                yield f" set metric {origin.med}"
            if origin.communities:
                yield f" set community {' '.join(origin.communities)}"
            if origin.large_communities:
                yield f" set large-community {' '.join(origin.large_communities)}"
            for kind in ("rt", "soo"):
                if values := [text.partition(":")[2] for text in origin.ext_communities if text.startswith(f"{kind}:")]:
                    yield f" set extcommunity {kind} {' '.join(values)}"

    def configuration(self) -> str:
        lines = ["frr defaults traditional", f"log file {self.directory}/messages.log informational", "debug bgp neighbor-events",
                 *self._route_maps(), f"router bgp {self.speaker.asn}", f" bgp router-id {self.speaker.router_id}", " no bgp default ipv4-unicast",
                 " no bgp network import-check"]
        restart = [one.restart_seconds for one in self.speaker.neighbors if one.restart_seconds is not None]
        lines += [" bgp graceful-restart preserve-fw-state", f" bgp graceful-restart restart-time {max(restart)}"] if restart else []
        for neighbor in self.speaker.neighbors:
            lines += self._neighbor(neighbor)
        for family in FAMILIES:
            lines += self._family(family)
        return "\n".join(lines) + "\n"

    # ---- as programs

    @property
    def _environment(self) -> dict[str, str]:
        return {"LD_LIBRARY_PATH": str(unpacked(PACKAGE) / "usr" / "lib" / "x86_64-linux-gnu" / "frr")}

    def _daemon(self, program: str, file: pathlib.Path, *more: str) -> None:
        self._start(unpacked(PACKAGE) / "usr" / "lib" / "frr" / program, "-f", file, "-u", "root", "-g", "root", "-P", "0",
                    "-z", self.directory / "zebra.sock", "-i", self.directory / f"{program}.pid", "--vty_socket", self.directory,
                    "--moduledir", self.directory, *more, environment=self._environment)

    def _launch(self, restarted: bool) -> None:
        (self.directory / "zebra.sock").unlink(missing_ok=True)
        (self.directory / "zebra.conf").write_text(f"log file {self.directory}/zebra-messages.log informational\n")
        (self.directory / "bgpd.conf").write_text(self.configuration())
        self._daemon("zebra", self.directory / "zebra.conf")
        # A bgpd that cannot ask yet announces IPv6 routes with an IPv4 next hop.
        self._await((self.directory / "zebra.sock").exists)
        self._daemon("bgpd", self.directory / "bgpd.conf", "-n")

    def ask(self, *commands: str) -> str:
        """What bgpd answers to commands of its shell, one behind the other. It is asked by the socket that vtysh uses: vtysh itself takes seconds
        to start. A command ends with a zero octet, an answer with three and a status, of which only two are success."""
        answers = []
        with socket.socket(socket.AF_UNIX) as shell:
            shell.settimeout(START_SECONDS)
            shell.connect(str(self.directory / "bgpd.vty"))
            for command in ("enable", *commands):
                shell.sendall(command.encode() + b"\0")
                answer = b""
                while answer[-4:-1] != bytes(3):
                    part = shell.recv(65536)
                    if not part:
                        raise PeerError(f"FRR hung up on '{command}'\n{self.logs()}")
                    answer += part
                answers.append(answer[:-4].decode())
                if answer[-1] not in (_SUCCESS, _WARNING):
                    raise PeerError(f"FRR does not take '{command}': {answers[-1]}")
        return "".join(answers)

    def _answers(self) -> bool:
        try:
            self._json("show bgp neighbors json")
            return True
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def _started(self) -> None:
        if " on config line " in self.logs():  # it goes on without the line
            raise PeerError(f"{self.name} did not start as it was told\n{self.logs()}")

    def _json(self, command: str) -> dict:
        return json.loads(self.ask(command))

    def _configure(self, *lines: str) -> None:
        self.ask("configure terminal", f"router bgp {self.speaker.asn}", *lines)

    # ---- what it tells

    def neighbor(self, neighbor: str) -> dict:
        return self._json("show bgp neighbors json").get(neighbor, {})

    def session_state(self, neighbor: str) -> str:
        return self.neighbor(neighbor).get("bgpState", "Idle")

    def routes(self, family: str) -> list[Path]:
        return sorted(read_routes(self._json(f"show bgp {_SAFI[family]} json detail")), key=lambda path: (path.prefix, path.as_path))

    def refresh(self, neighbor: str) -> None:
        for family in next(one.families for one in self.speaker.neighbors if one.address == neighbor):
            self.ask(f"clear bgp {family} unicast {neighbor} in")

    def shutdown(self, neighbor: str, text: str) -> None:
        self._configure(f"neighbor {neighbor} shutdown message {text}")

    def enable(self, neighbor: str) -> None:
        self._configure(f"no neighbor {neighbor} shutdown")

    def shutdown_text(self, neighbor: str) -> str:
        return self.neighbor(neighbor).get("lastShutdownDescription", "")

    def told_of_too_many(self, neighbor: str) -> bool:
        return self.neighbor(neighbor).get("lastErrorCodeSubcode") == "0601"


_KINDS = {"RT": "rt", "SoO": "soo"}


def _extended(text: str) -> str:
    kind, _, value = text.partition(":")
    return f"{_KINDS.get(kind, kind)}:{value}"


def read_routes(shown: dict) -> list[Path]:
    """From what `show bgp FAMILY unicast json detail` prints: each prefix with a head and its paths. Its own have no peer but 0.0.0.0 or ::."""
    paths = []
    for prefix, entries in shown.get("routes", {}).items():
        for one in entries[1:]:
            if one["peer"]["peerId"] in ("0.0.0.0", "::"):
                continue
            hops = [hop["ip"] for hop in one["nexthops"] if hop.get("scope") != "link-local"] or [one["nexthops"][0]["ip"]]
            paths.append(Path(prefix, one["aspath"]["string"], hops[0], one["origin"].lower(), one.get("metric"), one.get("locPrf"),
                              tuple(sorted(map(community, one.get("community", {}).get("list", [])))),
                              tuple(sorted(one.get("largeCommunity", {}).get("list", []))),
                              tuple(sorted(map(_extended, one.get("extendedCommunity", {}).get("string", "").split()))), one.get("stale", False)))
    return paths
