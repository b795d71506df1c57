# SPDX-License-Identifier: Apache-2.0
"""A well-behaved peer that keeps its session by itself, in a thread, and keeps account of what it has been told and when."""
import threading
import time
from collections.abc import Callable

from lab.bgp import octets
from raw_bgp import KEEPALIVE, PATIENCE, Ended, RawBgp

_OWN_PAUSE = 1  # seconds between our KEEPALIVEs


class Witness:
    def __init__(self, connection: RawBgp, open_message: bytes):
        self.connection = connection
        connection.establish(open_message)
        self.routes: dict[str, octets.Update] = {}  # by prefix, the UPDATE that announced it last
        self.notifications: list[bytes] = []
        self.end: str | None = None
        self.keepalives = 0
        self.longest_silence = 0.0  # seconds between two messages
        self._changed = threading.Condition()
        self._send = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._read, self._keep_alive)]
        for thread in self._threads:
            thread.start()

    def send(self, message: bytes) -> None:
        with self._send:
            self.connection.send(message)

    def close(self) -> None:
        self._over.set()
        try:
            self.connection.socket.shutdown(2)
        except OSError:
            pass  # it has ended already
        for thread in self._threads:
            thread.join()
        self.connection.close()

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        """`true` looks at what this one has been told."""
        with self._changed:
            if not self._changed.wait_for(lambda: true() or self.end is not None, PATIENCE) or not true():
                raise AssertionError(f"{what} never held, {len(self.routes)} routes, {self.end}, {self.notifications}")

    def has(self, *prefixes: str) -> None:
        self.wait_until(lambda: all(prefix in self.routes for prefix in prefixes), f"{prefixes[:3]} there")

    def lacks(self, *prefixes: str) -> None:
        self.wait_until(lambda: not any(prefix in self.routes for prefix in prefixes), f"{prefixes[:3]} gone")

    # ---- its thread

    def _read(self) -> None:
        before = time.monotonic()
        while True:
            try:
                kind, body = self.connection.message()
            except (Ended, OSError) as end:
                with self._changed:
                    self.end = str(end)
                    self._changed.notify_all()
                return
            now = time.monotonic()
            with self._changed:
                self.longest_silence = max(self.longest_silence, now - before)
                before = now
                self._take(kind, body)
                self._changed.notify_all()

    def _take(self, kind: int, body: bytes) -> None:
        if kind == octets.UPDATE:
            update = octets.read_update(body)
            for prefix in update.withdrawn:
                self.routes.pop(prefix, None)
            self.routes |= dict.fromkeys(update.reached, update)
        elif kind == octets.NOTIFICATION:
            self.notifications.append(body)
        elif kind == octets.KEEPALIVE:
            self.keepalives += 1

    def _keep_alive(self) -> None:
        while not self._over.wait(_OWN_PAUSE):
            try:
                self.send(KEEPALIVE)
            except OSError:
                return  # _read has seen it too
