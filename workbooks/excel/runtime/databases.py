"""The database functions: one field of the records that fit a range of criteria."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from udfs.cells import CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.excel.runtime.coerce import Grid, Refusal, rows, text
from workbooks.excel.runtime.criteria import Fits, fits


def _column(header: list[Any], field: Any) -> int | None:
    """Return the place of a field by its name or number; None where none is named."""
    if field is None:
        return None
    if isinstance(field, CellError):
        raise Refusal(field.code, field.reason)
    if isinstance(field, str):
        named = [i for i, name in enumerate(header) if _same(name, field)]
        if named:
            return named[0]
        raise Refusal("#VALUE!", f"there is no field {field!r}")
    place = int(field)
    if not 1 <= place <= len(header):
        raise Refusal("#VALUE!", f"there is no field number {place}")
    return place - 1


def _same(name: Any, other: Any) -> bool:
    if isinstance(name, CellError) or isinstance(other, CellError):
        return False
    # As texts: TRUE is the name "true", and 1 the name "1".
    return text(name).strip().casefold() == text(other).strip().casefold()


class _NotKnownError(Exception):
    """A criterion that is computed for each record, which no value tells."""


def _chosen(database: Any, criteria: Any) -> tuple[list[Any], Grid]:
    """Return the names of the fields, and the records that fit at least one row of criteria."""
    header, *records = rows(database)
    names, *wanted = rows(criteria)
    if not records:
        raise Refusal("#VALUE!", "there is no record below the names")
    if not wanted:
        raise Refusal("#VALUE!", "a criterion stands below the name of its field")
    places = []
    for name in names:
        found = [i for i, other in enumerate(header) if name is not None and _same(name, other)]
        places.append(found[0] if found else None)
    alternatives: list[list[tuple[int, Fits]]] = []
    for row in wanted:
        tests = []
        for place, criterion in zip(places, row, strict=True):
            if criterion is None or criterion == "":
                continue
            if place is None:
                raise _NotKnownError
            tests.append((place, fits(criterion, beginning=True)))
        alternatives.append(tests)
    return header, [
        record
        for record in records
        if any(all(test(record[place]) for place, test in tests) for tests in alternatives)
    ]


def of_field(
    summary: Callable[[list[float]], Any], *, everything: bool = False
) -> Callable[[Any, Any, Any], Any]:
    """Return a database function by what it makes of the numbers (or cells) of a field."""

    def answer(database: Any, field: Any, criteria: Any) -> Any:
        try:
            header, records = _chosen(database, criteria)
        except _NotKnownError:
            return CalculatorError("a criterion below a name that is no field of the database")
        column = _column(header, field)
        if column is None:
            # Without a field, records are counted.
            return summary([1.0] * len(records))
        found = [record[column] for record in records]
        if everything:
            return summary([cell for cell in found if cell is not None])
        for cell in found:
            if isinstance(cell, CellError):
                raise Refusal(cell.code, cell.reason)
        return summary([cell for cell in found if type(cell) is float])

    return answer


def counted(found: list[Any]) -> float:
    """Return how many there are."""
    return float(len(found))


def numbers_counted(database: Any, field: Any, criteria: Any) -> Any:
    """Answer DCOUNT, which passes over errors as it does over texts."""

    def count(found: list[Any]) -> float:
        return float(sum(type(cell) is float for cell in found))

    return of_field(count, everything=True)(database, field, criteria)


def only(found: list[Any]) -> Any:
    """Return the one value that there is."""
    if not found:
        raise Refusal("#VALUE!", "no record fits")
    if len(found) > 1:
        raise Refusal("#NUM!", "more than one record fits")
    return found[0]


def average(found: list[float]) -> float:
    """Return the mean."""
    return math.fsum(found) / len(found)


def product(found: list[float]) -> float:
    """Return the product; of nothing, 0."""
    return math.prod(found) if found else 0.0


def largest(found: list[float]) -> float:
    """Return the largest number; of nothing, 0."""
    return max(found, default=0.0)


def smallest(found: list[float]) -> float:
    """Return the smallest number; of nothing, 0."""
    return min(found, default=0.0)


def spread(*, sample: bool, root: bool) -> Callable[[list[float]], float]:
    """Return a variance or standard deviation, of a sample or of all."""

    def of(found: list[float]) -> float:
        if len(found) <= sample:
            raise ZeroDivisionError
        variance = float(np.var(found, ddof=int(sample)))
        return math.sqrt(variance) if root else variance

    return of
