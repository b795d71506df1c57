# SPDX-License-Identifier: Apache-2.0
"""Mutation points of kernel sources (C++), found on clang's syntax tree."""
import pathlib
import re

import clang.cindex as ci
from clang.cindex import CursorKind as K

from mutation.points import Point

CHOICE = "(::poplink::mutation::selected() == {number}U ? ({now}) : ({was}))"

_SWAPS = {"+": "-", "-": "+", "&": "|", "|": "&", "^": "&", "&&": "||", "||": "&&", "==": "!=", "!=": "==", "<": "<=", "<=": "<",
          ">": ">=", ">=": ">", "<<": ">>", ">>": "<<"}
_CONSTANT_NAME = re.compile(r"k[A-Z]\w*")


class Finder:
    def __init__(self, folder: pathlib.Path, name_prefix: str):
        self._folder, self._prefix, self.points = folder, name_prefix, []
        self._texts: dict[str, str] = {}

    def run(self, source: pathlib.Path, arguments: list[str]) -> list[Point]:
        unit = ci.Index.create().parse(str(source), args=arguments)
        errors = [str(d) for d in unit.diagnostics if d.severity >= ci.Diagnostic.Error]
        if errors:
            raise RuntimeError("\n".join(errors))
        for cursor in unit.cursor.get_children():
            self._visit(cursor, in_function=False)
        return self.points

    def _text_of_file(self, path: str) -> str:
        if path not in self._texts:
            self._texts[path] = pathlib.Path(path).read_text()
        return self._texts[path]

    def _of(self, cursor) -> str:
        extent = cursor.extent
        return self._text_of_file(extent.start.file.name)[extent.start.offset:extent.end.offset]

    def _add(self, cursor, kind: str, now: str) -> None:
        extent = cursor.extent
        path = pathlib.Path(extent.start.file.name)
        self.points.append(Point(self._prefix + path.name, extent.start.line, extent.start.offset, extent.end.offset, kind,
                                 self._of(cursor), now))

    def _visit(self, cursor, in_function: bool) -> None:
        file = cursor.location.file
        if cursor.kind != K.TRANSLATION_UNIT and (file is None or pathlib.Path(file.name).parent != self._folder):
            return
        if cursor.kind == K.FUNCTION_DECL:
            in_function = True
        if cursor.kind == K.VAR_DECL and self._of(cursor).startswith("constexpr"):
            return
        if cursor.kind == K.PARM_DECL:  # an array's bounds
            return
        children = list(cursor.get_children())
        if cursor.kind == K.FOR_STMT:  # the head decides how far the hardware is unrolled
            children = children[-1:]
        if in_function:
            self._expression(cursor, children)
        for child in children:
            self._visit(child, in_function)

    def _expression(self, cursor, children: list) -> None:
        if cursor.kind == K.BINARY_OPERATOR:
            self._binary(cursor, *children)
        elif cursor.kind == K.CONDITIONAL_OPERATOR:
            condition, yes, no = map(self._of, children)
            self._add(cursor, "operator", f"{condition} ? {no} : {yes}")
        elif cursor.kind == K.UNARY_OPERATOR and self._of(cursor)[0] in "!~":
            self._add(cursor, "operator", self._of(children[0]))
        elif cursor.kind == K.IF_STMT:
            self._add(children[0], "enable", "true")
            self._add(children[0], "enable", "false")
        elif cursor.kind == K.CXX_BOOL_LITERAL_EXPR:
            self._add(cursor, "constant", "false" if self._of(cursor) == "true" else "true")
        elif cursor.kind == K.INTEGER_LITERAL and not self._is_template_argument(cursor):
            self._add(cursor, "constant", f"{self._of(cursor)} + 1")
        elif cursor.kind == K.DECL_REF_EXPR and _CONSTANT_NAME.fullmatch(self._of(cursor)):
            self._add(cursor, "constant", f"{self._of(cursor)} + 1")

    def _binary(self, cursor, left, right) -> None:
        text = self._text_of_file(cursor.extent.start.file.name)
        operator = text[left.extent.end.offset:right.extent.start.offset].strip()
        if operator in _SWAPS:
            self._add(cursor, "operator", f"({self._of(left)}) {_SWAPS[operator]} ({self._of(right)})")

    def _is_template_argument(self, cursor) -> bool:
        text = self._text_of_file(cursor.extent.start.file.name)
        return text[cursor.extent.start.offset - 1] == "<" and text[cursor.extent.end.offset] == ">"


def points(source: pathlib.Path, name_prefix: str, arguments: list[str]) -> list[Point]:
    """Of a source and of the headers beside it; each place once, however often it is included."""
    found = Finder(source.parent, name_prefix).run(source, arguments)
    return list(dict.fromkeys(found))
