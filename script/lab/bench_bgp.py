# SPDX-License-Identifier: Apache-2.0
"""BGP speakers in figures: what taking and telling routes costs them, ours beside BIRD and FRR, one after another in each run. The peers are
`bgp-bench-peer`, which also says whether what it was told is right. Part of script/bench."""
import argparse
import contextlib
import dataclasses
import ipaddress
import json
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from lab.bgp_speakers import PORT, SPEAKERS, Peer, Site, Speaker
from lab.namespaces import Namespace
from lab.process_cost import cpu_seconds, peak_bytes, proportional_bytes
from lab.processes import owned
from lab.two_cards import scratch_directory

# By scenario: routes, or peers of `connect`; all and with --quick.
SIZES = {"load": (1_000_000, 2_000), "same": (100_000, 2_000), "ipv6": (200_000, 2_000), "flips": (200_000, 2_000), "fanout": (100_000, 2_000),
         "connect": (30, 30)}
CONNECT = "connect"  # the phase that every scenario begins with, and the scenario that has no other
CONNECT_RUNS = 5  # at least: it takes no time, and chance has a large part in it
REFERENCE = "bird"


@dataclasses.dataclass(frozen=True)
class Effort:
    runs: int
    sizes: dict[str, int]
    speakers: tuple[str, ...]
    quiet_seconds: float  # without news, after which a phase has failed
    perf: pathlib.Path | None

    def runs_of(self, scenario: str) -> int:
        return self.runs if scenario != CONNECT or self.runs == 1 else max(self.runs, CONNECT_RUNS)


class PeerError(RuntimeError):
    pass


class Peers:
    """The program with all senders and receivers of a scenario."""

    def __init__(self, namespace: Namespace, binaries: pathlib.Path, scenario: str, size: int, quiet_seconds: float):
        self._process = namespace.start(str(binaries / "bgp-bench-peer"), scenario, "--size", str(size), "--port", str(PORT),
                                        "--quiet", str(quiet_seconds), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = self._line()
        peers = [Peer(one["address"], one["asn"], role == "receivers") for role in ("senders", "receivers") for one in said[role]]
        self.site = Site(said["speaker"]["address"], said["speaker"]["asn"], tuple(peers))
        self.phases: list[str] = said["phases"]

    @property
    def pid(self) -> int:
        return self._process.pid

    def _line(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"bgp-bench-peer has ended with {self._process.wait()}")
        return json.loads(line)

    def next_phase(self) -> dict:
        """Returns when it is over and some rest after it."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._line()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def give_addresses(namespace: Namespace, site: Site) -> None:
    """The speaker's is one of the loopback interface. Those of its peers are on the same network and not of the interface, as a speaker refuses peers
    that it takes for itself; yet packets to them arrive here."""
    if site.family == "ipv4":
        namespace.run("ip", "address", "add", f"{site.address}/15", "dev", "lo")
        return
    namespace.run("ip", "address", "add", f"{site.address}/64", "dev", "lo", "nodad")
    namespace.run("ip", "route", "add", "local", str(ipaddress.ip_interface(f"{site.address}/64").network), "dev", "lo")


@contextlib.contextmanager
def profiled(pids: list[int], file: pathlib.Path | None) -> Iterator[None]:
    """By `perf record`, into the file."""
    if file is None:
        yield
        return
    recording = subprocess.Popen(owned(["perf", "record", "--quiet", "--call-graph", "fp", "-o", file, "-p", ",".join(map(str, pids))]),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)  # until it has begun
    try:
        yield
    finally:
        recording.send_signal(signal.SIGINT)
        recording.wait(60)


def measure_once(speaker: Speaker, scenario: str, effort: Effort, profile: pathlib.Path | None) -> dict[str, dict]:
    """What each phase cost and how it went. A phase that went wrong is the last. `profile`: what the names of profiles begin with; None: without."""
    phases = {}
    with scratch_directory("bench") as scratch, contextlib.ExitStack() as closing:
        namespace = Namespace(f"bgp-{scenario}")
        closing.callback(namespace.close)
        peers = Peers(namespace, speaker.binaries, scenario, effort.sizes[scenario], effort.quiet_seconds)
        closing.callback(peers.close)
        give_addresses(namespace, peers.site)
        closing.callback(speaker.close)
        speaker.start(namespace, peers.site, pathlib.Path(scratch))
        for phase in peers.phases:
            before, peers_before = cpu_seconds(speaker.pids), cpu_seconds([peers.pid])
            with profiled(speaker.pids, profile and profile.with_name(f"{profile.name}-{phase}.perf")):
                outcome = peers.next_phase()
            speaker.check()
            phases[phase] = outcome | {"cpu_seconds": cpu_seconds(speaker.pids) - before, "peak_bytes": peak_bytes(speaker.pids),
                                       "proportional_bytes": proportional_bytes(speaker.pids), "peers_cpu_seconds": cpu_seconds([peers.pid]) - peers_before}
            if outcome["wrong"]:
                phases[phase]["wrong"] = outcome["wrong"] + [said for said in [speaker.said()] if said]
                break
    return phases


def perf_directory(directory: pathlib.Path | None) -> pathlib.Path | None:
    if directory is None:
        return None
    if shutil.which("perf") is None:
        print("script/bench: there is no perf here, so nothing is profiled", file=sys.stderr, flush=True)
        return None
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def bgp(build: pathlib.Path, effort: Effort, progress: Callable[[str], None]) -> dict:
    """Samples by scenario and speaker, and what went wrong. Only runs that went well are samples."""
    binaries, profiles = build / "bin", perf_directory(effort.perf)
    figures = {"versions": {name: SPEAKERS[name](binaries).version() for name in effort.speakers}, "scenarios": {}, "failures": []}
    for scenario, size in effort.sizes.items():
        samples: dict[str, list[dict]] = {name: [] for name in effort.speakers}
        figures["scenarios"][scenario] = {"size": size, "samples": samples}
        for run in range(effort.runs_of(scenario)):
            for name in effort.speakers:
                profile = profiles / f"{scenario}-{name}" if profiles and run == 0 else None
                try:
                    phases = measure_once(SPEAKERS[name](binaries), scenario, effort, profile)
                    wrong = [f"{phase}: {said}" for phase, outcome in phases.items() for said in outcome["wrong"]]
                except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                    phases, wrong = {}, [str(error)]
                if wrong:
                    figures["failures"].append({"scenario": scenario, "speaker": name, "run": run + 1, "wrong": wrong})
                    progress(f"{scenario}, {name}, run {run + 1} FAILED: " + "; ".join(wrong))
                    continue
                samples[name].append(phases)
                progress(f"{scenario}, {name}, run {run + 1}: " +
                         ", ".join(f"{phase} {one['cpu_seconds']:.3f} s of CPU in {one['seconds']:.3f} s" for phase, one in phases.items()))
    return figures


# ---- tables

# Of a phase: its name in the table, the sample's key, a factor, a format.
_CPU = ("CPU, s", "cpu_seconds", 1.0, "{:.3f}")
_PEAK = ("peak memory, MiB", "peak_bytes", 2.0**-20, "{:.1f}")
_SECONDS = ("until all Established, s", "seconds", 1.0, "{:.4f}")


def _lines(scenario: str, phases: list[str]) -> list[tuple[str, tuple]]:
    if scenario == CONNECT:
        return [(CONNECT, _SECONDS), (CONNECT, _CPU)]
    after = [phase for phase in phases if phase != CONNECT]
    measured = after if scenario != "flips" else [phase for phase in after if phase == "flip"]
    return [(phase, _CPU) for phase in measured] + [(after[-1], _PEAK)]


def rows(figures: dict) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, header, rows) of the table: medians, and how many times the reference's each is."""
    names = list(figures["versions"])
    header = ["scenario", "runs"]
    for name in names:
        header += [SPEAKERS[name].title, "min .. max"] + ([f"of {SPEAKERS[REFERENCE].title}'s"] if name != REFERENCE and REFERENCE in names else [])
    table = []
    for scenario, measured in figures["scenarios"].items():
        first = next((of_one[0] for of_one in measured["samples"].values() if of_one), {})
        for phase, (what, key, factor, form) in _lines(scenario, list(first)) if first else []:
            values = {name: [sample[phase][key] * factor for sample in measured["samples"][name]] for name in names}
            row = [f"{scenario} {measured['size']}, {phase}: {what}", str(max(map(len, values.values())))]
            for name in names:
                row += [form.format(statistics.median(values[name])) if values[name] else "failed",
                        f"{form} .. {form}".format(min(values[name]), max(values[name])) if values[name] else ""]
                if name != REFERENCE and REFERENCE in names:
                    both = values[name] and values[REFERENCE]
                    row.append(f"{statistics.median(values[name]) / statistics.median(values[REFERENCE]):.2f}" if both else "")
            table.append([*row, ""])
    title = "BGP: medians of interleaved runs; " + ", ".join(f"{SPEAKERS[name].title} {version}" for name, version in figures["versions"].items())
    return [(title, [*header, ""], table)]


# ---- command


def add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("bgp")
    group.add_argument("--scenario", action="append", choices=SIZES, help="only this one; may be repeated")
    group.add_argument("--speaker", action="append", choices=SPEAKERS, help="only this one; may be repeated")
    group.add_argument("--size", action="append", default=[], metavar="SCENARIO=N", type=_size,
                       help="routes, or peers of connect (" + ", ".join(f"{name}={size}" for name, (size, _) in SIZES.items()) + ")")
    group.add_argument("--perf", type=pathlib.Path, metavar="DIRECTORY", help="profile the first run of each speaker by perf, a file a phase")


def _size(text: str) -> tuple[str, int]:
    scenario, _, number = text.partition("=")
    if scenario not in SIZES or not number.isdecimal() or int(number) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not SCENARIO=N, with one of {', '.join(SIZES)}")
    return scenario, int(number)


def effort_of(options: argparse.Namespace) -> Effort:
    given = dict(options.size)
    sizes = {name: given.get(name, quick if options.quick else full) for name, (full, quick) in SIZES.items()
             if not options.scenario or name in options.scenario}
    speakers = tuple(name for name in SPEAKERS if not options.speaker or name in options.speaker)
    return Effort(options.repetitions or (1 if options.quick else 3), sizes, speakers, 10.0 if options.quick else 60.0, options.perf)
