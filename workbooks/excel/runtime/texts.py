"""Texts: words in capitals, numbers with an exponent, and what a number shows as a text."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_LETTERS = re.compile(r"[^\W\d_]+")


def proper(text: str) -> str:
    """Return a text with a capital at the beginning of each word."""
    return _LETTERS.sub(lambda word: word[0][0].upper() + word[0][1:].lower(), text)


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
