"""Functions of cells over columns: one call for each draw that differs from those before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from udfs.calls import answer
from udfs.cells import CellError
from udfs.declare import Function
from workbooks.scenarios.compiled.values import Column, Grid, Texts, Value


def each_draw(texts: Texts, function: Function, arguments: Sequence[Value], size: int) -> Value:
    """Call one of our own functions for each draw whose arguments have not come up before."""
    return one_by_one(
        texts, lambda calls: [answer(function, cells) for cells in calls], arguments, size
    )


def one_by_one(
    texts: Texts,
    answers: Callable[[list[list[Any]]], list[Any]],
    arguments: Sequence[Value],
    size: int,
) -> Value:
    """Call a function of cells for each draw whose arguments have not come up before."""
    flat = [
        cell
        for argument in arguments
        for cell in (argument.cells() if isinstance(argument, Grid) else [argument])
        if not cell.constant
    ]
    if not flat:
        return of_cells(texts, answers([[cells_of(texts, a) for a in arguments]]))
    kinds = np.stack([np.broadcast_to(np.asarray(c.kind, dtype=float), (size,)) for c in flat])
    nums = np.stack([np.broadcast_to(np.asarray(c.num), (size,)) for c in flat])
    keys = np.ascontiguousarray(np.concatenate([kinds, nums]).T)
    places: dict[bytes, int] = {}
    order = np.array([places.setdefault(key.tobytes(), len(places)) for key in keys])
    firsts = np.full(len(places), -1)
    firsts[order[::-1]] = np.arange(size)[::-1]
    makers = [_maker(texts, argument) for argument in arguments]
    results = answers([[make(int(draw)) for make in makers] for draw in firsts])
    return _taken(of_cells(texts, results), order)


def _maker(texts: Texts, argument: Value) -> Callable[[int], Any]:
    """Return what gives the cells of an argument in one draw."""
    if isinstance(argument, Grid):
        rows = [[_maker(texts, cell) for cell in row] for row in argument.rows]
        return lambda draw: [[make(draw) for make in row] for row in rows]
    kind, num = argument
    if argument.constant:
        cell = texts.cell(int(kind), float(num))
        return lambda _draw: cell
    kinds, nums = np.asarray(kind), np.asarray(num)

    def make(draw: int) -> Any:
        one = kinds[draw] if kinds.ndim else kinds
        return texts.cell(int(one), float(nums[draw] if nums.ndim else nums))

    return make


def of_cells(texts: Texts, results: list[Any]) -> Value:
    """Return the answers of some calls as columns; shorter tables end in `#REF!`."""
    if not any(isinstance(result, list) for result in results):
        return _gathered(texts, results)
    tables = [result if isinstance(result, list) else [[result]] for result in results]
    high, wide = max(map(len, tables)), max(len(table[0]) for table in tables)
    failed = [isinstance(result, CellError) for result in results]
    heights = np.array([np.inf if bad else len(t) for t, bad in zip(tables, failed, strict=True)])
    beyond = CellError("#REF!")
    rows = []
    for r in range(high):
        line = []
        for c in range(wide):
            cells = [
                # An error in the place of a table is one row, whichever its column.
                table[0][0]
                if bad and not r
                else table[r][c]
                if r < len(table) and c < len(table[0])
                else beyond
                for table, bad in zip(tables, failed, strict=True)
            ]
            line.append(_gathered(texts, cells))
        rows.append(line)
    same = bool((heights == heights[0]).all())
    return Grid(rows, height=None if same else heights)


def _gathered(texts: Texts, cells: list[Any]) -> Column:
    if len(cells) == 1:
        return texts.of(cells[0])
    return texts.gathered([plain_cell(cell) for cell in cells])


def _taken(value: Value, order: Any) -> Value:
    """Return for each draw what its call gave."""
    if isinstance(value, Column):
        return _taken_column(value, order)
    height = None if value.height is None else value.height[order]
    return Grid([[_taken_column(cell, order) for cell in row] for row in value.rows], height=height)


def _taken_column(column: Column, order: Any) -> Column:
    kind = column.kind[order] if isinstance(column.kind, np.ndarray) else column.kind
    num = column.num[order] if isinstance(column.num, np.ndarray) else column.num
    return Column(kind, num)


def constant(argument: Value) -> bool:
    """Tell whether an argument is the same in all draws."""
    if isinstance(argument, Grid):
        return argument.height is None and all(cell.constant for cell in argument.cells())
    return argument.constant


def cells_of(texts: Texts, argument: Value) -> Any:
    """Return the cells of an argument that is the same in all draws."""
    if isinstance(argument, Grid):
        return [[texts.cell(int(c.kind), float(c.num)) for c in row] for row in argument.rows]
    return texts.cell(int(argument.kind), float(argument.num))


def plain_cell(value: Any) -> Any:
    """Return a result of the engine as a cell holds it."""
    if isinstance(value, float) and not np.isfinite(value):
        return CellError("#NUM!")
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
