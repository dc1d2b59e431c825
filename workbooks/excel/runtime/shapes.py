"""Arrays in other shapes: wrapped, filled up, and without what comes twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import Calendar, Refusal, folded, rows


def _count(cell: Any) -> int:
    if isinstance(cell, list):
        raise Refusal("#VALUE!", "one number is wanted")
    return int(Calendar().number(cell))


def wrapped(*, by_rows: bool) -> Callable[..., Any]:
    """Return WRAPROWS or WRAPCOLS."""

    def wrap(vector: Any, count: Any, pad: Any = None) -> Any:
        grid = rows(vector)
        if len(grid) > 1 and len(grid[0]) > 1:
            raise Refusal("#VALUE!", "one row or one column is wanted")
        cells = [0.0 if cell is None else cell for row in grid for cell in row]
        width = _count(count)
        if width < 1:
            raise Refusal("#NUM!", "the count must be 1 or more")
        width = min(width, len(cells))
        filler = CellError("#N/A", "beyond the values") if pad is None else pad
        cells += [filler] * (-len(cells) % width)
        lines = [cells[i : i + width] for i in range(0, len(cells), width)]
        return lines if by_rows else [list(line) for line in zip(*lines, strict=True)]

    return wrap


def expand(array: Any, height: Any, width: Any = None, pad: Any = None) -> Any:
    """Fill an array up to a size."""
    grid = rows(array)
    tall = len(grid) if height is None else _count(height)
    wide = len(grid[0]) if width is None else _count(width)
    if tall < len(grid) or wide < len(grid[0]):
        raise Refusal("#VALUE!", "an array is not made smaller by EXPAND")
    filler = CellError("#N/A", "beyond the array") if pad is None else pad
    return [
        [
            (0.0 if grid[r][c] is None else grid[r][c])
            if r < len(grid) and c < len(grid[0])
            else filler
            for c in range(wide)
        ]
        for r in range(tall)
    ]


def filtered(array: Any, include: Any, empty: Any = None) -> Any:
    """Return FILTER: the rows or columns of which it is asked; blanks are false."""
    grid, asked = rows(array), rows(include)
    if len(asked) == len(grid) and len(asked[0]) == 1:
        down, wanted = True, [row[0] for row in asked]
    elif len(asked) == 1 and len(asked[0]) == len(grid[0]):
        down, wanted = False, asked[0]
    else:
        raise Refusal("#VALUE!", "a condition for each row, or for each column, is wanted")
    error = next((cell for cell in wanted if isinstance(cell, CellError)), None)
    if error is not None:
        return error
    if any(isinstance(cell, str) for cell in wanted):
        raise Refusal("#VALUE!", "a condition is a truth value or a number, not a text")
    lines = grid if down else [list(column) for column in zip(*grid, strict=True)]
    kept = [line for line, cell in zip(lines, wanted, strict=True) if cell]
    if not kept:
        return CellError("#CALC!", "nothing is left") if empty is None else empty
    kept = [[0.0 if cell is None else cell for cell in line] for line in kept]
    return kept if down else [list(row) for row in zip(*kept, strict=True)]


def unique(array: Any, by_column: Any = None, once: Any = None) -> Any:
    """Return the rows or columns that differ; texts that differ in case alone are the same."""
    for flag in (by_column, once):
        if isinstance(flag, CellError):
            return flag
    grid = rows(array)
    lines = [list(line) for line in zip(*grid, strict=True)] if by_column else grid
    counts: dict[tuple[Any, ...], int] = {}
    firsts: dict[tuple[Any, ...], list[Any]] = {}
    for line in lines:
        key = tuple(_identity(cell) for cell in line)
        counts[key] = counts.get(key, 0) + 1
        firsts.setdefault(key, line)
    kept = [line for key, line in firsts.items() if not once or counts[key] == 1]
    if not kept:
        return CellError("#CALC!", "nothing stands there once only")
    shown = [[0.0 if cell is None else cell for cell in line] for line in kept]
    return [list(row) for row in zip(*shown, strict=True)] if by_column else shown


def stacked(name: str, *parts: Any) -> Any:
    """Return VSTACK or HSTACK: parts below or beside each other, #N/A where one is smaller."""
    grids = [rows(part) for part in parts]
    if name == "HSTACK":
        grids = [[list(line) for line in zip(*grid, strict=True)] for grid in grids]
    width = max(len(grid[0]) for grid in grids)
    missing = CellError("#N/A", "beyond the part")
    lines = [
        [*(0.0 if cell is None else cell for cell in line), *[missing] * (width - len(line))]
        for grid in grids
        for line in grid
    ]
    return lines if name == "VSTACK" else [list(row) for row in zip(*lines, strict=True)]


def _identity(cell: Any) -> Any:
    if isinstance(cell, CellError):
        return (CellError, cell.code)
    return (type(cell), folded(cell))


def _part(cell: Any, length: int, *, keep: bool) -> slice | None:
    """Return what TAKE keeps or DROP leaves of a length; None where all is meant."""
    if cell is None:
        return None
    count = _count(cell)
    if keep:
        return slice(0, count) if count >= 0 else slice(max(0, length + count), length)
    return slice(count, length) if count >= 0 else slice(0, max(0, length + count))


def cut(*, keep: bool) -> Callable[..., Any]:
    """Return TAKE or DROP; what is left of nothing is #CALC!."""

    def answer(array: Any, height: Any, width: Any = None) -> Any:
        for given in (height, width):
            if isinstance(given, CellError):
                return given
        grid = rows(array)
        down = _part(height, len(grid), keep=keep)
        across = _part(width, len(grid[0]), keep=keep)
        left = [row[across] if across else row for row in (grid[down] if down else grid)]
        if not left or not left[0]:
            return CellError("#CALC!", "nothing is left of the array")
        return [[0.0 if cell is None else cell for cell in row] for row in left]

    return answer
