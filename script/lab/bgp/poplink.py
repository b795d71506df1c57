# SPDX-License-Identifier: Apache-2.0
"""poplinkd as a BGP speaker of the lab."""
import dataclasses
import json
import os
import pathlib
import signal

from lab.bgp.peer import Peer
from lab.bgp.speaker import FAMILIES, Neighbor, Path, Speaker, community

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
                {"restart": limit.restart_seconds} if limit.action == "restart" else {})
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
        self._down: dict[str, str] = {}
        self._node.write_text(f"site: {NODE}\ntransport: none\napi: {self.directory}/api\nstate: {self.directory}/state.json\n")
        self._start(self._binaries / "poplinkd", self._write(), "--node", self._node)

    def _show(self, what: str, *more: str, check: bool = True) -> dict | list:
        return json.loads(self._ask(self._binaries / "poplink", "show", "bgp", what, *more, "--node", self._node, "--json", check=check) or "{}")

    def _answers(self) -> bool:
        return bool(self._show("summary", check=False))

    def _reload(self) -> None:
        self._write()
        self._running[0].send_signal(signal.SIGHUP)

    def reconfigure(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self._reload()
