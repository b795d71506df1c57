# SPDX-License-Identifier: Apache-2.0
"""One libFuzzer program: a run, its figures, and its corpus made small."""
import dataclasses
import pathlib
import re
import shlex
import shutil
import subprocess
import time

MAX_INPUT_BYTES = 4096
MAX_INPUT_SECONDS = 30  # longer is a failure
MAX_FILES = 250  # parsers of text need most: an input for each of their errors
MAX_CORPUS_BYTES = 200 << 10
STATUS = re.compile(r"^#\d+\s.*?cov: (\d+).*? corp: (\d+)/", re.MULTILINE)
FOUND_BY_FUZZING = re.compile(r"[0-9a-f]{40}")  # libFuzzer names an input by its SHA-1


@dataclasses.dataclass
class Figures:
    executions: int
    edges: int   # of the program's control flow that some input has taken
    inputs: int  # in the corpus


@dataclasses.dataclass
class Outcome:
    target: str
    exit_code: int
    figures: Figures
    seconds: float
    failures: list[pathlib.Path]  # inputs of this run


def read_figures(log: str) -> Figures:
    """From what libFuzzer prints; what it has not come to is 0."""
    executions = re.search(r"^stat::number_of_executed_units:\s+(\d+)", log, re.MULTILINE)
    status = STATUS.findall(log)
    edges, inputs = status[-1] if status else (0, 0)
    return Figures(int(executions[1]) if executions else 0, int(edges), int(inputs))


class Target:
    def __init__(self, name: str, program: pathlib.Path, corpus: pathlib.Path, work: pathlib.Path):
        """`corpus` is the repository's; everything that a run makes is in `work`."""
        self.name, self.program, self.corpus = name, program, corpus
        self.grown, self.failures, self.log = work / "corpus", work / "failures", work / "log"

    def run(self, runs: int, minutes: float) -> Outcome:
        """Up to so many executions and minutes, or to the first failure. What earlier runs found is where it starts from."""
        for folder in (self.grown, self.failures):
            folder.mkdir(parents=True, exist_ok=True)
        before = set(self.failures.iterdir())
        begin = time.monotonic()
        code = self._start(f"-runs={runs}", f"-max_total_time={max(1, round(minutes * 60))}", f"-max_len={MAX_INPUT_BYTES}",
                           f"-timeout={MAX_INPUT_SECONDS}", "-print_final_stats=1", f"-artifact_prefix={self.failures}/", self.grown, self.corpus)
        figures = read_figures(self.log.read_text(errors="replace"))
        return Outcome(self.name, code, figures, time.monotonic() - begin, sorted(set(self.failures.iterdir()) - before))

    def minimize(self) -> None:
        """The corpus becomes its named files and, of all inputs, a small set that takes the same edges."""
        small = self.grown.parent / "small"
        shutil.rmtree(small, ignore_errors=True)
        small.mkdir(parents=True)
        for path in self.corpus.iterdir():
            if not FOUND_BY_FUZZING.fullmatch(path.name):
                shutil.copy(path, small)
        code = self._start("-set_cover_merge=1", "-use_counters=0", f"-max_len={MAX_INPUT_BYTES}", small, self.corpus, self.grown)
        if code != 0:
            raise RuntimeError(f"{self.name}: merging ended with {code}, see {self.log}")
        drop_largest(small)
        shutil.rmtree(self.corpus)
        shutil.move(small, self.corpus)

    def repeat(self, failure: pathlib.Path) -> str:
        return shlex.join([str(self.program), str(failure)])

    def _start(self, *arguments: object) -> int:
        # libFuzzer ends with whoever started it, however that ended; what it has found is in files by then.
        with self.log.open("w") as log:
            command = ["setpriv", "--pdeathsig", "TERM", self.program, *map(str, arguments)]
            return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode


def drop_largest(corpus: pathlib.Path) -> None:
    """Until the limits hold. Files with a name of their own stay: someone wrote them for a reason."""
    sizes = {path: path.stat().st_size for path in corpus.iterdir()}
    for path in sorted((p for p in sizes if FOUND_BY_FUZZING.fullmatch(p.name)), key=lambda p: (-sizes[p], p.name)):
        if len(sizes) <= MAX_FILES and sum(sizes.values()) <= MAX_CORPUS_BYTES:
            return
        path.unlink()
        del sizes[path]
