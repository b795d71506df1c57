# SPDX-License-Identifier: Apache-2.0
"""One TCP connection to a BGP speaker that sends whatever octets it is given and keeps what it hears. It has no timers and no thread: what it
does not do, it does not do."""
import socket
import struct
from collections.abc import Callable

from lab.bgp import octets

_TCP_MD5SIG = 14  # of linux/tcp.h
PATIENCE = 30  # seconds; only something that hangs takes so long
KEEPALIVE = octets.message(octets.KEEPALIVE)
IPV4, IPV6 = octets.capability(1, b"\0\1\0\1"), octets.capability(1, b"\0\2\0\1")
ROUTE_REFRESH, ENHANCED_ROUTE_REFRESH = octets.capability(2), octets.capability(70)


def four_octet_as(asn: int) -> bytes:
    return octets.capability(65, struct.pack("!I", asn))


def notification(code: int, subcode: int, data: bytes = b"") -> bytes:
    """The body of one."""
    return bytes((code, subcode)) + data


class Ended(Exception):
    """The other side has closed, or reset, the connection; the message says which."""


def sign(connection: socket.socket, peer: str, key: bytes) -> None:
    """All segments from and to this IPv4 address have digests with the key (RFC 2385)."""
    to = struct.pack("!4s4s", struct.pack("=HH", socket.AF_INET, 0), socket.inet_aton(peer))
    connection.setsockopt(socket.IPPROTO_TCP, _TCP_MD5SIG, struct.pack("=128sBBHi80s", to, 0, 0, len(key), 0, key))


class RawBgp:
    """`local`: an address of this host; `speaker`: address and port. `receive_buffer`: octets that the kernel takes while nobody reads. `key`: that of
    RFC 2385."""

    def __init__(self, local: str, speaker: tuple[str, int], receive_buffer: int | None = None, key: bytes | None = None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PATIENCE)
        self._kept = b""
        try:
            if key is not None:
                sign(self.socket, speaker[0], key)
            self.socket.bind((local, 0))
            self.socket.connect(speaker)
        except OSError:
            self.close()
            raise

    @classmethod
    def of(cls, accepted: socket.socket) -> "RawBgp":
        """Of a connection that the speaker has made."""
        peer = cls.__new__(cls)
        peer.socket, peer._kept = accepted, b""
        accepted.settimeout(PATIENCE)
        return peer

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """As a peer whose program has died with something unread."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, message: bytes) -> None:
        self.socket.sendall(message)

    def send_until_closed(self, message: bytes) -> None:
        """What may be answered by an end of the connection before all of it has gone."""
        try:
            self.socket.sendall(message)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise

    def message(self) -> tuple[int, bytes]:
        """Kind and body of the next message."""
        while len(self._kept) < 19 or len(self._kept) < int.from_bytes(self._kept[16:18], "big"):
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError as error:
                raise Ended("reset") from error
            if not part:
                raise Ended("closed")
            self._kept += part
        size = int.from_bytes(self._kept[16:18], "big")
        kind, body = self._kept[18], self._kept[19:size]
        self._kept = self._kept[size:]
        return kind, body

    def wait_for(self, wanted: Callable[[int, bytes], bool]) -> bytes:
        """The body of the first message that is `wanted`."""
        while True:
            kind, body = self.message()
            if wanted(kind, body):
                return body
            if kind == octets.NOTIFICATION:
                raise Ended(f"NOTIFICATION {body.hex(' ')}")

    def hear(self, kind: int) -> bytes:
        return self.wait_for(lambda heard, _: heard == kind)

    def last_words(self) -> tuple[list[bytes], str]:
        """Everything until the connection ends: bodies of NOTIFICATIONs, and how it ended."""
        said = []
        while True:
            try:
                kind, body = self.message()
            except Ended as end:
                return said, str(end)
            if kind == octets.NOTIFICATION:
                said.append(body)

    # ---- a session

    def open(self, open_message: bytes) -> "RawBgp":
        """To OpenConfirm."""
        self.hear(octets.OPEN)
        self.send(open_message)
        self.hear(octets.KEEPALIVE)
        return self

    def establish(self, open_message: bytes) -> "RawBgp":
        self.open(open_message)
        self.send(KEEPALIVE)
        return self

    def __enter__(self) -> "RawBgp":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
