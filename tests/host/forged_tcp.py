# SPDX-License-Identifier: Apache-2.0
"""Segments of another's TCP connection, as somebody who sees all of it could send them. Needs raw sockets, so a network namespace of one's own."""
import dataclasses
import hashlib
import os
import socket
import struct
import time

FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16
WINDOW = 1024
_DIGEST, _NOTHING = 19, 1  # options (RFC 2385, RFC 9293)
_PATIENCE = 30  # seconds


@dataclasses.dataclass(frozen=True)
class Segment:
    source: tuple[str, int]
    to: tuple[str, int]
    sequence: int
    acknowledged: int
    flags: int
    data: bytes = b""

    def octets(self, options: bytes = b"") -> bytes:
        head = self._head(len(options))
        checked = self._pseudo_header(len(head) + len(options) + len(self.data)) + head + options + self.data
        return head[:16] + struct.pack("!H", _checksum(checked)) + head[18:] + options + self.data

    def with_digest(self, digest: bytes) -> bytes:
        return self.octets(bytes((_DIGEST, 2 + len(digest))) + digest + bytes((_NOTHING,)) * 2)

    def signed(self, key: bytes) -> bytes:
        """RFC 2385 section 2: the header counts without options and checksum, though its lengths are those with them."""
        head = self._head(20)
        return self.with_digest(hashlib.md5(self._pseudo_header(len(head) + 20 + len(self.data)) + head + self.data + key).digest())

    def _head(self, options: int) -> bytes:
        return struct.pack("!HHIIBBHHH", self.source[1], self.to[1], self.sequence, self.acknowledged, (20 + options) // 4 << 4, self.flags, WINDOW, 0, 0)

    def _pseudo_header(self, size: int) -> bytes:
        return socket.inet_aton(self.source[0]) + socket.inet_aton(self.to[0]) + struct.pack("!BBH", 0, socket.IPPROTO_TCP, size)


def _checksum(octets: bytes) -> int:
    total = sum(struct.unpack(f"!{(len(octets) + 1) // 2}H", octets + bytes(len(octets) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Forger:
    """Sends in the name of `peer`, one end of a connection to `speaker`; both are address and port. To be made before the connection says anything more."""

    def __init__(self, peer: tuple[str, int], speaker: tuple[str, int]):
        self.peer, self.speaker = peer, speaker
        self._heard = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self._heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._heard.bind((peer[0], 0))
        self._heard.setblocking(False)
        self._next: tuple[int, int] | None = None

    def close(self) -> None:
        self._heard.close()

    def segment(self, flags: int, data: bytes = b"") -> Segment:
        """As the speaker would take it now: just what it awaits."""
        sequence, acknowledged = self._awaited()
        return Segment(self.peer, self.speaker, sequence, acknowledged, flags, data)

    def send(self, segment: bytes) -> None:
        self._heard.sendto(segment, (self.speaker[0], 0))

    def _awaited(self) -> tuple[int, int]:
        """The sequence number of the peer's next octet and of the speaker's next one, by the speaker's last segment."""
        end = time.monotonic() + _PATIENCE
        while self._next is None or self._hear():
            if time.monotonic() > end:
                raise TimeoutError("the speaker says nothing")
            self._hear() or time.sleep(0.01)
        return self._next

    def _hear(self) -> bool:
        try:
            packet, _ = self._heard.recvfrom(65536)
        except BlockingIOError:
            return False
        head = (packet[0] & 15) * 4
        ports = struct.unpack_from("!HH", packet, head)
        if socket.inet_ntoa(packet[12:16]) == self.speaker[0] and ports == (self.speaker[1], self.peer[1]):
            sequence, acknowledged, offset, flags = struct.unpack_from("!IIBB", packet, head + 4)
            size = len(packet) - head - (offset >> 4) * 4 + bool(flags & (SYN | FIN))
            self._next = acknowledged, (sequence + size) % (1 << 32)
        return True


def nonsense() -> bytes:
    """A digest that is none."""
    return os.urandom(16)
