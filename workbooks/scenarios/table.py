"""Scenarios as people keep them: a .csv file with commas, semicolons or tabs, and its decimals."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from udfs.cells import Cell
from workbooks.errors import BadInputError
from workbooks.recalc.inputs import as_value

_DELIMITERS = (",", ";", "\t")
_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')
_WITH_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?\s*")
_WITH_POINT = re.compile(r"\s*[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?\s*")
#: A comma that may as well part thousands.
_THOUSANDS = re.compile(r"\s*[+-]?[1-9][0-9]{0,2},[0-9]{3}\s*")


def read_scenarios(
    path: str | Path, decimal: str | None = None
) -> tuple[list[str], list[list[Cell]]]:
    """Read scenarios: cells or names in the header, one scenario a row.

    What parts the columns is seen in the header. A comma within numbers is read as that of a
    decimal where it can be nothing else, or where `decimal` says so.

    Parameters
    ----------
    path : str or Path
        A .csv file in UTF-8.
    decimal : str, optional
        The sign before the decimals, "." or ",".

    Returns
    -------
    list of str, list of list
        The header, and the values of each scenario.
    """
    if decimal not in (None, ".", ","):
        raise BadInputError(f"the sign before decimals is {decimal!r}; it is . or ,")
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise BadInputError(f"{path} is not a CSV file in UTF-8: {error}") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = _delimiter(path, first)
    try:
        lines = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
        rows = [row for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadInputError(f"{path} is not a CSV file in UTF-8: {error}") from error
    if len(rows) < 2:
        raise BadInputError(f"{path}: a header of cells and at least one scenario are wanted")
    header = [cell.strip() for cell in rows[0]]
    if decimal is None:
        decimal = _decimal(path, delimiter, header, rows[1:])
    return header, [[_value(cell, decimal) for cell in row] for row in rows[1:]]


def _delimiter(path: Path, header: str) -> str:
    # The names of sheets may hold such signs, in quotes.
    bare = _QUOTED.sub("", header)
    found = [sign for sign in _DELIMITERS if sign in bare]
    if len(found) > 1:
        raise BadInputError(
            f"{path}: the header holds {' and '.join(map(repr, found))}; which of them parts the "
            "columns cannot be told"
        )
    return found[0] if found else ","


def _decimal(
    path: Path, delimiter: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    commas = points = sure = False
    doubtful = ""
    for row in rows:
        alone = delimiter == "," and len(header) == 1 and len(row) == 2
        if alone and _WITH_COMMA.fullmatch(",".join(row)):
            raise BadInputError(
                f"{path}: {','.join(row)} may be one number with a comma for its decimals; put it "
                "in quotes, or part the columns by semicolons"
            )
        for cell in row:
            if _WITH_POINT.fullmatch(cell):
                points = True
            elif _WITH_COMMA.fullmatch(cell):
                commas = True
                if _THOUSANDS.fullmatch(cell):
                    doubtful = doubtful or cell.strip()
                else:
                    sure = True
    if commas and points:
        raise BadInputError(
            f"{path} holds numbers with points and numbers with commas; which of them are "
            "decimals has to be said (--decimal . or --decimal ,)"
        )
    if doubtful and not sure:
        raise BadInputError(
            f"{path}: {doubtful} may be thousands or decimals; say which (--decimal . or "
            "--decimal ,)"
        )
    return "," if commas else "."


def _value(text: str, decimal: str) -> Cell:
    if decimal == "," and _WITH_COMMA.fullmatch(text):
        return as_value(text.replace(",", "."))
    if decimal == "," and _WITH_POINT.fullmatch(text):
        raise BadInputError(f"{text.strip()} has a point, where decimals have commas")
    if decimal == "." and _THOUSANDS.fullmatch(text):
        return as_value(text.replace(",", ""))
    return as_value(text)
