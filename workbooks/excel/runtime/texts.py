"""Texts: words in capitals, numbers with an exponent, and what a number shows as a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from workbooks.excel.runtime.coerce import Calendar, Refusal, plain_number

_MOST_DECIMALS = 127
#: Enough for the largest number with the most decimals [digits].
_PLACES = 450
_SPACES = re.compile(" {2,}")
_LETTERS = re.compile(r"[^\W\d_]+")


def proper(text: str) -> str:
    """Return a text with a capital at the beginning of each word."""
    return _LETTERS.sub(lambda word: word[0][0].upper() + word[0][1:].lower(), text)


def trimmed(text: str) -> str:
    """Return TRIM: of the spaces, one between words; other white space is no space to Excel."""
    return _SPACES.sub(" ", text).strip(" ")


def scientific(value: float, pattern: str) -> str:
    """Format a number as TEXT does where the format has an exponent, which the calculator omits."""
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


def fixed(number: float, decimals: int = 2, plain: bool = False) -> str:
    """Return FIXED: a number as a text, of 15 digits, with thousands unless it is to be plain."""
    if decimals > _MOST_DECIMALS:
        raise Refusal("#VALUE!", f"at most {_MOST_DECIMALS} decimals")
    value = Decimal(f"{number:.15g}")
    with localcontext(prec=_PLACES):
        rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded:{'' if plain else ','}.{max(decimals, 0)}f}"


def replaced(text: str, start: int, count: int, new: str) -> str:
    """Return REPLACE: a text with some characters replaced by others."""
    if start < 1 or count < 0:
        raise Refusal("#VALUE!", "places are counted from 1 on, and no fewer than 0 are replaced")
    return text[: start - 1] + new + text[start - 1 + count :]


def shown(value: Any) -> Any:
    """Return a number of the 15 digits that Excel turns into text, and truth values as texts."""
    if type(value) is float:
        return float(f"{value:.15g}")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return [[shown(cell) for cell in row] for row in value] if isinstance(value, list) else value


def value(calendar: Calendar) -> Callable[[Any], float]:
    """Return VALUE for a date system: the number, date or time that a text reads as."""
    return calendar.strict


def operand(calendar: Calendar) -> Callable[[Any], Any]:
    """Return for a date system what makes a number of a text that stands beside an operator."""

    def number(cell: Any) -> Any:
        if isinstance(cell, list):
            return [[number(one) for one in row] for row in cell]
        if isinstance(cell, str):
            try:
                return calendar.read(cell)
            except Refusal as refused:
                return refused.error
        # The calculator would make an empty text of a blank in an array.
        return 0.0 if cell is None else cell

    return number


def _characters(*, mac: bool) -> str:
    """Return the 256 characters of the character set that Excel counts by."""
    name = "mac_roman" if mac else "cp1252"
    # Windows knows its five free places by their own numbers.
    single = [bytes([i]).decode(name, "replace") for i in range(256)]
    return "".join(chr(i) if one == "\ufffd" else one for i, one in enumerate(single))


def char(*, mac: bool) -> Callable[[int], str]:
    """Return CHAR: the character of a number of the machine's own set."""
    characters = _characters(mac=mac)

    def answer(number: int) -> str:
        if not 1 <= number < len(characters):
            raise Refusal("#VALUE!", "characters are numbered from 1 to 255")
        return characters[number]

    return answer


def code(*, mac: bool) -> Callable[[str], float]:
    """Return CODE: the number of the first character in the machine's own set."""
    numbers = {one: float(i) for i, one in enumerate(_characters(mac=mac))}
    # What is not in the set becomes another character first: an underscore on a Mac.
    missing = numbers["_" if mac else "?"]

    def answer(text: str) -> float:
        if not text:
            raise Refusal("#VALUE!", "an empty text has no first character")
        return numbers.get(text[0], missing)

    return answer


def numbervalue(text: str, decimal: str = ".", *groups: str) -> float:
    """Return the number of a text by its decimal and group separators.

    Of a separator the first character counts. Without one, groups have a comma between them where
    that does not separate the decimals.
    """
    group = groups[0] if groups else "" if decimal.startswith(",") else ","
    if not decimal or (groups and not group) or decimal[0] == group[:1]:
        raise Refusal("#VALUE!", "two different separators are wanted")
    bare = text.replace(" ", "")
    if not bare:
        return 0.0
    whole, point, part = bare.partition(decimal[0])
    whole = whole.replace(group[0], "") if group else whole
    if not {*whole, *part}.isdisjoint((",", ".", decimal[0], *group[:1])):
        raise Refusal("#VALUE!", f"{text!r} is no number")
    # Percent signs add up, inside parentheses and behind them.
    signed, percents = _without_percents(f"{whole}.{part}" if point else whole)
    if signed.startswith("(") and signed.endswith(")"):
        inside, more = _without_percents(signed[1:-1])
        signed, percents = f"({inside})", percents + more
    number = None if "%" in signed else plain_number(signed)
    if number is None:
        raise Refusal("#VALUE!", f"{text!r} is no number")
    return float(number / 100.0**percents)


def _without_percents(text: str) -> tuple[str, int]:
    """Return a text without the percent signs at its end, and how many those are."""
    bare = text.rstrip("%")
    return bare, len(text) - len(bare)
