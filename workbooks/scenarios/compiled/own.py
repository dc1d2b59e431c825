"""Own functions over columns: one call of the engine for all draws, wherever it takes arrays.

Whatever the engine takes no arrays for (tables, whole series, records) goes by `each_draw`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import KINDS, is_own_record
from engine.elementwise import stacked
from engine.errors import TokenbookError
from udfs.calls import answer
from udfs.cells import error_of
from udfs.declare import Function
from workbooks.scenarios.compiled.each_draw import (
    cells_of,
    constant,
    each_draw,
    of_cells,
    plain_cell,
)
from workbooks.scenarios.compiled.values import (
    BLANK,
    ERROR,
    NA,
    NUM,
    NUMBER,
    TEXT,
    VALUE,
    Column,
    Grid,
    Texts,
    Value,
    anywhere,
    each,
    error,
    everywhere,
    first_error,
    is_kind,
    merged,
)

# Cells of stacked series that are taken together: some megabytes.
_STACK = 1_000_000


def call(texts: Texts, function: Function, arguments: Sequence[Value], size: int) -> Value:
    """Return what a function gives in all draws.

    Parameters
    ----------
    texts : Texts
        The texts of the program.
    function : Function
        The function.
    arguments : Sequence of Value
        Its arguments; a skipped one is blank.
    size : int
        Number of draws [-].
    """
    if not function.required <= len(arguments) <= len(function.parameters):
        return error(VALUE)
    if all(constant(argument) for argument in arguments):
        return of_cells(texts, [answer(function, [cells_of(texts, a) for a in arguments])])
    kinds = function.kinds[: len(arguments)]
    if (answers := stacked(function.engine)) is not None:
        found = _stacked(texts, answers, function, arguments, size)
        return each_draw(texts, function, arguments, size) if found is None else found
    if not function.broadcasts or any(
        kind != "number" and isinstance(argument, Grid) and not constant(argument)
        for kind, argument in zip(kinds, arguments, strict=True)
    ):
        return each_draw(texts, function, arguments, size)
    if function.series:
        return _as_range(texts, function, arguments, size)
    spread = [
        isinstance(argument, Grid) and _spreads(texts, kind, argument)
        for argument, kind in zip(arguments, kinds, strict=True)
    ]
    if not any(spread):
        return _at_once(texts, function, arguments, size)
    if function.result == "row":
        if any(
            s and a.shape[1] != 1
            for a, s in zip(arguments, spread, strict=True)
            if isinstance(a, Grid)
        ):
            return error(VALUE)
        return _rows(texts, function, arguments, spread, size)
    ranges = [argument for argument, s in zip(arguments, spread, strict=True) if s]

    def with_cells(*cells: Column) -> Column:
        given = iter(cells)
        one = [next(given) if s else a for a, s in zip(arguments, spread, strict=True)]
        result = call(texts, function, one, size)
        assert isinstance(result, Column)
        return result

    if not _fit(ranges):
        return error(VALUE)
    return each(with_cells, ranges)


def _spreads(texts: Texts, kind: str, argument: Grid) -> bool:
    """Tell whether a range spreads a function over its cells: numbers, texts or ids do."""
    if kind in KINDS:
        return not is_own_record(kind, cells_of(texts, argument))
    return kind in ("number", "text")


def _as_range(texts: Texts, function: Function, arguments: Sequence[Value], size: int) -> Value:
    """Call a function of whole series once, the draws of its numbers as a column."""
    plain = [_plain(texts, function, i, argument) for i, argument in enumerate(arguments)]
    if all(value is not None for value in plain):
        return _called(texts, function, plain)
    given: list[Any] = []
    for kind, argument in zip(function.kinds, arguments, strict=False):
        if constant(argument):
            given.append(cells_of(texts, argument))
        elif kind == "number" and isinstance(argument, Column):
            given.append([[cell] for cell in texts.cells(argument, size)])
        else:
            return each_draw(texts, function, arguments, size)
    result = answer(function, given)
    if not isinstance(result, list):
        return texts.of(result)
    if len(result) != size or len(result[0]) != 1:
        return each_draw(texts, function, arguments, size)
    return texts.gathered([plain_cell(row[0]) for row in result])


def _plain(texts: Texts, function: Function, place: int, argument: Value) -> Any:
    """Return an argument as the engine takes it; None where it is not plain in all draws."""
    kind = function.kinds[place]
    if isinstance(argument, Grid):
        cells = list(argument.cells())
        if kind == "series" and constant(argument) and all(c.kind == NUMBER for c in cells):
            return np.array([cell.num for cell in cells])
        return None
    if place >= function.required and everywhere(is_kind(argument, BLANK)):
        return function.defaults[place]
    if kind == "text":
        return (
            texts.known[int(argument.num)] if argument.constant and argument.kind == TEXT else None
        )
    drawn = kind == "number" or (kind == "series" and argument.constant)
    return argument.num if drawn and everywhere(is_kind(argument, NUMBER)) else None


def _stacked(
    texts: Texts,
    answers: Callable[..., NDArray[np.float64]],
    function: Function,
    arguments: Sequence[Value],
    size: int,
) -> Column | None:
    """Call a function of whole series for all draws at once; None where not all are numbers."""
    given: list[list[Any]] = []
    for place, argument in enumerate(arguments):
        cells = list(argument.cells()) if isinstance(argument, Grid) else [argument]
        if isinstance(argument, Column) and everywhere(is_kind(argument, BLANK)):
            if place < function.required:
                return None
            given.append([function.defaults[place]])
        elif isinstance(argument, Grid) and argument.height is not None:
            return None
        elif all(everywhere(is_kind(cell, NUMBER)) for cell in cells):
            given.append([cell.num for cell in cells])
        else:
            return None
    longest = max(map(len, given))
    results = np.empty(size)
    step = max(_STACK // longest, 1)
    for start in range(0, size, step):
        part = slice(start, min(start + step, size))
        try:
            results[part] = answers(*(_stack(nums, part) for nums in given))
        except TokenbookError as refused:
            return texts.of(error_of(refused))
    return _column(texts, function, results)


def _stack(nums: Sequence[Any], part: slice) -> NDArray[np.float64]:
    """Return the cells of a series as columns, a draw a row; one row where none differ."""
    drawn = [num[part] if isinstance(num, np.ndarray) and num.ndim else num for num in nums]
    return np.stack(np.broadcast_arrays(*map(np.atleast_1d, drawn)), axis=-1)


def _fit(ranges: Sequence[Value]) -> bool:
    """Tell whether ranges spread over one shape, as arrays of NumPy do."""
    try:
        np.broadcast_shapes(*(grid.shape for grid in ranges if isinstance(grid, Grid)))
    except ValueError:
        return False
    return True


def _rows(
    texts: Texts, function: Function, arguments: Sequence[Value], spread: Sequence[bool], size: int
) -> Value:
    """Return a row for each cell of some columns."""
    high = max(
        a.shape[0] for a, s in zip(arguments, spread, strict=True) if s and isinstance(a, Grid)
    )
    lines = []
    for r in range(high):
        one = [
            a.rows[r if a.shape[0] > 1 else 0][0] if s and isinstance(a, Grid) else a
            for a, s in zip(arguments, spread, strict=True)
        ]
        result = call(texts, function, one, size)
        lines.append(list(result.rows[0]) if isinstance(result, Grid) else [result])
    wide = max(map(len, lines))
    return Grid([line if len(line) == wide else line * wide for line in lines])


def _at_once(texts: Texts, function: Function, arguments: Sequence[Value], size: int) -> Value:
    """Call the engine with arrays, once for each set of texts among the arguments."""
    faults: list[Column] = []
    values: list[Any] = []
    grouped: list[int] = []
    for i, argument in enumerate(arguments):
        kind, default = function.kinds[i], function.defaults[i]
        optional = i >= function.required
        if isinstance(argument, Grid):
            if not all(cell.constant for cell in argument.cells()):
                return each_draw(texts, function, arguments, size)
            values.append(cells_of(texts, argument))
            continue
        blank = is_kind(argument, BLANK)
        if anywhere(blank) and not everywhere(blank):
            return each_draw(texts, function, arguments, size)
        wrong = is_kind(argument, ERROR)
        if everywhere(blank):
            if not optional:
                faults.append(error(VALUE))
            values.append(default if optional else None)
            continue
        if anywhere(wrong):
            faults.append(argument)
        if kind == "number":
            bad = np.logical_not(np.logical_or(is_kind(argument, NUMBER), wrong))
            if anywhere(bad):
                faults.append(merged(bad if bad.ndim else bool(bad), error(VALUE), argument))
            usable = is_kind(argument, NUMBER)
            values.append(
                argument.num if everywhere(usable) else np.where(usable, argument.num, np.nan)
            )
        else:
            bad = np.logical_not(np.logical_or(is_kind(argument, TEXT), wrong))
            if anywhere(bad):
                return each_draw(texts, function, arguments, size)
            if argument.constant and argument.kind == TEXT:
                values.append(texts.known[int(argument.num)])
            else:
                values.append(argument)
                grouped.append(i)
    # The leftmost fault of a draw comes before whatever the engine has to say.
    whole = first_error(faults, Column(NUMBER, 0.0))
    if everywhere(is_kind(whole, ERROR)):
        return whole
    result = _grouped(texts, function, values, grouped, size)
    if not faults:
        return result
    if isinstance(result, Grid):
        return _row([first_error([whole], cell) for cell in result.rows[0]])
    return first_error([whole], result)


def _grouped(
    texts: Texts, function: Function, values: list[Any], grouped: list[int], size: int
) -> Value:
    if not grouped:
        return _called(texts, function, values)
    keys = np.stack(
        [
            np.broadcast_to(np.where(is_kind(values[i], TEXT), values[i].num, -1.0), (size,))
            for i in grouped
        ]
    )
    result: Value | None = None
    for key in np.unique(keys, axis=1).T:
        mask = (keys == key[:, None]).all(axis=0)
        if (key < 0).any():
            # An error stands in the place of a text; it is laid over the result.
            part: Value = error(VALUE)
        else:
            given = list(values)
            for i, place in zip(grouped, key, strict=True):
                given[i] = texts.known[int(place)]
            inside = [
                v[mask] if isinstance(v, np.ndarray) and v.shape == (size,) else v for v in given
            ]
            part = _spread(_called(texts, function, inside), mask, size)
        result = part if result is None else _merged(mask, part, result)
    assert result is not None
    return result


def _spread(value: Value, mask: Any, size: int) -> Value:
    """Return a value of some draws laid out over all of them."""
    if isinstance(value, Grid):
        return _row([_laid(cell, mask, size) for cell in value.rows[0]])
    return _laid(value, mask, size)


def _laid(column: Column, mask: Any, size: int) -> Column:
    kind, num = column
    if isinstance(kind, np.ndarray):
        wide = np.zeros(size, dtype=np.uint8)
        wide[mask] = kind
        kind = wide
    if isinstance(num, np.ndarray):
        nums = np.zeros(size)
        nums[mask] = num
        num = nums
    return Column(kind, num)


def _merged(mask: Any, one: Value, other: Value) -> Value:
    if isinstance(one, Grid) or isinstance(other, Grid):
        a = list(one.rows[0]) if isinstance(one, Grid) else [one]
        b = list(other.rows[0]) if isinstance(other, Grid) else [other]
        wide = max(len(a), len(b))
        pairs = zip(
            a if len(a) == wide else a * wide, b if len(b) == wide else b * wide, strict=True
        )
        return _row([merged(mask, x, y) for x, y in pairs])
    return merged(mask, one, other)


def _called(texts: Texts, function: Function, values: Sequence[Any]) -> Value:
    """Call the engine."""
    try:
        result = function.engine(*values)
    except TokenbookError as refused:
        return texts.of(error_of(refused))
    if isinstance(result, tuple):
        return _row([_column(texts, function, part) for part in result])
    return _column(texts, function, result)


def _row(cells: Sequence[Column]) -> Value:
    """Return a row; where any of it is an error, one error stands in the place of all of it."""
    failed = np.logical_or.reduce(np.broadcast_arrays(*(is_kind(cell, ERROR) for cell in cells)))
    if not failed.any():
        return Grid([cells])
    whole = first_error(cells, cells[0])
    if failed.all():
        return whole
    row = [merged(failed, whole, cell) for cell in cells]
    return Grid([row], height=np.where(failed, np.inf, 1.0))


def _column(texts: Texts, function: Function, result: Any) -> Column:
    array = np.asarray(result)
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        if finite.all():
            return Column(NUMBER, array if array.ndim else float(array))
        code = np.where(array == np.inf, NA if function.never else NUM, NUM)
        kind = np.where(finite, NUMBER, ERROR).astype(np.uint8)
        if not array.ndim:
            return Column(int(kind), float(np.where(finite, array, code)))
        return Column(kind, np.where(finite, array, code))
    if not array.ndim:
        return texts.of(array.item())
    if array.dtype.kind in "US":
        unique, inverse = np.unique(array, return_inverse=True)
        places = np.array([texts.place(str(text)) for text in unique])
        return Column(TEXT, places[inverse.ravel()])
    return texts.gathered([plain_cell(value) for value in array.tolist()])
