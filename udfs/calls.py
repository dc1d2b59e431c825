"""A call from cells: arguments in, the engine once, cells out. It never raises.

Numbers alone take the short way. Otherwise each argument is prepared by its kind, ranges are
broadcast, the faults that came in are laid over what the engine gave, and NaN gets its reason.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import KINDS, is_own_record
from engine.errors import InputError, TokenbookError
from engine.tables import Table
from udfs.cells import (
    CellError,
    cell_of,
    error_of,
    first_error,
    number,
    numbers,
    scalar_of,
)
from udfs.series import put_back, without_blanks

# Elements of a range that failed are explained by asking the engine for each alone; past this
# many, the last reason serves for the rest.
_EXPLAINED = 20
_RECORDS = (*KINDS, "rows")


class Function(Protocol):
    """What a call asks of a declared function (see `udfs.declare.Function`)."""

    name: str
    engine: Callable[..., Any]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments."""

    @property
    def defaults(self) -> tuple[Any, ...]:
        """What each argument is where it is left out."""

    @property
    def required(self) -> int:
        """How many arguments have no default."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kind of each argument."""

    @property
    def result(self) -> str:
        """Kind of the result."""

    @property
    def plain(self) -> bool:
        """Whether it takes numbers alone and gives one value."""

    @property
    def broadcasts(self) -> bool:
        """Whether ranges spread it over their cells."""

    @property
    def never(self) -> str:
        """What an infinite result means."""

    @property
    def same_as(self) -> tuple[int | None, ...]:
        """The argument that each one equals where it is left out."""

    @property
    def series(self) -> dict[int, tuple[float | None, str]]:
        """What a blank of each series stands for, and what its elements are."""

    @property
    def usage(self) -> str:
        """The call as one would type it."""


@dataclass(slots=True)
class _Prepared:
    """One argument on its way into the engine."""

    value: Any = None
    fault: CellError | None = None
    faults: dict[tuple[int, int], CellError] = field(default_factory=dict)
    blanks: NDArray[np.bool_] | None = None
    #: Taken whole: its cells are no elements of the result.
    whole: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        spread = isinstance(self.value, np.ndarray) and not self.whole
        return self.value.shape if spread else ()


def answer(function: Function, cells: Sequence[Any]) -> Any:
    """Answer one call with a cell, or with a list of rows."""
    fits = function.required <= len(cells) <= len(function.parameters)
    try:
        if fits and function.plain and set(map(type, cells)) == {float}:
            value = function.engine(*cells)
            return value if type(value) is str else cell_of(value, never=function.never)
        if not fits:
            return CellError("#VALUE!", _wrong_count(function, len(cells)))
        arguments = [scalar_of(cell) for cell in cells]
        if function.series:
            return _with_series(function, arguments)
        return (_broadcast if function.broadcasts else _whole)(function, arguments)
    except TokenbookError as error:
        return error_of(error)


def answer_block(function: Function, calls: Sequence[Sequence[Any]]) -> list[Any]:
    """Answer many calls through as few engine calls as their texts allow."""
    results: list[Any] = [None] * len(calls)
    blocks: dict[Any, list[int]] = defaultdict(list)
    for place, cells in enumerate(calls):
        key = _block_key(function, cells)
        if key is None:
            results[place] = answer(function, cells)
        else:
            blocks[key].append(place)
    for places in blocks.values():
        first = calls[places[0]]
        if len(places) == 1:
            results[places[0]] = answer(function, first)
            continue
        columns = [
            [[calls[place][i]] for place in places] if kind == "number" else first[i]
            for i, kind in enumerate(function.kinds[: len(first)])
        ]
        rows = answer(function, columns)
        if isinstance(rows, CellError):
            # A fault of what the calls have in common.
            rows = [[rows]] * len(places)
        for place, row in zip(places, rows, strict=True):
            failed = isinstance(row[0], CellError)
            results[place] = [row] if function.result == "row" and not failed else row[0]
    return results


def _block_key(function: Function, cells: Sequence[Any]) -> Any:
    """Return what the calls of one block have in common; None where a call stands alone."""
    fits = function.required <= len(cells) <= len(function.parameters)
    if not (fits and function.broadcasts and "number" in function.kinds[: len(cells)]):
        return None
    key: list[Any] = [len(cells)]
    for kind, cell in zip(function.kinds, cells, strict=False):
        if kind == "number":
            if isinstance(cell, list | tuple):
                return None
        else:
            # A range is the same where it is the very object; its text would be long.
            key.append(id(cell) if isinstance(cell, list) else repr(cell))
    return tuple(key)


def _wrong_count(function: Function, count: int) -> str:
    most = len(function.parameters)
    takes = str(most) if function.required == most else f"{function.required} to {most}"
    noun = "argument" if takes == "1" else "arguments"
    return f"{function.name} takes {takes} {noun}, not {count}: {function.usage}"


def _with_series(function: Function, cells: list[Any]) -> Any:
    """Answer a call that takes ranges whole, once their blank cells are passed over."""
    given, kept = without_blanks(function.series, function.parameters, cells)
    result = (_broadcast if function.broadcasts else _whole)(function, given)
    return put_back(result, kept) if function.result in ("column", "grid") else result


def _whole(function: Function, cells: list[Any]) -> Any:
    """Answer a call whose ranges are taken whole."""
    prepared = [_prepare(function, i, cell) for i, cell in enumerate(cells)]
    fault = next((p.fault for p in prepared if p.fault), None)
    if fault:
        return fault
    return _shown(function, function.engine(*(p.value for p in prepared)))


def _broadcast(function: Function, cells: list[Any]) -> Any:
    """Answer a call whose ranges spread it over their cells."""
    kinds = function.kinds[: len(cells)]
    if any(_is_ids(kind, cell) for kind, cell in zip(kinds, cells, strict=True)):
        return _spread_texts(function, cells)
    prepared = [_prepare(function, i, cell) for i, cell in enumerate(cells)]
    shape = _common_shape([p.shape for p in prepared])
    fault = next((p.fault for p in prepared if p.fault), None)
    if not shape:
        return fault or _shown(function, function.engine(*(p.value for p in prepared)))
    _fill_blanks(function, prepared, shape)
    values = [p.value for p in prepared]
    overlay = _overlay(prepared, shape)
    _check_rows(function, shape)
    if fault is None:
        try:
            return _grid(function, function.engine(*values), values, overlay)
        except TokenbookError as error:
            fault = error_of(error)
    grid: list[list[Any]] = [[fault] * shape[1] for _ in range(shape[0])]
    _lay(overlay, grid)
    return grid


def _check_rows(function: Function, shape: tuple[int, ...]) -> None:
    if function.result == "row" and shape[1] != 1:
        raise InputError("a function that returns a row takes columns, not rows or grids")


def _is_ids(kind: str, cell: Any) -> bool:
    """Tell a range of texts or ids from the rows of a user's own record."""
    if not isinstance(cell, list):
        return False
    return kind in ("text", "date") or (kind in KINDS and not is_own_record(kind, cell))


def _spread_texts(function: Function, cells: list[Any]) -> Any:
    """Answer a call with ranges of texts, gathered into blocks of equal texts."""
    grids = []
    for kind, cell in zip(function.kinds, cells, strict=False):
        spread = isinstance(cell, list) and (kind == "number" or _is_ids(kind, cell))
        grid = np.empty((len(cell), len(cell[0])) if spread else (1, 1), dtype=object)
        for place in np.ndindex(grid.shape):
            grid[place] = cell[place[0]][place[1]] if spread else cell
        grids.append(grid)
    shape = _common_shape([grid.shape for grid in grids])
    _check_rows(function, shape)
    columns = [np.broadcast_to(grid, shape).ravel() for grid in grids]
    results = answer_block(function, list(zip(*columns, strict=True)))
    if function.result == "row":
        return [r[0] if isinstance(r, list) else [r] for r in results]
    return [results[start : start + shape[1]] for start in range(0, len(results), shape[1])]


def _prepare(function: Function, i: int, cell: Any) -> _Prepared:
    """Turn one argument into what the engine takes, or into its fault."""
    name, kind, default = function.parameters[i], function.kinds[i], function.defaults[i]
    optional = default is not inspect.Parameter.empty
    if isinstance(cell, CellError):
        prepared = _Prepared(fault=cell)
    elif cell is None:
        what = "a number" if kind in ("number", "scalar") else "a value"
        prepared = (
            _Prepared(default)
            if optional
            else _Prepared(fault=CellError("#VALUE!", f"{name} is blank; {what} is required"))
        )
    elif kind == "series" or (kind == "number" and isinstance(cell, list)):
        rows = cell if isinstance(cell, list) else [[cell]]
        taken = numbers(name, rows, blank_allowed=optional and kind == "number")
        if kind == "number":
            prepared = _Prepared(taken.values, None, taken.faults, taken.blanks)
        else:
            first = taken.faults[min(taken.faults)] if taken.faults else None
            prepared = _Prepared(taken.values.ravel(), first, whole=True)
    elif kind == "rows" or (kind in _RECORDS and isinstance(cell, list)):
        rows = cell if isinstance(cell, list) else [[cell]]
        prepared = _Prepared(rows, first_error(rows))
    elif isinstance(cell, list):
        told = "a single number" if kind == "scalar" else "a single text"
        prepared = _Prepared(fault=CellError("#VALUE!", f"{name} must be {told}, not a range"))
    elif kind in ("number", "scalar"):
        value = number(name, cell)
        prepared = _Prepared(fault=value) if isinstance(value, CellError) else _Prepared(value)
    elif kind == "date" and not isinstance(cell, str):
        day = number(name, cell)
        prepared = _Prepared(fault=day) if isinstance(day, CellError) else _Prepared(day)
    elif not isinstance(cell, str):
        prepared = _Prepared(fault=CellError("#VALUE!", f"{name} must be text, not {cell!r}"))
    else:
        prepared = _Prepared(cell)
    return prepared


def _fill_blanks(function: Function, prepared: list[_Prepared], shape: tuple[int, ...]) -> None:
    """Put the default where a cell of a range is blank: a value, or another argument's."""
    for i, argument in enumerate(prepared):
        if argument.blanks is None:
            continue
        lender, default = function.same_as[i], function.defaults[i]
        if lender is None:
            # "None" is a limit that nothing reaches.
            filling = np.inf if default is None else default
            argument.value = np.where(argument.blanks, filling, argument.value)
        elif prepared[lender].fault is None:
            argument.value = np.where(
                np.broadcast_to(argument.blanks, shape), prepared[lender].value, argument.value
            )


def _grid(
    function: Function, result: Any, values: list[Any], overlay: NDArray[Any] | None
) -> list[list[Any]]:
    """Turn the engine's arrays into rows of cells, each error with its reason."""
    if function.result == "row":
        tall = max(len(part) for part in result if isinstance(part, np.ndarray))
        array = np.hstack([np.broadcast_to(part, (tall, 1)) for part in result])
    else:
        array = np.asarray(result)
    grid: list[list[Any]] = array.tolist()
    _lay(overlay, grid)
    if array.dtype.kind == "f":
        lost = ~np.isfinite(array)
    else:
        lost = np.array([[isinstance(c, float) and c != c for c in row] for row in array])  # noqa: PLR0124
    if not lost.any():
        return grid
    places = [(r, c) for r, c in zip(*np.nonzero(lost), strict=True) if _unlaid(overlay, r, c)]
    reason = ""
    for r, c in islice(places, _EXPLAINED):
        reason = _explain(function, values, (r, 0 if function.result == "row" else c))
        grid[r][c] = cell_of(array[r, c], reason, function.never)
    for r, c in places[_EXPLAINED:]:
        grid[r][c] = cell_of(array[r, c], reason, function.never)
    return grid


def _explain(function: Function, values: list[Any], place: tuple[int, int]) -> str:
    """Ask the engine for one element alone, for the message that a range has no room for."""
    spread = [isinstance(v, np.ndarray) and i not in function.series for i, v in enumerate(values)]
    shape = _common_shape([v.shape for v, each in zip(values, spread, strict=True) if each])
    alone = [
        float(np.broadcast_to(v, shape)[place]) if each else v
        for v, each in zip(values, spread, strict=True)
    ]
    try:
        function.engine(*alone)
    except TokenbookError as error:
        return str(error)
    return f"{function.name} has no finite result here"


def _shown(function: Function, result: Any) -> Any:
    """Turn a result that is not spread over a range into cells."""
    if isinstance(result, Table):
        return [
            list(result.header),
            *([cell_of(v, never=function.never) for v in r] for r in result.rows()),
        ]
    if isinstance(result, tuple):
        return [[cell_of(value) for value in result]]
    if isinstance(result, np.ndarray) and result.ndim:
        rows = result if result.ndim == 2 else result[:, np.newaxis]
        if np.isfinite(rows).all():
            return rows.tolist()
        return [[cell_of(value) for value in row] for row in rows.tolist()]
    return cell_of(result, never=function.never)


def _common_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        told = ", ".join(f"{s[0]}×{s[1]}" for s in shapes if s)
        raise InputError(f"ranges of {told} cells do not fit together") from None


def _overlay(prepared: list[_Prepared], shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Return the faults that came in, spread over the result; the leftmost argument's win."""
    if not any(p.faults for p in prepared):
        return None
    overlay = np.full(shape, None, dtype=object)
    for argument in reversed(prepared):
        if argument.fault:
            overlay[:] = argument.fault
        for place, fault in argument.faults.items():
            grid = np.zeros(argument.shape, dtype=bool)
            grid[place] = True
            overlay[np.broadcast_to(grid, shape)] = fault
    return overlay


def _lay(overlay: NDArray[Any] | None, grid: list[list[Any]]) -> None:
    """Put the faults that came in where they belong; in a function of rows, over the whole row."""
    if overlay is None:
        return
    wide = len(grid[0]) != overlay.shape[1]
    for (r, c), fault in np.ndenumerate(overlay):
        if fault is not None:
            grid[r][slice(None) if wide else slice(c, c + 1)] = [fault] * (
                len(grid[r]) if wide else 1
            )


def _unlaid(overlay: NDArray[Any] | None, r: int, c: int) -> bool:
    return overlay is None or overlay[r, min(c, overlay.shape[1] - 1)] is None
