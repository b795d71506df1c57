# SPDX-License-Identifier: Apache-2.0
"""A Debian kernel in QEMU that has simulated cards as PCI functions, or NICs that are plugged into them. QEMU ends with this process, however it ends."""
import base64
import dataclasses
import json
import pathlib
import shutil
import socket
import subprocess
import time

from lab.guest_image import Archive, GuestError, base
from lab.processes import end, owned

MEMORY_MIB = 512
BOOT_SECONDS = 120  # a guest that has not come up by then never will; usual are less than 10


@dataclasses.dataclass(frozen=True)
class Result:
    status: int
    output: str


def nic_mac(number: int) -> str:
    return f"52:54:00:00:00:{0x10 + number:02x}"


class Guest:
    """`cards`: their sockets (`qemu.socket` in the lab file), on which the simulation listens already; card N is below root port N.
    `programs`: what is to be found in the guest's PATH. `files`: by their paths in the guest, without a leading slash.
    `nics`: sockets (`stream` in the lab file) that somebody listens at already; NIC N is ethN once virtio_pci and virtio_net are loaded, and has
    the address `nic_mac(N)`. QEMU listens at `directory`/qtest.sock (`qemu.qtest` in the lab file)."""

    def __init__(self, directory: pathlib.Path, cards: list[pathlib.Path], programs: list[pathlib.Path] = (),
                 files: dict[str, bytes] | None = None, nics: list[pathlib.Path] = ()):
        self.directory = directory
        self.console = directory / "console.log"
        self._nics = nics
        self._greeted = False
        self._qemu: subprocess.Popen | None = None
        kernel, initrd = self._boot_files(programs, files or {})
        self._channel, theirs = socket.socketpair()
        self._monitor, their_monitor = socket.socketpair()
        proxies = []
        try:
            for card in cards:
                proxies.append(socket.socket(socket.AF_UNIX))
                proxies[-1].connect(str(card))
            with (directory / "qemu.log").open("w") as log:
                started = time.monotonic()
                self._qemu = subprocess.Popen(owned(self._command(kernel, initrd, theirs, their_monitor, proxies)), stdin=subprocess.DEVNULL, stdout=log,
                                              stderr=log, pass_fds=[one.fileno() for one in (theirs, their_monitor, *proxies)])
        except FileNotFoundError:
            raise GuestError("there is no qemu-system-x86_64 here: run script/bootstrap") from None
        finally:
            for one in (theirs, their_monitor, *proxies):
                one.close()
        self._answers, self._monitor_answers = self._channel.makefile("rb"), self._monitor.makefile("rb")
        try:
            self.kernel = self._answer(BOOT_SECONDS).output.strip()
        except BaseException:
            self.close()
            raise
        self.boot_seconds = time.monotonic() - started

    def _boot_files(self, programs: list[pathlib.Path], files: dict[str, bytes]) -> tuple[pathlib.Path, pathlib.Path]:
        kernel, base_archive = base()
        overlay = Archive()
        lspci = shutil.which("lspci", path="/usr/bin:/usr/sbin:/bin:/sbin")
        ids = pathlib.Path("/usr/share/misc/pci.ids")
        if lspci is None:
            raise GuestError("there is no lspci here: run script/bootstrap")
        for program in (pathlib.Path(lspci), *programs):
            overlay.program(program, f"poplink/bin/{program.name}")
        if ids.exists():
            overlay.file(str(ids).lstrip("/"), ids.read_bytes())
        for path, body in files.items():
            overlay.file(path, body)
        initrd = self.directory / "initrd"
        compressed = base_archive.read_bytes()
        initrd.write_bytes(compressed + bytes(-len(compressed) % 4) + overlay.bytes())
        return kernel, initrd

    def _command(self, kernel: pathlib.Path, initrd: pathlib.Path, channel: socket.socket, monitor: socket.socket,
                 proxies: list[socket.socket]) -> list[str]:
        command = [
            # One thread for both processors: QEMU's proxy device locks up for good when two of them ask a card at the same time.
            "qemu-system-x86_64", "-accel", "tcg,thread=single", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", str(MEMORY_MIB),
            "-smp", "2",
            # The cards map the guest's memory: it must be a file that can be passed on.
            "-object", f"memory-backend-memfd,id=ram,size={MEMORY_MIB}M,share=on", "-M", "q35,memory-backend=ram",
            # vfio wants an IOMMU; interrupts are remapped by none, so that MSI-X messages mean what they say.
            "-device", "intel-iommu,intremap=off",
            "-kernel", str(kernel), "-initrd", str(initrd),
            "-append", "console=ttyS0 quiet panic=-1 no_timer_check intel_iommu=on",
            "-serial", f"file:{self.console}", "-chardev", f"socket,id=commands,fd={channel.fileno()}", "-serial", "chardev:commands",
            "-chardev", f"socket,id=monitor,fd={monitor.fileno()}", "-mon", "chardev=monitor,mode=control",
            "-qtest", f"unix:{self.directory / 'qtest.sock'},server=on,wait=off", "-qtest-log", "/dev/null"]
        for number, proxy in enumerate(proxies):
            command += ["-device", f"pcie-root-port,id=port{number},chassis={number + 1},slot={number + 1}",
                        "-device", f"x-pci-proxy-dev,id=card{number},bus=port{number},addr=0,fd={proxy.fileno()}"]
        for number, nic in enumerate(self._nics):  # Linux bonds only what has a speed
            command += ["-netdev", f"stream,id=net{number},server=off,addr.type=unix,addr.path={nic}",
                        "-device", f"virtio-net-pci,id=nic{number},netdev=net{number},mac={nic_mac(number)},speed=10000,duplex=full"]
        return command

    def run(self, script: str, check: bool = True, timeout: float = 60) -> Result:
        """Runs a shell script in the guest; its output and errors are one text."""
        self._channel.settimeout(timeout)
        self._channel.sendall(base64.b64encode(script.encode()) + b"\n")
        result = self._answer(timeout)
        if check and result.status:
            raise GuestError(f"in the guest: {script.strip()}: exit {result.status}\n{result.output}")
        return result

    def start(self, script: str) -> None:
        """Runs a shell script in the guest's background."""
        self.run(f"({script}) </dev/null >/dev/null 2>&1 &")

    def set_link(self, nic: int, up: bool) -> None:
        """What the guest sees of a NIC's cable."""
        self._ask_qemu("set_link", name=f"nic{nic}", up=up)

    def _ask_qemu(self, command: str, **arguments: object) -> None:
        """Over the QEMU Machine Protocol: a greeting, then a line of JSON each way, and events in between."""
        def line() -> dict:
            try:
                text = self._monitor_answers.readline()
            except TimeoutError:
                text = b""
            if not text.endswith(b"\n"):
                raise GuestError(f"QEMU does not answer\n{self._logs()}")
            return json.loads(text)

        self._monitor.settimeout(60)
        commands = [{"execute": command, "arguments": arguments}]
        if not self._greeted:
            line()
            commands.insert(0, {"execute": "qmp_capabilities"})
            self._greeted = True
        for one in commands:
            self._monitor.sendall(json.dumps(one).encode() + b"\n")
            while "event" in (answer := line()):
                pass
            if "error" in answer:
                raise GuestError(f"QEMU: {command} {arguments}: {answer['error']['desc']}")

    def _answer(self, timeout: float) -> Result:
        self._channel.settimeout(timeout)
        try:
            line = self._answers.readline()
        except TimeoutError:
            line = b""
        if not line.endswith(b"\n"):
            raise GuestError(f"the guest does not answer\n{self._logs()}")
        status, _, output = line.decode().strip().partition(" ")
        return Result(int(status), base64.b64decode(output).decode(errors="replace"))

    def _logs(self) -> str:
        texts = [log.read_text(errors="replace")[-4000:] for log in (self.console, self.directory / "qemu.log") if log.exists()]
        return "\n".join(texts)

    @property
    def pid(self) -> int:
        return self._qemu.pid

    def close(self) -> None:
        """Switches the machine off."""
        if self._qemu is None:
            return
        end(self._qemu)
        self._channel.close()
        self._monitor.close()

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
