"""Texts that Excel reads as a number otherwise than the calculator, where an operator wants one.

The calculator knows neither `$5` nor `(5)` nor `1,200`, takes 24:00 for 0, and looks past a tab or
a space that does not break. Such texts are rare: they are looked for where they may stand, so that
all other operators stay as they are.
"""

from __future__ import annotations

import re

from workbooks.excel.runtime.coerce import Calendar, Refusal

#: How the names of months begin.
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# Before 1904 the date systems differ in what there is.
_YEAR = "(?:190[4-9]|19[1-9][0-9]|[2-9][0-9]{3})"
#: Where both read the same, or nothing.
_ALIKE = re.compile(
    r" *[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?%? *"
    rf"|{_YEAR}-[0-9]{{2}}-[0-9]{{2}}|[0-9]{{1,2}}/[0-9]{{1,2}}/{_YEAR}"
    rf"|(?:[0-9]{{1,2}}-(?:{MONTHS})-|(?:{MONTHS}) ){_YEAR}",
    re.IGNORECASE,
)
# How a text begins that either may read.
_MAY_BE_READ = re.compile(rf"[\s$(+-]*(?:[0-9.]|{MONTHS})", re.IGNORECASE)
_CLOCK = re.compile(r"[-0-9/]*[ T]?[0-9]+:[0-9:.]+ *(?:[AP]M?)?", re.IGNORECASE)
# The calculator counts days before the first, too.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}")
#: Longer ones are numbers of many digits, or none.
_LONGEST = 60
_CALENDAR = Calendar()


def may_be_read(text: str) -> bool:
    """Tell whether a text begins as a number, a date or a time does, so that it may be one."""
    return _MAY_BE_READ.match(text) is not None


def is_odd(text: str) -> bool:
    """Tell whether the calculator may read a text otherwise than Excel."""
    if len(text) > _LONGEST or not may_be_read(text) or _ALIKE.fullmatch(text):
        return False
    bare = text.strip()
    if any(form.fullmatch(bare) for form in (_CLOCK, _ALIKE, _DAY)):
        return True
    try:
        _CALENDAR.read(text)
    except Refusal:
        return False
    return True
