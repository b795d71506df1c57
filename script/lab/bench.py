# SPDX-License-Identifier: Apache-2.0
"""The benchmark: every figure beside its goal. It reports and does not judge: a missed goal is marked, and the exit code tells only
whether the measuring worked. Started by script/bench."""
import argparse
import collections
import dataclasses
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from lab import bench_bgp, bench_lacp
from lab.processes import owned
from lab.traffic import round_trips_ms, tcp_streams
from lab.two_cards import TwoCards, scratch_directory

HOUSE = pathlib.Path(__file__).resolve().parents[2]
CORE_MHZ = 250

# What the product promises; docs/bench.md says what each figure means.
GOAL_MCYCLES_PER_SECOND = 1.0
GOAL_IDLE_CPU_PERCENT = 2.0
GOAL_PING_MS = 1.0
GOAL_TCP_MBITS = 100.0


@dataclasses.dataclass(frozen=True)
class Effort:
    """How long to measure."""
    cycles: int = 1_000_000
    repetitions: int = 5
    idle_seconds: float = 10.0
    pings: int = 200
    tcp_seconds: int = 5


QUICK = Effort(cycles=200_000, repetitions=1, idle_seconds=3.0, pings=50, tcp_seconds=1)


@dataclasses.dataclass
class Table:
    title: str
    header: list[str]
    rows: list[list[str]]

    def show(self) -> None:
        widths = [max(len(row[i]) for row in [self.header, *self.rows]) for i in range(len(self.header))]
        print(f"\n{self.title}")
        for row in [self.header, *self.rows]:
            # Names and verdicts to the left, numbers to the right.
            cells = [cell.ljust(w) if i in (0, len(row) - 1) else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))]
            print("  " + "  ".join(cells).rstrip())
        sys.stdout.flush()


def progress(what: str) -> None:
    print(f"... {what}", flush=True)


def verdict(goal: str, met: bool) -> str:
    return f"{goal}  {'met' if met else 'MISSED'}"


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[round(part * (len(values) - 1))]


def card_bench(build: pathlib.Path, *arguments: object) -> dict:
    run = subprocess.run(owned([build / "bin" / "poplink-bench", *map(str, arguments)]), capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"poplink-bench {arguments[0]}: {run.stderr.strip()}")
    return json.loads(run.stdout)


# ---- simulator speed


def sim(build: pathlib.Path, effort: Effort) -> tuple[list[Table], dict]:
    progress("measuring the simulator under load")
    samples = card_bench(build, "speed", "--cycles", effort.cycles, "--repetitions", effort.repetitions)["samples"]
    by_load = collections.defaultdict(list)
    for sample in samples:
        by_load[sample["load"]].append(sample)
    figures = {load: speed_figures(of_load) for load, of_load in by_load.items()}
    rows = []
    for load, f in figures.items():
        user, wall = f["user_mcycles_per_second"], f["wall_mcycles_per_second"]
        rows.append([load, f"{f['packets_per_cycle']:.4f}", f"{f['packets_per_cycle'] * CORE_MHZ:.2f}",
                     f"{f['packets_per_user_second'] / 1000:.0f}", str(f["dropped"]), str(f["lost"]), f"{user['median']:.2f}",
                     f"{user['min']:.2f} .. {user['max']:.2f}", f"{wall['median']:.2f}",
                     verdict(f">= {GOAL_MCYCLES_PER_SECOND:g}", user["median"] >= GOAL_MCYCLES_PER_SECOND)])
    title = (f"Simulator under load, {effort.repetitions} x {effort.cycles} cycles: 8 ports at 10 Gbit/s both ways, bytes with FCS;"
             " bus: a beat every cycle")
    header = ["load", "packets/cycle", "Mpacket/s card", "kpacket/s sim", "dropped", "lost", "Mcycle/s user CPU", "min .. max",
              "by wall", "goal"]
    return [Table(title, header, rows)], figures


def speed_figures(samples: list[dict]) -> dict:
    frames, cycles = sum(s["frames"] for s in samples), sum(s["cycles"] for s in samples)
    return {
        "packets_per_cycle": frames / cycles,
        "packets_per_user_second": statistics.median(s["frames"] / s["user_seconds"] for s in samples),
        "user_mcycles_per_second": spread([s["cycles"] / s["user_seconds"] / 1e6 for s in samples]),
        "wall_mcycles_per_second": spread([s["cycles"] / s["wall_seconds"] / 1e6 for s in samples]),
        "dropped": sum(s["dropped"] for s in samples),
        "lost": sum(s["lost"] for s in samples),
    }


# ---- latency


def latency(build: pathlib.Path, effort: Effort) -> tuple[list[Table], dict]:
    progress("measuring latency")
    figures = card_bench(build, "latency", "--cycles", effort.cycles)
    idle = figures["idle"]
    one = len({(row["min"], row["max"]) for row in idle}) == 1 and idle[0]["min"] == idle[0]["max"]
    rows = [[row["size"], row["direction"], str(row["min"]), str(row["max"]), f"{row['max'] * 1000 / CORE_MHZ:.0f}",
             verdict("the same for all", one)] for row in idle]
    loaded = [[row["size"], row["direction"], str(row["frames"]), str(row["p50"]), str(row["p99"]), str(row["max"])]
              for row in figures["loaded"]["rows"]]
    return [Table("Core latency on an idle card, cycles from last beat in to first beat out",
                  ["bytes", "direction", "min", "max", "ns", "goal"], rows),
            Table(f"Core latency with the wires {figures['loaded']['load']:.0%} in use, random gaps, cycles",
                  ["bytes", "direction", "packets", "p50", "p99", "max"], loaded)], figures


# ---- live cards


def cpu_seconds(pid: int) -> float:
    # Behind the name in parentheses: state is field 3, utime and stime are fields 14 and 15 (proc(5)).
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_cpu_percent(lab: TwoCards, seconds: float) -> float:
    time.sleep(2)  # the namespaces' own neighbour discovery comes to rest
    before, start = cpu_seconds(lab.simulator_pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(lab.simulator_pid) - before) / (time.monotonic() - start) * 100


def live(build: pathlib.Path, effort: Effort) -> tuple[list[Table], dict]:
    with scratch_directory("bench") as directory:
        lab = TwoCards(build / "bin", HOUSE / "docs" / "examples" / "region.yaml", pathlib.Path(directory))
        try:
            lab.start()
            lab.apply()
            progress("measuring the idle cards")
            idle = idle_cpu_percent(lab, effort.idle_seconds)
            progress("measuring round trips and TCP")
            round_trips_ms(lab, 3, 0.05)  # addresses are resolved
            pings = round_trips_ms(lab, effort.pings, 0.005)
            if not pings:
                raise RuntimeError("no ping was answered")
            tcp = tcp_streams(lab, effort.tcp_seconds)
        finally:
            lab.close()
    figures = {
        "idle_cpu_percent": idle,
        "ping_ms": {"sent": effort.pings, "answered": len(pings), "mean": statistics.mean(pings), "p50": percentile(pings, 0.5),
                    "p99": percentile(pings, 0.99), "max": max(pings)},
        "tcp_mbits": tcp["sum_received"]["bits_per_second"] / 1e6,
        "tcp_retransmits": tcp["sum_sent"]["retransmits"],
    }
    return [live_table(figures, effort)], figures


def live_table(figures: dict, effort: Effort) -> Table:
    ping, mbits = figures["ping_ms"], figures["tcp_mbits"]
    lost = ping["sent"] - ping["answered"]
    return Table("Two live cards between two namespaces", ["figure", "value", "goal"], [
        [f"CPU of both cards idle, {effort.idle_seconds:g} s", f"{figures['idle_cpu_percent']:.2f} %",
         verdict(f"< {GOAL_IDLE_CPU_PERCENT:g} %", figures["idle_cpu_percent"] < GOAL_IDLE_CPU_PERCENT)],
        ["ping, mean", f"{ping['mean']:.3f} ms", verdict(f"< {GOAL_PING_MS:g} ms", ping["mean"] < GOAL_PING_MS)],
        [f"ping, median of {ping['sent']}", f"{ping['p50']:.3f} ms", ""],
        ["ping, 99th percentile", f"{ping['p99']:.3f} ms", ""],
        ["pings unanswered", str(lost), verdict("0", lost == 0)],
        [f"TCP, {effort.tcp_seconds} s", f"{mbits:.0f} Mbit/s", verdict(f">= {GOAL_TCP_MBITS:g} Mbit/s", mbits >= GOAL_TCP_MBITS)],
        ["TCP retransmits", str(figures["tcp_retransmits"]), ""],
    ])


# ---- LACP partners


def lacp(build: pathlib.Path, effort: bench_lacp.Effort) -> tuple[list[Table], dict]:
    figures = bench_lacp.lacp(build, effort, progress)
    return [Table(*table) for table in bench_lacp.rows(figures)], figures


# ---- BGP speakers


def bgp(build: pathlib.Path, effort: bench_bgp.Effort) -> tuple[list[Table], dict]:
    figures = bench_bgp.bgp(build, effort, progress)
    return [Table(*table) for table in bench_bgp.rows(figures)], figures


# ---- pipelines


def pipeline(build: pathlib.Path, _: Effort) -> tuple[list[Table], dict]:
    reports = [json.loads(file.read_text()) for file in sorted(build.glob("hls/*/*.json"))]
    if not reports:
        raise RuntimeError(f"no kernel report in {build}/hls")
    rows = [[r["kernel"], str(r["ii"]), str(r["stages"]), str(r["latency"]), f"{r['longest_chain_ns']:.2f} of {r['clock_ns']:g}",
             str(r["registers"]), str(r["delay_line_bits"]), str(r["nodes"]), str(len(r["warnings"])),
             ", ".join(f"{t['name']} 2^{t['key_width']} x {t['entry_width']}" for t in r["tables"])] for r in reports]
    header = ["kernel", "II", "stages", "latency", "longest chain ns", "register bits", "delay line bits", "nodes", "warnings",
              "tables (entries x bits)"]
    return [Table("Pipelines", header, rows)], {r["kernel"]: r for r in reports}


# ---- build minutes


def build_minutes(directory: pathlib.Path) -> dict:
    run = subprocess.run([sys.executable, HOUSE / "script" / "build-minutes", directory, "--json"], capture_output=True, text=True,
                         check=True)
    return json.loads(run.stdout)


def clean_build(directory: pathlib.Path) -> float:
    """Builds everything without ccache; gives the wall minutes. The build tool and its compilers end with us."""
    progress("building everything without ccache")
    start = time.monotonic()
    preset = ["cmake", "--preset", "release", "-B", str(directory)]
    for command in (preset, ["cmake", "--build", str(directory), "-j", str(os.cpu_count())]):
        with (directory / "bench-build.log").open("a") as log, \
             subprocess.Popen(command, cwd=HOUSE, env={**os.environ, "CCACHE_DISABLE": "1"}, stdout=log, stderr=log,
                              start_new_session=True) as process:
            try:
                code = process.wait()
            except BaseException:
                os.killpg(process.pid, signal.SIGTERM)
                raise
        if code:
            raise RuntimeError("the clean build failed:\n" + "\n".join((directory / "bench-build.log").read_text().splitlines()[-20:]))
    return (time.monotonic() - start) / 60


def build(directory: pathlib.Path, clean: bool) -> tuple[list[Table], dict]:
    if not clean:
        figures = {**build_minutes(directory), "clean": False}
        title = f"Build minutes per room by ninja's log of {directory.name}: ccache may have been warm, --build measures a clean build"
        return [minutes_table(title, figures)], figures
    # Beside the other builds, where script/build-minutes knows the rooms by their paths.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=HOUSE / "build") as scratch:
        wall = clean_build(pathlib.Path(scratch))
        figures = {**build_minutes(pathlib.Path(scratch)), "clean": True, "wall_minutes": wall, "jobs": os.cpu_count()}
    title = f"Build minutes per room, clean and without ccache: {wall:.1f} minutes of wall time with {os.cpu_count()} jobs"
    return [minutes_table(title, figures)], figures


def minutes_table(title: str, figures: dict) -> Table:
    (measured,) = figures["measured"].values()
    budget = figures["budget"]
    rows = [[room, f"{minutes:.1f}", verdict(f"<= {budget[room]:g}", minutes <= budget[room])] for room, minutes in measured.items()]
    rows.append(["all", f"{sum(measured.values()):.1f}", ""])
    return Table(title, ["room", "minutes", "budget"], rows)


# ---- command

PARTS = ("sim", "latency", "live", "lacp", "bgp", "pipeline", "build")
IF_ASKED = {"lacp", "bgp"}  # take minutes


def measure(part: str, options: argparse.Namespace, effort: Effort) -> tuple[list[Table], dict]:
    if part == "build":
        return build(options.build_directory, options.build)
    if part == "lacp":
        lacp_effort = bench_lacp.QUICK if options.quick else bench_lacp.Effort()
        return lacp(options.build_directory, dataclasses.replace(lacp_effort, runs=options.repetitions or lacp_effort.runs))
    if part == "bgp":
        return bgp(options.build_directory, bench_bgp.effort_of(options))
    return {"sim": sim, "latency": latency, "live": live, "pipeline": pipeline}[part](options.build_directory, effort)


def machine() -> dict:
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count()}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description="Measures poplink; every figure beside its goal.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all but {', '.join(sorted(IF_ASKED))})")
    parser.add_argument("--build-directory", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="a short run: figures to see that it works, not to quote")
    parser.add_argument("--repetitions", type=int, metavar="N", help=f"of every load of the simulator, and of what LACP does (default: {Effort.repetitions}); runs of BGP (default: 3)")
    parser.add_argument("--build", action="store_true", help="build minutes by a clean build without ccache (takes minutes)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write every figure as JSON")
    bench_bgp.add_options(parser)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; parts are {', '.join(PARTS)}")
    if options.repetitions is not None and not 1 <= options.repetitions <= 1000:
        parser.error("--repetitions: from 1 to 1000")
    options.build_directory = options.build_directory.resolve()
    return options


def main() -> int:
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    effort = QUICK if options.quick else Effort()
    if options.repetitions:
        effort = dataclasses.replace(effort, repetitions=options.repetitions)
    result = {"machine": machine(), "quick": options.quick, "parts": {}}
    print(f"{result['machine']['cpu']}, {result['machine']['cores']} cores", flush=True)
    broken = 0
    try:
        for part in [p for p in PARTS if p in options.parts or not options.parts and p not in IF_ASKED]:
            try:
                tables, result["parts"][part] = measure(part, options, effort)
                for table in tables:
                    table.show()
                broken += len(result["parts"][part].get("failures", []))
            except (RuntimeError, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
                broken += 1
                print(f"script/bench: {part}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
        return 130
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
