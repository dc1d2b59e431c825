"""Complex numbers, written as texts such as 3+4i, in 15 digits as Excel writes them."""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from workbooks.excel.runtime.coerce import Refusal, cells, shown_number

_PART = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_REAL = re.compile(_PART)
_IMAGINARY = re.compile(rf"({_PART}|[-+]?)([ij])")
_BOTH = re.compile(rf"({_PART})([-+](?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)?)([ij])")
#: From here on the exponentials of both signs differ by more than 15 digits.
_FAR = 300.0
_HIGHEST = 1e15
_SMALL = 1e-5


class Number(NamedTuple):
    """A complex number and the letter it is written with; none is needed for a real one."""

    value: complex
    suffix: str


def read(cell: Any) -> Number:
    """Return the complex number that a cell stands for."""
    if isinstance(cell, bool):
        raise Refusal("#VALUE!", "a complex number is wanted, not a truth value")
    if cell is None:
        return Number(0j, "")
    if isinstance(cell, float):
        return Number(complex(cell), "")
    if _REAL.fullmatch(cell):
        return Number(complex(float(cell)), "")
    if match := _IMAGINARY.fullmatch(cell):
        return Number(complex(0.0, _size(match[1])), match[2])
    if match := _BOTH.fullmatch(cell):
        return Number(complex(float(match[1]), _size(match[2])), match[3])
    raise Refusal("#NUM!", f"{cell!r} is no complex number")


def _size(part: str) -> float:
    return float(part + "1" if part in ("", "+", "-") else part)


def written(value: complex, suffix: str) -> str:
    """Return a complex number as a text."""
    if not (math.isfinite(value.real) and math.isfinite(value.imag)):
        raise Refusal("#NUM!", "not a finite number")
    real, imaginary = _shown(value.real), _shown(value.imag)
    if imaginary in ("0", "-0"):
        return "0" if real == "-0" else real
    part = {"1": "", "-1": "-"}.get(imaginary, imaginary) + (suffix or "i")
    if real in ("0", "-0"):
        return part
    return real + (part if part.startswith("-") else f"+{part}")


def _shown(part: float) -> str:
    """Return a part as a text: below 1E-05 with an exponent, unlike a number by itself."""
    return f"{part:.15G}" if 0.0 < abs(part) < _SMALL else shown_number(part)


def make(real: float, imaginary: float, suffix: str = "i") -> str:
    """Return a complex number of its two parts."""
    if suffix not in ("i", "j", ""):
        raise Refusal("#VALUE!", "a complex number is written with i or j")
    return written(complex(real, imaginary), suffix)


def of_one(function: Callable[[complex], complex]) -> Callable[[Any], str]:
    """Return a worksheet function of one complex number that gives another."""

    def answer(cell: Any) -> str:
        number = read(cell)
        try:
            return written(function(number.value), number.suffix)
        except (ZeroDivisionError, OverflowError, ValueError):
            raise Refusal("#NUM!", "no finite number comes out") from None

    return answer


def cot(value: complex) -> complex:
    """Return the cotangent; far from the real line, where its parts overflow, its limit."""
    if abs(value.imag) > _FAR:
        return complex(0.0, -math.copysign(1.0, value.imag))
    return 1 / cmath.tan(value)


def tan(value: complex) -> complex:
    """Return the tangent."""
    if abs(value.imag) > _FAR:
        return complex(0.0, math.copysign(1.0, value.imag))
    return cmath.tan(value)


def inverse_of(function: Callable[[complex], complex]) -> Callable[[complex], complex]:
    """Return 1 by a function; where the function overflows, 0."""

    def inverse(value: complex) -> complex:
        try:
            return 1 / function(value)
        except OverflowError:
            return 0j

    return inverse


def _common(numbers: list[Number]) -> str:
    letters = {number.suffix for number in numbers} - {""}
    if len(letters) > 1:
        raise Refusal("#VALUE!", "one number is written with i, another with j")
    return letters.pop() if letters else "i"


def divided(left: Any, right: Any) -> str:
    """Return a quotient."""
    a, b = read(left), read(right)
    if not b.value:
        raise Refusal("#NUM!", "a division by 0")
    return written(a.value / b.value, _common([a, b]))


def subtracted(left: Any, right: Any) -> str:
    """Return a difference."""
    a, b = read(left), read(right)
    return written(a.value - b.value, _common([a, b]))


def power(base: Any, exponent: float) -> str:
    """Return a power."""
    number = read(base)
    if not number.value:
        if exponent <= 0:
            raise Refusal("#NUM!", "0 to the power of 0 or less")
        return "0"
    if exponent == int(exponent) and abs(exponent) < _HIGHEST:
        return written(number.value ** int(exponent), number.suffix)
    return written(cmath.exp(exponent * cmath.log(number.value)), number.suffix)


def logarithm(base: float) -> Callable[[complex], complex]:
    """Return the logarithm to a base."""
    return lambda value: cmath.log(value) / math.log(base)


def total(*given: Any) -> str:
    """Return the sum of cells and ranges."""
    numbers = _all(given)
    return written(sum((n.value for n in numbers), 0j), _common(numbers))


def product(*given: Any) -> str:
    """Return the product of cells and ranges."""
    numbers = _all(given)
    return written(math.prod((n.value for n in numbers), start=1 + 0j), _common(numbers))


def _all(given: tuple[Any, ...]) -> list[Number]:
    out = []
    for one in given:
        # A blank cell is 0, a blank in a range is none.
        held = cells(one)
        out += [read(cell) for cell in held if cell is not None or len(held) == 1]
    return out
