"""From an expression to the text of a formula: shared terms by LET, functions by LAMBDA."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from udfs.hosts.native.symbols import INFINITE, Symbol

#: What a name or a cell may hold.
LONGEST = 8192
# Where a formula gets longer, what comes last moves to a name of its own.
_LONGEST_PART = 6000
_FEWEST = 4
# Names that one LET may give.
_MOST_PAIRS = 126
# How long a term may get before it has a name too, so that there is something to move: the first
# that makes a formula short enough.
_CUTS = (math.inf, 2000, 1000)
_VARIABLE = re.compile(r"_xlpm\.\w+")
# How tightly operators bind; all bind to the left.
_BINDING = {"^": 5, "*": 4, "/": 4, "+": 3, "-": 3, "&": 2}
_BINDING |= dict.fromkeys(("=", "<>", "<", ">", "<=", ">="), 1)
_ATOM = 9
# What has something else than a value as its first argument.
_WITH_A_NAME = ("call", "named", "lambda")
_NEWER = {"LAMBDA", "LET", "MAP", "SCAN", "REDUCE", "MAKEARRAY", "BYROW", "SEQUENCE", "ISOMITTED"}
_NEWER |= {"SORTBY", "IFNA", "NORM.S.DIST", "TAKE", "DROP", "XMATCH", "TOCOL", "HSTACK", "VSTACK"}
_SHEET_ONES = {"FILTER", "SORT"}
_PREFIXES = re.compile(r"_xlfn\.(?:_xlws\.)?|_xlpm\.")
_OPTIONAL = re.compile(r"_xlop\.([^,()]+)")


class Shared:
    """Expressions that are made alike, as one."""

    def __init__(self) -> None:
        self.canonical: dict[Any, Symbol] = {}
        self.known: dict[int, Symbol] = {}
        self.kept: list[Symbol] = []
        self.free: dict[int, frozenset[int]] = {}

    def same(self, node: Any) -> Any:
        """Return the one node that stands for all that are made alike."""
        if not isinstance(node, Symbol):
            return node
        found = self.known.get(id(node))
        if found is not None:
            return found
        self.kept.append(node)
        op = node.op
        if op == "var":
            self.free[id(node)] = frozenset((id(node),))
            self.known[id(node)] = node
            return node
        # Written out, for a body that branches asks this of each node on each way.
        first = 1 if op in _WITH_A_NAME else 0
        args: list[Any] = list(node.args[:first])
        key: list[Any] = [op, *((type(a), a) for a in args)]
        inner: list[Symbol] = []
        for argument in node.args[first:]:
            if isinstance(argument, Symbol):
                one = self.same(argument)
                args.append(one)
                key.append(id(one))
                inner.append(one)
            else:
                args.append(argument)
                key.append((type(argument), argument))
        if op == "lambda":
            key = [op, *(id(v) for v in args[0]), id(args[1])]
        told = tuple(key)
        found = self.canonical.get(told)
        if found is None:
            found = self.canonical[told] = Symbol(op, *args, vector=False)
            free = frozenset().union(*[self.free[id(a)] for a in inner])
            if op == "lambda":
                free -= {id(v) for v in args[0]}
            self.free[id(found)] = free
        self.known[id(node)] = self.known[id(found)] = found
        return found


class _Writer(Shared):
    def __init__(self, name: str = "", cut: float = math.inf) -> None:
        super().__init__()
        self.part = name
        self.cut = cut
        self.lengths: dict[int, int] = {}
        self.parts: dict[str, str] = {}
        self.visible: list[str] = []
        self.names: dict[int, str] = {}
        self.taken: set[str] = set()

    def scope(self, body: Any, available: frozenset[int]) -> str:
        """Write a value; what it uses several times and can be told here gets a name here."""
        uses: dict[int, int] = {}
        order: list[Symbol] = []

        def visit(node: Any, repeated: bool) -> None:
            if not isinstance(node, Symbol) or node.op == "var" or id(node) in self.names:
                return
            here = self.free[id(node)] <= available
            before = uses.get(id(node), 0)
            uses[id(node)] = before + (2 if repeated and here else 1)
            if before:
                return
            first = 1 if node.op in _WITH_A_NAME else 0
            again = repeated or node.op == "lambda"
            for argument in node.args[first:]:
                # What a hoisted term needs is written once, in that term.
                visit(argument, again and not (here and node.op != "lambda"))
            if here and node.op != "lambda":
                order.append(node)

        visit(body, repeated=False)
        lines: list[tuple[str, str]] = []
        for node in order:
            if id(node) in self.names:
                continue
            shared = uses[id(node)] > 1 or self.length(node) > self.cut
            if node.op == "named" or (shared and _worth(node)):
                text = self.write(node.args[1] if node.op == "named" else node, available)[0]
                name = self.name(node.args[0] if node.op == "named" else "u")
                self.names[id(node)] = f"_xlpm.{name}"
                lines.append((f"_xlpm.{name}", text))
                self.visible.append(f"_xlpm.{name}")
        last = self.write(body, available)[0]
        del self.visible[len(self.visible) - len(lines) :]
        return self.let(lines, last, set(self.visible))

    def length(self, node: Any) -> int:
        """Return about how long the text of a value is; a name is short."""
        if not isinstance(node, Symbol) or id(node) in self.names:
            return 8
        if id(node) not in self.lengths:
            first = 1 if node.op in _WITH_A_NAME else 0
            self.lengths[id(node)] = 8 + sum(map(self.length, node.args[first:]))
        return self.lengths[id(node)]

    def let(self, lines: Sequence[tuple[str, str]], last: str, outer: set[str]) -> str:
        """Write named terms and what they serve; the later half as a name of its own if long."""
        text = f"_xlfn.LET({','.join(f'{n},{t}' for n, t in lines)},{last})" if lines else last
        fits = len(text) <= _LONGEST_PART and len(lines) <= _MOST_PAIRS
        if fits or not self.part or len(lines) < _FEWEST:
            return text
        half, length = 0, 0
        while length < len(text) // 2 and half < len(lines) - 1:
            length += len(lines[half][1])
            half += 1
        before = outer | {name for name, _ in lines[:half]}
        inner = self.let(lines[half:], last, before)
        needed = [v for v in dict.fromkeys(_VARIABLE.findall(inner)) if v in before]
        if "ISOMITTED" in inner:
            return text
        name = f"_{self.part.lstrip('_')}_{len(self.parts) + 2}"
        self.parts[name] = f"_xlfn.LAMBDA({','.join((*needed, inner))})"
        return self.let(lines[:half], f"{name}({','.join(needed)})", outer)

    def name(self, hint: str) -> str:
        """Return a name that is not in use and cannot be taken for a cell."""
        # Some evaluators take a workbook's own name, such as `tier_from_1`, before a variable.
        stem = f"{hint}_" if len(hint) == 1 else f"{hint}__"
        number = 1
        while f"{stem}{number}" in self.taken:
            number += 1
        self.taken.add(f"{stem}{number}")
        return f"{stem}{number}"

    def write(self, node: Any, available: frozenset[int]) -> tuple[str, int]:
        """Return the text of a value and how tightly it binds."""
        if not isinstance(node, Symbol):
            return constant(node)
        if id(node) in self.names:
            return self.names[id(node)], _ATOM
        if node.op == "var":
            raise AssertionError(f"{node.args[0]} is not bound here")
        if node.op in _BINDING:
            binds = _BINDING[node.op]
            left, right = (self.write(a, available) for a in node.args)
            before = left[0] if left[1] >= binds else f"({left[0]})"
            after = right[0] if right[1] > binds else f"({right[0]})"
            return f"{before}{node.op}{after}", binds
        if node.op == "neg":
            text, binds = self.write(node.args[0], available)
            return f"-{text if binds == _ATOM else f'({text})'}", 0
        if node.op == "named":
            return self.write(node.args[1], available)
        if node.op == "lambda":
            return self.function(node.args[0], node.args[1], available), _ATOM
        if node.op == "if":
            return f"IF({self.arguments(node.args, available)})", _ATOM
        if node.op == "column":
            return f"{{{';'.join(constant(v)[0] for v in node.args)}}}", _ATOM
        if node.op == "constants":
            return f"{{{','.join(constant(v)[0] for v in node.args)}}}", _ATOM
        if node.op == "reference":
            return node.args[0], _ATOM
        if node.op == "call":
            opening = prefixed(node.args[0])
            return f"{opening}({self.arguments(node.args[1:], available)})", _ATOM
        raise AssertionError(f"{node.op} has no text")

    def arguments(self, values: Sequence[Any], available: frozenset[int]) -> str:
        return ",".join(self.write(value, available)[0] for value in values)

    def function(
        self, variables: Sequence[Symbol], body: Any, available: frozenset[int], optional: int = 0
    ) -> str:
        """Write a LAMBDA; the last `optional` variables may be left out."""
        names = []
        for variable in variables:
            hint = variable.args[0]
            name = self.name(hint) if f"{hint}_" in self.taken or len(hint) == 1 else f"{hint}_"
            self.taken.add(name)
            self.names[id(variable)] = f"_xlpm.{name}"
            names.append(name)
        told = [
            f"{'_xlop' if i >= len(names) - optional else '_xlpm'}.{name}"
            for i, name in enumerate(names)
        ]
        self.visible += [f"_xlpm.{name}" for name in names]
        inner = self.scope(body, available | {id(v) for v in variables})
        del self.visible[len(self.visible) - len(names) :]
        return f"_xlfn.LAMBDA({','.join((*told, inner))})"


def lambda_parts(
    name: str, variables: Sequence[Symbol], body: Any, optional: int = 0
) -> tuple[str, dict[str, str]]:
    """Return a LAMBDA, and the names that hold the rest of it where it is long."""
    for cut in _CUTS:
        writer = _Writer(name, cut)
        text = writer.function(variables, writer.same(body), frozenset(), optional)
        if max(map(len, (text, *writer.parts.values()))) <= LONGEST:
            break
    return text, writer.parts


def lambda_text(variables: Sequence[Symbol], body: Any, optional: int = 0) -> str:
    """Return a LAMBDA as a file stores it.

    Optional variables stand in the list as `_xlop.name` and everywhere else as `_xlpm.name`, as
    Excel itself writes them.
    """
    writer = _Writer()
    body = writer.same(body)
    return writer.function(variables, body, frozenset(), optional)


def shown(text: str) -> str:
    """Return a stored formula as a user would type it.

    >>> shown("_xlfn.LAMBDA(_xlpm.x,_xlop.y,_xlpm.x)")
    'LAMBDA(x,[y],x)'
    """
    return _PREFIXES.sub("", _OPTIONAL.sub(r"[\1]", text))


def prefixed(name: str) -> str:
    """Return the name of a function as a file stores it."""
    if name in _SHEET_ONES:
        return f"_xlfn._xlws.{name}"
    return f"_xlfn.{name}" if name in _NEWER else name


def constant(value: Any) -> tuple[str, int]:
    """Return the text of a constant and how tightly it binds."""
    if isinstance(value, str):
        return '"{}"'.format(value.replace('"', '""')), _ATOM
    if isinstance(value, bool):
        return str(value).upper(), _ATOM
    if math.isnan(value):
        return "SQRT(-1)", _ATOM
    number = math.copysign(INFINITE, value) if math.isinf(value) else value
    text = f"{number:.0f}" if number == int(number) and abs(number) < 1e15 else repr(number).upper()
    return text, 0 if number < 0 else _ATOM


def _worth(node: Symbol) -> bool:
    """Tell whether a shared term is long enough for a name."""
    return node.op != "reference" and any(isinstance(a, Symbol) for a in node.args)
