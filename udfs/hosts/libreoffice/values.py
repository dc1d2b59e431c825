"""Calc's values as cells, and cells as Calc's values; used inside LibreOffice and outside.

Calc hands an add-in a number, a text, None for an argument left out, or rows of these. It tells
neither a blank cell from 0 nor TRUE from 1, and refuses a range that holds an error. A reference
inside `TOK_CELLS(...)` keeps all three apart: it reaches the function as one text, written by
`pack` and read by `unpack`.

A text that an add-in returns in rows shows in its cell, but `=`, MATCH, COUNTIF and their like do
not find it there: Calc compares texts by a table that such a one never enters. So a function that
answers with a text returns it alone, and has a twin that returns rows for ranges.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from udfs.cells import Cell, CellError
from udfs.declare import Function

#: Calc's number for each error value that it has.
CALC_ERRORS = {
    "#NULL!": 521,
    "#DIV/0!": 532,
    "#VALUE!": 519,
    "#REF!": 524,
    "#NAME?": 525,
    "#NUM!": 503,
    "#N/A": 32767,
}
_CODES = {number: code for code, number in CALC_ERRORS.items()}
#: What else Calc calls an error, by the value that Excel shows for it (all others: `#VALUE!`).
_CODES |= {523: "#NUM!", 508: "#NAME?", 509: "#NAME?", 510: "#NAME?", 511: "#NAME?"}
#: What the name of a twin for ranges ends in.
TWIN = "_RANGE"
_PACKED = "tokenbook:cells:"
# The quiet NaN in whose low 32 bits Calc carries the number of an error.
_ERROR_NAN = 0x7FF8_0000_0000_0000
# Built-in formats are numbered alike in every language's block of 10,000; 99 is TRUE/FALSE.
_FORMATS_OF_A_LANGUAGE = 10_000
_LOGICAL_FORMAT = 99


def error_from_calc(number: int) -> CellError:
    """Return the error value for Calc's number of it.

    Examples
    --------
    >>> error_from_calc(503), error_from_calc(502)
    (CellError(code='#NUM!', reason=''), CellError(code='#VALUE!', reason='Err:502'))
    """
    code = _CODES.get(number, "#VALUE!")
    return CellError(code, "" if CALC_ERRORS.get(code) == number else f"Err:{number}")


def error_to_calc(error: CellError) -> float:
    """Return the NaN that Calc shows as this error; one that Calc does not have is `#VALUE!`."""
    number = CALC_ERRORS.get(error.code, CALC_ERRORS["#VALUE!"])
    return float(struct.unpack("<d", struct.pack("<Q", _ERROR_NAN | number))[0])


def from_calc(value: Any) -> Any:
    """Turn an argument as Calc hands it over into a cell or a range."""
    if isinstance(value, str) and value.startswith(_PACKED):
        return unpack(value)
    if isinstance(value, tuple):
        return [list(row) for row in value]
    return value


def to_calc(result: Any) -> tuple[tuple[float | str, ...], ...]:
    """Turn a cell or a range into rows that Calc takes; a blank is an empty text."""
    rows = result if isinstance(result, list) else [[result]]
    return tuple(tuple(map(_to_calc, row)) for row in rows)


def one_to_calc(result: Any) -> float | str:
    """Turn a cell into a value that Calc takes; rows have no room in it."""
    if isinstance(result, list):
        return error_to_calc(CellError("#VALUE!"))
    return _to_calc(result)


def _to_calc(cell: Cell) -> float | str:
    if isinstance(cell, CellError):
        return error_to_calc(cell)
    if isinstance(cell, str):
        return cell
    return "" if cell is None else float(cell)


def pack(area: Any) -> str:
    """Write a cell range of Calc as one text that keeps blanks, TRUE and FALSE, and errors.

    Parameters
    ----------
    area : Any
        The range, a `com.sun.star.table.XCellRange` [-].

    Returns
    -------
    str
        The text that `unpack` reads [-].
    """
    rows: list[list[Any]] = []
    for r, values in enumerate(area.getDataArray()):
        row: list[Any] = []
        for c, value in enumerate(values):
            # Only where the value leaves a doubt is the cell itself asked: each question is slow.
            if value is None:
                number = area.getCellByPosition(c, r).getError()
                row.append({"error": error_from_calc(number).code})
            elif value in (0.0, 1.0) and _is_logical(area.getCellByPosition(c, r)):
                row.append(value == 1.0)
            else:
                row.append(None if value == "" else value)
        rows.append(row)
    return packed(rows)


def packed(rows: Sequence[Sequence[Any]]) -> str:
    """Write rows of JSON values as the text that `unpack` reads."""
    return _PACKED + json.dumps(rows)


def unpack(text: str) -> list[list[Cell]]:
    """Read the rows that `pack` wrote.

    Examples
    --------
    >>> unpack('tokenbook:cells:[[1.5, null, {"error": "#N/A"}]]')
    [[1.5, None, CellError(code='#N/A', reason='')]]
    """
    return cells_of(json.loads(text.removeprefix(_PACKED)))


def cells_of(rows: Sequence[Sequence[Any]]) -> list[list[Cell]]:
    """Return JSON rows as cells: numbers as floats, `{"error": …}` as an error value."""
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: Any) -> Cell:
    if isinstance(value, dict):
        error = value["error"]
        return error_from_calc(error) if isinstance(error, int) else CellError(error)
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value  # type: ignore[no-any-return]


def _is_logical(cell: Any) -> bool:
    return bool(cell.NumberFormat % _FORMATS_OF_A_LANGUAGE == _LOGICAL_FORMAT)


def methods(functions: Iterable[Function]) -> dict[str, Callable[..., Any]]:
    """Return the methods of the add-in by name."""
    found = {}
    for function in functions:
        if answers_with_text(function):
            found[function.name] = _method(function, one_to_calc)
            found[function.name + TWIN] = _method(function, to_calc)
        else:
            found[function.name] = _method(function, to_calc)
    return found


def answers_with_text(function: Function) -> bool:
    """Tell whether a function may answer with one text, and so has a twin for ranges."""
    return function.result in ("text", "value")


def _method(function: Function, shown: Callable[[Any], Any]) -> Callable[..., Any]:
    def answer(_self: Any, *values: Any) -> Any:
        cells = list(map(from_calc, values))
        # Calc fills up with None what the formula left out at the end.
        while cells and cells[-1] is None:
            cells.pop()
        return shown(function(*cells))

    return answer
