# SPDX-License-Identifier: Apache-2.0
"""BGP speakers between the peers of the benchmark, each with the settings under which it does its best: no logging, no kernel, no policy beyond
what is asked, next hops that need no search. BIRD and FRR are the programs of their Debian packages, which are unpacked and not installed, because
they would start routers for the whole machine."""
import dataclasses
import ipaddress
import os
import pathlib
import subprocess
import time

from lab.namespaces import Namespace
from lab.packages import candidate, fetching, unpacked

PORT = 1790
START_SECONDS = 30
SETTLE_SECONDS = 2.0  # FRR takes no connection of a peer in the first second, BIRD none before its interfaces are read


@dataclasses.dataclass(frozen=True)
class Peer:
    address: str
    asn: int
    receives: bool  # it is sent all routes and has none; otherwise it has routes and is sent none


@dataclasses.dataclass(frozen=True)
class Site:
    """Around the speaker; all addresses are of one family."""
    address: str
    asn: int
    peers: tuple[Peer, ...]

    @property
    def family(self) -> str:
        return f"ipv{ipaddress.ip_address(self.address).version}"


class SpeakerError(RuntimeError):
    pass


class Speaker:
    """`programs()` starts what belongs to it; whatever these start counts as well."""
    title = ""
    PACKAGES: tuple[str, ...] = ()

    def __init__(self, binaries: pathlib.Path):
        self.binaries = binaries
        self.processes: list[subprocess.Popen] = []

    def version(self) -> str:
        return candidate(self.PACKAGES[0])

    def commands(self, site: Site, directory: pathlib.Path) -> list[list[str]]:
        """Writes its files; gives the programs to start, in this order."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        libraries = [str(unpacked(package) / "usr" / "lib" / "x86_64-linux-gnu" / inner) for package in self.PACKAGES for inner in ("", "frr")]
        return os.environ | {"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else dict(os.environ)

    def start(self, namespace: Namespace, site: Site, directory: pathlib.Path) -> None:
        """Returns when it has had time to be ready for its peers. `directory` is empty, and for its files."""
        self._said = directory / "said.log"
        for command in self.commands(site, directory):
            with self._said.open("a") as said:
                self.processes.append(namespace.start(*command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said))
        end = time.monotonic() + START_SECONDS
        while not namespace.run("ss", "-Hltn", f"sport = :{PORT}").stdout:
            self.check()
            if time.monotonic() > end:
                raise SpeakerError(f"{self.title} does not listen\n{self.said()}")
            time.sleep(0.05)
        time.sleep(SETTLE_SECONDS)
        self.check()

    def said(self) -> str:
        return self._said.read_text(errors="replace")[:2000]

    def check(self) -> None:
        for process in self.processes:
            if process.poll() is not None:
                raise SpeakerError(f"{self.title} has ended with {process.returncode}\n{self.said()}")

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    def close(self) -> None:
        for process in self.processes:
            process.kill()  # a million routes would be taken down one by one otherwise
            process.wait()
        self.processes.clear()


class Bird(Speaker):
    title = "BIRD"
    PACKAGES = ("bird2", "libssh-gcrypt-4")

    def commands(self, site: Site, directory: pathlib.Path) -> list[list[str]]:
        peers = [f"""protocol bgp peer{number} {{
  local {site.address} port {PORT} as {site.asn};
  neighbor {peer.address} as {peer.asn};
  passive on;
  {site.family} {{ import all; export {'all' if peer.receives else 'none'}; next hop self; }};
}}
""" for number, peer in enumerate(site.peers)]
        file = directory / "bird.conf"
        file.write_text("log stderr { fatal, bug };\nrouter id 198.18.0.1;\nprotocol device { scan time 3600; }\n" + "".join(peers))
        return [[str(unpacked(self.PACKAGES[0]) / "usr" / "sbin" / "bird"), "-f", "-c", str(file), "-s", str(directory / "bird.ctl"),
                 "-P", str(directory / "bird.pid")]]


class Frr(Speaker):
    title = "FRR"
    PACKAGES = ("frr", "libyang2", "libjson-c5", "libc-ares2", "libcap2")

    def commands(self, site: Site, directory: pathlib.Path) -> list[list[str]]:
        neighbors, activated = [], []
        for peer in site.peers:
            neighbors += [f" neighbor {peer.address} remote-as {peer.asn}", f" neighbor {peer.address} passive",
                          f" neighbor {peer.address} advertisement-interval 0"]
            activated += [f"  neighbor {peer.address} activate", f"  neighbor {peer.address} next-hop-self"]
            if not peer.receives:
                activated.append(f"  neighbor {peer.address} route-map nothing out")
        (directory / "bgpd.conf").write_text("\n".join([
            "no log syslog", f"router bgp {site.asn}", " bgp router-id 198.18.0.1", " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast",
            " no bgp network import-check", *neighbors, f" address-family {site.family} unicast", *activated, " exit-address-family", "exit",
            "route-map nothing deny 10", "exit", ""]))
        (directory / "zebra.conf").write_text("no log syslog\n")
        programs = unpacked(self.PACKAGES[0]) / "usr" / "lib" / "frr"

        (directory / "group").write_text("frrvty:x:0:\n")

        def program(name: str, *options: str) -> list[str]:
            # It looks for a group that its package would have made, and leaves files in folders of the machine: both are its own here.
            own = f"mount --bind {directory}/group /etc/group && mount -t tmpfs none /var/tmp && mount -t tmpfs none /run"
            return ["unshare", "--mount", "sh", "-c", f'{own} && exec "$@"', "sh", str(programs / name), "-u", "root", "-g", "root", "-P", "0",
                    "-f", str(directory / f"{name}.conf"), "-i", str(directory / f"{name}.pid"), "-z", str(directory / "zserv"),
                    "--vty_socket", str(directory), "--log", "stdout", "--log-level", "errors", *options]
        return [program("zebra"), program("bgpd", "-n", "-p", str(PORT))]


class Poplinkd(Speaker):
    title = "poplinkd"

    def version(self) -> str:
        return "this build"

    def commands(self, site: Site, directory: pathlib.Path) -> list[list[str]]:
        (directory / "node.yaml").write_text(f"site: lab\ntransport: none\napi: {directory}/api\nstate: {directory}/state.json\n")
        peers = [f"""  - name: peer{number}
    address: "{peer.address}"
    asn: {peer.asn}
    export: {'accept-all' if peer.receives else 'deny-all'}
""" for number, peer in enumerate(site.peers)]
        (directory / "speaker.yaml").write_text(f"""bgp:
  asn: {site.asn}
  router_id: 198.18.0.1
  listen: [{{address: "{site.address}", port: {PORT}}}]
  reachable: [0.0.0.0/0, "::/0"]
peer_defaults:
  local_address: "{site.address}"
  passive: true
  families: [{site.family}]
  import: accept-all
  next_hop: self
peers:
""" + "".join(peers))
        return [[str(self.binaries / "poplinkd"), str(directory / "speaker.yaml"), "--node", str(directory / "node.yaml"), "--log-level", "error"]]


SPEAKERS: dict[str, type[Speaker]] = {"bird": Bird, "frr": Frr, "poplinkd": Poplinkd}


if __name__ == "__main__":
    with fetching("BGP speakers"):
        for kind in SPEAKERS.values():
            for package in kind.PACKAGES:
                unpacked(package)
