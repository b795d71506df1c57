# SPDX-License-Identifier: Apache-2.0
"""GoBGP as a BGP speaker of the lab."""
import json
import re
from collections.abc import Iterator

from lab.bgp.peer import Peer, Unsupported
from lab.bgp.speaker import Neighbor, Path, family_of
from lab.packages import unpacked

PACKAGE = "gobgpd"
_STATES = ("Idle", "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established")  # by its API's numbers
_ORIGINS = ("igp", "egp", "incomplete")
_SEQUENCE = 2


class GoBgp(Peer):
    name = "gobgp"

    # ---- what it is told

    def _neighbor(self, neighbor: Neighbor) -> dict:
        if neighbor.role:
            raise Unsupported("GoBGP has no roles")
        if neighbor.ipv6_next_hops or neighbor.families != (family_of(neighbor.address),):
            raise Unsupported("GoBGP takes the session's address as next hop of all families")
        settings = {
            "config": {"neighbor-address": neighbor.address, "peer-as": neighbor.asn, "admin-down": True} | (
                {"auth-password": neighbor.md5} if neighbor.md5 else {}),
            "transport": {"config": {"local-address": neighbor.local_address, "passive-mode": neighbor.passive}},
            # The shortest that it knows; it waits that long before its first attempt.
            "timers": {"config": {"hold-time": neighbor.hold_seconds, "connect-retry": 10}},
            "afi-safis": [self._family(neighbor, family) for family in neighbor.families]}
        if neighbor.ttl_security:
            settings["ttl-security"] = {"config": {"enabled": True, "ttl-min": 255}}
        if neighbor.restart_seconds is not None:
            settings["graceful-restart"] = {"config": {"enabled": True, "restart-time": neighbor.restart_seconds}}
        return settings

    def _family(self, neighbor: Neighbor, family: str) -> dict:
        settings = {"config": {"afi-safi-name": f"{family}-unicast"}}
        if neighbor.prefix_limit:
            settings["prefix-limit"] = {"config": {"max-prefixes": neighbor.prefix_limit.maximum}}
        if neighbor.restart_seconds is not None:
            settings["mp-graceful-restart"] = {"config": {"enabled": True}}
        return settings

    def configuration(self) -> dict:
        return {"global": {"config": {"as": self.speaker.asn, "router-id": self.speaker.router_id}},
                "neighbors": [self._neighbor(neighbor) for neighbor in self.speaker.neighbors]}

    def _origins(self) -> Iterator[str]:
        """Arguments of `gobgp global rib add`."""
        for origin in self.speaker.origins:
            words = [origin.prefix, "origin", "igp"]
            words += ["med", str(origin.med)] if origin.med is not None else []
            communities = (*origin.communities, *(["65535:0"] if self.speaker.drain else []))
            words += ["community", ",".join(communities)] if communities else []
            words += ["large-community", ",".join(origin.large_communities)] if origin.large_communities else []
            words += [f"rt {text.partition(':')[2]}" for text in origin.ext_communities]
            yield f"-a {origin.family} {' '.join(words)}"

    # ---- as a program

    def _launch(self, restarted: bool) -> None:
        (self.directory / "gobgpd.json").write_text(json.dumps(self.configuration()))
        self._start(unpacked(PACKAGE) / "usr" / "bin" / "gobgpd", "-t", "json", "-f", self.directory / "gobgpd.json", "--pprof-disable", "-l", "debug",
                    *(["-r"] if restarted else []))

    def gobgp(self, *words: object, check: bool = True) -> str:
        return self._ask(unpacked(PACKAGE) / "usr" / "bin" / "gobgp", *words, check=check)

    def _answers(self) -> bool:
        return len(json.loads(self.gobgp("-j", "neighbor", check=False) or "[]")) == len(self.speaker.neighbors)

    def _started(self) -> None:
        """Routes come before sessions, so that End-of-RIB means something."""
        program = unpacked(PACKAGE) / "usr" / "bin" / "gobgp"
        self._ask("sh", "-ec", "\n".join(f"{program} global rib add {origin}" for origin in self._origins()))
        for neighbor in self.speaker.neighbors:
            self.enable(neighbor.address)

    # ---- what it tells

    def neighbor(self, neighbor: str) -> dict:
        return json.loads(self.gobgp("-j", "neighbor", neighbor))

    def session_state(self, neighbor: str) -> str:
        return _STATES[self.neighbor(neighbor)["state"].get("session_state", 0)]
    def routes(self, family: str) -> list[Path]:
        shown = json.loads(self.gobgp("-j", "global", "rib", "-a", family) or "{}")
        return sorted(read_routes(shown), key=lambda path: (path.prefix, path.as_path))

    def refresh(self, neighbor: str) -> None:
        for family in next(one.families for one in self.speaker.neighbors if one.address == neighbor):
            self.gobgp("neighbor", neighbor, "softresetin", "-a", family)

    def shutdown(self, neighbor: str, text: str) -> None:
        self.gobgp("neighbor", neighbor, "shutdown", "--reason", text)  # says why, and would be back soon
        self.gobgp("neighbor", neighbor, "disable")

    def enable(self, neighbor: str) -> None:
        self.gobgp("neighbor", neighbor, "enable")

    def shutdown_text(self, neighbor: str) -> str:
        """It keeps none but in its log."""
        found = re.findall(r'"Communicated-Reason":"([^"]*)"', (self.directory / "gobgpd.log").read_text())
        return found[-1] if found else ""

    def told_of_too_many(self, neighbor: str) -> bool:
        return any(entry.get("msg") == "received notification" and (entry["Key"], entry["Code"], entry["Subcode"]) == (neighbor, 6, 1)
                   for entry in map(json.loads, (self.directory / "gobgpd.log").read_text().splitlines()))


# Path attributes by their codes (RFC 4271 and those that added some).
_ORIGIN, _AS_PATH, _NEXT_HOP, _MED, _LOCAL_PREF, _COMMUNITIES, _MP_REACH, _EXTENDED, _LARGE = 1, 2, 3, 4, 5, 8, 14, 16, 32
_ROUTE_TARGET = 2


def _segment(segment: dict) -> str:
    numbers = " ".join(map(str, segment["asns"]))
    return numbers if segment["segment_type"] == _SEQUENCE else f"{{{numbers}}}"


def read_routes(shown: dict) -> list[Path]:
    """From what `gobgp -j global rib` prints. Only paths of its own have no neighbor."""
    paths = []
    for prefix, entries in shown.items():
        for one in entries:
            if "neighbor-ip" not in one:
                continue
            attributes = {attribute["type"]: attribute for attribute in one["attrs"]}

            def value(code: int, key: str, default: object) -> object:
                return attributes.get(code, {}).get(key, default)
            paths.append(Path(
                prefix, " ".join(map(_segment, value(_AS_PATH, "as_paths", []))), attributes.get(_NEXT_HOP, attributes.get(_MP_REACH))["nexthop"],
                _ORIGINS[value(_ORIGIN, "value", 0)], value(_MED, "metric", None), value(_LOCAL_PREF, "value", None),
                tuple(sorted(f"{number >> 16}:{number & 0xffff}" for number in value(_COMMUNITIES, "communities", []))),
                tuple(sorted(":".join(str(large[key]) for key in ("ASN", "LocalData1", "LocalData2")) for large in value(_LARGE, "value", []))),
                tuple(sorted(f"{'rt' if extended['subtype'] == _ROUTE_TARGET else extended['subtype']}:{extended['value']}"
                             for extended in value(_EXTENDED, "value", []))), one.get("stale", False)))
    return paths
