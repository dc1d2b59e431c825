"""Criteria, such as ">=5" or "ab*": which cells each of them fits."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from udfs.cells import CODES, CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.excel.runtime.coerce import Calendar, Refusal, cells, plain_number

Fits: TypeAlias = Callable[[Any], bool]

_OPERATOR = re.compile(r"(<>|<=|>=|=|<|>)?(.*)", re.DOTALL)
_WILD = re.compile(r"~(.)|([*?])|(.)", re.DOTALL)


def fits(criterion: Any, *, beginning: bool = False) -> Fits:
    """Return a test of cells for a criterion.

    Parameters
    ----------
    criterion : Any
        A value that cells are equal to, or a text with an operator before it.
    beginning : bool
        Whether a text without an operator fits all texts that begin with it (the database
        functions' rule).
    """
    if criterion is None:
        # A blank cell as a criterion counts as 0.
        return _equal(0.0)
    if not isinstance(criterion, str):
        return _equal(criterion)
    match = _OPERATOR.fullmatch(criterion)
    operator, rest = (match[1] or "", match[2]) if match else ("", criterion)
    wanted = _meant(rest)
    if operator in ("", "=", "<>"):
        if not rest:
            fit = _blank(operator, beginning=beginning)
        elif isinstance(wanted, str):
            pattern = _pattern(f"{rest}*" if beginning and not operator else rest)
            fit = _like(pattern)
        else:
            fit = _equal(wanted)
        return fit if operator != "<>" or not rest else lambda cell: not fit(cell)
    return _compared(operator, wanted)


def _meant(text: str) -> Any:
    """Return the value that the text of a criterion stands for."""
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    if text.upper() in CODES:
        return CellError(text.upper())
    number = plain_number(text)
    if number is not None:
        return number
    try:
        return Calendar().read(text)
    except Refusal:
        return text


def _equal(wanted: Any) -> Fits:
    if isinstance(wanted, CellError):
        return lambda cell: isinstance(cell, CellError) and cell.code == wanted.code
    if isinstance(wanted, bool):
        return lambda cell: cell is wanted
    number = float(wanted)
    # A text that reads as the number fits too.
    return lambda cell: (
        cell == number
        if type(cell) is float
        else isinstance(cell, str) and plain_number(cell) == number
    )


def _blank(operator: str, *, beginning: bool) -> Fits:
    if operator == "=":
        return lambda cell: cell is None
    if operator == "<>":
        return lambda cell: cell is not None
    if beginning:
        return lambda _: True
    return lambda cell: cell is None or cell == ""


def _like(pattern: re.Pattern[str]) -> Fits:
    return lambda cell: isinstance(cell, str) and pattern.fullmatch(cell) is not None


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """Return the wildcards of a text as a regular expression; `~*` is an asterisk."""
    out = []
    for escaped, wild, plain in _WILD.findall(text):
        out.append({"*": ".*", "?": "."}[wild] if wild else re.escape(escaped or plain))
    return re.compile("".join(out), re.DOTALL | re.IGNORECASE)


def _compared(operator: str, wanted: Any) -> Fits:
    """Return a test for order; values of another kind never fit."""
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "<": lambda a, b: a < b,
        ">": lambda a, b: a > b,
        "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
    }
    test = tests[operator]
    if isinstance(wanted, CellError):
        return lambda _: False
    if isinstance(wanted, str):
        folded = wanted.casefold()
        return lambda cell: isinstance(cell, str) and test(cell.casefold(), folded)
    kind = type(wanted)
    return lambda cell: type(cell) is kind and test(cell, wanted)


def summed(kind: Any, *given: Any) -> Any:
    """Answer COUNTIFS, SUMIFS and their kin, where errors are concerned.

    Parameters
    ----------
    kind : str
        COUNT, SUM, AVERAGE, MAX or MIN.
    given : Any
        What is added up (not looked at where is counted), then ranges, each with its criterion.
    """
    total = None if kind == "COUNT" else cells(given[0])
    pairs = given[1:]
    ranges = [cells(one) for one in pairs[0::2]]
    tests = [fits(criterion) for criterion in pairs[1::2]]
    if len({len(found) for found in (*ranges, *([total] if total is not None else []))}) > 1:
        # SUMIF takes as many cells from its third argument as its first has: which, is not known.
        return CalculatorError("an error in SUMIF or AVERAGEIF over ranges of different sizes")
    fitting = [
        place
        for place, values in enumerate(zip(*ranges, strict=True))
        if all(test(value) for test, value in zip(tests, values, strict=True))
    ]
    if total is None:
        return float(len(fitting))
    found = [total[place] for place in fitting]
    error = next((cell for cell in found if isinstance(cell, CellError)), None)
    if error is not None:
        return error
    numbers = [cell for cell in found if type(cell) is float]
    if kind == "AVERAGE":
        if not numbers:
            return CellError("#DIV/0!", "no number fits")
        return math.fsum(numbers) / len(numbers)
    if kind == "SUM":
        return math.fsum(numbers)
    return (max if kind == "MAX" else min)(numbers, default=0.0)
