"""INDEX, MATCH and their kin over columns, and what is counted or added up by a criterion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from workbooks.scenarios.compiled.functions import WHOLE, average
from workbooks.scenarios.compiled.operators import compared, numeric
from workbooks.scenarios.compiled.ordered import ORDERED
from workbooks.scenarios.compiled.values import (
    BLANK,
    BLANK_CELL,
    ERROR,
    NA,
    NUMBER,
    REF,
    TEXT,
    VALUE,
    Column,
    Grid,
    Texts,
    UnsupportedError,
    Value,
    anywhere,
    each,
    error,
    everywhere,
    first_error,
    is_kind,
    merged,
    number,
    truth,
)

_CRITERION = re.compile(r"(<>|<=|>=|=|<|>)?(.*)", re.DOTALL)
_WILD = re.compile(r"[*?~]")
_PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def rows_of(value: Value) -> Column:
    """Return how many rows a range or array has."""
    # An error in the place of a table is one row, as the calculator counts it.
    if isinstance(value, Column):
        return number(1.0)
    if value.height is None:
        return number(float(value.shape[0]))
    return Column(NUMBER, np.where(np.isinf(value.height), 1.0, value.height))


def columns_of(value: Value) -> Column:
    """Return how many columns a range or array has."""
    if isinstance(value, Column):
        return number(1.0)
    if value.height is None:
        return number(float(value.shape[1]))
    # So is an error one column.
    return Column(NUMBER, np.where(np.isinf(value.height), 1.0, float(value.shape[1])))


def index(texts: Texts, array: Value, *places: Value) -> Value:
    """Return one cell of an array, or a whole row or column of it where a place is 0.

    Where one error stands in the place of the array, it is the answer for every place.
    """
    if isinstance(array, Column):
        found = _indexed(texts, Grid([[array]]), *places)
        failed = is_kind(array, ERROR)
        return merged(failed, array, _single(found)) if anywhere(failed) else found
    found = _indexed(texts, array, *places)
    if array.height is None or isinstance(found, Grid):
        return found
    return merged(np.isinf(array.height), array.rows[0][0], found)


def _indexed(texts: Texts, array: Grid, *places: Value) -> Value:
    given = [numeric(_single(place), texts) for place in places]
    high, wide = array.shape
    if len(given) == 1:
        if high == 1 and wide > 1:
            given = [number(1.0), given[0]]
        elif wide > 1:
            raise UnsupportedError("INDEX of a table by its row alone")
        else:
            given = [given[0], number(1.0)]
    row, column = (
        Column(p.kind, np.trunc(p.num) if p.kind == NUMBER else p.num)
        if isinstance(p.kind, int)
        else Column(p.kind, np.trunc(p.num))
        for p in given
    )
    if anywhere(is_kind(row, ERROR)) or anywhere(is_kind(column, ERROR)):
        if not (row.constant and column.constant):
            picked = _picked(array, _zeroed(row), _zeroed(column))
            return each(lambda cell: first_error([row, column], cell), [picked])
        return first_error([row, column], error(VALUE))
    return _picked(array, row, column)


def _zeroed(place: Column) -> Column:
    """Return a place with 1 wherever it is an error."""
    wrong = is_kind(place, ERROR)
    return Column(NUMBER, np.where(wrong, 1.0, place.num)) if anywhere(wrong) else place


def _picked(array: Grid, row: Column, column: Column) -> Value:
    wide = array.shape[1]
    rows, columns = np.asarray(row.num), np.asarray(column.num)
    whole_row, whole_column = not columns.any(), not rows.any()
    if (not whole_row and not columns.all()) or (not whole_column and not rows.all()):
        raise UnsupportedError("INDEX of a cell in some draws and of a range in others")
    if whole_row and whole_column:
        return array
    if whole_column:
        if array.height is not None:
            raise UnsupportedError("a column of a table whose length differs by draw")
        return Grid([[_of(list(line), column.num)] for line in array.rows], array.reference)
    lines = [list(line) for line in array.rows]
    found = []
    for c in range(wide):
        one = _of([line[c] for line in lines], row.num)
        if array.height is not None:
            failed = np.isinf(array.height)
            height = np.where(failed, 1.0, array.height)
            one = merged(np.less_equal(rows, height), one, error(REF))
        found.append(one)
    if whole_row:
        return Grid([found], array.reference) if wide > 1 else found[0]
    return _of(found, column.num)


def _of(cells: Sequence[Column], place: Any) -> Column:
    """Return the cell at a place, counted from 1; `#REF!` beyond the end."""
    if not isinstance(place, np.ndarray) or not place.ndim:
        at = int(place)
        return cells[at - 1] if 1 <= at <= len(cells) else error(REF)
    result = error(REF)
    for at in np.unique(place):
        if 1 <= at <= len(cells):
            result = merged(place == at, cells[int(at) - 1], result)
    return result


def match(texts: Texts, wanted: Value, array: Value, how: Value | None = None) -> Column:
    """Return the place of a value: the first that equals it, or the last that is not larger."""
    value = _single(wanted)
    if isinstance(array, Column) or 1 not in array.shape:
        raise UnsupportedError("MATCH in what is no row or column")
    kind = numeric(_single(how), texts) if how is not None else number(1.0)
    if not kind.constant or kind.kind != NUMBER:
        raise UnsupportedError("MATCH in a way that differs by draw")
    cells = array.cells()
    if anywhere(is_kind(value, BLANK)):
        raise UnsupportedError("MATCH of a blank cell")
    if anywhere(is_kind(value, TEXT)) and any(_WILD.search(t) for t in texts.among(value)):
        raise UnsupportedError("MATCH with a wildcard")
    result: Column = error(NA)
    if kind.num == 0:
        for place, cell in reversed(list(enumerate(cells, 1))):
            result = merged(_equal(texts, cell, value), number(float(place)), result)
    elif kind.num > 0:
        if not all(everywhere(is_kind(cell, NUMBER)) for cell in [value, *cells]):
            raise UnsupportedError("an approximate MATCH of what is no number")
        for before, cell in pairwise(cells):
            if anywhere(np.greater(before.num, cell.num)):
                raise UnsupportedError("an approximate MATCH in what does not ascend")
        for place, cell in enumerate(cells, 1):
            hit = np.less_equal(cell.num, value.num)
            result = merged(hit if hit.ndim else bool(hit), number(float(place)), result)
    else:
        raise UnsupportedError("MATCH in descending order")
    return first_error([value], result)


def _equal(texts: Texts, cell: Column, value: Column) -> Any:
    """Tell where a cell is the value itself: of its kind, and neither blank nor an error."""
    kind = np.equal(np.asarray(cell.kind), np.asarray(value.kind))
    plain = np.logical_and(kind, np.logical_not(is_kind(cell, ERROR)))
    plain = np.logical_and(plain, np.logical_not(is_kind(cell, BLANK)))
    if not anywhere(plain):
        return False
    same = compared("=", cell, value, texts, rounded=False)
    result = np.logical_and(plain, np.not_equal(same.num, 0))
    return result if result.ndim else bool(result)


def lookup(
    texts: Texts,
    wanted: Value,
    table: Value,
    place: Value,
    how: Value | None = None,
    *,
    across: bool,
) -> Value:
    """Return VLOOKUP or HLOOKUP."""
    if isinstance(table, Column):
        raise UnsupportedError("a lookup in a single value")
    if how is not None and not isinstance(how, Grid) and how.constant and how.num == 0:
        exact = number(0.0)
    else:
        exact = number(1.0)
    heads = Grid([table.rows[0]]) if across else Grid([[line[0]] for line in table.rows])
    found = match(texts, wanted, heads, exact)
    return index(texts, table, place, found) if across else index(texts, table, found, place)


def rank(texts: Texts, value: Value, array: Value, order: Value | None = None) -> Column:
    """Return the place of a number among others, the largest first; `#N/A` if it is not there."""
    wanted = numeric(_single(value), texts)
    way = numeric(_single(order), texts) if order is not None else number(0.0)
    if isinstance(array, Column) or not way.constant or way.kind != NUMBER:
        raise UnsupportedError("RANK in such a way")
    before = np.less if way.num else np.greater
    total: Any = 1.0
    found: Any = False
    for cell in array.cells():
        is_number = is_kind(cell, NUMBER)
        total = total + np.logical_and(is_number, before(cell.num, wanted.num))
        found = np.logical_or(found, np.logical_and(is_number, np.equal(cell.num, wanted.num)))
    total = Column(NUMBER, total if np.ndim(total) else float(total))
    result = merged(found if np.ndim(found) else bool(found), total, error(NA))
    return first_error([wanted, *array.cells()], result)


def _single(value: Value) -> Column:
    if isinstance(value, Grid):
        if value.shape == (1, 1):
            return value.rows[0][0]
        raise UnsupportedError("a range where one value is wanted")
    return value


# --- by a criterion -------------------------------------------------------------------------------


def meets(texts: Texts, cell: Column, criterion: Column) -> Any:
    """Tell in which draws a cell meets a criterion, as COUNTIF has it."""
    wrong = is_kind(criterion, ERROR)
    if anywhere(wrong):
        if everywhere(wrong):
            plain: Any = False
        else:
            plain = meets(texts, cell, merged(wrong, number(0.0), criterion))
        alike = np.logical_and(is_kind(cell, ERROR), np.equal(cell.num, criterion.num))
        hit = np.where(wrong, alike, plain)
        return hit if hit.ndim else bool(hit)
    criterion = merged(is_kind(criterion, BLANK), number(0.0), criterion)
    kinds = np.unique(np.asarray(criterion.kind))
    if len(kinds) > 1:
        return _by_kind(texts, cell, criterion, kinds)
    sign, operand = _read(texts, Column(int(kinds[0]), criterion.num))
    spelt = anywhere(is_kind(operand, NUMBER)) and anywhere(is_kind(cell, TEXT))
    if spelt and any(_PLAIN_NUMBER.fullmatch(text.strip()) for text in texts.among(cell)):
        raise UnsupportedError("a criterion over texts that spell numbers")
    alike = np.equal(np.asarray(cell.kind), np.asarray(operand.kind))
    if sign == "<>":
        hit = np.logical_not(np.logical_and(alike, _equals(texts, cell, operand)))
        return hit if hit.ndim else bool(hit)
    if sign == "=":
        hit = np.logical_and(alike, _equals(texts, cell, operand))
    else:
        same = compared(sign, cell, operand, texts, rounded=False)
        hit = np.logical_and(alike, np.not_equal(same.num, 0))
    return hit if hit.ndim else bool(hit)


def _by_kind(texts: Texts, cell: Column, criterion: Column, kinds: Iterable[int]) -> Any:
    """Tell where a criterion is met that is a number in some draws and a text in others."""
    hit: Any = False
    nums = np.broadcast_to(np.asarray(criterion.num), np.shape(criterion.kind))
    for kind in kinds:
        here = np.asarray(criterion.kind) == kind
        # The other draws take any value of this kind: what comes out there is not looked at.
        alike = Column(int(kind), np.where(here, nums, nums[np.argmax(here)]))
        hit = np.where(here, meets(texts, cell, alike), hit)
    return hit


def _read(texts: Texts, criterion: Column) -> tuple[str, Column]:
    """Return the sign of a criterion, and what it is held against."""
    if criterion.kind != TEXT:
        return "=", criterion
    unique, inverse = np.unique(np.asarray(criterion.num), return_inverse=True)
    read = [_read_text(texts, texts.known[int(place)]) for place in unique]
    signs = {sign for sign, _ in read}
    if len(signs) > 1:
        raise UnsupportedError("a criterion whose sign differs by draw")
    if criterion.constant:
        return read[0]
    kinds = np.array([one.kind for _, one in read], dtype=np.uint8)[inverse.ravel()]
    nums = np.array([one.num for _, one in read], dtype=np.float64)[inverse.ravel()]
    return signs.pop(), Column(kinds if (kinds != kinds[0]).any() else int(kinds[0]), nums)


def _read_text(texts: Texts, text: str) -> tuple[str, Column]:
    found = _CRITERION.fullmatch(text)
    sign, rest = (found[1] or "=", found[2]) if found else ("=", "")
    if not rest:
        raise UnsupportedError("a criterion about blank cells")
    if _WILD.search(rest):
        raise UnsupportedError("a criterion with a wildcard")
    if rest.casefold() in ("true", "false"):
        return sign, truth(rest.casefold() == "true")
    if _PLAIN_NUMBER.fullmatch(rest):
        return sign, number(float(rest))
    if not rest[0].isalpha():
        raise UnsupportedError(f"the criterion {rest}")
    return sign, texts.column(rest)


def _equals(texts: Texts, cell: Column, operand: Column) -> Any:
    return np.not_equal(compared("=", cell, operand, texts, rounded=False).num, 0)


def met(texts: Texts, pairs: Sequence[tuple[Grid, Column]]) -> list[Any]:
    """Tell for each cell of some ranges in which draws it meets all criteria."""
    if len({grid.shape for grid, _ in pairs}) != 1:
        raise UnsupportedError("ranges of different shapes under criteria")
    masks: list[Any] = []
    for cells in zip(*(grid.cells() for grid, _ in pairs), strict=True):
        mask: Any = True
        for cell, (_, criterion) in zip(cells, pairs, strict=True):
            mask = np.logical_and(mask, meets(texts, cell, criterion))
        masks.append(mask)
    return masks


def _paired(arguments: Sequence[Value]) -> list[tuple[Grid, Column]]:
    pairs = []
    for range_, criterion in zip(arguments[0::2], arguments[1::2], strict=True):
        grid = range_ if isinstance(range_, Grid) else Grid([[range_]])
        pairs.append((grid, _single(criterion)))
    return pairs


def count_if(texts: Texts, *arguments: Value) -> Column:
    """COUNTIF and COUNTIFS."""
    total: Any = 0.0
    for mask in met(texts, _paired(arguments)):
        total = total + np.asarray(mask, dtype=np.float64)
    return Column(NUMBER, total if np.ndim(total) else float(total))


def _of_met(total: Callable[..., Column]) -> Callable[..., Column]:
    def call(texts: Texts, summed: Value, *arguments: Value) -> Column:
        masks = met(texts, _paired(arguments))
        grid = summed if isinstance(summed, Grid) else Grid([[summed]])
        cells = grid.cells()
        if len(cells) != len(masks):
            raise UnsupportedError("a range of another shape than its criteria")
        kept = [
            merged(mask if np.ndim(mask) else bool(mask), cell, BLANK_CELL)
            for mask, cell in zip(masks, cells, strict=True)
        ]
        return total(texts, Grid([kept]))

    return call


_sum_ifs, _average_ifs = _of_met(WHOLE["SUM"]), _of_met(average)


def _one_criterion(total: Callable[..., Column]) -> Callable[..., Column]:
    def call(texts: Texts, tested: Value, criterion: Value, summed: Value | None = None) -> Column:
        return total(texts, tested if summed is None else summed, tested, criterion)

    return call


#: Functions of ranges and places: texts first, then the arguments, ranges whole.
LOOKUPS: dict[str, Callable[..., Value]] = {
    "INDEX": index,
    "MATCH": match,
    "VLOOKUP": lambda *a: lookup(*a, across=False),
    "HLOOKUP": lambda *a: lookup(*a, across=True),
    "RANK": rank,
    "ROWS": lambda _texts, value: rows_of(value),
    "COLUMNS": lambda _texts, value: columns_of(value),
    "COUNTIF": count_if,
    "COUNTIFS": count_if,
    "SUMIF": _one_criterion(_sum_ifs),
    "SUMIFS": _sum_ifs,
    "AVERAGEIF": _one_criterion(_average_ifs),
    "AVERAGEIFS": _average_ifs,
    **ORDERED,
}
