"""Arguments of the calculator's own functions that it reads otherwise than Excel."""

from __future__ import annotations

from dataclasses import replace

from workbooks.excel.context import Context
from workbooks.excel.kinds import literal
from workbooks.formula.functions import native
from workbooks.formula.tree import (
    Call,
    Inlined,
    Logical,
    Missing,
    Name,
    Node,
    Number,
    Operation,
    Paren,
    Reference,
    Text,
    bottom_up,
    call,
)

_FIRST_YEAR = 1900
_WEEKEND = 2


def apply(tree: Node, _context: Context) -> Node:
    """Write such arguments so that both read the same."""
    return bottom_up(tree, _call)


def _call(node: Node) -> Node:
    if not isinstance(node, Call):
        return node
    if node.name in ("WORKDAY.INTL", "NETWORKDAYS.INTL"):
        given = list(node.arguments)
        if len(given) > _WEEKEND and isinstance(given[_WEEKEND], Missing):
            given[_WEEKEND] = Number("1")
            return replace(node, arguments=tuple(given))
        return node
    if node.name == "DATE":
        return _first_year(node)
    return _numbers(node) if "n" in native(node.name).arguments else node


def _numbers(node: Call) -> Call:
    """Multiply what may be the text of a number by 1, and write truth values as texts."""
    row, count = native(node.name), len(node.arguments)
    given = [
        Paren(Operation("*", argument, Number("1")))
        if row.kind(i, count) == "n" and isinstance(argument, Reference | Name | Inlined | Text)
        else argument
        for i, argument in enumerate(node.arguments)
    ]
    if given and isinstance(given[0], Logical):
        given[0] = Text("TRUE" if given[0].value else "FALSE")
    changed = any(a is not b for a, b in zip(given, node.arguments, strict=True))
    return replace(node, arguments=tuple(given)) if changed else node


def _first_year(node: Call) -> Node:
    """Let DATE count through the 29 February 1900 that Excel has and the calculator passes over."""
    year = literal(node.arguments[0]) if node.arguments else ""
    if len(node.arguments) != 3 or not year.isdigit() or int(year) not in (0, _FIRST_YEAR):
        return node
    first = call("DATE", *node.arguments[:2], Number("1"))
    days = call("TRUNC", node.arguments[2])
    return Paren(Operation("-", Operation("+", first, days), Number("1")))
