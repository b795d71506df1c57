# SPDX-License-Identifier: Apache-2.0
"""What a guest boots from: the kernel of the Debian package that this machine's archive has, and a small root file system in memory.
The package and the base made from it (kernel, modules, busybox) are kept in ${XDG_CACHE_HOME:-~/.cache}/poplink; programs of a build
come as a second archive behind it. Nothing is installed on this machine and nothing needs root."""
import gzip
import hashlib
import pathlib
import shutil
import stat
import subprocess

from lab.packages import Missing, candidate, fetching, kept, output, package

KERNEL_PACKAGE = "linux-image-amd64"
# What a guest may load, without what these need: that is found out.
MODULES = ("vfio-pci", "vfio_iommu_type1", "uio_pci_generic", "tun", "veth", "dummy", "8021q", "bonding", "vrf", "vxlan", "virtio_pci",
           "virtio_net")

# The guest's first process. Commands come over the second serial port, a line each: a shell script in base64; the answer is a line too:
# its exit code and its output in base64.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /run/lock /tmp
mount -t devpts devpts /dev/pts
export PATH=/poplink/bin:/bin HOME=/
ip link set lo up
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo "0 $(uname -r | base64 -w0)" >&3
while read -r line <&3; do
  # the guest's own /tmp, which is its memory
  echo "$line" | base64 -d >/tmp/command
  sh /tmp/command >/tmp/output 2>&1 </dev/null 3>&-
  echo "$? $(base64 -w0 /tmp/output)" >&3
done
poweroff -f
"""


class GuestError(Missing):
    pass


class Archive:
    """A cpio archive as the kernel unpacks it ("newc", Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._known: set[str] = set()

    def _entry(self, path: str, mode: int, body: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        if path in self._known:
            return
        self._known.add(path)
        name = path.encode() + b"\0"
        fields = (len(self._known), mode, 0, 0, 1, 0, len(body), 0, 0, *device, len(name), 0)
        self._data += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        self._pad()
        self._data += body
        self._pad()

    def _pad(self) -> None:
        self._data += bytes(-len(self._data) % 4)

    def directory(self, path: str) -> None:
        parents = pathlib.PurePosixPath(path)
        for one in (*reversed(parents.parents), parents):
            if str(one) != ".":
                self._entry(str(one), stat.S_IFDIR | 0o755)

    def file(self, path: str, body: bytes, mode: int = 0o644) -> None:
        self.directory(str(pathlib.PurePosixPath(path).parent))
        self._entry(path, stat.S_IFREG | mode, body)

    def link(self, path: str, target: str) -> None:
        self.directory(str(pathlib.PurePosixPath(path).parent))
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path: str, major: int, minor: int) -> None:
        self.directory(str(pathlib.PurePosixPath(path).parent))
        self._entry(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def program(self, source: pathlib.Path, path: str) -> None:
        """An executable with the shared libraries it needs, at the paths where its loader looks for them."""
        self.file(path, source.read_bytes(), 0o755)
        for library in shared_libraries(source):
            self.file(str(library).lstrip("/"), library.read_bytes(), 0o755)

    def bytes(self) -> bytes:
        end = Archive()
        end._entry("TRAILER!!!", 0)
        return bytes(self._data + end._data)


def shared_libraries(program: pathlib.Path) -> list[pathlib.Path]:
    run = subprocess.run(["ldd", program], capture_output=True, text=True)
    if run.returncode:
        return []  # a static one
    words = [line.split() for line in run.stdout.splitlines()]
    missing = [line[0] for line in words if line[1:3] == ["=>", "not"]]
    if missing:
        raise GuestError(f"{program} needs {', '.join(missing)}, which this machine lacks")
    return [pathlib.Path(line[2] if line[1:2] == ["=>"] else line[0]) for line in words if line[0].startswith("/") or line[1:2] == ["=>"]]


def kernel_package() -> tuple[str, str]:
    """Name and version of the kernel's own package, as the package lists of this machine have it."""
    depends = output("apt-cache", "depends", "--important", KERNEL_PACKAGE).split()
    name = next((word for word in depends if word.startswith("linux-image-") and word != KERNEL_PACKAGE), None)
    if name is None:
        raise GuestError(f"the package lists know no {KERNEL_PACKAGE}: run apt-get update, or see whether this is Debian 12 on amd64")
    return name, candidate(name)


def base() -> tuple[pathlib.Path, pathlib.Path]:
    """Kernel and base archive, made now if they are not there. Two processes may do so at once: the last one's stays."""
    name, version = kernel_package()
    busybox = pathlib.Path(shutil.which("busybox") or "busybox")
    if not busybox.exists():
        raise GuestError("there is no busybox here: run script/bootstrap")
    recipe = hashlib.sha256(pathlib.Path(__file__).read_bytes() + busybox.read_bytes()).hexdigest()[:12]
    directory = kept(f"guest-{name}-{version.replace(':', '_')}-{recipe}", lambda scratch: _make_base(scratch, package(name, version), busybox))
    return directory / "vmlinuz", directory / "base.cpio.gz"


def _make_base(scratch: pathlib.Path, package: pathlib.Path, busybox: pathlib.Path) -> pathlib.Path:
    scratch.chmod(0o755)
    tree, made = scratch / "tree", scratch / "made"
    output("dpkg-deb", "-x", str(package), str(tree))
    (modules,) = (tree / "lib" / "modules").iterdir()
    output("depmod", "-b", str(tree), modules.name)
    wanted = _with_what_they_need(modules)
    for module in set(modules.rglob("*.ko")) - wanted:
        module.unlink()
    output("depmod", "-b", str(tree), modules.name)
    made.mkdir()
    shutil.copy(next((tree / "boot").glob("vmlinuz-*")), made / "vmlinuz")

    archive = Archive()
    for directory in ("proc", "sys", "dev", "tmp", "root", "etc"):
        archive.directory(directory)
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3)
    archive.file("init", INIT.encode(), 0o755)
    archive.file("bin/busybox", busybox.read_bytes(), 0o755)
    archive.link("bin/sh", "busybox")
    for file in sorted((*wanted, *modules.glob("modules.*"))):
        archive.file(str(file.relative_to(tree)), file.read_bytes())
    (made / "base.cpio.gz").write_bytes(gzip.compress(archive.bytes(), 1))
    return made


def _with_what_they_need(modules: pathlib.Path) -> set[pathlib.Path]:
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, others = line.partition(":")
        needs[pathlib.PurePath(file).stem.replace("-", "_")] = [file, *others.split()]
    return {modules / file for name in MODULES for file in needs[name.replace("-", "_")]}


if __name__ == "__main__":
    with fetching("guest"):
        base()
