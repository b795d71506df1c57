# SPDX-License-Identifier: Apache-2.0
"""The face that all BGP speakers of the lab have: told by a `Speaker`, asked in the RFCs' words. Programs, files and sockets are this object's own
and end with it or with this process."""
import abc
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable

from lab.bgp.speaker import Path, Speaker
from lab.namespaces import Namespace
from lab.processes import end

START_SECONDS = 30

# Accounts and run folders that a program has compiled in are given to it in a mount namespace of its own, where every account is root. The shell's
# arguments: directory with passwd, group and run; then the command.
_PRIVATE = ('set -e; mount --bind "$0/passwd" /etc/passwd; mount --bind "$0/group" /etc/group; mount --bind "$0/run" "$(readlink -f /run)"; '
            'exec "$@"')


class PeerError(RuntimeError):
    pass


class Unsupported(PeerError):
    """The program cannot do what it is told to."""


class Peer(abc.ABC):
    """`directory`: for its files; so short that sockets below it have names. `accounts`: users and groups that the program asks for."""
    name: str  # of the program
    accounts: tuple[str, ...] = ()
    restarts_gracefully = True  # not only helps others that do
    answers_refresh = True

    def __init__(self, namespace: Namespace, directory: pathlib.Path, speaker: Speaker):
        self.namespace, self.directory, self.speaker = namespace, directory, speaker
        self._running: list[subprocess.Popen] = []
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "run").mkdir(exist_ok=True)
        for file, line in (("passwd", "{0}:x:0:0::{1}/run:/bin/false\n"), ("group", "{0}:x:0:\n")):
            (directory / file).write_text(pathlib.Path("/etc", file).read_text() + "".join(line.format(name, directory) for name in self.accounts))

    # ---- each program's own

    @abc.abstractmethod
    def _launch(self, restarted: bool) -> None:
        """Writes the configuration and starts the programs. `restarted`: it died a moment ago and wants its sessions back gracefully."""

    @abc.abstractmethod
    def _answers(self) -> bool:
        """It can be asked things."""

    def _started(self) -> None:
        """What is left to tell it when it answers."""

    @abc.abstractmethod
    def session_state(self, neighbor: str) -> str:
        """Idle, Connect, Active, OpenSent, OpenConfirm or Established (RFC 4271 section 8.2.2)."""

    @abc.abstractmethod
    def routes(self, family: str) -> list[Path]:
        """All paths from neighbors that it has accepted, sorted."""

    @abc.abstractmethod
    def refresh(self, neighbor: str) -> None:
        """Asks the neighbor for all its routes again (RFC 2918)."""

    @abc.abstractmethod
    def shutdown(self, neighbor: str, text: str) -> None:
        """Ends the session and says why (RFC 9003)."""

    @abc.abstractmethod
    def enable(self, neighbor: str) -> None:
        """Ends a shutdown."""

    @abc.abstractmethod
    def shutdown_text(self, neighbor: str) -> str:
        """What the neighbor said when it ended its last session; empty: nothing."""

    @abc.abstractmethod
    def told_of_too_many(self, neighbor: str) -> bool:
        """The neighbor has ended a session because it got more prefixes than it wants (RFC 4486)."""

    def reconfigure(self, speaker: Speaker) -> None:
        """Takes another description without losing sessions that stay the same."""
        raise Unsupported(f"{self.name} does so only by its shell")

    # ---- all programs'

    def start(self) -> "Peer":
        self._begin(restarted=False)
        return self

    def kill(self) -> None:
        """No goodbye to anyone: kill -9."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """After kill()."""
        self._begin(restarted=True)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def logs(self) -> str:
        return "\n".join(f"--- {log}\n{log.read_text(errors='replace')[-6000:]}" for log in sorted(self.directory.glob("*.log")))

    def _begin(self, restarted: bool) -> None:
        try:
            self._launch(restarted)
            self._await(self._answers)
            self._started()
        except BaseException:
            self.kill()
            raise

    def _await(self, condition: Callable[[], bool]) -> None:
        """While it starts."""
        end = time.monotonic() + START_SECONDS
        while not condition():
            if any(process.poll() is not None for process in self._running) or time.monotonic() > end:
                raise PeerError(f"{self.name} did not start\n{self.logs()}")
            time.sleep(0.02)

    def _end(self, how: signal.Signals) -> None:
        for process in reversed(self._running):
            end(process, how)
        self._running.clear()

    def _start(self, *command: object, environment: dict[str, str] | None = None) -> subprocess.Popen:
        """A program of this speaker, its output in PROGRAM.log."""
        program = pathlib.Path(str(command[0]))
        with (self.directory / f"{program.name}.log").open("a") as log:
            self._running.append(self.namespace.start("unshare", "--mount", "sh", "-c", _PRIVATE, str(self.directory), *map(str, command),
                                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | (environment or {})))
        return self._running[-1]

    def _ask(self, *command: object, check: bool = True) -> str:
        """What a command inside the namespace prints. Without `check`: nothing if it fails."""
        run = self.namespace.run(*map(str, command), check=False)
        if run.returncode and check:
            raise PeerError(f"{' '.join(map(str, command))}: exit {run.returncode}\n{run.stdout}{run.stderr}{self.logs()}")
        return "" if run.returncode else run.stdout

    def __enter__(self) -> "Peer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
