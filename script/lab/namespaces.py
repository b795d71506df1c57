# SPDX-License-Identifier: Apache-2.0
"""Network namespaces that live exactly as long as this process: each is held by a child that ends when our pipe to it closes,
so nothing is left behind even when we are killed. No name in /run/netns, no root needed inside `unshare -Urn`."""
import ctypes
import os
import socket
import subprocess
from collections.abc import Callable

from lab.processes import owned

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    def __init__(self, name: str):
        self.name = name
        # `cat` reads a pipe whose only writer is this process: it ends when we do. It says it is there before we use it.
        self._holder = subprocess.Popen(owned(["unshare", "--net", "sh", "-c", "echo up; exec cat >/dev/null"]), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        if self._holder.stdout.readline() != b"up\n":
            raise RuntimeError(f"cannot make the network namespace '{name}'")
        self.pid = self._holder.pid
        self.run("ip", "link", "set", "lo", "up")

    @property
    def path(self) -> str:
        return f"/proc/{self.pid}/ns/net"

    def _enter(self, command: tuple[str, ...]) -> list[str]:
        return ["nsenter", f"--net={self.path}", *command]

    def run(self, *command: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess:
        return subprocess.run(self._enter(command), check=check, timeout=timeout, capture_output=True, text=True)

    def start(self, *command: str, **options) -> subprocess.Popen:
        return subprocess.Popen(owned(self._enter(command)), **options)

    def packet_socket(self, interface: str) -> socket.socket:
        """An AF_PACKET socket bound to `interface` inside the namespace."""
        def make() -> socket.socket:
            packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            packet.bind((interface, 0))
            return packet
        return self._inside(make)

    def tcp_socket(self, family: socket.AddressFamily) -> socket.socket:
        return self._inside(lambda: socket.socket(family, socket.SOCK_STREAM))

    def _inside(self, make: Callable[[], socket.socket]) -> socket.socket:
        """Only this thread visits the namespace, and only while the socket is made."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            self._setns(there)
            try:
                return make()
            finally:
                self._setns(home)
        finally:
            os.close(home)
            os.close(there)

    @staticmethod
    def _setns(descriptor: int) -> None:
        if _libc.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def close(self) -> None:
        if self._holder.poll() is None:
            self._holder.stdin.close()
            self._holder.wait(5)
        self._holder.stdout.close()
