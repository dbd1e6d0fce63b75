"""Small faults, one at a time: every way to spoil a Vyper source by one operator, term, bound or statement.

A mutant is the source with the text between two positions of its syntax tree replaced, so everything else stays as it
was written. Types are left alone: almost nothing that becomes of them compiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from vyper import ast as vy

COMPARISONS = {"Lt": ("<", "<="), "LtE": ("<=", "<"), "Gt": (">", ">="), "GtE": (">=", ">")} | {
    "Eq": ("==", "!="),
    "NotEq": ("!=", "=="),
}
ARITHMETIC = {
    "Add": ("+", "-"),
    "Sub": ("-", "+"),
    "Mult": ("*", "//"),
    "FloorDiv": ("//", "*"),
    "Mod": ("%", "*"),
    "LShift": ("<<", ">>"),
    "RShift": (">>", "<<"),
    "BitAnd": ("&", "|"),
    "BitOr": ("|", "&"),
    "BitXor": ("^", "|"),
}
LOGIC = {"And": ("and", "or"), "Or": ("or", "and")}
CALLS = {
    "unsafe_add": "unsafe_sub",
    "unsafe_sub": "unsafe_add",
    "unsafe_mul": "unsafe_div",
    "unsafe_div": "unsafe_mul",
}
EXTREMES = {"min": "max", "max": "min"}
ROUNDING = {"floor": "ceil", "ceil": "floor", "self._div_up": "unsafe_div", "self._sqrt_up": "isqrt"}
# What consists of terms; of some only the first can stand alone: a minuend, a value without its mask.
TERMS = {"Add", "BitOr", "BitXor", "unsafe_add", "min", "max"}
FIRST_TERMS = {"Sub", "BitAnd", "unsafe_sub"}


@dataclass(frozen=True)
class Mutant:
    """One fault: which, where, and the source that has it. `before` and `after` are the lines it touches."""

    file: str
    operator: str
    function: str  # empty for a constant
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it for as long as nobody changes the lines it touches."""
        return self.file, self.function, self.before, self.after

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.operator}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


class _Source:
    """A text and where the nodes of its syntax tree stand in it."""

    def __init__(self, text: str, modules: Mapping[str, str]) -> None:
        if not text.isascii():
            raise ValueError("the parser counts bytes: write the source in ASCII")
        self.text = text
        self.tree = vy.parse_to_ast(text)
        self._lines = [0, *accumulate(map(len, text.splitlines(keepends=True)))]
        # As long as the text, so that a symbol is never found in a comment.
        self._code = re.sub(r"#.*", lambda comment: " " * len(comment[0]), text)
        self.neighbours = dict(_neighbours(self.tree))
        for name, imported in modules.items():
            beside = _neighbours(vy.parse_to_ast(imported))
            self.neighbours |= {f"{name}.{constant}": f"{name}.{other}" for constant, other in beside}

    def span(self, node: Any) -> tuple[int, int]:
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: Any) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def between(self, left: Any, right: Any, symbol: str) -> tuple[int, int]:
        """Where the symbol between two operands stands."""
        start = self._code.index(symbol, self.span(left)[1], self.span(right)[0])
        return start, start + len(symbol)

    def lines(self, start: int, end: int) -> tuple[int, int, int]:
        """The whole lines that a span touches, and the number of the first."""
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", end)
        return first, len(self.text) if last < 0 else last, self.text.count("\n", 0, start) + 1


def mutants(file: str, text: str, modules: Mapping[str, str] | None = None) -> list[Mutant]:
    """
    Every mutant of a source, from its top to its bottom; `modules` are sources it imports constants from, by name.
    Raises ValueError if the source is not ASCII.
    """
    source = _Source(text, modules or {})
    found: dict[str, Mutant] = {}
    for function, node in _nodes(source.tree):
        for operator, edits in OPERATORS.items():
            for edit in edits(node, source):
                mutant = _mutant(file, operator, function, source, edit)
                found.setdefault(mutant.source, mutant)
    return sorted(found.values(), key=lambda mutant: mutant.line)


def _mutant(file: str, operator: str, function: str, source: _Source, edit: _Edit) -> Mutant:
    first, last, number = source.lines(edit.start, edit.end)
    changed = source.text[first : edit.start] + edit.text + source.text[edit.end : last]
    before, after = (" ".join(lines.split()) for lines in (source.text[first:last], changed))
    return Mutant(file, operator, function, number, before, after, source.text[:first] + changed + source.text[last:])


def _nodes(tree: Any) -> Iterator[tuple[str, Any]]:
    """What is computed, with the name of its function: bodies and the values of constants."""
    for top in tree.body:
        if isinstance(top, vy.FunctionDef):
            for statement in top.body:
                for node in _computed(statement):
                    yield top.name, node
        elif isinstance(top, vy.VariableDecl) and top.is_constant:
            for node in _computed(top.value):
                yield "", node


def _computed(node: Any) -> Iterator[Any]:
    yield node
    for child in node.get_children():
        if child is not getattr(node, "annotation", None):
            yield from _computed(child)


def _neighbours(tree: Any) -> Iterator[tuple[str, str]]:
    """Each constant with the next one of its block; the last with the one before."""
    constants = [top for top in tree.body if isinstance(top, vy.VariableDecl) and top.is_constant]
    for at, constant in enumerate(constants):
        around = [*constants[at + 1 : at + 2], *constants[max(at - 1, 0) : at]]
        beside = [other.target.id for other in around if abs(other.lineno - constant.lineno) == 1]
        yield from ((constant.target.id, name) for name in beside[:1])


def _symbol(node: Any, table: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    return table.get(type(node.op).__name__)


def _is_call(node: Any, source: _Source, names: dict[str, str]) -> bool:
    return isinstance(node, vy.Call) and source.of(node.func) in names


def _operands(node: Any, source: _Source) -> list[str]:
    """What stands on both sides of an operator, in the parentheses it is written in."""
    start, end = source.span(node)
    before, after = source.between(node.left, node.right, ARITHMETIC[type(node.op).__name__][0])
    return [source.text[start:before].rstrip(), source.text[after:end].lstrip()]


def _is_base(node: Any) -> bool:
    parent = node.get_ancestor()
    return isinstance(parent, vy.BinOp) and isinstance(parent.op, vy.Pow) and node is parent.left


def _argument(node: Any, source: _Source) -> str:
    """An argument fit to stand for its call."""
    bare = isinstance(node, (vy.Name, vy.Attribute, vy.Call, vy.Subscript, vy.Int))
    return source.of(node) if bare else f"({source.of(node)})"


# the operators


def _compare(node: Any, source: _Source) -> Iterator[_Edit]:
    """The bound itself on the other side; equal for unequal."""
    if isinstance(node, vy.Compare) and (symbols := _symbol(node, COMPARISONS)):
        yield _Edit(*source.between(node.left, node.right, symbols[0]), symbols[1])


def _arithmetic(node: Any, source: _Source) -> Iterator[_Edit]:
    """Another operator."""
    if isinstance(node, vy.BinOp) and (symbols := _symbol(node, ARITHMETIC)):
        yield _Edit(*source.between(node.left, node.right, symbols[0]), symbols[1])
    if isinstance(node, vy.AugAssign) and (symbols := _symbol(node, ARITHMETIC)):
        yield _Edit(*source.between(node.target, node.value, f"{symbols[0]}="), f"{symbols[1]}=")
    if _is_call(node, source, CALLS):
        yield _Edit(*source.span(node.func), CALLS[source.of(node.func)])


def _logic(node: Any, source: _Source) -> Iterator[_Edit]:
    """`and` for `or`; one of the conditions left out."""
    if not isinstance(node, vy.BoolOp):
        return
    word, other = LOGIC[type(node.op).__name__]
    words = [source.between(*pair, word) for pair in zip(node.values, node.values[1:], strict=False)]
    for start, end in words:
        yield _Edit(start, end, other)
    begin, finish = source.span(node)
    yield _Edit(begin, words[0][1] + 1, "")
    ends = [*(start for start, _ in words[1:]), finish]
    yield from (_Edit(start - 1, end - (end != finish), "") for (start, _), end in zip(words, ends, strict=True))


def _term(node: Any, source: _Source) -> Iterator[_Edit]:
    """One operand in place of two."""
    start, end = source.span(node)
    if isinstance(node, vy.BinOp):
        name = type(node.op).__name__
        operands = _operands(node, source) if name in TERMS | FIRST_TERMS else []
    elif isinstance(node, vy.Call):
        name = source.of(node.func)
        operands = [_argument(arg, source) for arg in node.args] if name in TERMS | FIRST_TERMS else []
    else:
        return
    yield from (_Edit(start, end, operand) for operand in operands[: 1 if name in FIRST_TERMS else None])


def _sign(node: Any, source: _Source) -> Iterator[_Edit]:
    """A difference or a number with the other sign."""
    if isinstance(node, vy.BinOp) and isinstance(node.op, vy.Sub):
        left, right = _operands(node, source)
        yield _Edit(*source.span(node), f"{right} - ({left})")
    if _is_call(node, source, {"unsafe_sub": ""}):
        left, right = (source.of(arg) for arg in node.args)
        turned = _argument(node.args[1], source) if left == "0" else f"unsafe_sub({right}, {left})"
        yield _Edit(*source.span(node), turned)
    if isinstance(node, vy.UnaryOp):
        yield _Edit(*source.span(node), _argument(node.operand, source))


def _extreme(node: Any, source: _Source) -> Iterator[_Edit]:
    """The larger for the smaller."""
    if _is_call(node, source, EXTREMES):
        yield _Edit(*source.span(node.func), EXTREMES[source.of(node.func)])


def _rounding(node: Any, source: _Source) -> Iterator[_Edit]:
    """Down for up."""
    if _is_call(node, source, ROUNDING):
        yield _Edit(*source.span(node.func), ROUNDING[source.of(node.func)])


def _number(node: Any, source: _Source) -> Iterator[_Edit]:
    """One more, one less; of a power, in its exponent."""
    if isinstance(node, vy.Int) and not _is_base(node):
        yield from (_Edit(*source.span(node), str(value)) for value in (node.value + 1, node.value - 1) if value >= 0)


def _constant(node: Any, source: _Source) -> Iterator[_Edit]:
    """A constant's neighbour in its stead: the next field, the next power of ten."""
    if isinstance(node, (vy.Name, vy.Attribute)) and source.of(node) in source.neighbours:
        yield _Edit(*source.span(node), source.neighbours[source.of(node)])


def _condition(node: Any, source: _Source) -> Iterator[_Edit]:
    """The other branch, where `compare` does not already take it."""
    if isinstance(node, (vy.If, vy.IfExp)) and not isinstance(getattr(node.test, "op", None), (vy.Eq, vy.NotEq)):
        yield _Edit(*source.span(node.test), f"not ({source.of(node.test)})")


def _statement(node: Any, source: _Source) -> Iterator[_Edit]:
    """A guard or an assignment forgotten."""
    if isinstance(node, (vy.Assert, vy.Raise, vy.Assign, vy.AugAssign, vy.Expr, vy.Log)):
        yield _Edit(*source.span(node), "pass")


OPERATORS: dict[str, Callable[[Any, _Source], Iterator[_Edit]]] = {
    "compare": _compare,
    "arithmetic": _arithmetic,
    "logic": _logic,
    "term": _term,
    "sign": _sign,
    "extreme": _extreme,
    "rounding": _rounding,
    "number": _number,
    "constant": _constant,
    "condition": _condition,
    "statement": _statement,
}
