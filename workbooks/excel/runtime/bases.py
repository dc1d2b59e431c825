"""Numbers to the bases 2, 8, 10 and 16, negative ones as complements of ten digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbooks.excel.runtime.coerce import Refusal, text

_DIGITS = 10
_SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _value(cell: Any, base: int) -> int:
    """Return the number that digits stand for; the highest of ten says that it is negative."""
    if isinstance(cell, bool):
        raise Refusal("#VALUE!", "digits are wanted, not a truth value")
    digits = text(cell).upper()
    if len(digits) > _DIGITS or any(c not in _SYMBOLS[:base] for c in digits):
        raise Refusal("#NUM!", f"at most {_DIGITS} digits to the base {base} are wanted")
    number = int(digits, base) if digits else 0
    return number - base**_DIGITS if number >= base**_DIGITS // 2 else number


def _digits(number: int, base: int, places: float | None) -> str:
    """Return the digits of a number, filled up with noughts; negative ones have ten."""
    limit = base**_DIGITS // 2
    if not -limit <= number < limit:
        raise Refusal("#NUM!", f"the number has more than {_DIGITS} digits to the base {base}")
    width = 0 if places is None else int(places)
    if places is not None and not 0 < width <= _DIGITS:
        raise Refusal("#NUM!", f"the number of digits is 1 to {_DIGITS}")
    if number < 0:
        return _written(number + base**_DIGITS, base)
    digits = _written(number, base)
    if places is not None and len(digits) > width:
        raise Refusal("#NUM!", "the number has more digits than that")
    return digits.rjust(width, "0")


def _written(number: int, base: int) -> str:
    out = ""
    while number:
        number, digit = divmod(number, base)
        out = _SYMBOLS[digit] + out
    return out or "0"


def between(base: int, other: int) -> Callable[..., str]:
    """Return BIN2HEX and its kin, by the bases from and to."""

    def turned(digits: Any, places: float | None = None) -> str:
        return _digits(_value(digits, base), other, places)

    return turned


def from_decimal(base: int) -> Callable[..., str]:
    """Return DEC2BIN and its kin, by the base."""

    def written(number: int, places: float | None = None) -> str:
        return _digits(number, base, places)

    return written


def to_decimal(base: int) -> Callable[[Any], float]:
    """Return HEX2DEC and its kin, by the base."""

    def number(digits: Any) -> float:
        return float(_value(digits, base))

    return number
