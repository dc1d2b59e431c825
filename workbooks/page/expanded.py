"""Calls of native functions written out where they stand, so that the page computes them quickly.

The page's calculator copies the whole text of a named LAMBDA at each call, and keeps the copy until
it has computed everything. Written out, with the arguments in the place of the parameters and what
is known of them decided, a formula computes several times as fast. That it is the same formula is
not taken for granted: each cell is compared before a page is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from udfs.hosts.native.helpers import helpers
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    COMPARISONS,
    Call,
    Logical,
    Missing,
    Name,
    Node,
    Number,
    Operation,
    Paren,
    Sign,
    TableReference,
    Text,
    bare,
    children,
    rebuilt,
    text_of,
    walk,
)
from workbooks.page.formulas import CELL, CELLS, stored

_STANDS_FOR_CELL = re.compile(CELL.format(r"\d+"))
_OURS = re.compile(r"_?TOK_\w+")
#: Functions that give one value where all of their arguments are single ones.
_ELEMENTWISE = frozenset((
    "IF", "IFERROR", "IFNA", "AND", "OR", "NOT", "ABS", "INT", "ROUND", "SQRT", "EXP", "LN",
    "LOG10", "ISNUMBER", "ISTEXT", "ISERROR", "ISLOGICAL", "ISBLANK", "ISNA", "LOWER", "UPPER",
    "TRIM", "SUBSTITUTE", "VALUE", "TEXT", "MID", "LEFT", "RIGHT", "LEN", "DATE", "YEAR", "MONTH",
    "DAY", "NORM.S.DIST", "CHOOSE", "NA", "PI",
))  # fmt: skip
#: Functions that give one value whatever they are given.
_SUMMING = frozenset(
    ("SUM", "MAX", "MIN", "COUNT", "COUNTA", "ROWS", "COLUMNS", "SUMPRODUCT", "PRODUCT")
)

#: Functions of Excel that this calculator has otherwise, and that are written in another way.
REWRITTEN = frozenset(("AND", "SUMPRODUCT"))
_CONSTANTS = (Number, Text, Logical)
_KINDS = {"ISNUMBER": Number, "ISTEXT": Text, "ISLOGICAL": Logical}
_STANDS_FOR_CELLS = re.compile(CELLS.format(r"\d+"))
#: Helpers in a form that this calculator computes sooner: it need not ask for each cell by itself.
_SOONER = {
    "_TOK_FLAT": 'LAMBDA(x_,IF(ROWS(x_)*COLUMNS(x_)=1,_TOK_CELL(x_,""),'
    'MAP(TOCOL(x_),LAMBDA(v_,_TOK_CELL(v_,"")))))',
    "_TOK_SERIES": 'LAMBDA(x_,IF(ROWS(x_)*COLUMNS(x_)=1,_TOK_CELL(x_,1+"x"),'
    'LET(c_,MAP(TOCOL(x_),LAMBDA(v_,_TOK_CELL(v_,""))),FILTER(c_,c_<>"",1+"x"))))',
}


class _UnexpandableError(Exception):
    """A call that is left as it is."""


@dataclass
class Expander:
    """Writes out the calls of a workbook's own native functions."""

    #: Texts of the names, as they are typed, by the names in upper case.
    names: Mapping[str, str]
    _functions: dict[str, Call] = field(default_factory=dict)

    def calls_ours(self, name: str) -> bool:
        """Tell whether a called name is a native function of the workbook."""
        return bool(_OURS.fullmatch(name)) and self.names.get(name, "").startswith("LAMBDA(")

    def text(self, formula: str) -> str:
        """Return a formula, without its equals sign, with calls of our functions written out."""
        try:
            tree = _Writer(self).written(self._shared(parse(formula)), {})
            return text_of(_tidied(tree))
        except (FormulaError, _UnexpandableError):
            return formula

    def _shared(self, tree: Node) -> Node:
        """Return a formula in which a call that stands in it more than once is computed once."""
        nodes = list(walk(tree))
        calls = [n for n in nodes if isinstance(n, Call)]
        if any(c.name in ("LET", "LAMBDA") for c in calls):
            # What is called there may hang on names that are not known outside.
            return tree
        times = Counter(c for c in calls if self.calls_ours(c.name))
        names = {c: Name(f"shared{i}__") for i, (c, n) in enumerate(times.items()) if n > 1}
        if not names:
            return tree

        def change(node: Node) -> Node:
            return (
                names.get(node, rebuilt(node, change))
                if isinstance(node, Call)
                else rebuilt(node, change)
            )

        lines = [part for call, name in names.items() for part in (name, call)]
        return Call("LET", (*lines, change(tree)))

    def function(self, name: str) -> Call:
        """Return the LAMBDA that a name stands for."""
        if name not in self._functions:
            text = self.names[name]
            if name in _SOONER and text == stored(helpers()[name]):
                text = _SOONER[name]
            tree = parse(text)
            if not isinstance(tree, Call) or tree.name != "LAMBDA":
                raise _UnexpandableError
            self._functions[name] = tree
        return self._functions[name]


_Values = Mapping[str, Node]


@dataclass
class _Writer:
    """Writes out one formula; each name that it binds is used once in the whole formula."""

    functions: Expander
    single: set[str] = field(default_factory=set)
    _number: int = 0

    def written(self, node: Node, values: _Values) -> Node:
        """Return a tree with the values of its variables put in, and what is known decided."""
        into = partial(self.written, values=values)
        match node:
            case Name(text, None):
                return values.get(text.casefold(), node)
            case Paren(inner):
                inner = into(inner)
                return inner if _is_plain(inner) else Paren(inner)
            case Call("LET"):
                return self._let(node.arguments, values)
            case Call("LAMBDA"):
                return self._lambda(node, values, single=0)
            case Call("IF", (condition, *branches)):
                decided = into(condition)
                if isinstance(decided, Logical) and len(branches) == 2:
                    return into(branches[0 if decided.value else 1])
                written = tuple(map(into, branches))
                if len(written) == 2 and written[0] == written[1] and _never_fails(decided):
                    return written[0]
                return Call("IF", (decided, *written))
            case Call("ISOMITTED", (Name(text, None),)):
                return Logical(isinstance(values.get(text.casefold()), Missing))
            case Call("MAP" | "MAKEARRAY" | "SCAN", (*given, Call("LAMBDA") as function)):
                arguments = tuple(map(into, given))
                return self._each(node.name, arguments, function, values)
            case Call(name) if self.functions.calls_ours(name):
                return self._called(name, tuple(map(into, node.arguments)))
        return self._decided(rebuilt(node, into))

    def _called(self, name: str, given: Sequence[Node]) -> Node:
        *parameters, body = self.functions.function(name).arguments
        if len(given) > len(parameters):
            raise _UnexpandableError
        filled = (*given, *(Missing() for _ in parameters[len(given) :]))
        return self._bound(list(zip(map(_parameter, parameters), filled, strict=True)), body, {})

    def _bound(self, pairs: Sequence[tuple[str, Node]], body: Node, values: _Values) -> Node:
        """Return a body with names for what is more than a name, a cell or a constant."""
        inner = dict(values)
        lines: list[Node] = []
        for name, value in pairs:
            inner[name.casefold()] = self._named(value, lines)
        return _let(lines, self.written(body, inner))

    def _named(self, value: Node, lines: list[Node]) -> Node:
        """Return what stands for a value: itself, or a new name, which is put among the lines."""
        if isinstance(value, Call) and value.name == "LET":
            *before, value = value.arguments
            lines += before
        if _is_plain(value) or isinstance(value, Missing):
            return value
        fresh = self._fresh(single=self.is_single(value))
        lines += [Name(fresh), value]
        return Name(fresh)

    def _let(self, arguments: Sequence[Node], values: _Values) -> Node:
        inner = dict(values)
        lines: list[Node] = []
        for name, value in zip(arguments[:-1:2], arguments[1::2], strict=True):
            if not isinstance(name, Name):
                raise _UnexpandableError
            inner[name.text.casefold()] = self._named(self.written(value, inner), lines)
        return _let(lines, self.written(arguments[-1], inner))

    def _lambda(self, node: Call, values: _Values, *, single: int) -> Call:
        """Return a LAMBDA whose first `single` parameters are single values."""
        *parameters, body = node.arguments
        inner = dict(values)
        names: list[Node] = []
        for i, parameter in enumerate(parameters):
            if not isinstance(parameter, Name):
                raise _UnexpandableError
            fresh = self._fresh(single=i < single)
            inner[parameter.text.casefold()] = Name(fresh)
            names.append(Name(fresh))
        return Call("LAMBDA", (*names, self.written(body, inner)))

    def _each(self, name: str, given: tuple[Node, ...], function: Call, values: _Values) -> Node:
        *parameters, body = function.arguments
        if name == "MAP" and len(given) == len(parameters) and all(map(self.is_single, given)):
            pairs = zip(map(_parameter, parameters), given, strict=True)
            return self._bound(list(pairs), body, values)
        return Call(name, (*given, self._lambda(function, values, single=len(parameters))))

    def _fresh(self, *, single: bool) -> str:
        while True:
            self._number += 1
            fresh = f"v{self._number}__"
            if fresh.upper() not in self.functions.names:
                break
        if single:
            self.single.add(fresh)
        return fresh

    def is_single(self, node: Node) -> bool:
        """Tell whether a value is known to be one, not an array."""
        match node:
            case Number() | Text() | Logical():
                return True
            case Name(text, None):
                return text in self.single or bool(_STANDS_FOR_CELL.fullmatch(text))
            case Reference():
                return node.is_cell
            case Operation() | Sign() | Paren():
                return all(map(self.is_single, children(node)))
            case Call("LET", (*_, body)):
                return self.is_single(body)
            case Call("MATCH", (wanted, *_)):
                return self.is_single(wanted)
            case Call(name, arguments):
                return name in _SUMMING or (
                    name in _ELEMENTWISE and all(map(self.is_single, arguments))
                )
        return False

    def _decided(self, node: Node) -> Node:
        """Return what a node comes to where that is known whatever the cells hold."""
        match node:
            case Call("ROWS" | "COLUMNS", (one,)) if self.is_single(one):
                return Number("1")
            case Call("INDEX", (one, *places)) if self.is_single(one) and all(
                place == Number("1") for place in places
            ):
                return one
            case Operation("*", Number("1"), Number("1")):
                return Number("1")
            case Operation(
                "=",
                Operation("*", Call("ROWS", (Name(one),)), Call("COLUMNS", (Name(same),))),
                Number("1"),
            ) if one == same and _STANDS_FOR_CELLS.fullmatch(one):
                return Logical(value=False)
            case Operation("=", Number(left), Number(right)) if left.isdigit() and right.isdigit():
                return Logical(left == right)
            case Operation("=", Text(left), Text(right)):
                return Logical(left.casefold() == right.casefold())
            case Call("AND", (first, *others)) if all(map(_is_comparison, node.arguments)):
                # There an AND leaves off at the first FALSE, and tells no error behind it.
                every: Node = Paren(first)
                for other in others:
                    every = Operation("*", every, Paren(other))
                return Operation(">", every, Number("0"))
            case Call("SUMPRODUCT", (Operation("*") as product,)):
                return Call("SUM", (_telling_errors(product),))
            case Call("ISNUMBER" | "ISTEXT" | "ISERROR" | "ISLOGICAL" as name, (one,)) if (
                isinstance(one, _CONSTANTS)
            ):
                return Logical(isinstance(one, _KINDS.get(name, ())))
        return node


def _parameter(node: Node) -> str:
    if isinstance(node, Name):
        return node.text
    if isinstance(node, TableReference):
        # One that may be left out is written in brackets.
        return node.text.strip("[]")
    raise _UnexpandableError


def _telling_errors(node: Node) -> Node:
    """Return an array of numbers in which a comparison with an error is that error.

    There it is FALSE, and a SUMPRODUCT takes an error for 0.
    """
    inner = bare(node)
    if isinstance(inner, Operation) and inner.operator in COMPARISONS:
        sides = (inner.left, inner.right)
        if not any(isinstance(bare(side), Operation) for side in sides):
            return node
        told: Node = Paren(inner)
        for side in sides:
            if isinstance(bare(side), Operation):
                told = Operation("+", told, Operation("*", Number("0"), Paren(side)))
        return Paren(told)
    return rebuilt(node, _telling_errors) if isinstance(node, Operation | Paren) else node


def _is_comparison(node: Node) -> bool:
    return isinstance(node, Operation) and node.operator in COMPARISONS


def _never_fails(node: Node) -> bool:
    """Tell whether a condition is TRUE or FALSE whatever it is asked of."""
    match node:
        case Operation("+", left, right):
            return _never_fails(left) and _never_fails(right)
        case Call("ISTEXT" | "ISLOGICAL" | "ISNUMBER" | "ISERROR", (Name() | Reference(),)):
            return True
    return False


def _is_plain(node: Node) -> bool:
    """Tell whether a value may stand in many places as well as in one."""
    return isinstance(node, Name | Number | Text | Logical | Reference) or (
        # 1+"x" stands for #VALUE!.
        isinstance(node, Operation)
        and isinstance(node.left, _CONSTANTS)
        and isinstance(node.right, _CONSTANTS)
    )


def _let(lines: Sequence[Node], body: Node) -> Node:
    """Return a body with names before it; those of the body join them."""
    if isinstance(body, Call) and body.name == "LET":
        *more, body = body.arguments
        lines = [*lines, *more]
    return Call("LET", (*lines, body)) if lines else body


# --- names that are used once ------------------------------------------------------------------


def _tidied(node: Node) -> Node:
    """Return a tree without names that are used never, or once and where they are computed once."""
    node = rebuilt(node, _tidied)
    if not (isinstance(node, Call) and node.name == "LET"):
        return node
    *arguments, body = node.arguments
    uses: Counter[str] = Counter()
    _count(uses, body, 1)
    pairs: list[tuple[str, Node]] = []
    for name, value in reversed(list(zip(arguments[::2], arguments[1::2], strict=True))):
        assert isinstance(name, Name)
        if uses[name.text]:
            pairs.append((name.text, value))
            _count(uses, value, 1)
    put: dict[str, Node] = {}
    lines: list[Node] = []
    for text, value in reversed(pairs):
        changed = _replaced(value, put)
        if uses[text] == 1:
            put[text] = changed
        else:
            lines += [Name(text), changed]
    return _let(lines, _replaced(body, put))


def _count(uses: Counter[str], node: Node, weight: int) -> None:
    """Add how often the names of a tree are used; twice where that is done again and again."""
    if isinstance(node, Name):
        uses[node.text] += weight
    again = 2 if isinstance(node, Call) and node.name == "LAMBDA" else weight
    for child in children(node):
        _count(uses, child, again)


def _replaced(node: Node, put: Mapping[str, Node]) -> Node:
    if isinstance(node, Name):
        return put.get(node.text, node)
    return rebuilt(node, partial(_replaced, put=put))
