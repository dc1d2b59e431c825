"""Calls of single functions in the engine's terms, where its function takes other arguments."""

from __future__ import annotations

import re
from copy import deepcopy

from openpyxl.formula.tokenizer import Token

from workbooks.calc.protocol import FORMATTED, MATCHED, RANKED, SKIPPED
from workbooks.excel.passes.formats import ELAPSED, EXPONENT, in_terms, literal_format
from workbooks.excel.passes.native import keep_texts
from workbooks.formula.tokens import Node, is_blank, is_range_token

_DATE_UNITS = ('"Y"', '"M"', '"D"', '"YM"', '"MD"')
_ONE_COLUMN = re.compile(r"(?:.*!)?\$?([A-Z]{1,3})\$?[0-9]*:\$?\1\$?[0-9]*", re.IGNORECASE)
# From here on AGGREGATE takes an array and a rank: LARGE, SMALL, percentiles, quartiles.
_FIRST_RANK = 14
#: How a file writes `A1#` and `@A1`.
OF_FILES = ("ANCHORARRAY", "SINGLE")


class RewriteError(ValueError):
    """A call that cannot be put in the engine's terms."""


def rewrite(node: Node) -> None:
    """Put a call in the engine's terms, if it needs to be."""
    name = node.name
    if name == "ANCHORARRAY":
        _as_anchor(node)
    elif name == "SINGLE":
        _as_single(node)
    elif name == "TEXT":
        _format(node)
    elif name == "AGGREGATE":
        _rank(node)
    elif name == "LOOKUP":
        _as_match(node)
    elif _is_unlike(node):
        raise RewriteError(f"this use of {name} has no way here")


def fill_skipped(node: Node) -> None:
    """Tell an own function which of its arguments are left out."""
    if len(node.arguments) == 1:
        return
    for argument in node.arguments:
        if all(is_blank(item) for item in argument):
            argument[:] = [Token(f'"{SKIPPED}"', Token.OPERAND, Token.TEXT)]


def _as_single(node: Node) -> None:
    """Turn SINGLE(A1:A9) into @A1:A9."""
    only = node.arguments[0][0] if len(node.arguments[0]) == 1 else None
    node.name, node.opening = "", "@("
    if only is not None and is_range_token(only):
        # Without INDEX, the engine would make a number of a blank cell.
        zero = Token("0", Token.OPERAND, Token.NUMBER)
        node.name, node.opening = "INDEX", "@INDEX("
        node.arguments, node.separators = [[only], [zero], [zero]], [",", ","]


def _as_anchor(node: Node) -> None:
    """Turn ANCHORARRAY(A1) into A1#."""
    only = node.arguments[0][0] if len(node.arguments) == 1 and node.arguments[0] else None
    if only is None or not is_range_token(only):
        raise RewriteError(f"{node.name} wants one cell")
    cell = only.value
    # A result of one cell does not spill, and the engine finds nothing at its anchor.
    node.opening, node.closing = f"IF(IFERROR(ROWS({cell}#),0)=0,{cell},{cell}#)", ""
    node.arguments = [[]]


def _format(node: Node) -> None:
    """Put a call of TEXT in the engine's terms."""
    given = literal_format(node)
    wanted = None if given is None else in_terms(given)
    if wanted is not None and not ELAPSED.search(wanted):
        quoted = wanted.replace('"', '""')
        node.arguments[1] = [Token(f'"{quoted}"', Token.OPERAND, Token.TEXT)]
        keep_texts(node)
    elif given is not None and wanted is None and not EXPONENT.fullmatch(given):
        raise RewriteError(f"the format {given!r} of TEXT is not understood here")
    else:
        node.opening = f"{FORMATTED}("


def _rank(node: Node) -> None:
    """Put a call of AGGREGATE that asks for a rank in terms of an own function."""
    kind, options = [*node.arguments, [], []][:2]
    numbers = [a[0].value for a in (kind, options) if len(a) == 1 and isinstance(a[0], Token)]
    if len(numbers) != 2 or not all(number.isdigit() for number in numbers):
        raise RewriteError("the first two arguments of AGGREGATE are no plain numbers")
    if int(numbers[0]) >= _FIRST_RANK:
        if numbers[1] not in ("4", "6"):
            raise RewriteError(f"AGGREGATE({numbers[0]},{numbers[1]}, ...) has no way here")
        node.opening = f"{RANKED}("


def _as_match(node: Node) -> None:
    """Put LOOKUP in terms of MATCH: the engine's own stumbles over errors and mixed types."""
    if len(node.arguments) not in (2, 3):
        return
    vector = [item for item in node.arguments[1] if not is_blank(item)]
    is_range = len(vector) == 1 and is_range_token(vector[0])
    shape = vector[0].value if is_range and isinstance(vector[0], Token) else ""
    if len(node.arguments) == 2 and (
        not _ONE_COLUMN.fullmatch(shape) if is_range else _is_table(vector)
    ):
        # A table, searched in its first row or column.
        return
    result = node.arguments[-1]
    if not is_range:
        # INDEX takes arrays in ordinary formulas too, as LOOKUP does.
        vector = [_call("INDEX", vector, [Token("0", Token.OPERAND, Token.NUMBER)])]
    calls = [_call("MATCH", *deepcopy([node.arguments[0], vector])) for _ in range(2)]
    # The engine's MATCH wants the vector in order, which the largest of all values does not.
    calls[1].opening = f"{MATCHED}("
    node.name, node.opening = "INDEX", "INDEX("
    node.arguments = [result, [_call("IFNA", [calls[0]], [calls[1]])]]
    node.separators = [","]


def _is_table(argument: list[Node | Token]) -> bool:
    marks = {i.value for i in argument if isinstance(i, Token) and i.type == Token.SEP}
    return len(marks) > 1


def _call(name: str, *arguments: list[Node | Token]) -> Node:
    return Node(name, f"{name}(", ")", list(arguments), [","] * (len(arguments) - 1))


def _is_unlike(node: Node) -> bool:
    """Tell whether the engine's function gives something else than Excel's for such arguments."""
    name, arguments = node.name, node.arguments
    if name in ("ISFORMULA", "FORMULATEXT"):
        # The engine's copy holds other formulas.
        return True
    literal = ["".join(i.value for i in a if isinstance(i, Token)).strip() for a in arguments]
    if name == "DATEDIF":
        return literal[-1].upper() not in _DATE_UNITS
    if name == "INDIRECT" and len(arguments) > 1:
        return literal[1].upper() not in ("", "TRUE", "1")
    return name == "XLOOKUP" and ":" in node.opening
