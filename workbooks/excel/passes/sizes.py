"""Operations on arrays of different sizes, in array formulas.

Excel repeats single rows, columns and values, and gives #N/A beyond the smaller one; the engine
gives #VALUE! for the whole. Where the sizes are not known to go together, the operation is put
inside `LIFT`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from typing import NamedTuple

from openpyxl.formula.tokenizer import Token

from workbooks.calc.protocol import FIT, LIFT, SHOWN
from workbooks.excel.passes.lift import SINGLE, NotLiftedError
from workbooks.excel.passes.lift import SKIPPED as LEFT_OUT
from workbooks.formula.address import MAX_COLUMN, MAX_ROW, column_number, parse_area, split_sheet
from workbooks.formula.signatures import ALWAYS_ONE, EACH, NATIVE, NO_RANGES
from workbooks.formula.tokens import BINDING, Node, is_blank, is_range_token

_COLUMNS = re.compile(r"([A-Z]{1,3}):([A-Z]{1,3})", re.IGNORECASE)
_ROWS = re.compile(r"([0-9]+):([0-9]+)")
_LIFTED = re.compile(re.escape(LIFT) + r'\("[^"]*","([^"]*)",')


class Size(NamedTuple):
    """Rows and columns; None where they are not known."""

    rows: int | None
    columns: int | None


class _Part(NamedTuple):
    """A piece of a formula and its size."""

    items: list[Node | Token]
    size: Size


_ONE = Size(1, 1)
_UNKNOWN = Size(None, None)


class Sizes:
    """Puts the operations of one array formula that need it inside `LIFT`.

    Parameters
    ----------
    area_of : Callable
        Returns the text of the cells that a name stands for, None where it is no such name.
    single : Container of str
        Names of own functions that give one value for single values.
    """

    def __init__(self, area_of: Callable[[str], str | None], single: Container[str]) -> None:
        self._area_of = area_of
        self._single = single

    def level(self, node: Node) -> None:
        """Go through a formula."""
        for argument in node.arguments:
            for item in argument:
                if isinstance(item, Node):
                    self.level(item)
            argument[:] = self._expression(argument).items
        if node.name not in ("IF", "IFERROR", "IFNA", "ATAN2") or LIFT in node.opening:
            return
        sizes = [self._of(argument) for argument in node.arguments if not _left_out(argument)]
        # One condition chooses, whatever the sizes of what it chooses from.
        if (node.name == "IF" and sizes[:1] == [_ONE]) or _go_together(sizes):
            return
        _check(sizes)
        kinds = "".join(LEFT_OUT if _left_out(a) else SINGLE for a in node.arguments)
        node.opening = f'{LIFT}("{node.name}","{kinds}",'
        node.arguments = [a for a in node.arguments if not _left_out(a)]
        node.separators = [","] * (len(node.arguments) - 1)

    def _of(self, argument: list[Node | Token]) -> Size:
        return self._expression(argument).size

    def _expression(self, argument: list[Node | Token]) -> _Part:
        """Return an argument with those of its operators replaced that need it."""
        if not any(isinstance(i, Token) and i.type == Token.OP_IN for i in argument):
            solid = [item for item in argument if not is_blank(item)]
            signs = {Token.OP_PRE, Token.OP_POST}
            operands = [i for i in solid if isinstance(i, Node) or i.type not in signs]
            return _Part(argument, self._operand(operands))
        items = [item for item in argument if not is_blank(item)]
        if any(isinstance(i, Token) and i.type == Token.OP_IN and i.value not in BINDING
               for i in items):  # fmt: skip
            return _Part(argument, _UNKNOWN)
        part = self._chain(items, 1)
        return _Part([*part.items, *items], part.size)

    def _chain(self, items: list[Node | Token], weakest: int) -> _Part:
        """Take operators that bind no weaker than `weakest`, and their operands, off `items`."""
        left = self._signed(items)
        while items:
            operator = items[0]
            if not isinstance(operator, Token) or operator.type != Token.OP_IN:
                break
            binding = BINDING[operator.value]
            if binding < weakest:
                break
            items.pop(0)
            left = _joined(left, operator, self._chain(items, binding + 1))
        return left

    def _signed(self, items: list[Node | Token]) -> _Part:
        signs: list[Node | Token] = []
        while items and isinstance(items[0], Token) and items[0].type == Token.OP_PRE:
            signs.append(items.pop(0))
        operand: list[Node | Token] = []
        while items and not (isinstance(items[0], Token) and items[0].type == Token.OP_IN):
            operand.append(items.pop(0))
        bare = [i for i in operand if isinstance(i, Node) or i.type != Token.OP_POST]
        return _Part([*signs, *operand], self._operand(bare))

    def _operand(self, items: list[Node | Token]) -> Size:
        first = items[0] if items else None
        if isinstance(first, Token) and first.type == Token.ARRAY:
            text = "".join(i.value if i.type == Token.SEP else "" for i in items
                           if isinstance(i, Token))  # fmt: skip
            rows = text.count(";") + 1
            return Size(rows, text.partition(";")[0].count(",") + 1)
        if len(items) != 1:
            return _UNKNOWN if items else _ONE
        if isinstance(first, Node):
            return self._call(first)
        return self._reference(first.value) if first and is_range_token(first) else _ONE

    def _call(self, node: Node) -> Size:
        name, arguments = node.name, node.arguments
        lifted = _LIFTED.match(node.opening)
        handed_on = name in EACH | NATIVE | NO_RANGES
        handed_on |= node.opening in ("(", f"{SHOWN}(")
        size = _UNKNOWN
        if node.opening.startswith(("@", f"{FIT}(")):
            size = _ONE
        elif lifted:
            kinds = [kind for kind in lifted[1] if kind != LEFT_OUT]
            singles = [a for k, a in zip(kinds, arguments, strict=True) if k == SINGLE]
            size = _largest(map(self._of, singles))
        elif name == "IF" and self._of(arguments[0]) == _ONE:
            chosen = {self._of(argument) for argument in arguments[1:]}
            size = chosen.pop() if len(chosen) == 1 else _UNKNOWN
        elif handed_on:
            size = _largest(map(self._of, arguments))
        elif name == "TRANSPOSE":
            size = Size(*reversed(self._of(arguments[0])))
        elif name == "SEQUENCE" and all(map(_is_count, arguments[:2])):
            size = self._counted(arguments[0], arguments[1])
        elif name in ("ROW", "COLUMN") or name in ALWAYS_ONE:
            # Of several rows or columns these have become SEQUENCE.
            size = _ONE
        elif name in self._single and {self._of(argument) for argument in arguments} <= {_ONE}:
            size = _ONE
        return size

    def _counted(self, rows: list[Node | Token], columns: list[Node | Token]) -> Size:
        """Return the size of what ROW or COLUMN of a range has become."""
        counts: list[int | None] = []
        for argument in (rows, columns):
            only = argument[0]
            size = self._of(only.arguments[0]) if isinstance(only, Node) else _ONE
            by_row = isinstance(only, Node) and only.name == "ROWS"
            counts.append(size.rows if by_row else size.columns)
        return Size(*counts)

    def _reference(self, text: str) -> Size:
        if text.startswith("@"):
            return _ONE
        cells = self._area_of(text) or text
        bare = split_sheet(cells)[1].replace("$", "")
        if area := parse_area(bare):
            return Size(area.rows, area.columns)
        if match := _COLUMNS.fullmatch(bare):
            return Size(MAX_ROW, abs(column_number(match[2]) - column_number(match[1])) + 1)
        if match := _ROWS.fullmatch(bare):
            return Size(abs(int(match[2]) - int(match[1])) + 1, MAX_COLUMN)
        return _UNKNOWN


def _joined(left: _Part, operator: Token, right: _Part) -> _Part:
    sizes = [left.size, right.size]
    size = _largest(sizes)
    if _go_together(sizes):
        return _Part([*left.items, operator, *right.items], size)
    _check(sizes)
    opening = f'{LIFT}("{operator.value}","{SINGLE * 2}",'
    return _Part([Node("", opening, ")", [left.items, right.items], [","])], size)


def _go_together(sizes: list[Size]) -> bool:
    """Tell whether arrays of these sizes are surely repeated to one size, with nothing missing."""
    large = [size for size in sizes if size != _ONE]
    if len(large) < 2:
        return True
    return all(
        None not in lengths and len({length for length in lengths if length != 1}) < 2
        for lengths in zip(*large, strict=True)
    )


def _largest(sizes: Iterable[Size]) -> Size:
    lengths = list(zip(*sizes, strict=True))
    if not lengths:
        return _ONE
    return Size(*(None if None in axis else max(n for n in axis if n) for axis in lengths))


def _check(sizes: list[Size]) -> None:
    if any(size.rows == MAX_ROW or size.columns == MAX_COLUMN for size in sizes):
        raise NotLiftedError("an operation on whole columns or rows and on a smaller range")


def _left_out(argument: list[Node | Token]) -> bool:
    return all(map(is_blank, argument))


def _is_count(argument: list[Node | Token]) -> bool:
    """Tell whether an argument counts the rows or columns of a reference, or is a 1."""
    only = argument[0] if len(argument) == 1 else None
    if isinstance(only, Node):
        return only.name in ("ROWS", "COLUMNS")
    return only is not None and only.value == "1"
