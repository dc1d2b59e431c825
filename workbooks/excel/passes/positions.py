"""ROW, COLUMN, ROWS, COLUMNS and OFFSET: what they ask of a reference without reading its cells.

A formula may ask for the position of its own cell: `ROWS($A$1:$A1)` counts, and
`SUM(B2:OFFSET(B9,-1,0))` in B9 adds up what stands above it. An engine that takes every reference
for one to be read finds a circle there. So the references are moved aside, to cells of the same
rows in the last column, or of the same columns in the last row, where nothing stands. They remain
references, for a shared formula is moved along with its cell.
"""

from __future__ import annotations

import re
from copy import deepcopy

from openpyxl.formula.tokenizer import Token

from workbooks.formula.address import MAX_COLUMN, MAX_ROW, column_letters, split_sheet
from workbooks.formula.signatures import ARRAYS
from workbooks.formula.tokens import Node, is_blank, is_range_token

_LAST_COLUMN = "$" + column_letters(MAX_COLUMN)
_CELLS = re.compile(r"(\$?[A-Z]{1,3})(\$?[0-9]+)(?::(\$?[A-Z]{1,3})(\$?[0-9]+))?", re.IGNORECASE)
_COLUMNS = re.compile(r"(\$?[A-Z]{1,3}):(\$?[A-Z]{1,3})", re.IGNORECASE)
_COUNTS = ("MATCH", "COUNT", "COUNTA", "COUNTIF", "COUNTIFS", "ROWS", "COLUMNS")
_ROWS = re.compile(r"(\$?[0-9]+):(\$?[0-9]+)")


class PositionError(ValueError):
    """A position that cannot be asked for in the engine's terms."""


def ask_positions(tree: Node, sheet: str, *, arrays: bool, cells: int = 1) -> None:
    """Put the functions of positions in a formula into the engine's terms.

    Parameters
    ----------
    tree : Node
        The formula.
    sheet : str
        The sheet it stands in.
    arrays : bool
        Whether ranges are arrays in it.
    cells : int
        How many cells it fills [-].
    """
    for argument in tree.arguments:
        for item in argument:
            if isinstance(item, Node):
                ask_positions(item, sheet, arrays=arrays or tree.name in ARRAYS, cells=cells)
    solid = [[item for item in argument if not is_blank(item)] for argument in tree.arguments]
    if tree.name in ("ROW", "ROWS", "COLUMN", "COLUMNS"):
        if solid == [[]]:
            if cells > 1:
                raise PositionError(f"{tree.name}() in an array formula over several cells")
        elif len(solid) == 1 and len(solid[0]) == 1:
            _position(tree, solid[0][0], sheet, arrays=arrays)
    elif tree.name == "OFFSET" and len(solid) > 2 and len(solid[0]) == 1:
        _offset(tree, solid[0][0], sheet)
        for size, moved in ((3, 1), (4, 2)):
            if len(solid) > size and any(map(_may_be_negative, solid[size])):
                _turn_round(tree.arguments, size, moved)


def _position(node: Node, item: Node | Token, sheet: str, *, arrays: bool) -> None:
    one = False
    if is_range_token(item):
        prefix, text = _here(item.value, sheet)
        cell = _CELLS.fullmatch(text)
        one = cell is not None and not cell[3]
        if prefix is not None:
            by_row = node.name.startswith("ROW")
            item.value = prefix + (_in_last_column(text) if by_row else _in_last_row(text))
    if arrays and not one and node.name in ("ROW", "COLUMN"):
        # The engine gives the first number alone.
        axis = node.name
        count = Node(f"{axis}S", f"{axis}S(", ")", deepcopy(node.arguments))
        first = Node(axis, f"{axis}(", ")", node.arguments)
        single = Token("1", Token.OPERAND, Token.NUMBER)
        shape: list[list[Node | Token]] = [[count], [single]]
        node.arguments = [*(shape if axis == "ROW" else shape[::-1]), [first]]
        node.separators = [",", ","]
        node.name, node.opening = "SEQUENCE", node.opening.replace(f"{axis}(", "SEQUENCE(")


def _offset(node: Node, base: Node | Token, sheet: str) -> None:
    if not is_range_token(base):
        return
    prefix, text = _here(base.value, sheet)
    match = _CELLS.fullmatch(text)
    if prefix is None or match is None or match[3]:
        return
    base.value = f"{prefix}{_LAST_COLUMN}{match[2]}"
    aside = f"COLUMN({prefix}{match[1]}${MAX_ROW})-{MAX_COLUMN}"
    moved = Token(aside, Token.OPERAND, Token.NUMBER)
    columns = node.arguments[2]
    if all(is_blank(item) for item in columns):
        columns[:] = [moved]
    else:
        whole = len(columns) == 1 and isinstance(columns[0], Token) and columns[0].value.isdigit()
        inner = columns if whole else [Node("TRUNC", "TRUNC(", ")", [columns])]
        node.arguments[2] = [moved, Token("+", Token.OP_IN, ""), *inner]


def _may_be_negative(item: Node | Token) -> bool:
    if isinstance(item, Node):
        return item.name not in _COUNTS
    return item.type != Token.OPERAND or item.subtype != Token.NUMBER


def _turn_round(arguments: list[list[Node | Token]], size: int, moved: int) -> None:
    """Let a height or width that counts upwards or to the left count from the other end."""
    given = arguments[size]
    copies = [Node("", "(", ")", [deepcopy(given)]) for _ in range(2)]
    test: list[Node | Token] = [copies[0], Token("<0", Token.OPERAND, Token.NUMBER)]
    start: list[Node | Token] = [copies[1], Token("+1", Token.OPERAND, Token.NUMBER)]
    stay: list[Node | Token] = [Token("0", Token.OPERAND, Token.NUMBER)]
    back = Node("IF", "IF(", ")", [test, start, stay], [",", ","])
    before = [item for item in arguments[moved] if not is_blank(item)]
    arguments[moved] = [back]
    if before:
        arguments[moved] = [Node("", "(", ")", [before]), Token("+", Token.OP_IN, ""), back]
    arguments[size] = [Node("ABS", "ABS(", ")", [given])]


def _here(value: str, sheet: str) -> tuple[str | None, str]:
    """Return the prefix and the rest of a reference to this sheet; no prefix for other sheets."""
    where, text = split_sheet(value)
    if where is None:
        return "", text
    own = where.casefold() == sheet.casefold()
    return (value[: len(value) - len(text)] if own else None), text


def _in_last_column(text: str) -> str:
    """Return a reference to the same rows of the last column."""
    if match := _CELLS.fullmatch(text):
        end = f":{_LAST_COLUMN}{match[4]}" if match[4] else ""
        return f"{_LAST_COLUMN}{match[2]}{end}"
    if match := _ROWS.fullmatch(text):
        return f"{_LAST_COLUMN}{match[1]}:{_LAST_COLUMN}{match[2]}"
    return f"{_LAST_COLUMN}:{_LAST_COLUMN}" if _COLUMNS.fullmatch(text) else text


def _in_last_row(text: str) -> str:
    """Return a reference to the same columns of the last row."""
    if match := _CELLS.fullmatch(text):
        end = f":{match[3]}${MAX_ROW}" if match[3] else ""
        return f"{match[1]}${MAX_ROW}{end}"
    if match := _COLUMNS.fullmatch(text):
        return f"{match[1]}${MAX_ROW}:{match[2]}${MAX_ROW}"
    return f"$A${MAX_ROW}:{_LAST_COLUMN}${MAX_ROW}" if _ROWS.fullmatch(text) else text
