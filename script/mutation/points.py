# SPDX-License-Identifier: Apache-2.0
"""Places in a source text where it can be made wrong, and the text with all chosen places in it at once.

A mutant replaces one span. In the mutated text each span becomes a choice between its wrong and its right form, taken at run time by
the mutant's number; number 0 is nobody's, so with 0 the text means what it always did.
"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Point:
    file: str          # relative to the house, or to the build folder for a generated file
    line: int
    start: int         # span of the original text
    end: int
    kind: str          # constant, operator or enable
    was: str
    now: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same when lines move: for the list of known equivalents."""
        return self.file, self.kind, one_line(self.was), one_line(self.now)


def one_line(text: str) -> str:
    return " ".join(text.split())


def render(text: str, chosen: dict[int, Point], choice: str) -> str:
    """`text` with the points in it; `choice` formats {number}, {now} and {was}. Spans nest or are apart, they never cross."""
    order = sorted(chosen.items(), key=lambda item: (item[1].start, -item[1].end, item[0]))

    def span(start: int, end: int, inner: list[tuple[int, Point]]) -> str:
        out, at = [], start
        while inner:
            (number, point), rest = inner[0], inner[1:]
            nested = [one for one in rest if one[1].end <= point.end]
            inner = rest[len(nested):]
            out += [text[at:point.start],
                    choice.format(number=number, now=point.now, was=span(point.start, point.end, nested))]
            at = point.end
        return "".join(out) + text[at:end]

    return span(0, len(text), order)
