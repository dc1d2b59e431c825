"""Worksheet functions that the engine lacks, answered by NumPy, numpy-financial and dateutil.

Each takes cells and returns a cell or rows of cells, as the TOK_ functions do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.cells import CellError
from workbooks.calc.protocol import MATCHED, NEXT_LOOKUP, ONE, RANKED, SHOWN, EngineError
from workbooks.excel.runtime.bonds import BONDS
from workbooks.excel.runtime.corrected import CORRECTED, matched, unique
from workbooks.excel.runtime.distributions import DISTRIBUTIONS
from workbooks.excel.runtime.lookups import next_lookup
from workbooks.excel.runtime.pairs import PAIRS

_IGNORES_ERRORS = 6


class _RefusedError(Exception):
    """Carries the error value of a call."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.error = CellError(code, reason)


def _answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let an error value that comes in go out, and a refusal become an error value."""

    @wraps(function)
    def answer(*cells: Any) -> Any:
        for cell in cells:
            for row in cell if isinstance(cell, list) else [[cell]]:
                for one in row:
                    if isinstance(one, CellError):
                        return one
        try:
            return function(*cells)
        except _RefusedError as refused:
            return refused.error
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            return CellError("#NUM!", str(error))
        except (TypeError, ValueError) as error:
            return CellError("#VALUE!", str(error))

    return answer


def _number(cell: Any) -> float:
    if cell is None:
        return 0.0
    if isinstance(cell, str):
        raise _RefusedError("#VALUE!", f"a number is wanted, not the text {cell!r}")
    return float(cell)


def _matrix(cell: Any) -> NDArray[np.float64]:
    rows = cell if isinstance(cell, list) else [[cell]]
    for row in rows:
        for one in row:
            if one is None or isinstance(one, str | bool):
                raise _RefusedError("#VALUE!", "every cell of a matrix must hold a number")
    return np.array(rows, dtype=np.float64)


def _square(cell: Any) -> NDArray[np.float64]:
    matrix = _matrix(cell)
    if matrix.shape[0] != matrix.shape[1]:
        raise _RefusedError("#VALUE!", "the matrix must have as many rows as columns")
    return matrix


def _mmult(left: Any, right: Any) -> Any:
    a, b = _matrix(left), _matrix(right)
    if a.shape[1] != b.shape[0]:
        raise _RefusedError(
            "#VALUE!", "the first matrix must have as many columns as the second rows"
        )
    return (a @ b).tolist()


def _minverse(matrix: Any) -> Any:
    return np.linalg.inv(_square(matrix)).tolist()


def _mdeterm(matrix: Any) -> float:
    return float(np.linalg.det(_square(matrix)))


def _munit(size: Any) -> Any:
    count = int(_number(size))
    if not 1 <= count <= 1000:
        raise _RefusedError("#VALUE!", "the size must be 1 to 1000")
    return np.eye(count).tolist()


def _fvschedule(principal: Any, schedule: Any) -> float:
    rows = schedule if isinstance(schedule, list) else [[schedule]]
    rates = [_number(cell) for row in rows for cell in row]
    return _number(principal) * math.prod(1 + rate for rate in rates)


def _permutationa(count: Any, chosen: Any) -> float:
    n, k = int(_number(count)), int(_number(chosen))
    if n < 0 or k < 0:
        raise _RefusedError("#NUM!", "both numbers must be 0 or more")
    return float(n**k)


def _whole_numbers(cells: tuple[Any, ...]) -> list[int]:
    """Return the numbers of some cells and ranges, cut to whole ones; ranges may hold others."""
    numbers = [_number(cell) for cell in cells if not isinstance(cell, list)]
    rows = [row for cell in cells if isinstance(cell, list) for row in cell]
    numbers += [one for row in rows for one in row if type(one) is float]
    if not numbers or min(numbers) < 0:
        raise _RefusedError("#NUM!", "every number must be 0 or more")
    return [int(number) for number in numbers]


def _gcd(*cells: Any) -> float:
    return float(math.gcd(*_whole_numbers(cells)))


def _lcm(*cells: Any) -> float:
    return float(math.lcm(*_whole_numbers(cells)))


def _multinomial(*cells: Any) -> float:
    numbers = _whole_numbers(cells)
    return float(math.factorial(sum(numbers)) // math.prod(map(math.factorial, numbers)))


def _vdb(
    cost: Any,
    salvage: Any,
    life: Any,
    start: Any,
    end: Any,
    factor: Any = 2.0,
    no_switch: Any = False,
) -> float:
    """Depreciate by the declining balance, going over to the straight line where that is more."""
    value, rest, years = _number(cost), _number(salvage), _number(life)
    first, last, rate = _number(start), _number(end), _number(factor)
    if min(value, rest, first, rate) < 0 or years <= 0 or not first <= last <= years:
        raise _RefusedError(
            "#NUM!", "start and end must lie within the life; nothing may be negative"
        )
    total, period = 0.0, 0
    while period < last:
        declining = min(value * rate / years, max(value - rest, 0.0))
        left = years - period
        straight = max(value - rest, 0.0) / left if left > 0 else 0.0
        amount = declining if no_switch or declining >= straight else straight
        share = min(period + 1, last) - max(period, first)
        total += amount * max(share, 0.0)
        value -= amount
        period += 1
    return total


def _prob(values: Any, chances: Any, low: Any, high: Any = None) -> float:
    x, p = _matrix(values).ravel(), _matrix(chances).ravel()
    if x.size != p.size:
        raise _RefusedError("#N/A", "as many chances as values are wanted")
    if (p <= 0).any() or (p > 1).any() or abs(p.sum() - 1) > 1e-9:
        raise _RefusedError("#NUM!", "the chances must lie above 0 and add up to 1")
    bottom = _number(low)
    top = bottom if high is None else _number(high)
    return float(p[(x >= bottom) & (x <= top)].sum())


def _wrapped(by_rows: bool) -> Callable[..., Any]:
    def wrap(vector: Any, count: Any, pad: Any = None) -> Any:
        rows = vector if isinstance(vector, list) else [[vector]]
        if len(rows) > 1 and len(rows[0]) > 1:
            raise _RefusedError("#VALUE!", "one row or one column is wanted")
        cells = [cell for row in rows for cell in row]
        width = int(_number(count))
        if width < 1:
            raise _RefusedError("#NUM!", "the count must be 1 or more")
        filler = CellError("#N/A", "beyond the values") if pad is None else pad
        cells += [filler] * (-len(cells) % width)
        lines = [cells[i : i + width] for i in range(0, len(cells), width)]
        return lines if by_rows else [list(line) for line in zip(*lines, strict=True)]

    return wrap


def _expand(array: Any, rows: Any, columns: Any = None, pad: Any = None) -> Any:
    grid = array if isinstance(array, list) else [[array]]
    height = len(grid) if rows is None else int(_number(rows))
    width = len(grid[0]) if columns is None else int(_number(columns))
    if height < len(grid) or width < len(grid[0]):
        raise _RefusedError("#VALUE!", "an array is not made smaller by EXPAND")
    filler = CellError("#N/A", "beyond the array") if pad is None else pad
    return [
        [grid[r][c] if r < len(grid) and c < len(grid[0]) else filler for c in range(width)]
        for r in range(height)
    ]


def scientific(value: float, pattern: str) -> str:
    """Format a number as TEXT does where the format has an exponent; the engine leaves it out."""
    mantissa, _, exponent = pattern.upper().partition("E")
    digits = len(mantissa.partition(".")[2])
    number = Decimal(repr(value))
    power = number.adjusted() if number else 0
    step = Decimal(1).scaleb(-digits)
    head = number.scaleb(-power).quantize(step, ROUND_HALF_UP)
    if abs(head) >= 10:
        head, power = (head / 10).quantize(step, ROUND_HALF_UP), power + 1
    text = str(head)
    while (
        text.endswith("0")
        and "#" in mantissa
        and len(text.partition(".")[2]) > (mantissa.partition(".")[2].count("0"))
    ):
        text = text[:-1]
    sign = "-" if power < 0 else "+" if "+" in exponent else ""
    return f"{text}E{sign}{str(abs(power)).rjust(exponent.count('0'), '0')}"


def shown(value: Any) -> Any:
    """Return a number of the 15 digits that Excel turns into text, and truth values as texts."""
    if type(value) is float:
        return float(f"{value:.15g}")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return [[shown(cell) for cell in row] for row in value] if isinstance(value, list) else value


def one(value: Any) -> Any:
    """Return what is one value; of several, it is not known which is meant."""
    return EngineError("several cells where one is wanted") if isinstance(value, list) else value


def ranked(kind: Any, options: Any, array: Any, rank: Any) -> Any:
    """Answer AGGREGATE with one of the functions that take a rank (14 to 19)."""
    rows = array if isinstance(array, list) else [[array]]
    cells = [cell for row in rows for cell in row]
    error = next((cell for cell in cells if isinstance(cell, CellError)), None)
    if error is not None and options != _IGNORES_ERRORS:
        return error
    numbers = np.sort(np.array([cell for cell in cells if type(cell) is float]))
    if isinstance(rank, list):
        return [[_ranked(int(kind), numbers, cell) for cell in row] for row in rank]
    return _ranked(int(kind), numbers, rank)


def _ranked(kind: int, numbers: NDArray[np.float64], rank: Any) -> Any:
    if isinstance(rank, CellError):
        return rank
    if not isinstance(rank, float) or not numbers.size:
        return CellError("#NUM!" if isinstance(rank, float) else "#VALUE!", "no rank, or no number")
    count = numbers.size
    if kind in (14, 15):
        place = math.ceil(rank) - 1
        ordered = numbers[::-1] if kind == 14 else numbers
        if 0 <= place < count:
            return float(ordered[place])
        return CellError("#NUM!", "there are fewer numbers than that")
    share = math.floor(rank) / 4 if kind in (17, 19) else rank
    place_of = share * (count - 1) if kind in (16, 17) else share * (count + 1) - 1
    if not 0 <= share <= 1 or not 0 <= place_of <= count - 1:
        return CellError("#NUM!", "the share lies outside the numbers")
    return float(np.interp(place_of, np.arange(count), numbers))


_PLAIN: dict[str, Callable[..., Any]] = {
    "MMULT": _mmult,
    "MINVERSE": _minverse,
    "MDETERM": _mdeterm,
    "MUNIT": _munit,
    "FVSCHEDULE": _fvschedule,
    "PERMUTATIONA": _permutationa,
    # The engine's own take no ranges.
    "GCD": _gcd,
    "LCM": _lcm,
    "MULTINOMIAL": _multinomial,
    "VDB": _vdb,
    "PROB": _prob,
    "WRAPROWS": _wrapped(by_rows=True),
    "WRAPCOLS": _wrapped(by_rows=False),
    "EXPAND": _expand,
    **BONDS,
    **DISTRIBUTIONS,
    **PAIRS,
    **CORRECTED,
}
#: The functions by name.
SUPPLIED: dict[str, Callable[..., Any]] = {
    **{name: _answering(function) for name, function in _PLAIN.items()},
    NEXT_LOOKUP: next_lookup,
    RANKED: ranked,
    SHOWN: shown,
    ONE: one,
    MATCHED: matched,
    "UNIQUE": unique,
}
