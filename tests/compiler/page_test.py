# SPDX-License-Identifier: Apache-2.0
"""docs/hls.md shows real files: what stands in its blocks is what they say now.

A block's comment names its origin: `FILE | START | END`, lines from the one that begins with START to before the one that begins with END;
or `hlsc FILE`, what the compiler says to that kernel. build/ is this build's folder. Run with --update to take over what has changed:
  POPLINK_BINARIES=build/dev/bin python3 tests/compiler/page_test.py --update
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HOUSE = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ["POPLINK_BINARIES"]).resolve()
PAGE = HOUSE / "docs" / "hls.md"
BLOCK = re.compile(r"<!-- (?P<origin>.+?) -->\n```\w*\n(?P<text>.*?)\n```", re.DOTALL)


def answer(source: pathlib.Path) -> str:
    with tempfile.TemporaryDirectory(prefix="poplink-page-") as folder:
        command = [BINARIES / "hlsc", "--top", "kernel", "-I", HOUSE / "hls" / "include", "-o", folder, source.name]
        return subprocess.run(command, cwd=source.parent, capture_output=True, text=True).stderr.strip()


def shown(origin: str) -> str:
    if origin.startswith("hlsc "):
        return answer(HOUSE / origin.removeprefix("hlsc "))
    name, start, end = (part.removeprefix("`").removesuffix("`") for part in origin.split(" | "))
    path = BINARIES.parent / name.removeprefix("build/") if name.startswith("build/") else HOUSE / name
    lines = path.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(start))
    last = next((i for i, line in enumerate(lines) if i > first and line.startswith(end)), len(lines))
    return "\n".join(lines[first:last]).rstrip()


class Page(unittest.TestCase):
    maxDiff = None

    def test_shows_what_the_files_say(self):
        blocks = list(BLOCK.finditer(PAGE.read_text()))
        self.assertGreater(len(blocks), 8)
        for block in blocks:
            with self.subTest(block["origin"]):
                self.assertEqual(block["text"], shown(block["origin"]))


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        page = PAGE.read_text()
        PAGE.write_text(BLOCK.sub(lambda b: shown(b["origin"]).join(b[0].rsplit(b["text"], 1)), page))
    else:
        unittest.main()
