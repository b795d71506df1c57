# SPDX-License-Identifier: Apache-2.0
"""OpenBGPD as a BGP speaker of the lab."""
import json
from collections.abc import Iterator

from lab.bgp.peer import Peer, Unsupported
from lab.bgp.speaker import Neighbor, Path, community, family_of
from lab.packages import unpacked

PACKAGE = "openbgpd"
_FAMILIES = {"ipv4": "inet", "ipv6": "inet6"}
_ROLES = {"route-server": "rs", "route-server-client": "rs-client"}


class OpenBgpd(Peer):
    name = "openbgpd"
    accounts = ("_openbgpd",)
    restarts_gracefully = False
    answers_refresh = False  # 7.7 takes every family that is asked for as one that was not negotiated

    # ---- what it is told

    def _neighbor(self, neighbor: Neighbor) -> Iterator[str]:
        if neighbor.ipv6_next_hops or neighbor.families != (family_of(neighbor.address),):
            raise Unsupported("OpenBGPD finds no next hop for routes of another family than the session's")
        yield f"neighbor {neighbor.address} {{"
        yield f"  remote-as {neighbor.asn}\n  local-address {neighbor.local_address}\n  holdtime {neighbor.hold_seconds}"
        for family, word in (("ipv4", "IPv4"), ("ipv6", "IPv6")):
            yield f"  announce {word} {'unicast' if family in neighbor.families else 'none'}"
        yield "  announce enhanced refresh yes"
        yield f"  announce restart {'no' if neighbor.restart_seconds is None else 'yes'}"
        if neighbor.role:
            yield f"  announce policy {_ROLES.get(neighbor.role, neighbor.role)}" + (" enforce" if neighbor.strict_role else "")
        if neighbor.md5:
            yield f'  tcp md5sig password "{neighbor.md5}"'
        if neighbor.passive:
            yield "  passive"
        if neighbor.ttl_security:
            yield "  ttl-security yes"
        if limit := neighbor.prefix_limit:
            if limit.action == "discard":
                raise Unsupported("OpenBGPD cannot discard what is over a prefix limit")
            yield f"  max-prefix {limit.maximum}" + (f" restart {-(-limit.restart_seconds // 60)}" if limit.action == "restart" else "")
        yield "}"
        if neighbor.policy:
            yield f"allow from {neighbor.address}"
            yield f"allow to {neighbor.address}" + (" set community GRACEFUL_SHUTDOWN" if self.speaker.drain else "")

    def configuration(self) -> str:
        lines = [f"AS {self.speaker.asn}", f"router-id {self.speaker.router_id}", "fib-update no", "connect-retry 1", "log updates",
                 f'socket "{self.directory}/bgpd.sock"']
        for origin in self.speaker.origins:
            sets = [f"metric {origin.med}"] if origin.med is not None else []
            sets += [f"community {text}" for text in origin.communities] + [f"large-community {text}" for text in origin.large_communities]
            sets += [f"ext-community {text.replace(':', ' ', 1)}" for text in origin.ext_communities]
            lines.append(f"network {origin.prefix}" + (f" set {{ {' '.join(sets)} }}" if sets else ""))
        for neighbor in self.speaker.neighbors:
            lines += self._neighbor(neighbor)
        return "\n".join(lines) + "\n"

    # ---- as a program

    def _launch(self, restarted: bool) -> None:
        file = self.directory / "bgpd.conf"
        file.write_text(self.configuration())
        file.chmod(0o600)  # or it is refused
        self._start(unpacked(PACKAGE) / "usr" / "sbin" / "bgpd", "-d", "-v", "-f", file)

    def bgpctl(self, *words: object, check: bool = True) -> str:
        return self._ask(unpacked(PACKAGE) / "usr" / "sbin" / "bgpctl", "-s", self.directory / "bgpd.sock", *words, check=check)

    def _answers(self) -> bool:
        return bool(self.bgpctl("-j", "show", "summary", check=False))

    # ---- what it tells

    def neighbor(self, neighbor: str) -> dict:
        (one,) = json.loads(self.bgpctl("-j", "show", "neighbor", neighbor))["neighbors"]
        return one

    def session_state(self, neighbor: str) -> str:
        return self.neighbor(neighbor)["state"]

    def routes(self, family: str) -> list[Path]:
        shown = json.loads(self.bgpctl("-j", "show", "rib", "detail", _FAMILIES[family]))
        return sorted(read_routes(shown), key=lambda path: (path.prefix, path.as_path))

    def refresh(self, neighbor: str) -> None:
        self.bgpctl("neighbor", neighbor, "refresh")

    def shutdown(self, neighbor: str, text: str) -> None:
        self.bgpctl("neighbor", neighbor, "down", text)

    def enable(self, neighbor: str) -> None:
        self.bgpctl("neighbor", neighbor, "up")

    def shutdown_text(self, neighbor: str) -> str:
        return self.neighbor(neighbor).get("last_shutdown_reason", "")

    def told_of_too_many(self, neighbor: str) -> bool:
        return "max-prefix" in self.neighbor(neighbor).get("last_error_received", "")


def read_routes(shown: dict) -> list[Path]:
    """From what `bgpctl -j show rib detail` prints. A MED of 0 is printed where there is none, so it counts as none."""
    return [Path(one["prefix"], one["aspath"], one["exit_nexthop"], one["origin"].lower(), one["metric"] or None, one["localpref"],
                 tuple(sorted(map(community, one.get("communities", [])))), tuple(sorted(one.get("large_communities", []))),
                 tuple(sorted(text.replace(" ", ":", 1) for text in one.get("extended_communities", []))), one.get("stale", False))
            for one in shown.get("rib", []) if not one.get("announced")]
