# SPDX-License-Identifier: Apache-2.0
"""A patch cable between a guest's NIC (`-netdev stream` of QEMU) and a namespace's interface, without any card."""
import json
import pathlib
import socket
import struct
import threading

from lab.namespaces import Namespace

_PACKET_OUTGOING = 4
_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_MR_PROMISC = 263, 1, 1


class NicPatch:
    """Listens at `path` for the NIC; ends with close() or with this process."""

    def __init__(self, path: pathlib.Path, namespace: Namespace, interface: str):
        (link,) = json.loads(namespace.run("ip", "-json", "link", "show", interface).stdout)
        self._packet = namespace.packet_socket(interface)
        self._packet.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, struct.pack("iHH8s", link["ifindex"], _PACKET_MR_PROMISC, 0, b""))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._nic: socket.socket | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            self._nic, _ = self._listener.accept()
            threading.Thread(target=self._to_nic, daemon=True).start()
            with self._nic.makefile("rb") as frames:
                while len(head := frames.read(4)) == 4:
                    self._packet.send(frames.read(struct.unpack("!I", head)[0]))
        except OSError:
            pass  # closed

    def _to_nic(self) -> None:
        try:
            while True:
                frame, address = self._packet.recvfrom(16384)
                if address[2] != _PACKET_OUTGOING:
                    self._nic.sendall(struct.pack("!I", len(frame)) + frame)
        except OSError:
            pass  # closed

    def close(self) -> None:
        for one in (self._listener, self._nic, self._packet):
            if one is not None:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                one.close()
