"""Ranges that are taken whole: which of their blank cells are passed over.

A whole column works: cells below the data are blank. Series whose elements belong to the same
thing (capacity and price of an offer) are paired: a row is passed over where all are blank.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError

Kept = NDArray[np.bool_]


def without_blanks(
    series: Mapping[int, tuple[float | None, str]], names: Sequence[str], cells: Sequence[Any]
) -> tuple[list[Any], dict[str, Kept]]:
    """Return the arguments without the blank cells of their series, and which cells were kept.

    Parameters
    ----------
    series : Mapping
        For each series by its place, what a blank stands for (None where it is passed over) and
        what its elements belong to.
    names : sequence of str
        Names of the arguments, for messages.
    cells : sequence
        The arguments; a range is a list of rows.

    Returns
    -------
    list
        The arguments; a series that is blank altogether is None.
    dict
        For what the elements belong to: which of them were kept, in reading order.
    """
    given = list(cells)
    ranges = [given[i] for i in series if i < len(given) and isinstance(given[i], list)]
    gaps = any(NoneType in set(map(type, chain.from_iterable(rows))) for rows in ranges)
    if not gaps and len({*map(len, ranges)}) <= 1:
        return given, {}
    paired: dict[str, list[int]] = defaultdict(list)
    for place, (blank, per) in series.items():
        if place >= len(given) or not isinstance(given[place], list):
            continue
        flat = [cell for row in given[place] for cell in row]
        if blank is None:
            paired[per].append(place)
        elif any(cell is not None for cell in flat):
            flat = [blank if cell is None else cell for cell in flat]
        given[place] = flat
    kept = {
        per: _kept([given[i] for i in places], [names[i] for i in places])
        for per, places in paired.items()
    }
    for per, places in paired.items():
        for place in places:
            found = [c for c, keep in zip(given[place], kept[per], strict=True) if keep]
            given[place] = found
    for place in series:
        if place < len(given) and isinstance(given[place], list):
            blank_all = all(cell is None for cell in given[place])
            given[place] = None if blank_all else [[cell] for cell in given[place]]
    return given, kept


def _kept(ranges: Sequence[Sequence[Any]], names: Sequence[str]) -> Kept:
    sizes = {len(cells) for cells in ranges}
    if len(sizes) > 1:
        told = ", ".join(f"{name} {len(cells)}" for name, cells in zip(names, ranges, strict=True))
        raise InputError(f"ranges of different sizes: {told} cells")
    filled = np.array([[cell is not None for cell in cells] for cells in ranges])
    kept: Kept = np.logical_or.reduce(filled, axis=0)
    return kept


def put_back(result: Any, kept: Mapping[str, Kept]) -> Any:
    """Put empty rows and columns where blank cells were passed over, so that results keep place."""
    if not isinstance(result, list):
        return result
    rows = kept.get("load", kept.get(""))
    columns = kept.get("offer")
    if columns is not None and not columns.all():
        result = [_spread(row, columns, "") for row in result]
    if rows is not None and not rows.all():
        result = _spread(result, rows, [""] * len(result[0]))
    return result


def _spread(values: Sequence[Any], kept: Kept, empty: Any) -> list[Any]:
    found = iter(values)
    return [next(found) if keep else empty for keep in kept.tolist()]
