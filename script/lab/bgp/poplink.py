# SPDX-License-Identifier: Apache-2.0
"""poplinkd as a BGP speaker of the lab."""
import json
import os
import pathlib
import signal

from lab.bgp.peer import Peer
from lab.bgp.speaker import Neighbor, Path, Speaker, community

NODE = "lab"
_STATES = {state.lower(): state for state in ("Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established")}


class Poplink(Peer):
    """`binaries`: where poplinkd and poplink are."""
    name = "poplinkd"

    # ---- what it is told

    @property
    def _binaries(self) -> pathlib.Path:
        return pathlib.Path(os.environ["POPLINK_BINARIES"])

    def _peer(self, number: int, neighbor: Neighbor) -> dict:
        peer = {"name": f"n{number}", "address": neighbor.address, "asn": neighbor.asn, "local_address": neighbor.local_address,
                "families": list(neighbor.families), "connect_retry": 1, "idle_hold": {"first": 1, "longest": 2}, "hold_time": neighbor.hold_seconds}
        if neighbor.policy:
            peer |= {"import": "accept-all", "export": "accept-all"}
        if neighbor.md5:
            key = self.directory / f"n{number}.key"
            key.write_text(neighbor.md5 + "\n")
            key.chmod(0o600)
            peer["md5"] = f"file:{key}"
        for key, value in (("passive", neighbor.passive), ("ttl_security", neighbor.ttl_security), ("strict_role", neighbor.strict_role),
                           ("extended_next_hop", neighbor.ipv6_next_hops)):
            if value:
                peer[key] = True
        if neighbor.role:
            peer["role"] = neighbor.role
        if neighbor.restart_seconds is not None:
            peer["graceful_restart"] = {"helper": True, "restart_time": neighbor.restart_seconds, "forwarding": True}
        if limit := neighbor.prefix_limit:
            peer["prefix_limit"] = {"max": limit.maximum, "action": limit.action} | (
                {"restart_after": limit.restart_seconds} if limit.action == "restart" else {})
        if neighbor.address in self._down:
            peer |= {"shutdown": True, "shutdown_text": self._down[neighbor.address]}
        return peer

    def configuration(self) -> dict:
        return {"bgp": {"asn": self.speaker.asn, "router_id": self.speaker.router_id, "drain": self.speaker.drain},
                "peers": [self._peer(number, neighbor) for number, neighbor in enumerate(self.speaker.neighbors)]}

    # ---- as a program

    @property
    def _node(self) -> pathlib.Path:
        return self.directory / "node.yaml"

    def _write(self) -> pathlib.Path:
        file = self.directory / "speaker.yaml"
        file.write_text(json.dumps(self.configuration(), indent=2))  # which is YAML too
        return file

    def _launch(self, restarted: bool) -> None:
        self._down: dict[str, str] = {}  # of whom it is told to stay away, and with what words
        log = self.directory / "poplinkd.log"
        self._ready_before = log.read_text().count("ready\n") if log.exists() else 0
        self._node.write_text(f"site: {NODE}\ntransport: none\napi: {self.directory}/api\nstate: {self.directory}/state.json\n")
        self._start(self._binaries / "poplinkd", self._write(), "--node", self._node)

    def _show(self, what: str, *more: str) -> dict:
        return json.loads(self._ask(self._binaries / "poplink", "show", "bgp", what, *more, "--node", self._node, "--json"))

    def _answers(self) -> bool:
        return (self.directory / "poplinkd.log").read_text().count("ready\n") > self._ready_before

    def _reload(self) -> None:
        self._write()
        self._running[0].send_signal(signal.SIGHUP)

    def reconfigure(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self._reload()

    # ---- what it tells

    def _peer_name(self, neighbor: str) -> str:
        return next(f"n{number}" for number, one in enumerate(self.speaker.neighbors) if one.address == neighbor)

    def neighbor(self, neighbor: str) -> dict:
        return self._show("neighbor", self._peer_name(neighbor))

    def session_state(self, neighbor: str) -> str:
        return _STATES[self.neighbor(neighbor)["state"].lower()]

    def routes(self, family: str) -> list[Path]:
        lines = self._ask(self._binaries / "poplink", "show", "bgp", "routes", "--family", family, "--node", self._node, "--json").splitlines()
        return sorted(read_routes([json.loads(line) for line in lines]), key=lambda path: (path.prefix, path.as_path))

    def refresh(self, neighbor: str) -> None:
        self._ask(self._binaries / "poplink", "bgp", "clear", self._peer_name(neighbor), "--refresh", "--node", self._node)

    def shutdown(self, neighbor: str, text: str) -> None:
        self._down[neighbor] = text
        self._reload()

    def enable(self, neighbor: str) -> None:
        del self._down[neighbor]
        self._reload()

    def shutdown_text(self, neighbor: str) -> str:
        return self.neighbor(neighbor)["peer_shutdown_text"] or ""

    def told_of_too_many(self, neighbor: str) -> bool:
        last = self.neighbor(neighbor)["last_notification"]
        return bool(last) and last["direction"] == "received" and (last["code"], last["subcode"]) == (6, 1)


def read_routes(shown: list[dict]) -> list[Path]:
    """From what `poplink show bgp routes --json` prints: the paths of neighbors that may be taken."""
    return [Path(one["prefix"], " ".join(map(str, path["as_path"])), path["next_hop"], path["origin"], path["med"], path["local_pref"],
                 tuple(sorted(map(community, path["communities"]))), tuple(sorted(path["large_communities"])),
                 tuple(sorted(path["extended_communities"])), path["stale"])
            for one in shown for path in one["paths"] if path["eligible"] and path["peer"] is not None]
