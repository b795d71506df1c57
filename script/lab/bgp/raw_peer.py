# SPDX-License-Identifier: Apache-2.0
"""A peer without a mind of its own: it brings a session up, keeps it up, sends the octets it is given and keeps those it gets."""
import socket
import threading
import time

from lab.bgp import octets
from lab.bgp.speaker import family_of
from lab.namespaces import Namespace

PORT = 179
_PATIENCE = 30  # seconds until a session must be there
_HOLD = 90


class RawPeer:
    """`address`: the speaker's, which is connected to and must have this one as a neighbor. `capabilities`: instead of those of the families,
    route refresh and four-octet AS numbers."""

    def __init__(self, namespace: Namespace, local_address: str, address: str, asn: int, router_id: str, families: tuple[str, ...] = ("ipv4",),
                 more: bytes = b""):
        self._namespace, self._local, self._address = namespace, local_address, address
        capabilities = b"".join(octets.capability(1, octets.AFI[family].to_bytes(2, "big") + b"\0\1") for family in families)
        capabilities += octets.capability(2) + octets.capability(65, asn.to_bytes(4, "big")) + more
        self._open = octets.open_message(asn, router_id, _HOLD, capabilities)
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._messages: list[tuple[int, bytes]] = []
        self._established = threading.Event()
        self._thread: threading.Thread | None = None

    # ---- up and down

    def start(self) -> "RawPeer":
        """Returns when the session is established."""
        end = time.monotonic() + _PATIENCE
        while not self._try():
            if time.monotonic() > end:
                raise TimeoutError(f"no session with {self._address}: {self.messages}")
            time.sleep(0.2)
        return self

    def _try(self) -> bool:
        self.close()
        family = socket.AF_INET6 if family_of(self._address) == "ipv6" else socket.AF_INET
        self._socket = self._namespace.tcp_socket(family)
        self._socket.bind((self._local, 0))
        self._socket.settimeout(5)
        try:
            self._socket.connect((self._address, PORT))
            self._socket.settimeout(None)
            self._socket.sendall(self._open)
        except OSError:
            return False
        self._established.clear()
        self._thread = threading.Thread(target=self._read, args=(self._socket,), daemon=True)
        self._thread.start()
        return self._established.wait(3)

    def close(self) -> None:
        """Hangs up without a word."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # not connected any more
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self._socket = self._thread = None

    def send(self, message: bytes) -> None:
        self._socket.sendall(message)

    def request_refresh(self, family: str) -> None:
        self.send(octets.message(octets.ROUTE_REFRESH, octets.AFI[family].to_bytes(2, "big") + b"\0\1"))

    def _read(self, connection: socket.socket) -> None:
        kept = b""
        connection.settimeout(_HOLD / 3)
        while True:
            try:
                part = connection.recv(65536)
            except TimeoutError:
                connection.sendall(octets.message(octets.KEEPALIVE))
                continue
            except OSError:
                return
            if not part:
                return
            kept += part
            while len(kept) >= 19 and len(kept) >= (size := int.from_bytes(kept[16:18], "big")):
                self._take(connection, kept[18], kept[19:size])
                kept = kept[size:]

    def _take(self, connection: socket.socket, kind: int, body: bytes) -> None:
        with self._lock:
            self._messages.append((kind, body))
        if kind == octets.OPEN:
            connection.sendall(octets.message(octets.KEEPALIVE))
        elif kind == octets.KEEPALIVE:
            if not self._established.is_set():
                self._established.set()
            else:
                connection.sendall(octets.message(octets.KEEPALIVE))

    # ---- what it has heard

    @property
    def messages(self) -> list[tuple[int, bytes]]:
        """Kinds and bodies, in order, of all its connections."""
        with self._lock:
            return list(self._messages)

    def forget(self) -> None:
        with self._lock:
            self._messages.clear()

    @property
    def updates(self) -> list[octets.Update]:
        return [octets.read_update(body) for kind, body in self.messages if kind == octets.UPDATE]

    @property
    def notifications(self) -> list[bytes]:
        return [body for kind, body in self.messages if kind == octets.NOTIFICATION]

    @property
    def routes(self) -> dict[str, octets.Update]:
        """The UPDATE that each prefix was last announced by, and not withdrawn since."""
        routes: dict[str, octets.Update] = {}
        for update in self.updates:
            for prefix in update.withdrawn:
                routes.pop(prefix, None)
            routes |= {prefix: update for prefix in update.reached}
        return routes

    def __enter__(self) -> "RawPeer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()
