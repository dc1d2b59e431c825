"""Cells of all kinds of places as few blocks, which a calculator can set one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from udfs.cells import Cell

#: Cells further apart than this are not set together, for the rows between them would be many.
_FARTHEST = 1000


def together(
    values: Mapping[tuple[str, int, int], Cell],
) -> Iterator[tuple[str, int, int, list[list[Cell]]]]:
    """Yield blocks of cells: sheet, first row, first column, and the rows.

    A row may be shorter than another, and empty: what stands right of its end is to be left alone.

    Examples
    --------
    >>> list(together({("S", 2, 3): 1.0, ("S", 2, 4): 2.0, ("S", 4, 3): 5.0, ("S", 4, 9): 7.0}))
    [('S', 2, 3, [[1.0, 2.0], [], [5.0]]), ('S', 4, 9, [[7.0]])]
    """
    # The runs of cells beside each other, by the column that they begin in, and by row.
    starts: dict[tuple[str, int], dict[int, list[Cell]]] = {}
    before: tuple[str, int, int] | None = None
    for place in sorted(values):
        sheet, row, column = place
        if before != (sheet, row, column - 1):
            run = starts.setdefault((sheet, column), {})[row] = []
        run.append(values[place])
        before = place
    for (sheet, left), runs in starts.items():
        rows: list[list[Cell]] = []
        top = 0
        for row, run in runs.items():
            if rows and row - top - len(rows) >= _FARTHEST:
                yield sheet, top, left, rows
                rows = []
            if not rows:
                top = row
            rows += [[] for _ in range(row - top - len(rows))]
            rows.append(run)
        yield sheet, top, left, rows
