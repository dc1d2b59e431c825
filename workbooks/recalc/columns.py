"""Formulas filled down a column, computed at once before the calculator sees them.

A model of many rows repeats one formula: own functions, arithmetic and IF over cells of the same
row and a few fixed ones. Where those are constants, or cells computed in this way, one call over
arrays gives the whole column, and the calculator is handed values: it neither reads the formulas
nor calls a function a hundred thousand times. Whatever is not a plain number or text on the way,
and whatever comes out as an error, is left to the calculator, row by row.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import TokenbookError
from udfs.cells import Cell
from workbooks.calc.protocol import DIGITS, SNAPPED
from workbooks.excel.pipeline import Pipeline
from workbooks.excel.runtime.digits import NOTHING
from workbooks.formula.address import column_letters, column_number
from workbooks.formula.references import Reference
from workbooks.formula.structured import OWN_ROW
from workbooks.formula.tree import (
    COMPARISONS as SIGNS,
)
from workbooks.formula.tree import (
    Call,
    Name,
    Node,
    Number,
    Operation,
    Paren,
    Percent,
    Sign,
    Text,
    bare,
    walk,
)
from workbooks.ooxml import constants
from workbooks.ooxml.constants import Points, Strings
from workbooks.ooxml.scan import ATTRIBUTES, STEP
from workbooks.recalc.expression import (
    COMPARISONS,
    EXACT,
    UnsupportedError,
    Value,
    evaluate,
    in_fifteen_digits,
    sound,
)
from workbooks.recalc.filled import FEWEST, Filled, Group

_SINGLE_RESULTS = ("number", "text", "value")
_TAKEN = (Operation, Sign, Percent, Paren, Number, Text, Reference, Name)


@dataclass(slots=True)
class Columns:
    """Computes what can be computed of one sheet in this way.

    Parameters
    ----------
    sheet : str
        Name of the sheet.
    pipeline : Pipeline
        Puts formulas in the calculator's terms.
    functions : Mapping
        Worksheet functions by their names in upper case.
    points : Points
        Single constants anywhere in the workbook.
    strings : Strings
        The texts that cells share.
    """

    sheet: str
    pipeline: Pipeline
    functions: Mapping[str, Any]
    points: Points
    strings: Strings
    _filled: Filled = field(init=False)

    def __post_init__(self) -> None:
        self._filled = Filled(self.sheet, self.pipeline, self._takes)

    def _takes(self, tree: Node) -> bool:
        """Tell whether a formula is made of what can be computed here."""
        return all(self._takes_node(node) for node in walk(tree))

    def _takes_node(self, node: Node) -> bool:
        if not isinstance(node, Call):
            return isinstance(node, _TAKEN)
        if node.name == "IF":
            return len(node.arguments) == 3
        if node.name in (DIGITS, SNAPPED):
            return True
        function = self.functions.get(node.name)
        return (
            function is not None
            and function.required <= len(node.arguments) <= len(function.parameters)
            and function.broadcasts
            and function.result in _SINGLE_RESULTS
        )

    def numbers(self, tree: Node) -> set[str]:
        """Return the columns from which a formula takes numbers of its own row."""
        calls = [node for node in walk(tree) if isinstance(node, Call)]
        texts = {
            id(argument)
            for call in calls
            if call.name in self.functions
            for argument, kind in zip(call.arguments, self.functions[call.name].kinds, strict=False)
            if kind != "number"
        }
        found = (_own_column(node) for node in walk(tree) if id(node) not in texts)
        return {letters for letters in found if letters is not None}

    def values(self, parts: list[bytes]) -> Sequence[Cell]:
        """Return the values of the formulas in a run of rows, None where the calculator has to.

        Nothing at all is returned where all are.

        Parameters
        ----------
        parts : list of bytes
            The run of rows, split by `scan.FORMULA`.
        """
        count = len(parts) // STEP
        fills = (b"array" in a or b"dataTable" in a for a in set(parts[ATTRIBUTES::STEP]))
        # What an array formula fills looks like a constant, and is none.
        if count < FEWEST or any(fills):
            return ()
        groups: dict[str, list[Group]] = defaultdict(list)
        for letters, group in self._filled.groups(parts):
            groups[letters].append(group)
        # The cells between the formulas are all that can be constants.
        return _Run(self, b"".join(parts[0::STEP]), groups).values(count) if groups else ()


class _Run:
    """One run of rows being computed."""

    def __init__(self, columns: Columns, rows: bytes, groups: Mapping[str, list[Group]]) -> None:
        self._columns = columns
        self._rows = rows
        self._formulas = groups.keys()
        self._waiting = {letters: list(found) for letters, found in groups.items()}
        self._done: dict[str, list[tuple[Group, list[Cell]]]] = defaultdict(list)
        self._numbers: dict[str, tuple[list[bytes], NDArray[np.float64]]] = {}
        self._cells: dict[str, dict[bytes, Cell]] = {}

    def values(self, count: int) -> Sequence[Cell]:
        """Return the value of each formula that has one; nothing where none has."""
        for letters in list(self._waiting):
            self._compute(letters)
        results: list[Cell] = [None] * count
        for groups in self._done.values():
            for group, cells in groups:
                for place, cell in zip(group.places, cells, strict=True):
                    results[place] = cell
        return results if self._done else ()

    def _compute(self, letters: str) -> None:
        """Compute the formulas of a column; while this lasts, they are not there."""
        for group in self._waiting.pop(letters, ()):
            try:
                with np.errstate(all="ignore"):
                    result = self._top(group)
            except UnsupportedError:
                continue
            if not isinstance(result, list):
                result = _cells(result, len(group.rows))
            if any(cell is not None for cell in result):
                self._done[letters].append((group, result))

    # --- what stands in the cells ------------------------------------------------------------

    def _number_cells(self, letters: str, group: Group) -> NDArray[np.float64]:
        """Return the numbers of a column in the rows of a group, NaN where there is none."""
        self._compute(letters)
        if letters in self._done:
            return _numbers(self._all_cells(letters, group))
        if letters not in self._numbers:
            others = self._columns.numbers(group.tree) - self._formulas - self._numbers.keys()
            together = _side_by_side(letters, others)
            read = constants.numbers(self._rows, together)
            for one, (rows, values) in zip(together, read, strict=True):
                self._numbers[one] = (rows, np.array(values, dtype=np.float64))
        rows, array = self._numbers[letters]
        if rows == group.rows:
            return array
        known = dict(zip(rows, array.tolist(), strict=True))
        if len(known) < len(rows):
            raise UnsupportedError("a cell that stands twice")
        return _numbers(list(map(known.get, group.rows)))

    def _all_cells(self, letters: str, group: Group) -> list[Cell]:
        """Return the numbers and texts of a column in the rows of a group, None elsewhere."""
        self._compute(letters)
        if letters not in self._cells:
            cells = constants.cells(self._rows, letters, self._columns.strings)
            for other, values in self._done.get(letters, ()):
                cells.update(zip(other.rows, values, strict=True))
            self._cells[letters] = cells
        return list(map(self._cells[letters].get, group.rows))

    def _fixed(self, node: Node) -> Cell:
        """Return what stands in a single cell, or behind a name."""
        columns = self._columns
        if isinstance(node, Name):
            names = columns.pipeline.scope.names
            name = names.find(node.text, columns.sheet)
            if name is None:
                raise UnsupportedError(f"the name {node.text}")
            node = names.tree(name)
        if not isinstance(node, Reference) or node.size != (1, 1) or node.to_sheet is not None:
            raise UnsupportedError("a reference to several cells")
        value = columns.points.value(node.sheet or columns.sheet, node.area.top, node.area.left)
        if value is None:
            raise UnsupportedError(f"{node.text()} holds no constant")
        return value

    # --- formulas ----------------------------------------------------------------------------

    def _top(self, group: Group) -> Value | list[Cell]:
        """Return the results of a formula: numbers as an array, or cells."""
        if isinstance(group.tree, Call):
            return self._call(group.tree, group)
        return self._number(group.tree, group)

    def _number(self, node: Node, group: Group) -> Value:
        return evaluate(node, EXACT, lambda operand: self._operand(operand, group))

    def _operand(self, node: Node, group: Group) -> Value:
        if isinstance(node, Call):
            result = self._call(node, group)
            return _numbers(result) if isinstance(result, list) else result
        if isinstance(node, Number):
            return float(node.text)
        letters = _own_column(node)
        if letters is not None:
            return self._number_cells(letters, group)
        value = self._fixed(node)
        if type(value) is float:
            return value
        raise UnsupportedError("an operand that is no number")

    def _call(self, node: Call, group: Group) -> Value | list[Cell]:
        if node.name == "IF":
            return self._if(node, group)
        if node.name == SNAPPED:
            result, operand = (self._number(argument, group) for argument in node.arguments)
            return np.where(np.abs(result) <= NOTHING * np.abs(operand), 0.0, result)
        if node.name == DIGITS:
            raise UnsupportedError("15 digits, but in a comparison")
        function = self._columns.functions[node.name]
        arguments: list[Value] = []
        texts: dict[int, list[Cell]] = {}
        for place, (argument, kind) in enumerate(zip(node.arguments, function.kinds, strict=False)):
            if kind == "number":
                arguments.append(self._number(argument, group))
                continue
            text = self._text(argument, group)
            arguments.append(text)
            if isinstance(text, list):
                texts[place] = text
        if texts:
            return _spread(function, arguments, texts, len(group.rows))
        try:
            result = function.engine(*arguments)
        except TokenbookError as error:
            raise UnsupportedError(str(error)) from error
        return sound(result) if function.result == "number" else _cells(result, len(group.rows))

    def _if(self, node: Call, group: Group) -> Value:
        """Return one or the other, by a comparison of numbers."""
        condition = bare(node.arguments[0])
        if not isinstance(condition, Operation) or condition.operator not in SIGNS:
            raise UnsupportedError("a condition of another kind")
        sides = [_undigited(side) for side in (condition.left, condition.right)]
        left, right = (self._number(side, group) for side, _ in sides)
        holds = COMPARISONS[condition.operator](left, right)
        if any(rounded for _, rounded in sides):
            holds = in_fifteen_digits(condition.operator, left, right, holds)
        chosen = np.where(holds, *(self._number(a, group) for a in node.arguments[1:]))
        # What is no number compares as nothing does.
        return np.where(np.isnan(left) | np.isnan(right), np.nan, chosen)

    def _text(self, argument: Node, group: Group) -> str | list[Cell]:
        """Return an argument that is a text: the same for all rows, or one for each."""
        if isinstance(argument, Text):
            return argument.value
        if isinstance(argument, Reference | Name):
            letters = _own_column(argument)
            if letters is not None:
                return self._all_cells(letters, group)
            value = self._fixed(argument)
            if isinstance(value, str):
                return value
        raise UnsupportedError("a text that is computed")


def _undigited(node: Node) -> tuple[Node, bool]:
    """Return an operand of a comparison, and whether 15 of its digits count."""
    if isinstance(node, Call) and node.name == DIGITS:
        return node.arguments[0], True
    return node, False


def _own_column(node: Node) -> str | None:
    """Return the letters of the column, of a reference to the formula's own row."""
    own = isinstance(node, Reference) and node.is_cell and node.first.row == OWN_ROW
    return column_letters(node.first.column or 1) if own else None  # type: ignore[union-attr]


def _side_by_side(letters: str, others: Container[str]) -> list[str]:
    """Return a column together with those that stand beside it without a gap."""
    first = last = column_number(letters)
    while column_letters(first - 1) in others:
        first -= 1
    while column_letters(last + 1) in others:
        last += 1
    return [column_letters(number) for number in range(first, last + 1)]


def _spread(
    function: Any, arguments: list[Value], texts: Mapping[int, list[Cell]], count: int
) -> Value | list[Cell]:
    """Call a function once for all rows that share their texts; `texts` are among the arguments."""
    alike: dict[tuple[Cell, ...], list[int]] = defaultdict(list)
    for row, key in enumerate(zip(*texts.values(), strict=True)):
        alike[key].append(row)
    results: list[Cell] = [None] * count
    for key, rows in alike.items():
        if not all(isinstance(text, str) for text in key):
            continue
        called = [
            value[rows] if isinstance(value, np.ndarray) and value.ndim else value
            for value in arguments
        ]
        for place, text in zip(texts, key, strict=True):
            called[place] = text
        try:
            cells = _cells(function.engine(*called), len(rows))
        except TokenbookError:
            # The calculator calls it for each row, and tells why.
            continue
        for row, cell in zip(rows, cells, strict=True):
            results[row] = cell
    return _numbers(results) if function.result == "number" else results


def _cells(result: Any, count: int) -> list[Cell]:
    """Return a result as cells, None for what is neither text nor finite number."""
    array = np.broadcast_to(np.asarray(result), count)
    if array.dtype.kind == "f":
        return _finite(array)
    return [
        cell if isinstance(cell, str) or (type(cell) is float and math.isfinite(cell)) else None
        for cell in array.tolist()
    ]


def _numbers(cells: Iterable[Cell]) -> NDArray[np.float64]:
    """Return cells as an array, NaN for what is no number."""
    return np.array([cell if type(cell) is float else np.nan for cell in cells])


def _finite(array: NDArray[np.float64]) -> list[Cell]:
    """Return an array as cells, None for what is no finite number."""
    finite = np.isfinite(array)
    if finite.all():
        return list(array.tolist())
    return [value if good else None for value, good in zip(array.tolist(), finite, strict=True)]
