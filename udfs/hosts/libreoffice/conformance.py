"""Many calls in one Calc, for holding Calc's answers against those of other hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from udfs.cells import CellError
from udfs.declare import registry
from udfs.hosts.libreoffice import addin, values
from udfs.hosts.libreoffice.office import Calc, Progress, calc_with_functions

Case = tuple[str, Sequence[Any]]


def call_many(
    cases: Sequence[Case],
    *,
    keep: bool = True,
    progress: Progress | None = None,
    seconds: float = 600.0,
) -> list[Any]:
    """Call functions in Calc, every argument a cell or a range of a scratch sheet.

    Parameters
    ----------
    cases : Sequence of (str, Sequence)
        For each call a function's name and its arguments: a cell (None, bool, number, text,
        CellError) or a list of rows of cells [-].
    keep : bool
        Whether references are handed over by TOK_CELLS, which keeps blanks, logical values and
        errors. Without it, as typed by hand, Calc takes a blank cell for 0, TRUE for 1, and a
        range that holds an error for `#VALUE!` [-].
    progress : Callable, optional
        Called with how many calls are done and how many there are [-].
    seconds : float
        How long all of it may take [s].

    Returns
    -------
    list
        For each call a cell, or rows of cells where Calc gives more than one [-].

    Raises
    ------
    ValueError
        If an argument holds an error value that Calc does not have.
    LibreOfficeError
        If LibreOffice is not there, or does not finish in time.
    """
    with calc_with_functions(seconds) as calc:
        return ask_many(calc, cases, keep=keep, progress=progress)


def ask_many(
    calc: Calc, cases: Sequence[Case], *, keep: bool = True, progress: Progress | None = None
) -> list[Any]:
    """Call functions in a Calc that runs already (see `call_many`)."""
    cells: list[list[Any]] = []
    formulas = []
    for name, arguments in cases:
        grids = [_rows(argument) for argument in arguments]
        references, column = [], 0
        for rows in grids:
            references.append(_reference(len(cells), column, rows, keep))
            column += len(rows[0])
        ranges = any(len(rows) > 1 or len(rows[0]) > 1 for rows in grids)
        called = addin.rows_name(registry[name]) if ranges else name
        call = f"{called}({';'.join(references)})"
        formulas.append([f"=ROWS({call})", f"=COLUMNS({call})", f"={call}"])
        cells += _beside(grids)
    width = max(map(len, cells), default=0)
    filled = [row + [None] * (width - len(row)) for row in cells]
    answers = calc.ask("evaluate", progress, cells=filled, formulas=formulas)
    return [_answer(values.cells_of(rows)) for rows in answers]


def _beside(grids: Sequence[list[list[Any]]]) -> list[list[Any]]:
    """Put grids side by side, their first rows together."""
    height = max(map(len, grids), default=0)
    return [
        [cell for grid in grids for cell in (grid[r] if r < len(grid) else [None] * len(grid[0]))]
        for r in range(height)
    ]


def _rows(argument: Any) -> list[list[Any]]:
    """Return an argument as rows of what the bridge enters into cells."""
    rows = argument if isinstance(argument, list) else [[argument]]
    return [[_entered(cell) for cell in row] for row in rows]


def _entered(cell: Any) -> Any:
    if isinstance(cell, bool):
        return {"formula": "=TRUE()" if cell else "=FALSE()"}
    if isinstance(cell, CellError):
        if cell.code not in values.CALC_ERRORS:
            raise ValueError(f"Calc has no error value {cell.code}")
        return {"formula": f"={cell.code}"}
    return float(cell) if isinstance(cell, int) else cell


def _reference(row: int, column: int, rows: list[list[Any]], keep: bool) -> str:
    first = f"Cells.{_column_name(column)}{row + 1}"
    last = f"{_column_name(column + len(rows[0]) - 1)}{row + len(rows)}"
    reference = first if len(rows) == len(rows[0]) == 1 else f"{first}:{last}"
    return f"{addin.KEEP}({reference})" if keep else reference


def _column_name(column: int) -> str:
    """Return the letters of a column, counted from 0.

    Examples
    --------
    >>> _column_name(0), _column_name(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, place = divmod(column - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


def _answer(rows: list[list[Any]]) -> Any:
    return rows[0][0] if len(rows) == len(rows[0]) == 1 else rows
