"""References that the engine lacks: unions, intersections, several sheets, other workbooks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from openpyxl.formula.tokenizer import Token

from workbooks.formula.address import Area, parse_area, quote_sheet, split_sheet
from workbooks.formula.tokens import Node, is_blank, is_operator, is_range_token

#: Functions that take any number of ranges and look at all their cells alike.
GATHERING = frozenset(
    """
    SUM AVERAGE AVERAGEA COUNT COUNTA COUNTBLANK MAX MAXA MIN MINA PRODUCT STDEV STDEV.P STDEV.S
    STDEVA STDEVP VAR VAR.P VAR.S VARA VARP SUMSQ MEDIAN GEOMEAN HARMEAN AND OR CONCAT
    """.split()  # noqa: SIM905
)
_EXTERNAL = re.compile(r"^'?(?:[^'!\[\]]*)\[[^\[\]]+\][^!\[\]]*!|^\[[0-9]+\]!")
_SEVERAL = re.compile(r"^('(?:[^']|'')+:(?:[^']|'')+'|[^'!:\[\]]+:[^'!:\[\]]+)!(.+)$")


class UnresolvedError(ValueError):
    """A reference that cannot be put in the engine's terms."""


def check_links(value: str) -> None:
    """Refuse a reference that leads out of the workbook."""
    if "[" in value and _EXTERNAL.match(value):
        raise UnresolvedError(f"{value} refers to another workbook; links are never followed")


def resolve(node: Node, sheets: Sequence[str]) -> None:
    """Put the unions, intersections and three-dimensional references of a node into plain ones."""
    for argument in node.arguments:
        _intersections(argument)
        if any(_is_union(item) for item in argument) and not node.is_function:
            raise UnresolvedError("a union of ranges is only understood inside functions like SUM")
        for i, item in enumerate(argument):
            if isinstance(item, Node) and _union_in(item):
                if node.name not in GATHERING or len(_solid(argument)) > 1:
                    raise UnresolvedError(f"a union of ranges cannot be handed to {node.name}")
                argument[i : i + 1] = item.arguments[0]
                item.arguments = [[]]
            elif is_range_token(item):
                several = None if "[" in item.value else _SEVERAL.match(item.value)
                if several and parse_area(several[2].replace("$", "")) is not None:
                    item.value = _several(several, node, argument, sheets)


def _solid(argument: list[Node | Token]) -> list[Node | Token]:
    return [item for item in argument if not is_blank(item)]


def _is_union(item: Node | Token) -> bool:
    return isinstance(item, Token) and item.type == Token.OP_IN and item.value == ","


def _union_in(node: Node) -> bool:
    return not node.is_function and any(_is_union(i) for a in node.arguments for i in a)


def _intersections(argument: list[Node | Token]) -> None:
    while True:
        solid = _solid(argument)
        pair = next(
            (
                (a, b)
                for a, b in pairwise(solid)
                if not is_operator(a)
                and not is_operator(b)
                and _operand(a)
                and _operand(b)
                # The tokenizer takes the colon behind a call for a part of what follows.
                and not (b.opening if isinstance(b, Node) else b.value).startswith(":")
            ),
            None,
        )
        if pair is None:
            return
        left, right = pair
        if not is_range_token(left) or not is_range_token(right):
            raise UnresolvedError("two operands stand beside each other without an operator")
        left.value = _common(left.value, right.value)
        if left.value == "#NULL!":
            left.subtype = Token.ERROR
        argument.remove(right)


def _operand(item: Node | Token) -> bool:
    return isinstance(item, Node) or item.type == Token.OPERAND


def _common(left: str, right: str) -> str:
    (sheet, first), (other, second) = split_sheet(left), split_sheet(right)
    a, b = parse_area(first), parse_area(second)
    if a is None or b is None or (sheet and other and sheet.casefold() != other.casefold()):
        raise UnresolvedError("the intersection of these ranges is not known before evaluation")
    common = Area(
        max(a.top, b.top), max(a.left, b.left), min(a.bottom, b.bottom), min(a.right, b.right)
    )
    if common.rows <= 0 or common.columns <= 0:
        return "#NULL!"
    where = sheet or other
    return f"{quote_sheet(where)}!{common}" if where else str(common)


def _several(
    match: re.Match[str], node: Node, argument: list[Node | Token], sheets: Sequence[str]
) -> str:
    text = match[1]
    if text.startswith("'"):
        text = text[1:-1].replace("''", "'")
    first, _, last = text.partition(":")
    known = [name.casefold() for name in sheets]
    if first.casefold() not in known or last.casefold() not in known:
        return "#REF!"
    if node.name not in GATHERING or len(_solid(argument)) > 1:
        raise UnresolvedError(f"a reference over several sheets cannot be handed to {node.name}")
    start, end = sorted((known.index(first.casefold()), known.index(last.casefold())))
    return ",".join(f"{quote_sheet(name)}!{match[2]}" for name in sheets[start : end + 1])
