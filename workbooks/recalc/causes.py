"""Where errors begin: each cell in error is traced to the one that its error comes from.

An error passes on with its code. So a cell in error follows the first cell with the same error
that its formula refers to, in the order in which the formula is written; where nothing is found
among cells in error, the first of these. Where there is none, the error begins in the cell itself.
All cells of one relative form are looked up at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbooks.excel.context import Place
from workbooks.formula.address import MAX_COLUMN, Area
from workbooks.recalc.precedents import Form, Precedents, Window, relative
from workbooks.recalc.searches import Search, Searches

Ints = NDArray[np.int64]
_WIDTH = MAX_COLUMN + 1
_NONE = -1


class Source(NamedTuple):
    """The formula that a cell gets its value from, and where that stands.

    `block` are the cells of an array formula or data table; `reads`, what else it hangs on.
    """

    text: str
    row: int
    column: int
    array: bool = False
    block: Area | None = None
    reads: tuple[Area, ...] = ()


class Failed(NamedTuple):
    """A cell in error; `source` is None where no formula gives its value."""

    sheet: str
    row: int
    column: int
    code: str
    source: Source | None

    @property
    def base(self) -> tuple[int, int]:
        """Row and column from which its formula counts."""
        if self.source is not None and self.source.array:
            return self.source.row, self.source.column
        return self.row, self.column


@dataclass(frozen=True, slots=True)
class Causes:
    """Which cell each error comes from.

    `parents` has for each cell the one from which it has its error, -1 where it begins there;
    `roots` the one in which its error begins; `followers`, how many others begin in a cell [-].
    `forms` has the place of its formula in `read`, -1 where it has none.
    """

    parents: Ints
    roots: Ints
    followers: Ints
    forms: Ints
    read: list[Form]


def trace(cells: Sequence[Failed], precedents: Precedents, searches: Searches) -> Causes:
    """Return where the errors of these cells begin."""
    rows = np.array([cell.row for cell in cells], dtype=np.int64)
    columns = np.array([cell.column for cell in cells], dtype=np.int64)
    kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, cell in enumerate(cells):
        kinds[cell.sheet.casefold(), cell.code].append(i)
    found = {
        kind: _Errors(np.array(which, dtype=np.int64), rows, columns)
        for kind, which in kinds.items()
    }
    parents = np.full(len(cells), _NONE, dtype=np.int64)
    forms = np.full(len(cells), _NONE, dtype=np.int64)
    read: list[Form] = []
    for which in _alike(cells):
        own = np.array(which, dtype=np.int64)
        first = cells[which[0]]
        source = first.source
        assert source is not None
        place = Place(first.sheet, source.row, source.column)
        form = Form(precedents.tree(source.text, place, array=source.array), place)
        forms[own] = len(read)
        read.append(form)
        at = (rows[own], columns[own])
        if source.array:
            bases = np.array([cells[i].base for i in which], dtype=np.int64)
            at = (bases[:, 0], bases[:, 1])
        if form.tree is None:
            continue
        lookups = list(searches.of(form)) if first.code == "#N/A" else []

        def is_own(i: int, lookups: list[Search] = lookups) -> bool:
            """Tell whether a lookup that finds nothing is where the error begins."""
            return any(searches.misses(lookup, *cells[i].base) for lookup in lookups)

        for window in precedents.windows(form.tree, place, first.code):
            errors = found.get((window.sheet.casefold(), first.code))
            if errors is not None:
                corners = _corners(window, *at)
                _take(parents, own, errors, corners, None if window.is_cell else is_own)
        for window in precedents.turning(form.tree, place, first.code):
            for (sheet, _), errors in found.items():
                if sheet == window.sheet.casefold():
                    _take(parents, own, errors, _corners(window, *at))
    _within_blocks(parents, cells, found)
    return _settled(parents, forms, read)


def _alike(cells: Sequence[Failed]) -> Iterable[list[int]]:
    """Return the cells with a formula that have its relative form, sheet and code in common."""
    groups: dict[tuple[str, bool, str, str], list[int]] = defaultdict(list)
    sources: dict[Source, str] = {}
    for i, cell in enumerate(cells):
        source = cell.source
        if source is not None and source.text:
            key = sources.get(source)
            if key is None:
                key = sources[source] = relative(source.text, source.row, source.column)
            groups[key, source.array, cell.sheet.casefold(), cell.code].append(i)
    return groups.values()


def _corners(window: Window, rows: Ints, columns: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    top, left, bottom, right = (
        np.full_like(own, number) if fixed else own + number
        for number, fixed, own in zip(
            window[1:5], window.fixed, (rows, columns, rows, columns), strict=True
        )
    )
    return (
        np.minimum(top, bottom),
        np.minimum(left, right),
        np.maximum(top, bottom),
        np.maximum(left, right),
    )


def _take(
    parents: Ints,
    own: Ints,
    errors: _Errors,
    corners: tuple[Ints, Ints, Ints, Ints],
    unless: Callable[[int], bool] | None = None,
) -> None:
    """Give the cells that have no parent yet the first error between the corners."""
    free = np.flatnonzero(parents[own] == _NONE)
    if not len(free):
        return
    one = errors.first(*(corner[free] for corner in corners))
    takes = (one != _NONE) & (one != own[free])
    if unless is not None:
        takes[takes] = [not unless(i) for i in own[free[takes]].tolist()]
    parents[own[free[takes]]] = one[takes]


def _within_blocks(
    parents: Ints, cells: Sequence[Failed], found: Mapping[tuple[str, str], _Errors]
) -> None:
    """Let what one array formula or data table fills follow its first error."""
    blocks: dict[tuple[str, str, Source], list[int]] = defaultdict(list)
    for i in np.flatnonzero(parents == _NONE).tolist():
        cell = cells[i]
        if cell.source is not None and cell.source.block is not None:
            blocks[cell.sheet.casefold(), cell.code, cell.source].append(i)
    for (sheet, code, source), which in blocks.items():
        first = min(which, key=lambda i: (cells[i].row, cells[i].column))
        for area in source.reads:
            one = int(found[sheet, code].first(*(np.array([corner]) for corner in area))[0])
            if one != _NONE:
                parents[which] = one
                break
        else:
            parents[[i for i in which if i != first]] = first


class _Errors:
    """The cells of one sheet that have one error, to be looked up by area."""

    def __init__(self, which: Ints, rows: Ints, columns: Ints) -> None:
        keys = rows[which] * _WIDTH + columns[which]
        order = np.argsort(keys)
        self._keys, self._which = keys[order], which[order]
        self._rows, self._columns = self._keys // _WIDTH, self._keys % _WIDTH
        self._lines: tuple[list[int], list[Ints]] | None = None
        # Whichever there are fewer of is gone through.
        self._by_row = len(np.unique(self._rows)) < len(np.unique(self._columns))

    def first(self, top: Ints, left: Ints, bottom: Ints, right: Ints) -> Ints:
        """Return the first cell in each area, in reading order; -1 where there is none."""
        if np.array_equal(top, bottom) and np.array_equal(left, right):
            wanted = top * _WIDTH + left
            at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
            return np.where(self._keys[at] == wanted, self._which[at], _NONE)
        corners = np.stack((top, left, bottom, right))
        if len(top) > 1 and (corners == corners[:, :1]).all():
            return np.broadcast_to(self.first(*corners[:, :1]), top.shape)
        best = self._first_key(top, left, bottom, right)
        at = np.minimum(np.searchsorted(self._keys, best), len(self._keys) - 1)
        return np.where(self._keys[at] == best, self._which[at], _NONE)

    def _first_key(self, top: Ints, left: Ints, bottom: Ints, right: Ints) -> Ints:
        if self._lines is None:
            along = self._rows if self._by_row else self._columns
            order = np.argsort(along, kind="stable")
            numbers, starts = np.unique(along[order], return_index=True)
            self._lines = numbers.tolist(), np.split(self._keys[order], starts[1:])
        none = np.iinfo(np.int64).max
        best = np.full(len(top), none, dtype=np.int64)
        low, high = (top, bottom) if self._by_row else (left, right)
        lowest, highest = int(low.min()), int(high.max())
        for number, keys in zip(*self._lines, strict=True):
            if not lowest <= number <= highest:
                continue
            start = number * _WIDTH + left if self._by_row else top * _WIDTH + number
            end = number * _WIDTH + right if self._by_row else bottom * _WIDTH + number
            at = np.searchsorted(keys, start)
            key = keys[np.minimum(at, len(keys) - 1)]
            inside = (at < len(keys)) & (key <= end) & (low <= number) & (number <= high)
            best = np.where(inside & (key < best), key, best)
        return best


def _settled(parents: Ints, forms: Ints, read: list[Form]) -> Causes:
    """Return the causes; in a circle of errors, the first cell is taken for its beginning."""
    count = len(parents)
    parents = parents.copy()
    ends = _ends(parents)
    # Whatever has no end is in a circle, or hangs on one; so many steps on it is in it.
    seen: set[int] = set()
    for first in np.unique(ends[parents[ends] != _NONE]).tolist():
        if first not in seen:
            ring, at = [first], int(parents[first])
            while at != first:
                ring.append(at)
                at = int(parents[at])
            seen.update(ring)
            parents[min(ring)] = _NONE
    roots = _ends(parents)
    followers = np.bincount(roots, minlength=count) - 1
    return Causes(parents, roots, np.where(parents == _NONE, followers, 0), forms, read)


def _ends(parents: Ints) -> Ints:
    """Return the cell at the end of each line of parents, or one in the circle it runs into."""
    step: Any = np.where(parents == _NONE, np.arange(len(parents)), parents)
    for _ in range(len(parents).bit_length() + 1):
        step = step[step]
    return np.asarray(step, dtype=np.int64)


def told_order(causes: Causes) -> list[int]:
    """Return the cells in the order in which they are told: roots first, by their followers."""
    follows = causes.parents != _NONE
    order: list[int] = np.lexsort((causes.roots, -causes.followers[causes.roots], follows)).tolist()
    return order
