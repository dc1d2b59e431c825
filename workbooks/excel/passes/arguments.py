"""Arguments that are written out, and numbers that are texts: read otherwise than in Excel."""

from __future__ import annotations

from dataclasses import replace

from workbooks.calc.protocol import NUMBER, SKIPPED
from workbooks.excel.context import Context
from workbooks.excel.marks import Marks, functions
from workbooks.excel.runtime.coerce import Calendar, plain_number
from workbooks.formula.functions import native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Call,
    Error,
    Inlined,
    Logical,
    Name,
    Node,
    Number,
    Operation,
    Paren,
    Text,
    bare,
    bottom_up,
    call,
)

#: Of the calculator's own, those that refuse truth values as all of the analysis add-in do.
_STRICT = frozenset(
    [
        *("BESSELI", "BESSELJ", "BESSELK", "BESSELY", "DELTA", "ERF", "ERF.PRECISE", "ERFC"),
        *("ERFC.PRECISE", "GESTEP", "ISEVEN", "ISODD", "SQRTPI"),
    ]
)


_CALENDAR = Calendar()
_LEFT_OUT = Text(SKIPPED)
#: These look for a number among others, and do not find an error or a text.
_RANKS = frozenset(["RANK", "RANK.AVG", "RANK.EQ"])
#: How many arguments behind the array are numbers: a blank cell is 0 there, and not left out.
_COUNTS = dict.fromkeys(("CHOOSECOLS", "CHOOSEROWS"), 254)
_COUNTS |= {"DROP": 2, "EXPAND": 2, "SORT": 3, "TAKE": 2, "WRAPCOLS": 1, "WRAPROWS": 1}


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = (
    _STRICT
    | _RANKS
    | frozenset(_COUNTS)
    | functions(traits=("literals", "truths", "condition"), kinds="n")
)


def apply(tree: Node, _context: Context) -> Node:
    """Write such arguments so that both read the same."""
    return bottom_up(tree, _call)


def _call(node: Node) -> Node:
    if not isinstance(node, Call) or not node.arguments:
        return node
    if node.name in _RANKS:
        return _ranked(node)
    if node.name in _COUNTS:
        return _counted(node, _COUNTS[node.name])
    row, count = native(node.name), len(node.arguments)
    if "literals" in row.traits:
        given = [_number(argument) for argument in node.arguments]
    elif "truths" in row.traits:
        given = [_truth(argument) for argument in node.arguments]
    elif "condition" in row.traits:
        given = [_truth(node.arguments[0]), *node.arguments[1:]]
    elif node.name in _STRICT:
        given = [_no_truth(argument) for argument in node.arguments]
    elif "n" in row.arguments:
        given = [_single(a, row.kind(i, count)) for i, a in enumerate(node.arguments)]
    else:
        return node
    changed = any(a is not b for a, b in zip(given, node.arguments, strict=True))
    return replace(node, arguments=tuple(given)) if changed else node


def _ranked(node: Call) -> Node:
    """Add nothing that is computed from the number: an error, or a text that is none, comes out."""
    if isinstance(bare(node.arguments[0]), Number):
        return node
    nothing = Operation("*", Paren(node.arguments[0]), Number("0"))
    return Operation("+", nothing, node)


def _counted(node: Call, numbers: int) -> Call:
    """Multiply cells by 1 where a number is wanted."""
    given = [
        Paren(Operation("*", one, Number("1")))
        if 1 <= i <= numbers and isinstance(one, Reference) and one.is_cell
        else one
        for i, one in enumerate(node.arguments)
    ]
    same = all(a is b for a, b in zip(given, node.arguments, strict=True))
    return node if same else replace(node, arguments=tuple(given))


def _single(argument: Node, kind: str) -> Node:
    """Multiply what may be the text of a number by 1, and write truth values as what is wanted."""
    if kind == "n" and argument != _LEFT_OUT:
        if isinstance(argument, Reference | Name | Inlined | Text):
            return Paren(Operation("*", argument, Number("1")))
        if isinstance(argument, Logical):
            return Number("1" if argument.value else "0")
    if kind == "t" and isinstance(argument, Logical):
        return Text("TRUE" if argument.value else "FALSE")
    return argument


def _no_truth(argument: Node) -> Node:
    """Return an argument so that a truth value is #VALUE!."""
    if isinstance(argument, Logical):
        return Error("#VALUE!")
    if isinstance(argument, Reference) and argument.is_cell:
        # A blank cell is 0, which not all of them know.
        number = Paren(Operation("*", argument, Number("1")))
        return call("IF", call("ISLOGICAL", argument), Error("#VALUE!"), number)
    return argument


def _number(argument: Node) -> Node:
    """Return a text that is written out as the number it reads as; another text is an error."""
    if not isinstance(argument, Text):
        return argument
    number = plain_number(argument.value)
    if number is not None:
        return Number(f"{number!r}")
    # Which number a day has, hangs on the date system.
    is_date = _CALENDAR.moment(argument.value) is not None
    return call(NUMBER, argument) if is_date else Error("#VALUE!")


def _truth(argument: Node) -> Node:
    """Return a text that is written out as the truth value it reads as."""
    if isinstance(argument, Text) and argument.value.upper() in ("TRUE", "FALSE"):
        return Logical(argument.value.upper() == "TRUE")
    return argument
