# SPDX-License-Identifier: Apache-2.0
"""Mutation points of SystemVerilog, found on slang's syntax tree."""
import pathlib
import re

import pyslang
from pyslang import SyntaxKind as K

from mutation.points import Point

CHOICE = "(mutation_pkg::selected == {number} ? ({now}) : ({was}))"

_SWAPS = {
    K.AddExpression: "-", K.SubtractExpression: "+", K.BinaryAndExpression: "|", K.BinaryOrExpression: "&",
    K.BinaryXorExpression: "&", K.LogicalAndExpression: "||", K.LogicalOrExpression: "&&", K.EqualityExpression: "!=",
    K.InequalityExpression: "==", K.LessThanExpression: "<=", K.LessThanEqualExpression: "<", K.GreaterThanExpression: ">=",
    K.GreaterThanEqualExpression: ">", K.LogicalShiftLeftExpression: ">>", K.LogicalShiftRightExpression: "<<",
}
# What must stay a constant, names something, or is no logic of the running card.
_NO_LOGIC = {K.ParameterDeclarationStatement, K.ParameterPortList, K.ParameterValueAssignment, K.VariableDimension, K.ElementSelect,
             K.IfGenerate, K.CaseGenerate, K.LoopGenerate}
_CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


class Finder:
    def __init__(self, name: str, text: str):
        self._name, self._text, self.points = name, text, []

    def run(self) -> list[Point]:
        self._visit(pyslang.SyntaxTree.fromText(self._text).root)
        return self.points

    def _of(self, node) -> str:
        return self._text[node.sourceRange.start.offset:node.sourceRange.end.offset]

    def _add(self, node, kind: str, now: str) -> None:
        start, end = node.sourceRange.start.offset, node.sourceRange.end.offset
        if now == self._text[start:end]:
            return
        self.points.append(Point(self._name, self._text.count("\n", 0, start) + 1, start, end, kind, self._text[start:end], now))

    def _visit(self, node) -> None:
        if isinstance(node, pyslang.Token) or node is None or node.kind in _NO_LOGIC:
            return
        if node.kind in (K.AssignmentExpression, K.NonblockingAssignmentExpression):
            return self._assignment(node)
        if node.kind == K.ScopedName:  # package::CONSTANT
            return self._add(node, "constant", f"{self._of(node)} + 1")
        if node.kind == K.CastExpression:  # the left side is a width
            return self._visit(node.right)
        if node.kind == K.MultipleConcatenationExpression:  # the count must stay constant
            return self._visit(node.concatenation)
        if node.kind == K.ForLoopStatement:
            return self._visit(node.statement)
        if node.kind == K.StandardCaseItem:
            return self._visit(node.clause)
        if node.kind == K.Declarator and node.name.valueText == "unused":  # for lint
            return
        if node.kind == K.ConditionalStatement:
            self._add(node.predicate, "enable", "1'b1")
            self._add(node.predicate, "enable", "1'b0")
        self._expression(node)
        for child in node:
            self._visit(child)

    def _assignment(self, node) -> None:
        """Only the right side is logic; a register that keeps its value is an enable that is stuck."""
        if node.kind == K.NonblockingAssignmentExpression:
            self._add(node.right, "enable", self._of(node.left))
        self._visit(node.right)

    def _expression(self, node) -> None:
        if node.kind in _SWAPS:
            self._add(node, "operator", f"({self._of(node.left)}) {_SWAPS[node.kind]} ({self._of(node.right)})")
        elif node.kind == K.ConditionalExpression:
            self._add(node, "operator", f"{self._of(node.predicate)} ? {self._of(node.right)} : {self._of(node.left)}")
        elif node.kind in (K.UnaryLogicalNotExpression, K.UnaryBitwiseNotExpression):
            self._add(node, "operator", self._of(node.operand))
        elif node.kind == K.IntegerVectorExpression:
            self._vector(node)
        elif node.kind == K.IntegerLiteralExpression:
            self._add(node, "constant", f"{self._of(node)} + 1")
        elif node.kind == K.UnbasedUnsizedLiteralExpression:
            self._add(node, "constant", {"'0": "'1", "'1": "'0"}[self._of(node)])
        elif node.kind == K.IdentifierName and _CONSTANT_NAME.fullmatch(self._of(node)):
            self._add(node, "constant", f"{self._of(node)} + 1")

    def _vector(self, node) -> None:
        width, sign, base, digits = re.fullmatch(r"(\d+)'(s?)([bdh])([0-9a-fA-F_]+)", self._of(node)).groups()
        value = (int(digits, {"b": 2, "d": 10, "h": 16}[base]) + 1) % (1 << int(width))
        self._add(node, "constant", f"{width}'{sign}h{value:x}")


def points(name: str, path: pathlib.Path) -> list[Point]:
    return Finder(name, path.read_text()).run()
