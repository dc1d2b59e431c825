"""Number formats of TEXT: which the calculator follows, and how others are put in such terms.

Held against LibreOffice and Microsoft's description of number formats: the calculator follows plain
numbers with texts around them, and dates; of anything else it makes something that looks right.
"""

from __future__ import annotations

import re

_LITERAL = r'(?:"[^"]*"|\\.|[$€£¥°+\-() %xKMk])*'
_DIGITS = r"(?:#,##0|#,###|#|0+)(?:\.0+#*|\.#+)?,*"
_COLOUR = r"(?:\[(?:Black|Blue|Cyan|Green|Magenta|Red|White|Yellow)\])?"
_NUMBER = re.compile(f"{_COLOUR}{_LITERAL}{_DIGITS}{_LITERAL}", re.IGNORECASE)
_NOTHING = re.compile(f"{_COLOUR}{_LITERAL}", re.IGNORECASE)
_DATE = re.compile(
    r'(?:"[^"]*"|\\.|[\-/:., ]|y+|m{1,5}|d{1,4}|h{1,2}|s{1,2}|(?<=s)\.0|AM/PM|'
    r"\[(?:h{1,2}|m{1,2}|s{1,2})\])+",
    re.IGNORECASE,
)
_LITERALS = re.compile(r'"[^"]*"|\\.')
#: Hours, minutes or seconds past a whole day.
ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
# The calculator takes the m after seconds for a month, and only one elapsed time for such.
_AFTER_SECONDS = re.compile(r"s[^hdy]*m", re.IGNORECASE)
_PADDING = re.compile(r'("[^"]*"|\\.)|_(.)')
_CURRENCY = re.compile(r'\[\$([^\]"\-]*)(?:-[0-9A-Fa-f]+)?\]')
#: Formats with an exponent, which are not the calculator's.
EXPONENT = re.compile(r"0(?:\.0*#*)?[eE][+-]0+")
_MOST_SECTIONS = 3


def in_terms(pattern: str) -> str | None:
    """Return a format as the calculator follows it; None where what it makes is not certain."""
    text = _CURRENCY.sub(lambda match: f'"{match[1]}"', pattern)
    # Room as wide as a character is one blank in a text.
    text = _PADDING.sub(lambda match: match[1] or '" "', text)
    if _DATE.fullmatch(text):
        return text if _is_certain(_LITERALS.sub("", text).casefold()) else None
    first, *others = _sections(text)
    if len(others) >= _MOST_SECTIONS or not _NUMBER.fullmatch(first):
        return None
    if all(_NUMBER.fullmatch(section) or _NOTHING.fullmatch(section) for section in others):
        return text
    return None


def _is_certain(date: str) -> bool:
    """Tell whether the calculator makes of a date's or time's format what Excel does."""
    elapsed = ELAPSED.findall(date)
    # What has passed is shown wherever its unit is named once more.
    again = any(unit[1] in ELAPSED.sub("", date) for unit in elapsed)
    return len(elapsed) < 2 and not again and not _AFTER_SECONDS.search(date)


def _sections(text: str) -> list[str]:
    out, quoted = [""], False
    for character in text:
        quoted ^= character == '"'
        if character == ";" and not quoted:
            out.append("")
        else:
            out[-1] += character
    return out
