# SPDX-License-Identifier: Apache-2.0
"""A random kernel: any mix of what kernel code may do, with no undefined behaviour in it, so that it means one thing only.

usage: random_kernel.py SEED > kernel.cpp
"""
import random
import sys

ARRAY = 8


class Body:
    """Of an update: any mix of its entry and its arguments."""

    def __init__(self, rng: random.Random):
        self._rng = rng
        widths = [1, 2, 5, 8, 12, 16, 24, 31, 33, 48]
        self.entry = {f"e{i}": rng.choice(widths) for i in range(rng.randint(1, 4))}
        self.args = {f"a{i}": rng.choice(widths) for i in range(rng.randint(1, 4))}

    def expression(self, width: int, depth: int) -> str:
        if depth == 0:
            name = self._rng.choice([f"entry.{name}" for name in self.entry] + [f"args.{name}" for name in self.args])
            return f"static_cast<bits<{width}>>({name})"
        a, b = self.expression(width, depth - 1), self.expression(width, depth - 1)
        forms = [f"{a} {op} {b}" for op in ("+", "-", "&", "|", "^")] + [f"{a} {self._rng.choice(['<', '==', '>='])} {b} ? {a} : {b}", f"~{a}"]
        return f"static_cast<bits<{width}>>({self._rng.choice(forms)})"

    def types(self) -> list[str]:
        def fields(of: dict[str, int]) -> str:
            return " ".join(f"bits<{width}> {name};" for name, width in of.items())
        return [f"struct StateEntry {{ {fields(self.entry)} }};", f"struct StateArgs {{ {fields(self.args)} }};", "struct StateResult { bits<20> r; bool f; };",
                "StateResult update_state(bits<4> index, const StateArgs& args);", "StateResult state_update(StateEntry& entry, const StateArgs& args);"]

    def function(self) -> list[str]:
        lines = ["StateResult state_update(StateEntry& entry, const StateArgs& args) {", "  StateResult result = {0, false};"]
        for name, width in self.entry.items():
            change = f"entry.{name} = {self.expression(width, 2)};"
            lines.append(f"  {change}" if self._rng.random() < 0.6 else f"  if ({self.expression(8, 1)} > 9) {{ {change} result.f = true; }}")
        return [*lines, f"  result.r = {self.expression(20, 2)};", "  return result;", "}"]


class Kernel:
    def __init__(self, seed: int):
        self._rng = random.Random(seed)
        self._widths = {f"in.f{i}": self._width() for i in range(6)}
        self._locals: dict[str, int] = {}
        self._lines: list[str] = []
        self._count = 0
        self._body = Body(self._rng) if self._rng.random() < 0.6 else None

    def _width(self) -> int:
        return self._rng.choice([1, 2, 3, 5, 7, 8, 11, 12, 16, 17, 24, 31, 32, 33, 40, 48, 63, 64, 65, 96, 128])

    def _pick(self, *choices):
        return self._rng.choice(choices)

    # ---- expressions, each of a given width

    def _leaf(self, width: int) -> str:
        names = list(self._widths.items()) + list(self._locals.items())
        kind = self._rng.random()
        if kind < 0.15:
            return f"static_cast<bits<{width}>>({self._rng.getrandbits(min(width, 31))})"
        if kind < 0.25:
            return f"static_cast<bits<{width}>>(in.bytes[{self._rng.randrange(ARRAY)}])"
        if kind < 0.32:
            return f"static_cast<bits<{width}>>(in.bytes[static_cast<unsigned>({self._narrow(3)})])"
        if kind < 0.37:
            return f"static_cast<bits<{width}>>(work[static_cast<unsigned>({self._narrow(3)})])"
        if kind < 0.42:
            return f"static_cast<bits<{width}>>(in.flag)"
        if kind < 0.47:
            return f"static_cast<bits<{width}>>(in.pair[{self._rng.randrange(2)}].{self._pick('left', 'right')})"
        name, _ = self._rng.choice(names)
        return f"static_cast<bits<{width}>>({name})"

    def _narrow(self, width: int) -> str:
        name, _ = self._rng.choice(list(self._widths.items()) + list(self._locals.items()))
        return f"static_cast<bits<{width}>>({name})"

    def expression(self, width: int, depth: int) -> str:
        if depth == 0:
            return self._leaf(width)
        a, b = self.expression(width, depth - 1), self.expression(width, depth - 1)
        other = self._width()
        wide = self.expression(other, depth - 1)
        shift = self._rng.randrange(other)
        below = min(8, 1 << (other.bit_length() - 1))  # a power of two, so that amounts below it never reach the width
        forms = [f"{a} {op} {b}" for op in ("+", "-", "&", "|", "^")] * 2 + [
            f"{a} * {b}" if width <= 24 else f"{a} + {b}",
            f"~{a}",
            f"{self.condition(depth - 1)} ? {a} : {b}",
            f"{wide} >> {shift}",
            f"{wide} << {shift}",
            f"{wide} >> static_cast<unsigned>({self._narrow(3)} % {below}U)",
            f"{wide} << static_cast<unsigned>({self._narrow(3)} % {below}U)",
            f"{wide} / {1 << self._rng.randrange(min(other, 8))}U" if other > 8 else wide,
            f"{wide} % {1 << self._rng.randrange(min(other, 8))}U" if other > 8 else wide,
            f"pick{self._rng.randrange(2)}(static_cast<bits<20>>({a}), static_cast<bits<20>>({b}))",
            f"kTable[static_cast<unsigned>(static_cast<bits<4>>({a}))]",
            f"static_cast<unsigned>(static_cast<int>(static_cast<bits<12>>({a})) - 2000) >> {self._rng.randrange(3)}",
        ]
        return f"static_cast<bits<{width}>>({self._rng.choice(forms)})"

    def condition(self, depth: int) -> str:
        width = self._width()
        a, b = self.expression(width, depth), self.expression(width, max(0, depth - 1))
        signed = f"static_cast<int>(static_cast<bits<13>>({a})) - 4096"
        return self._pick(f"({a} {self._pick('==', '!=', '<', '<=', '>', '>=')} {b})", f"({a} != 0)", "in.flag", f"!({a} == {b})",
                          f"({signed} < static_cast<int>(static_cast<bits<12>>({b})) - 2048)",
                          f"(({a} > {b}) {self._pick('&&', '||')} in.flag)")

    # ---- statements

    def _emit(self, indent: int, text: str) -> None:
        self._lines.append("  " * indent + text)

    def _local(self, indent: int) -> None:
        width = self._width()
        text = self.expression(width, 2)
        name = f"v{self._count}"
        self._count += 1
        self._emit(indent, f"bits<{width}> {name} = {text};")
        self._locals[name] = width

    def _assign(self, indent: int) -> None:
        if self._locals and self._rng.random() < 0.6:
            name, width = self._rng.choice(list(self._locals.items()))
            self._emit(indent, f"{name} = {self.expression(width, 2)};")
        else:
            index = self._pick(str(self._rng.randrange(ARRAY)), f"static_cast<unsigned>({self._narrow(3)})")
            self._emit(indent, f"work[{index}] = {self.expression(16, 2)};")

    def block(self, indent: int, statements: int, depth: int) -> None:
        """Locals of a block are gone behind it."""
        outside = dict(self._locals)
        for _ in range(statements):
            kind = self._rng.random()
            if depth == 0 or kind < 0.45:
                (self._local if self._rng.random() < 0.4 else self._assign)(indent)
            elif kind < 0.65:
                self._emit(indent, f"if ({self.condition(2)}) {{")
                self.block(indent + 1, 2, depth - 1)
                if self._rng.random() < 0.6:
                    self._emit(indent, "} else {")
                    self.block(indent + 1, 2, depth - 1)
                self._emit(indent, "}")
            elif kind < 0.8:
                self._loop(indent, depth)
            else:
                self._switch(indent, depth)
        self._locals = {name: width for name, width in self._locals.items() if name in outside}

    def _loop(self, indent: int, depth: int) -> None:
        i = f"i{self._count}"
        self._count += 1
        self._emit(indent, f"for (unsigned {i} = 0; {i} < {self._rng.randint(2, ARRAY)}; ++{i}) {{")
        if self._rng.random() < 0.4:
            self._emit(indent + 1, f"if ({self.condition(1)}) {self._pick('break', 'continue')};")
        self._emit(indent + 1, f"work[{i}] = static_cast<bits<16>>(work[{i}] {self._pick('+', '^', '|')} in.bytes[{i}]);")
        self.block(indent + 1, 1, depth - 1)
        self._emit(indent, "}")

    def _switch(self, indent: int, depth: int) -> None:
        self._emit(indent, f"switch (static_cast<unsigned>({self._narrow(3)})) {{")
        for value in self._rng.sample(range(8), self._rng.randint(2, 6)):
            self._emit(indent + 1, f"case {value}: {{")
            self.block(indent + 2, 1, depth - 1)
            self._emit(indent + 1, "}")
            self._emit(indent + 1, self._pick("break;", "break;", "[[fallthrough]];"))
        self._emit(indent + 1, "default:")
        self._emit(indent + 2, "break;")
        self._emit(indent, "}")

    def _update(self) -> None:
        args = ", ".join(self.expression(width, 1) for width in self._body.args.values())
        self._emit(1, "bits<20> state = 0;")
        self._emit(1, f"if (in.flag || {self.condition(1)}) {{")  # never always false
        self._emit(2, f"const StateResult result = update_state({self._narrow(4)}, {{{args}}});")
        self._emit(2, "state = result.f ? result.r : static_cast<bits<20>>(~result.r);")
        self._emit(1, "}")
        self._locals["state"] = 20

    def text(self) -> str:
        outputs = [self._width() for _ in range(8)]
        head = ['#include "hls.h"', "namespace random_kernel {", "using hls::bits;",
                "struct Pair { bits<9> left; bits<5> right; };", "struct In {"]
        head += [f"  bits<{width}> {name[3:]};" for name, width in self._widths.items()]
        head += [f"  bits<8> bytes[{ARRAY}];", "  bool flag;", "  Pair pair[2];", "};", "struct Out {"]
        head += [f"  bits<{width}> o{i};" for i, width in enumerate(outputs)] + [f"  bits<16> work[{ARRAY}];", "};"]
        if self._body:
            head += ["#define KERNEL_UPDATES", *self._body.types()]
        table = ", ".join(str(self._rng.getrandbits(16)) for _ in range(16))
        helpers = ["#ifdef KERNEL_BODY", "namespace {", f"constexpr unsigned short kTable[16] = {{{table}}};",
                   "bits<20> pick0(bits<20> a, bits<20> b) { if (a > b) return static_cast<bits<20>>(a - b); return b; }",
                   "bits<20> pick1(bits<20> a, bits<20> b) { bits<20> r = a; for (unsigned i = 0; i < 4; ++i) "
                   "{ if (((b >> i) & 1) != 0) r = static_cast<bits<20>>(r + (a << i)); } return r; }",
                   "}  // namespace", *(self._body.function() if self._body else []), "void kernel(const In& in, Out& out) {",
                   f"  bits<16> work[{ARRAY}];", f"  for (unsigned i = 0; i < {ARRAY}; ++i) work[i] = static_cast<bits<16>>(in.bytes[i] << i);"]
        for _ in range(4):
            self._local(1)
        if self._body:
            self._update()
        self.block(1, 8, 3)
        for i, width in enumerate(outputs):
            self._emit(1, f"out.o{i} = {self.expression(width, 3)};")
            if i == 3:
                for j in range(4, 8):
                    self._emit(1, f"out.o{j} = {self.expression(outputs[j], 1)};")
                self._emit(1, f"for (unsigned i = 0; i < {ARRAY}; ++i) out.work[i] = work[i];")
                self._emit(1, f"if ({self.condition(2)}) return;")
        return "\n".join(head + helpers + self._lines + ["}", "#endif", "}  // namespace random_kernel", ""])


if __name__ == "__main__":
    print(Kernel(int(sys.argv[1])).text())
