# SPDX-License-Identifier: Apache-2.0
"""Raw Ethernet frames in and out of an interface, with VLAN tags as they were on the wire."""
import ctypes
import select
import socket
import struct
import time

_SOL_PACKET = 263
_PACKET_AUXDATA = 8
_PACKET_IGNORE_OUTGOING = 23
_SO_ATTACH_FILTER = 26
_PACKET_OUTGOING = 4
_TP_STATUS_VLAN_VALID = 1 << 4
_TP_STATUS_VLAN_TPID_VALID = 1 << 6

CUSTOMER_MAC = bytes.fromhex("020000000001")
VRACK_MAC = bytes.fromhex("020000000002")
TEST_ETHERTYPE = 0x88B5  # IEEE Std 802, local experimental ethertype 1


def tag(tpid: int, vid: int, pcp: int = 0, dei: int = 0) -> bytes:
    return struct.pack("!HH", tpid, pcp << 13 | dei << 12 | vid)


def frame(destination: bytes, source: bytes, ethertype: int, payload: bytes, tags: bytes = b"") -> bytes:
    return (destination + source + tags + struct.pack("!H", ethertype) + payload).ljust(60, b"\0")


def accept_only(packet: socket.socket, ipv4_destination: bytes) -> None:
    """Leaves everything else to the kernel, so that the socket's buffer holds what we wait for (classic BPF)."""
    load_half, load_word, jump_if_equal, give = 0x28, 0x20, 0x15, 0x06
    program = [(load_half, 0, 0, 12), (jump_if_equal, 0, 3, 0x0800), (load_word, 0, 0, 30),
               (jump_if_equal, 0, 1, int.from_bytes(ipv4_destination)), (give, 0, 0, 1 << 16), (give, 0, 0, 0)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    packet.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))


def ignore_outgoing(packet: socket.socket) -> None:
    """A packet socket else sees too what others send by its interface."""
    packet.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)


class Listener:
    """Collects received frames. The kernel moves the outer tag into ancillary data; it is put back here."""

    def __init__(self, packet: socket.socket):
        self.packet = packet
        packet.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)

    def receive(self, timeout: float) -> bytes | None:
        self.packet.settimeout(timeout)
        try:
            data, ancillary, _, address = self.packet.recvmsg(16384, 256)
        except (TimeoutError, socket.timeout):
            return None
        if address[2] == _PACKET_OUTGOING:
            return b""
        for level, kind, value in ancillary:
            if level == _SOL_PACKET and kind == _PACKET_AUXDATA and len(value) >= 20:
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
                if status & _TP_STATUS_VLAN_VALID:
                    tpid = tpid if status & _TP_STATUS_VLAN_TPID_VALID else 0x8100
                    data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
        return data

    def collect(self, wanted: set[bytes], seconds: float) -> set[bytes]:
        return collect([self], wanted, seconds)


def collect(listeners: list[Listener], wanted: set[bytes], seconds: float) -> set[bytes]:
    """The frames of `wanted` that arrive at any of them within `seconds`; returns early when all have."""
    missing, end = set(wanted), time.monotonic() + seconds
    by_socket = {listener.packet: listener for listener in listeners}
    while missing and (left := end - time.monotonic()) > 0:
        for readable in select.select(list(by_socket), [], [], left)[0]:
            missing.discard(by_socket[readable].receive(0.01))
    return wanted - missing
