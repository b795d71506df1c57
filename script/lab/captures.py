# SPDX-License-Identifier: Apache-2.0
"""Captures as poplink-sim writes and reads them: pcap, nanoseconds, Ethernet, little-endian."""
import pathlib
import struct

_NANOSECOND_MAGIC = 0xA1B23C4D
_FILE_HEADER = struct.Struct("<IHHiIII")
_FRAME_HEADER = struct.Struct("<IIII")


def write_pcap(path: pathlib.Path, frames: list[tuple[int, bytes]]) -> pathlib.Path:
    """(time in ns, bytes) of each frame."""
    with path.open("wb") as file:
        file.write(_FILE_HEADER.pack(_NANOSECOND_MAGIC, 2, 4, 0, 0, 65535, 1))
        for time_ns, data in frames:
            file.write(_FRAME_HEADER.pack(time_ns // 10**9, time_ns % 10**9, len(data), len(data)) + data)
    return path


class GrowingPcap:
    """A capture that is being written: read() gives what has come since the last time, whole frames only."""

    def __init__(self, path: pathlib.Path):
        self._path, self._at = path, _FILE_HEADER.size

    def read(self) -> list[tuple[int, bytes]]:
        with self._path.open("rb") as file:
            if self._at == _FILE_HEADER.size and struct.unpack("<I", file.read(4))[0] != _NANOSECOND_MAGIC:
                raise ValueError(f"{self._path} is no capture of ours")
            file.seek(self._at)
            data = file.read()
        frames, at = [], 0
        while at + _FRAME_HEADER.size <= len(data):
            seconds, rest, size, _ = _FRAME_HEADER.unpack_from(data, at)
            end = at + _FRAME_HEADER.size + size
            if end > len(data):
                break
            frames.append((seconds * 10**9 + rest, data[at + _FRAME_HEADER.size:end]))
            at = end
        self._at += at
        return frames


def read_pcap(path: pathlib.Path) -> list[tuple[int, bytes]]:
    return GrowingPcap(path).read()
