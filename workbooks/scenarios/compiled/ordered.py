"""PERCENTILE, SMALL and LARGE over columns: the numbers of a range, sorted in each draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbooks.scenarios.compiled.operators import numeric
from workbooks.scenarios.compiled.values import (
    NUM,
    NUMBER,
    Column,
    Grid,
    Texts,
    UnsupportedError,
    Value,
    each,
    first_error,
    is_kind,
    sound,
)


def _sorted(array: Value) -> tuple[Any, Any]:
    """Return the numbers of a range in their order, a row each, and how many there are."""
    if isinstance(array, Column):
        raise UnsupportedError("one value where a range is wanted")
    cells = [np.where(is_kind(cell, NUMBER), cell.num, np.inf) for cell in array.cells()]
    # What is no number goes to the end, where it is not counted.
    table = np.sort(np.array(np.broadcast_arrays(*cells), dtype=np.float64), axis=0)
    return table, np.isfinite(table).sum(axis=0)


def _for_each_place(function: Callable[[Texts, Value, Column], Column]) -> Callable[..., Value]:
    """Return a function that answers for every place of a range of places."""

    def call(texts: Texts, array: Value, place: Value) -> Value:
        return each(lambda one: function(texts, array, one), [place])

    return call


def _at(table: Any, place: Any) -> Any:
    """Return the number at a place of each draw, counted from 0; any where there is none."""
    inside = np.clip(place, 0, len(table) - 1).astype(np.intp)
    return np.take_along_axis(table, np.broadcast_to(inside, table.shape[1:])[np.newaxis], 0)[0]


def percentile(texts: Texts, array: Value, share: Column) -> Column:
    """Return the number below which a share of the numbers lies, between two of them if need be."""
    table, count = _sorted(array)
    wanted = numeric(share, texts)
    place = np.multiply(wanted.num, count - 1)
    low = np.floor(place)
    below, above = _at(table, low), _at(table, np.minimum(low + 1, np.maximum(count - 1, 0)))
    known = (count > 0) & np.greater_equal(wanted.num, 0) & np.less_equal(wanted.num, 1)
    with np.errstate(invalid="ignore"):
        value = np.where(known, below + (place - low) * (above - below), np.nan)
    return _told(array, wanted, value)


def _counted(*, from_end: bool) -> Callable[[Texts, Value, Column], Column]:
    def call(texts: Texts, array: Value, which: Column) -> Column:
        table, count = _sorted(array)
        wanted = numeric(which, texts)
        if np.any(np.not_equal(np.floor(wanted.num), wanted.num)):
            raise UnsupportedError("a place that is no whole number")
        known = np.greater_equal(wanted.num, 1) & np.less_equal(wanted.num, count)
        place = count - wanted.num if from_end else np.subtract(wanted.num, 1)
        return _told(array, wanted, np.where(known, _at(table, place), np.nan))

    return call


def _told(array: Value, wanted: Column, value: Any) -> Column:
    """Return values, `#NUM!` where there is none; an error of the range or the place comes out."""
    cells = array.cells() if isinstance(array, Grid) else [array]
    return first_error([*cells, wanted], sound(value if value.ndim else float(value), NUM))


#: Texts first, then the arguments, ranges whole.
ORDERED: Mapping[str, Callable[..., Value]] = {
    name: _for_each_place(function)
    for name, function in {
        "PERCENTILE": percentile,
        "PERCENTILE.INC": percentile,
        "SMALL": _counted(from_end=False),
        "LARGE": _counted(from_end=True),
    }.items()
}
