# SPDX-License-Identifier: Apache-2.0
"""Debian packages that are fetched and unpacked, not installed, from the archive that this machine uses. They are kept in
${XDG_CACHE_HOME:-~/.cache}/poplink. No maintainer's script runs, no service starts, nothing needs root."""
import contextlib
import functools
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator


class Missing(RuntimeError):
    """Something that this machine lacks."""


@contextlib.contextmanager
def fetching(what: str) -> Iterator[None]:
    """Around a program that fetches: it ends in words when something is missing, and in silence by Ctrl-C."""
    try:
        yield
    except Missing as error:
        sys.exit(f"{what}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def output(*command: str, cwd: object = None) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout
    except FileNotFoundError:
        raise Missing(f"there is no {command[0]} here: run script/bootstrap") from None
    except subprocess.CalledProcessError as error:
        raise Missing(f"{' '.join(command)}: {error.stderr.strip()}") from None


def cache() -> pathlib.Path:
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "poplink"


@functools.cache  # apt-cache takes seconds
def candidate(name: str) -> str:
    """The version that the package lists of this machine have."""
    shown = output("apt-cache", "show", "--no-all-versions", name)
    return next(line.split()[1] for line in shown.splitlines() if line.startswith("Version:"))


def package(name: str, version: str) -> pathlib.Path:
    """The package's file, downloaded now if it is not there."""
    file = cache() / f"{name}_{version.replace(':', '_')}.deb"
    if not file.exists():
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="package-", dir=cache()) as scratch:
            try:
                output("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", f"{name}={version}", cwd=scratch)
            except Missing as error:
                raise Missing(f"{error}\nscript/bootstrap fetches it where there is a network") from None
            (fetched,) = pathlib.Path(scratch).glob("*.deb")
            fetched.rename(file)
    return file


def kept(name: str, make: Callable[[pathlib.Path], pathlib.Path]) -> pathlib.Path:
    """A directory of the cache, made now if it is not there: `make` gets a scratch directory and gives the one in it that is to stay. Two
    processes may do so at once: the last one's stays."""
    directory = cache() / name
    if not directory.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="making-", dir=directory.parent) as scratch:
            made = make(pathlib.Path(scratch))
            try:
                made.rename(directory)
            except OSError:  # another process was faster
                if not directory.is_dir():
                    raise
    return directory


@functools.cache
def unpacked(name: str) -> pathlib.Path:
    """The files of a package, below this directory as they would lie below /."""
    version = candidate(name)

    def make(scratch: pathlib.Path) -> pathlib.Path:
        output("dpkg-deb", "-x", str(package(name, version)), str(scratch / "tree"))
        return scratch / "tree"
    return kept(f"{name}_{version.replace(':', '_')}", make)
