"""Rounding to multiples, and whole numbers: common divisors and multiples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import Calendar, Refusal, cells, plain_number

#: What the functions of whole numbers can count.
_MOST = 2.0**53


def _share(number: float, step: float) -> float:
    """Return how many steps a number is, of the 15 digits that Excel looks at."""
    return float(f"{number / step:.15g}")


def double_factorial(number: float) -> float:
    """Return FACTDOUBLE: the product of every second whole number up to one, 1 at 0 and at -1."""
    if number < -1:
        raise Refusal("#NUM!", "a factorial of a number below -1")
    return float(math.prod(range(int(number), 1, -2)))


def to_multiple(whole: Callable[[float], int]) -> Callable[..., Any]:
    """Return CEILING or FLOOR, by what makes a number of steps whole."""

    def rounded(number: float, significance: float) -> Any:
        if number > 0 > significance:
            raise Refusal("#NUM!", "a positive number is not rounded by a negative one")
        if not significance:
            divides = whole is math.floor and number
            return CellError("#DIV/0!", "the significance is 0") if divides else 0.0
        return whole(_share(number, significance)) * significance

    return rounded


def to_multiple_math(whole: Callable[[float], int]) -> Callable[..., float]:
    """Return CEILING.MATH or FLOOR.MATH; with a mode, a negative number is taken as positive."""

    def rounded(number: float, significance: float = 1.0, mode: float = 0.0) -> float:
        step = abs(significance)
        if not step:
            return 0.0
        if number < 0 and mode:
            return -whole(_share(-number, step)) * step
        return whole(_share(number, step)) * step

    return rounded


def mround(number: float, multiple: float) -> float:
    """Round to the nearest multiple, halves away from 0."""
    if not multiple or not number:
        return 0.0
    if number * multiple < 0:
        raise Refusal("#NUM!", "number and multiple have different signs")
    return math.floor(_share(number, multiple) + 0.5) * multiple


def whole_numbers(given: tuple[Any, ...]) -> list[int]:
    """Return the numbers of cells and ranges, cut to whole ones.

    Blanks count for nothing; a text counts if it reads as a number, also in a range.
    """
    found = []
    for one in given:
        for cell in cells(one):
            if isinstance(cell, CellError):
                raise Refusal(cell.code, cell.reason)
            if isinstance(cell, bool):
                raise Refusal("#VALUE!", "a number is wanted, not a truth value")
            if isinstance(cell, str) and plain_number(cell) is None:
                raise Refusal("#VALUE!", f"a number is wanted, not the text {cell!r}")
            if cell is not None:
                found.append(Calendar().number(cell))
    if any(number < 0 or number >= _MOST for number in found):
        raise Refusal("#NUM!", "every number is 0 or more, and below 2^53")
    return [int(number) for number in found]


def _some(numbers: list[int]) -> list[int]:
    if not numbers:
        raise Refusal("#VALUE!", "a number is wanted, and there are blanks alone")
    return numbers


def gcd(*given: Any) -> float:
    """Return the greatest common divisor."""
    return float(math.gcd(*_some(whole_numbers(given))))


def lcm(*given: Any) -> float:
    """Return the least common multiple."""
    number = float(math.lcm(*_some(whole_numbers(given))))
    if number >= _MOST:
        raise Refusal("#NUM!", "the multiple is 2^53 or more")
    return number


def multinomial(*given: Any) -> float:
    """Return the factorial of a sum by the product of the factorials."""
    numbers = whole_numbers(given)
    return float(math.factorial(sum(numbers)) // math.prod(map(math.factorial, numbers)))


def permutationa(count: int, chosen: int) -> float:
    """Return in how many orders some of a number may be chosen, again and again."""
    if count < 0 or chosen < 0:
        raise Refusal("#NUM!", "both numbers must be 0 or more")
    return float(count**chosen)


def power(base: float, exponent: float) -> float:
    """Return a power; 0 to the power of 0 is none."""
    if not base:
        if not exponent:
            raise Refusal("#NUM!", "0 to the power of 0")
        if exponent < 0:
            raise ZeroDivisionError
    if base < 0 and exponent != math.floor(exponent):
        raise Refusal("#NUM!", "a root of a negative number")
    return math.pow(base, exponent)


def coth(number: float) -> float:
    """Return the hyperbolic cotangent."""
    return 1 / math.tanh(number)


def csch(number: float) -> float:
    """Return 1 by the hyperbolic sine."""
    return (
        0.0
        if abs(number) > 745
        else 1 / math.sinh(number)
        if abs(number) < 710
        else (math.copysign(2 * math.exp(-abs(number)), number))
    )


def sech(number: float) -> float:
    """Return 1 by the hyperbolic cosine."""
    return 2 * math.exp(-abs(number)) if abs(number) > 700 else 1 / math.cosh(number)


def of_angle(function: Callable[[float], float]) -> Callable[[float], float]:
    """Return 1 by a function of an angle, which Excel takes up to 2^27."""

    def inverse(angle: float) -> float:
        if abs(angle) >= 2**27:
            raise Refusal("#NUM!", "the angle is too large")
        return 1 / function(angle)

    return inverse
