"""Numbers as a cell shows them, for readers whose mail takes the script out of a page.

The page itself does the same in `assets/format.js`; a test holds the two together.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from math import floor, isfinite

from udfs.cells import Cell, CellError

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]|([#0?,.]+)|([eE][+-]0+)|(%)|(.)', re.DOTALL)
_DATE = re.compile(r"yyyy|yy|mmmmm|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|AM/PM", re.IGNORECASE)
# Hours, minutes or seconds in all, beyond a day too.
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_SECONDS = {"h": 3600, "m": 60, "s": 1}
# What stands in brackets else: a colour, a condition, a language.
_BRACKETS = r"\[(?!(?:h+|m+|s+)\])[^\]]*\]"
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]  # fmt: skip
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_CONDITION = re.compile(r"\[(>=|<=|<>|>|<|=)(-?[0-9.]+)\]")
# Room for all digits of the largest number.
_WIDE = Context(prec=400)
_EPOCH = datetime(1899, 12, 30)
_HOLDS = {
    ">=": lambda x, y: x >= y, "<=": lambda x, y: x <= y, "<>": lambda x, y: x != y,
    ">": lambda x, y: x > y, "<": lambda x, y: x < y, "=": lambda x, y: x == y,
}  # fmt: skip


def shown(value: Cell, number_format: str) -> str:
    """Return a value as a cell of that format shows it.

    Examples
    --------
    >>> shown(10950000.0, '"$"#,##0.0,,"M";[Red]-"$"#,##0.0,,"M"')
    '$11.0M'
    >>> shown(-0.5, "0.0%")
    '-50.0%'
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str | CellError):
        return str(value)
    if not isfinite(value):
        return "#NUM!"
    sections = _sections(number_format)
    section, value = _chosen(sections, value)
    if section.strip().lower() in ("general", ""):
        return _general(value)
    found = _date(value, section) if _is_date(section) else _number(value, section)
    # Blanks at the ends only make room.
    return found.strip()


def _sections(number_format: str) -> list[str]:
    parts, depth, text = [""], False, number_format
    for character in text:
        if character == '"':
            depth = not depth
        if character == ";" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _chosen(sections: list[str], value: float) -> tuple[str, float]:
    """Return the section of a format that a number takes, and the number that it shows."""
    for section in sections[:2]:
        found = _CONDITION.search(section)
        if found and _HOLDS[found[1]](value, float(found[2])):
            return section, abs(value) if value < 0 and found[1] in ("<", "<=") else value
    if any(_CONDITION.search(s) for s in sections):
        rest = [s for s in sections[:3] if not _CONDITION.search(s)]
        return (rest[-1] if rest else "General"), value
    if value < 0 and len(sections) > 1:
        return sections[1], -value
    if value == 0 and len(sections) > 2:
        return sections[2], value
    return sections[0], value


def _is_date(section: str) -> bool:
    bare = re.sub(rf'"[^"]*"|\\.|{_BRACKETS}|_.', "", section, flags=re.IGNORECASE)
    return bool(re.search(r"[ymdhs]", bare, re.IGNORECASE)) and not re.search(r"[0#]", bare)


def _general(value: float) -> str:
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e11:
        text = f"{value:.5E}"
        digits, _, exponent = text.partition("E")
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return f"{digits}E{exponent}"
    text = f"{_rounded(Decimal(repr(value)), -_places(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _places(value: float) -> int:
    """Return the exponent of the last digit of a number of ten digits."""
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 1
    return -max(10 - whole, 0)


def _number(value: float, section: str) -> str:
    """Return a number in a section of a format: its digits, and the texts around them."""
    tokens = list(_TOKEN.finditer(section))
    digits = [m for m in tokens if m[3]]
    if not digits:
        return _texts(tokens, "", first=None)
    pattern = "".join(m[3] for m in digits)
    scientific = next((m[4] for m in tokens if m[4]), "")
    whole, _, fraction = pattern.partition(".")
    places, least = len(re.sub(r"[^0#?]", "", fraction)), len(re.sub(r"[^0]", "", fraction))
    scale = 3 * (len(pattern) - len(pattern.rstrip(",")))
    percent = 2 * sum(bool(m[5]) for m in tokens)
    amount = Decimal(f"{abs(value):.15g}").scaleb(percent - scale)
    if scientific:
        exponent = amount.adjusted() if amount else 0
        mantissa = _rounded(amount.scaleb(-exponent), places)
        if mantissa >= 10:
            exponent, mantissa = exponent + 1, _rounded(mantissa.scaleb(-1), places)
        sign = "-" if exponent < 0 else "+" if "+" in scientific else ""
        size = len(re.sub(r"[^0]", "", scientific))
        text = f"{mantissa:f}E{sign}{abs(exponent):0{size}d}"
        zero = False
    else:
        rounded = _rounded(amount, places)
        zero = rounded == 0
        text = f"{rounded:f}"
        left, _, right = text.partition(".")
        while len(right) > least and right.endswith("0"):
            right = right[:-1]
        least_whole = len(re.sub(r"[^0]", "", whole))
        left = left.lstrip("0").rjust(least_whole, "0") if left.strip("0") else "0" * least_whole
        if "," in whole.rstrip(","):
            left = re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", left)
        text = left + ("." + right if right or fraction else "")
    minus = "-" if value < 0 and not zero else ""
    return minus + _texts(tokens, text, first=digits[0])


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _WIDE)


def _texts(tokens: list[re.Match[str]], digits: str, first: re.Match[str] | None) -> str:
    out = ""
    for token in tokens:
        if token is first:
            out += digits
        elif token[1] is not None:
            out += token[1]
        elif token[2]:
            out += token[2]
        elif token[0].startswith("[$"):
            out += token[0][2:-1].partition("-")[0]
        elif token[0].startswith("_"):
            out += " "
        elif token[5]:
            out += "%"
        elif token[6] and token[0] != "@":
            out += token[6]
    return out


def _date(value: float, section: str) -> str:
    if not 0 <= value < 2958466:
        return "#####"
    # To the second: what is shown of a day that lacks less is the next one.
    seconds = floor(value * 86_400 + 0.5)
    moment = _EPOCH + timedelta(seconds=seconds)
    section = re.sub(rf"{_BRACKETS}|_.|\*.|;@$", "", section, flags=re.IGNORECASE)
    noon = "am/pm" in section.lower()
    out, place, hours = "", 0, False
    while place < len(section):
        rest = section[place:]
        if quoted := re.match(r'"([^"]*)"|\\(.)', rest):
            out += quoted[1] if quoted[1] is not None else quoted[2]
            place += quoted.end()
            continue
        if elapsed := _ELAPSED.match(rest):
            unit = elapsed[1][0].lower()
            whole = seconds // _SECONDS[unit]
            out += f"{whole:0{len(elapsed[1])}d}"
            hours = unit == "h"
            place += elapsed.end()
            continue
        found = _DATE.match(rest)
        if not found:
            out += section[place]
            place += 1
            continue
        code = found[0].lower()
        minutes = code in ("m", "mm") and (hours or bool(re.match(r"m+:?s", rest, re.IGNORECASE)))
        out += _piece(code, moment, minutes=minutes, noon=noon)
        hours = code in ("h", "hh")
        place += found.end()
    return out


def _piece(code: str, moment: datetime, *, minutes: bool, noon: bool) -> str:
    hour = (moment.hour % 12 or 12) if noon else moment.hour
    pieces = {
        "yyyy": f"{moment.year}", "yy": f"{moment.year % 100:02d}",
        "mmmmm": _MONTHS[moment.month - 1][0],
        "mmmm": _MONTHS[moment.month - 1], "mmm": _MONTHS[moment.month - 1][:3],
        "mm": f"{moment.month:02d}", "m": f"{moment.month}",
        "dddd": _DAYS[moment.weekday()], "ddd": _DAYS[moment.weekday()][:3],
        "dd": f"{moment.day:02d}", "d": f"{moment.day}",
        "hh": f"{hour:02d}", "h": f"{hour}", "ss": f"{moment.second:02d}", "s": f"{moment.second}",
        "am/pm": "PM" if moment.hour >= 12 else "AM",
    }  # fmt: skip
    if minutes:
        return f"{moment.minute:02d}" if code == "mm" else f"{moment.minute}"
    return pieces[code]
