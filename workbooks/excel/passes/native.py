"""Calls of the engine's own functions, put so that it answers as Excel does."""

from __future__ import annotations

import re
from copy import deepcopy

from openpyxl.formula.tokenizer import Token

from workbooks.calc.protocol import NEXT_LOOKUP
from workbooks.excel.runtime.supplied import SUPPLIED
from workbooks.formula.tokens import Node, is_blank, is_range_token

_CELL = re.compile(r"(?:.*!)?\$?[A-Z]{1,3}\$?[0-9]+", re.IGNORECASE)
# These give the value of a cell.
_GIVE_CELLS = frozenset("HLOOKUP INDEX INDIRECT LOOKUP OFFSET VLOOKUP XLOOKUP".split())  # noqa: SIM905
# Arguments (counted from 0) for which the engine does not take the text of a number.
_COUNTING = {
    "FIND": (2,),
    "LEFT": (1,),
    "MID": (1, 2),
    "REPLACE": (1, 2),
    "RIGHT": (1,),
    "SEARCH": (2,),
    "SUBSTITUTE": (3,),
}
_FIRST_YEAR = 1900
_MODES = ("-1", "1", "+1")


def put_in_terms(node: Node) -> None:
    """Change one call where the engine's understanding of it differs from Excel's."""
    if node.name in SUPPLIED and node.opening.casefold().startswith("_xlfn."):
        # With the prefix, the engine would take its own.
        node.opening = f"{node.name}("
    if node.name in ("WORKDAY.INTL", "NETWORKDAYS.INTL"):
        if len(node.arguments) > 2 and _is_left_out(node.arguments[2]):
            node.arguments[2] = [_number("1")]
    elif node.name == "DATE":
        _first_year(node)
    elif node.name == "XLOOKUP" and ":" not in node.opening:
        if _text([i for a in node.arguments[4:5] for i in a]) in _MODES:
            _next(node)
    elif node.name in _COUNTING:
        _numbers(node, _COUNTING[node.name])


def keep_texts(node: Node) -> None:
    """Let TEXT hand on a text that is no number, which the engine refuses in a cell."""
    value = node.arguments[0]
    only = value[0] if len(value) == 1 else None
    if only is None or not _is_cell(only):
        return
    asked = Node("ISTEXT", "ISTEXT(", ")", [deepcopy(value)])
    inner = Node("TEXT", node.opening, ")", node.arguments, [","])
    tried = Node("IFERROR", "IFERROR(", ")", [[deepcopy(inner)], deepcopy(value)], [","])
    node.name, node.opening = "IF", "IF("
    node.arguments, node.separators = [[asked], [tried], [inner]], [",", ","]


def _is_cell(item: Node | Token) -> bool:
    """Tell whether a part of a formula is the value of one cell."""
    if isinstance(item, Node):
        return item.name in _GIVE_CELLS
    return is_range_token(item) and bool(_CELL.fullmatch(item.value))


def _numbers(node: Node, places: tuple[int, ...]) -> None:
    """Multiply what may be the text of a number by 1."""
    for i in places:
        if i >= len(node.arguments):
            continue
        solid = [item for item in node.arguments[i] if not is_blank(item)]
        if len(solid) == 1 and (is_range_token(solid[0]) or _is_text(solid[0])):
            times = Token("*", Token.OP_IN)
            node.arguments[i] = [Node("", "(", ")", [[solid[0], times, _number("1")]])]
    first = node.arguments[0][0] if len(node.arguments[0]) == 1 else None
    if isinstance(first, Token) and first.subtype == Token.LOGICAL:
        node.arguments[0] = [Token(f'"{first.value}"', Token.OPERAND, Token.TEXT)]


def _is_text(item: Node | Token) -> bool:
    return isinstance(item, Token) and item.subtype == Token.TEXT


def _first_year(node: Node) -> None:
    """Let DATE count through the 29 February 1900 that Excel has and the engine passes over."""
    year = _text(node.arguments[0])
    if len(node.arguments) != 3 or not year.isdigit() or int(year) not in (0, _FIRST_YEAR):
        return
    days = Node("TRUNC", "TRUNC(", ")", [node.arguments[2]])
    first = Node(
        "DATE", node.opening, node.closing, [*node.arguments[:2], [_number("1")]], [",", ","]
    )
    node.name, node.opening, node.closing, node.separators = "", "(", ")", []
    node.arguments = [[first, _plus(), days, Token("-", Token.OP_IN), _number("1")]]


def _next(node: Node) -> None:
    """Put an XLOOKUP for the next value in terms of the own function."""
    node.opening = f"{NEXT_LOOKUP}("
    if _is_left_out(node.arguments[3]):
        # What is left out would come as 0.
        node.arguments[3] = [Token("#N/A", Token.OPERAND, Token.ERROR)]


def _is_left_out(argument: list[Node | Token]) -> bool:
    return all(is_blank(item) for item in argument)


def _text(argument: list[Node | Token]) -> str:
    """Return an argument of tokens alone, such as -1, as it is written."""
    if any(isinstance(item, Node) for item in argument):
        return ""
    return "".join(item.value for item in argument if isinstance(item, Token)).strip()


def _number(text: str) -> Token:
    return Token(text, Token.OPERAND, Token.NUMBER)


def _plus() -> Token:
    return Token("+", Token.OP_IN)
