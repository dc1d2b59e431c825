"""Worksheet functions of which the engine gives other values than Excel for some arguments.

Each takes cells; an ArithmeticError stands for #NUM!, a ValueError for #VALUE!.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from udfs.cells import CellError

_LETTERS = re.compile(r"[^\W\d_]+")
_MONTHS = 12


def number_of(cell: Any) -> float:
    """Return a cell as a number: a text that reads as one is, and a blank cell is 0."""
    return 0.0 if cell is None else float(cell)


def _share(number: float, step: float) -> float:
    """Return how many steps a number is, of the 15 digits that Excel looks at."""
    return float(f"{number / step:.15g}")


def _to_multiple(whole: Callable[[float], int]) -> Callable[..., Any]:
    """Return CEILING or FLOOR, by what makes a number of steps whole."""

    def rounded(number: Any, significance: Any) -> Any:
        value, step = number_of(number), number_of(significance)
        if value > 0 > step:
            raise ArithmeticError(
                "a positive number is not rounded to a multiple of a negative one"
            )
        if not step:
            divides = whole is math.floor and value
            return CellError("#DIV/0!", "the significance is 0") if divides else 0.0
        return whole(_share(value, step)) * step

    return rounded


def _to_multiple_math(whole: Callable[[float], int]) -> Callable[..., float]:
    """Return CEILING.MATH or FLOOR.MATH; with a mode, a negative number is taken as positive."""

    def rounded(number: Any, significance: Any = 1.0, mode: Any = None) -> float:
        value, step = number_of(number), abs(number_of(significance))
        if not step:
            return 0.0
        if value < 0 and number_of(mode):
            return -whole(_share(-value, step)) * step
        return whole(_share(value, step)) * step

    return rounded


def _interest(
    rate: Any, period: Any, periods: Any, present: Any, future: Any = None, due: Any = None
) -> tuple[float, float]:
    """Return the payment and the interest in it, of an annuity paid at the end or in advance."""
    r, at, count = number_of(rate), number_of(period), number_of(periods)
    pv, fv, early = number_of(present), number_of(future), number_of(due) != 0
    if not 1 <= at <= count:
        raise ArithmeticError("the period must be 1 to the number of periods")
    if not r:
        return -(pv + fv) / count, 0.0
    growth = (1 + r) ** count
    factor = (growth - 1) / r * (1 + r if early else 1)
    payment = -(pv * growth + fv) / factor
    if early and at < 2:
        return payment, 0.0
    before = (1 + r) ** (at - 1)
    paid = payment * (before - 1) / r * (1 + r if early else 1)
    interest = -(pv * before + paid) * r
    return payment, interest / (1 + r) if early else interest


def _ipmt(*cells: Any) -> float:
    return _interest(*cells)[1]


def _ppmt(*cells: Any) -> float:
    payment, interest = _interest(*cells)
    return payment - interest


def _db(cost: Any, salvage: Any, life: Any, period: Any, month: Any = 12.0) -> float:
    """Depreciate by a fixed rate of three decimals; the first year may have fewer months."""
    value, rest, years = number_of(cost), number_of(salvage), number_of(life)
    at, months = int(number_of(period)), int(number_of(month))
    last = years + (1 if months < _MONTHS else 0)
    if value < 0 or rest < 0 or years <= 0 or not 1 <= months <= _MONTHS or not 1 <= at <= last:
        raise ArithmeticError("the period must lie within the life; nothing may be negative")
    if not value:
        return 0.0
    rate: float = round(1 - (rest / value) ** (1 / years), 3)
    amount = value * rate * months / _MONTHS
    for year in range(2, at + 1):
        value -= amount
        amount = value * rate
        if year > years:
            amount *= (_MONTHS - months) / _MONTHS
    return amount


def _proper(text: Any) -> str:
    if isinstance(text, bool):
        text = str(text)
    shown = f"{text:.15g}" if isinstance(text, float) else text or ""
    return _LETTERS.sub(lambda word: word[0][0].upper() + word[0][1:].lower(), shown)


def unique(array: Any, by_column: Any = None, once: Any = None) -> Any:
    """Return the rows or columns that differ; texts that differ in case alone are the same."""
    for flag in (by_column, once):
        if isinstance(flag, CellError):
            return flag
    grid = array if isinstance(array, list) else [[array]]
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


def matched(wanted: Any, vector: Any) -> Any:
    """Return the place of the last value that is not larger than the one that is wanted.

    As in Excel, values of other kinds are passed over; in a vector without order the search by
    halves decides.
    """
    if isinstance(wanted, CellError):
        return wanted
    grid = vector if isinstance(vector, list) else [[vector]]
    if isinstance(wanted, list) or (len(grid) > 1 and len(grid[0]) > 1):
        return CellError("#N/A", "one value and one row or column are wanted")
    value = 0.0 if wanted is None else _folded(wanted)
    cells = [_folded(cell) for row in grid for cell in row]
    places = [i for i, cell in enumerate(cells) if type(cell) is type(value)]
    low, high = 0, len(places)
    while low < high:
        middle = (low + high) // 2
        if cells[places[middle]] <= value:
            low = middle + 1
        else:
            high = middle
    return places[low - 1] + 1.0 if low else CellError("#N/A", "all values are larger")


def _folded(cell: Any) -> Any:
    return cell.casefold() if isinstance(cell, str) else cell


def _identity(cell: Any) -> Any:
    if isinstance(cell, CellError):
        return (CellError, cell.code)
    return (type(cell), _folded(cell))


CORRECTED: dict[str, Callable[..., Any]] = {
    "CEILING": _to_multiple(math.ceil),
    "FLOOR": _to_multiple(math.floor),
    "CEILING.MATH": _to_multiple_math(math.ceil),
    "FLOOR.MATH": _to_multiple_math(math.floor),
    "IPMT": _ipmt,
    "PPMT": _ppmt,
    "DB": _db,
    "PROPER": _proper,
}
