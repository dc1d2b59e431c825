"""Formulas filled down a column, computed at once before the engine sees them.

A model of many rows repeats one formula: own functions and arithmetic over cells of the same row
and a few fixed ones. Where those are constants, or cells computed in this way, one call over
arrays gives the whole column, and the engine is handed values: it neither reads the formulas nor
calls a function a hundred thousand times. Whatever is not a plain number or text on the way, and
whatever comes out as an error, is left to the engine, row by row.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from openpyxl.formula.tokenizer import Token
from openpyxl.formula.translate import Translator, TranslatorError

from engine.errors import TokenbookError
from udfs._cells import Cell
from workbooks.recalc import constants
from workbooks.recalc.address import cell_name, column_number, parse_area, split_sheet
from workbooks.recalc.constants import Points, Strings
from workbooks.recalc.expression import EXACT, UnsupportedError, Value, evaluate
from workbooks.recalc.lower import Lowering, Place, UnevaluableError
from workbooks.recalc.scan import ATTRIBUTES, COLUMN, ROW, STEP, TEXT, without_digits
from workbooks.recalc.tokens import FormulaError, Node, is_blank, is_range_token, read_formula
from workbooks.recalc.xml import unescape

# Fewer rows are soon computed one by one.
_FEWEST = 32
# What stands for the number of the formula's own row in its references.
_OWN_ROW = "\0"
_REFERENCE = re.compile(rb"(?<![\w.$'\]])(\$?[A-Za-z]{1,3})([1-9][0-9]*)(?![\w.(!'\[])")
_RELATIVE = re.compile(r"(\$?[A-Za-z]{1,3})([1-9][0-9]*)")
_SHARED = re.compile(rb'\ssi="([^"]*)"')
_KIND = re.compile(rb'\bt="([^"]*)"')
_SINGLE_RESULTS = ("number", "text", "value")


class Master(NamedTuple):
    """A formula that other cells share, and where it stands."""

    text: str
    row: int
    column: int


class Group(NamedTuple):
    """Cells of one column that hold the same formula, their own row apart."""

    places: Sequence[int]
    rows: list[bytes]
    tree: Node


@dataclass(slots=True)
class Columns:
    """Computes what can be computed of one sheet in this way.

    Parameters
    ----------
    sheet : str
        Name of the sheet.
    lowering : Lowering
        Puts formulas into plain references.
    functions : Mapping
        Worksheet functions by their names in upper case.
    points : Points
        Single constants anywhere in the workbook.
    strings : Strings
        The texts that cells share.
    """

    sheet: str
    lowering: Lowering
    functions: Mapping[str, Any]
    points: Points
    strings: Strings
    _masters: dict[bytes, Master] = field(default_factory=dict)

    def values(self, parts: list[bytes]) -> Sequence[Cell]:
        """Return the values of the formulas in a run of rows, None for those left to the engine.

        Nothing at all is returned where all are.

        Parameters
        ----------
        parts : list of bytes
            The run of rows, split by `scan.FORMULA`.
        """
        count = len(parts) // STEP
        fills = (b"array" in a or b"dataTable" in a for a in set(parts[ATTRIBUTES::STEP]))
        # What an array formula fills looks like a constant, and is none.
        if count < _FEWEST or any(fills):
            return ()
        groups: dict[str, list[Group]] = defaultdict(list)
        for (letters, attributes), places in _alike(parts):
            if b"ref=" in attributes:
                self._note_masters(parts, places)
            if len(places) >= _FEWEST:
                group = self._group(parts, places, attributes)
                if group is not None:
                    groups[letters.decode()].append(group)
        # The cells between the formulas are all that can be constants.
        return _Run(self, b"".join(parts[0::STEP]), groups).values(count) if groups else ()

    def _note_masters(self, parts: list[bytes], places: Sequence[int]) -> None:
        for place in places:
            start = place * STEP
            shared = _SHARED.search(parts[start + ATTRIBUTES])
            text = parts[start + TEXT]
            if shared and text:
                column = column_number(parts[start + COLUMN].decode())
                master = Master(unescape(text), int(parts[start + ROW]), column)
                self._masters[shared[1]] = master

    def _group(self, parts: list[bytes], places: Sequence[int], attributes: bytes) -> Group | None:
        """Return the cells among these that hold the very formula of the first."""
        kind = _KIND.search(attributes)
        if kind is None or kind[1] == b"normal":
            places = _same_as_first(parts, places)
            if len(places) < _FEWEST:
                return None
            ends = [unescape(parts[place * STEP + TEXT]) for place in (places[0], places[-1])]
        else:
            shared = _SHARED.search(attributes)
            master = self._masters.get(shared[1]) if kind[1] == b"shared" and shared else None
            if master is None or parts[places[0] * STEP + TEXT]:
                return None
            ends = [_child(master, parts, place) for place in (places[0], places[-1])]
        rows = [parts[place * STEP + ROW] for place in places]
        letters = parts[places[0] * STEP + COLUMN]
        # What is lowered in one way at both ends is so in between.
        first, last = (
            self._tree(text, int(row), letters)
            for text, row in zip(ends, (rows[0], rows[-1]), strict=True)
        )
        if first is None or last is None or first.text() != last.text():
            return None
        return Group(places, rows, first)

    def _tree(self, text: str, row: int, letters: bytes) -> Node | None:
        """Return a formula with the references to its own row marked as such."""
        place = Place(self.sheet, row, column_number(letters.decode()))
        try:
            tree = read_formula(self.lowering.lowered(text, place))
        except (UnevaluableError, FormulaError):
            return None
        for node in tree.walk():
            for argument in node.arguments:
                for item in argument:
                    if not is_range_token(item):
                        continue
                    found = _RELATIVE.fullmatch(item.value)
                    if found and int(found[2]) == row:
                        item.value = f"{found[1].lstrip('$').upper()}{_OWN_ROW}"
        return tree


def _alike(
    parts: list[bytes],
) -> Iterable[tuple[tuple[bytes, bytes], Sequence[int]]]:
    """Return the places of formulas that may be the same, with their column and attributes."""
    letters, attributes = parts[COLUMN::STEP], parts[ATTRIBUTES::STEP]
    patterns = without_digits([text or b"" for text in parts[TEXT::STEP]])
    if len(set(patterns)) == len(set(letters)) == len(set(attributes)) == 1:
        return [((letters[0], attributes[0]), range(len(letters)))]
    alike: dict[tuple[bytes, bytes, bytes], list[int]] = defaultdict(list)
    for place, key in enumerate(zip(letters, attributes, patterns, strict=True)):
        alike[key].append(place)
    return [(key[:2], places) for key, places in alike.items()]


def _same_as_first(parts: list[bytes], places: Sequence[int]) -> Sequence[int]:
    """Return the places whose formula is that of the first, their own row in its place."""
    first = places[0] * STEP
    count = 0

    def own(match: re.Match[bytes]) -> bytes:
        nonlocal count
        if match[2] != parts[first + ROW]:
            return match[0]
        count += 1
        return match[1] + b"%b"

    form = _REFERENCE.sub(own, parts[first + TEXT].replace(b"%", b"%%"))
    return [
        place
        for place in places
        if parts[place * STEP + TEXT] == form % ((parts[place * STEP + ROW],) * count)
    ]


def _child(master: Master, parts: list[bytes], place: int) -> str:
    """Return the formula of a cell that shares one."""
    start = place * STEP
    here = f"{parts[start + COLUMN].decode()}{int(parts[start + ROW])}"
    origin = cell_name(master.row, master.column)
    try:
        moved = Translator("=" + master.text, origin=origin).translate_formula(here)
    except TranslatorError:
        return "#REF!"
    return str(moved)[1:]


class _Run:
    """One run of rows being computed."""

    def __init__(self, columns: Columns, rows: bytes, groups: Mapping[str, list[Group]]) -> None:
        self._columns = columns
        self._rows = rows
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
                array = np.broadcast_to(np.asarray(result, dtype=np.float64), len(group.rows))
                result = _finite(array)
            if any(cell is not None for cell in result):
                self._done[letters].append((group, result))

    # --- what stands in the cells ------------------------------------------------------------

    def _number_cells(self, letters: str, group: Group) -> NDArray[np.float64]:
        """Return the numbers of a column in the rows of a group, NaN where there is none."""
        self._compute(letters)
        if letters in self._done:
            return _numbers(self._all_cells(letters, group))
        if letters not in self._numbers:
            rows, values = constants.numbers(self._rows, letters)
            self._numbers[letters] = (rows, np.array(values, dtype=np.float64))
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

    def _fixed(self, text: str) -> Cell:
        """Return what stands in a single cell, or behind a name."""
        columns = self._columns
        sheet, reference = split_sheet(text)
        area = parse_area(reference)
        if area is None and sheet is None:
            name = columns.lowering.names.find(text, columns.sheet)
            sheet, reference = split_sheet(name.text) if name else (None, "")
            area = parse_area(reference)
        if area is None or area.rows * area.columns != 1:
            raise UnsupportedError(f"the reference {text}")
        value = columns.points.value(sheet or columns.sheet, area.top, area.left)
        if value is None:
            raise UnsupportedError(f"{text} holds no constant")
        return value

    # --- formulas ----------------------------------------------------------------------------

    def _top(self, group: Group) -> Value | list[Cell]:
        """Return the results of a formula: numbers as an array, or cells."""
        items = [item for item in group.tree.arguments[0] if not is_blank(item)]
        if len(items) == 1 and isinstance(items[0], Node):
            return self._node(items[0], group)
        return self._expression(items, group)

    def _expression(self, items: Sequence[Node | Token], group: Group) -> Value:
        return evaluate(items, EXACT, lambda item: self._operand(item, group))

    def _operand(self, item: Node | Token, group: Group) -> Value:
        if isinstance(item, Node):
            result = self._node(item, group)
            return _numbers(result) if isinstance(result, list) else result
        if is_range_token(item):
            if item.value.endswith(_OWN_ROW):
                return self._number_cells(item.value[:-1], group)
            value = self._fixed(item.value)
            if type(value) is float:
                return value
        elif item.subtype == Token.NUMBER:
            return float(item.value)
        raise UnsupportedError(f"{item.value} is no number")

    def _node(self, node: Node, group: Group) -> Value | list[Cell]:
        if node.opening == "(":
            if len(node.arguments) != 1:
                raise UnsupportedError("a union")
            return self._expression(node.arguments[0], group)
        function = self._columns.functions.get(node.name)
        count = len(node.arguments)
        if (
            function is None
            or not function.required <= count <= len(function.parameters)
            or not function.broadcasts
            or function.result not in _SINGLE_RESULTS
        ):
            raise UnsupportedError(node.name)
        if function.plain and function.result == "number":
            return _called(function.engine, [self._expression(a, group) for a in node.arguments])
        arguments = [
            self._argument(argument, kind, group)
            for argument, kind in zip(node.arguments, function.kinds, strict=False)
        ]
        calls = list(zip(*arguments, strict=True))
        whole = [place for place, call in enumerate(calls) if None not in call]
        results: list[Cell] = [None] * len(calls)
        answers = function.call_block([calls[place] for place in whole])
        for place, answer in zip(whole, answers, strict=True):
            if type(answer) in (float, str):
                results[place] = answer
        return results

    def _argument(self, argument: Sequence[Node | Token], kind: str, group: Group) -> list[Cell]:
        """Return one argument for each row, None where it is not known here."""
        count = len(group.rows)
        solid = [item for item in argument if not is_blank(item)]
        only = solid[0] if len(solid) == 1 else None
        if only is not None and is_range_token(only):
            if only.value.endswith(_OWN_ROW):
                return self._all_cells(only.value[:-1], group)
            return [self._fixed(only.value)] * count
        if isinstance(only, Token) and only.subtype == Token.TEXT:
            return [only.value[1:-1].replace('""', '"')] * count
        if kind != "number":
            raise UnsupportedError("a text that is computed")
        return _finite(np.broadcast_to(np.asarray(self._expression(solid, group)), count))


def _called(engine: Callable[..., Value], arguments: list[Value]) -> Value:
    try:
        return engine(*arguments)
    except TokenbookError as error:
        raise UnsupportedError(str(error)) from error


def _numbers(cells: Iterable[Cell]) -> NDArray[np.float64]:
    """Return cells as an array, NaN for what is no number."""
    return np.array([cell if type(cell) is float else np.nan for cell in cells])


def _finite(array: NDArray[np.float64]) -> list[Cell]:
    """Return an array as cells, None for what is no finite number."""
    finite = np.isfinite(array)
    if finite.all():
        return list(array.tolist())
    return [value if good else None for value, good in zip(array.tolist(), finite, strict=True)]
