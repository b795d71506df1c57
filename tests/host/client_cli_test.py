#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands against something at the API's socket that answers what a test wants: another version, losses, a hang-up."""
import base64
import json
import pathlib
import socket
import threading
import unittest

from lab_case import LabCase

USAGE, CARD = 1, 3
FRAME = {"port": 0, "reason": 1, "reason_name": "x", "copy": True, "learned": False, "service": None, "hash": 0, "egress_port": 0, "time_us": 1_764_000_000_000_000,
         "lost": 0, "frame_bytes": 64}
EVENT = {"time": "T", "kind": "lacp.mux", "site": "par-th2", "port": 1, "lag": 0, "text": "ATTACHED", "severity": "info"}


class ClientCli(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.api = self.directory / "api"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.api))
        self.listener.listen()
        self.addCleanup(self.listener.close)

    def node(self, site: str, socket_path: object = None) -> pathlib.Path:
        node = super().node(site, socket_path)
        node.write_text(node.read_text() + f"api: {self.api}\n")
        return node

    def asked(self, answer: bytes, *command: str, expect: int) -> tuple[str, str]:
        """What the command says when it gets this and then a hang-up."""
        def serve() -> None:
            peer, _ = self.listener.accept()
            with peer:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += peer.recv(4096)
                peer.sendall(answer)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        run = self.poplink(*command, "--node", self.node("par-th2"), expect=expect)
        thread.join()
        return run.stdout, run.stderr

    @staticmethod
    def answer(body: object, status: str = "200 OK") -> bytes:
        text = body if isinstance(body, str) else json.dumps(body)
        return f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()

    @staticmethod
    def stream(*records: object) -> bytes:
        text = "".join(json.dumps(record) + "\n" for record in records)
        return f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{len(text):x}\r\n{text}\r\n".encode()

    @staticmethod
    def frame(kind: int, lost: int = 0) -> dict:
        frame = bytes.fromhex("020000000001020000000002") + kind.to_bytes(2, "big") + bytes(50)
        return {**FRAME, "lost": lost, "bytes": base64.b64encode(frame).decode()}

    def test_an_answer_of_another_version_is_told(self) -> None:
        for command in (("show", "port"), ("show", "lag"), ("show", "counter"), ("show", "event"), ("card", "regs")):
            for body in ({}, {"ports": [{}], "lags": [{"link": 0}], "events": [{}], "registers": [{}]}, [], 7):
                said = self.asked(self.answer(body), *command, expect=CARD)
                self.assertEqual(said[1], "poplink: poplinkd answers as another version than this poplink\n", (command, body))

    def test_what_is_no_answer_is_told(self) -> None:
        for answer, words in ((b"", "has hung up"), (b"SSH-2.0\r\n", "has hung up"), (self.answer("<html>"), "the answer is no JSON"),
                              (self.answer({}, "404 Not Found"), "the answer was 404"),
                              (self.answer({"error": {"message": "the card is gone"}}, "503 Service Unavailable"), "the card is gone")):
            self.assertIn(words, self.asked(answer, "show", "port", expect=CARD)[1])
        self.assertIn("no such", self.asked(self.answer({"error": {"message": "no such"}}, "400 Bad Request"), "show", "port", expect=USAGE)[1])

    def test_events_that_are_lost_are_told_in_front_of_the_next(self) -> None:
        out, _ = self.asked(self.stream(EVENT, {**EVENT, "lost": 3}, {"lost": 2}), "show", "event", "--follow", expect=CARD)
        line = "T info lacp.mux lag 0 port 1: ATTACHED\n"
        self.assertEqual(out, f"{line}... 3 events are missing\n{line}... 2 events are missing\n")

    def test_missing_frames_are_told_whatever_the_filter_passes_over(self) -> None:
        records = (self.frame(0x0806), self.frame(0x88B5, 3), {"lost": 2}, self.frame(0x88B5, 1), self.frame(0x0806, 4), self.frame(0x0806))
        out, err = self.asked(self.stream(*records), "capture", "--outcome", "all", "--filter", "arp", "--count", "3", expect=0)
        self.assertEqual([line if line.startswith("...") else line.split()[5] for line in out.splitlines()],
                         ["0x0806", "... 10 frames are missing", "0x0806", "0x0806"])
        self.assertIn("3 frames captured, 10 missing\n", err)

    def test_what_is_no_frame_is_told(self) -> None:
        for record in ({}, {"lost": "many"}, {**FRAME, "bytes": "!"}, {**self.frame(0x0806), "port": 99}):
            err = self.asked(self.stream(record), "capture", expect=CARD)[1]
            self.assertTrue(err.endswith("poplink: what poplinkd sends is no captured frame\n"), err)


if __name__ == "__main__":
    unittest.main()
