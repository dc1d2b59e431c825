"""What a cell means where a worksheet function wants a number, a date, a truth value or a text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeAlias

from udfs.cells import CellError

Grid: TypeAlias = list[list[Any]]
Convert: TypeAlias = Callable[[Any], Any]

# Excel wants three digits or more behind a thousands separator.
_NUMBER = re.compile(
    r"([-+]?) *(\$?) *([-+]?) *([0-9]+(?:,[0-9]{3,})*)?(\.[0-9]*)?([eE][-+]?[0-9]+)? *(%?)"
)
_FRACTION = re.compile(r"([-+]?)(\d+) +(\d+)/(\d+)")
_ISO = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})")
_MONTH_FIRST = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d{2})")
_NAMED = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3,9})[- ,]+(\d{4}|\d{2})")
_NAME_FIRST = re.compile(r"([A-Za-z]{3,9})[- ](\d{1,2})(?:, *(\d{4}|\d{2})| +(\d{4}))")
_MONTH_OF_YEAR = re.compile(r"([A-Za-z]{3,9})[- ](\d{4})")
_TIME = re.compile(r"(\d{1,4}):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?(?: +(AM|PM|A|P))?", re.IGNORECASE)
_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_CENTURY = 30
_BEFORE_LEAP_DAY = 60
_LAST = date(9999, 12, 31)


class Refusal(Exception):  # noqa: N818 - it carries an error value, and is no fault
    """Ends a function with an error value."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.error = CellError(code, reason)


class Calendar:
    """Serial numbers of days in one of the two date systems.

    Parameters
    ----------
    date1904 : bool
        Whether day 0 is 1 January 1904; otherwise day 1 is 1 January 1900, and there is a
        29 February 1900, as in Excel.
    """

    def __init__(self, *, date1904: bool = False) -> None:
        self._date1904 = date1904
        self._first = date(1904, 1, 1) if date1904 else date(1899, 12, 31)

    def day(self, serial: float) -> date:
        """Return the day of a serial number; the time of day is left out."""
        number = math.floor(serial)
        if not self._date1904 and number >= _BEFORE_LEAP_DAY:
            number -= 1
        if number < 0:
            raise Refusal("#NUM!", "a date before the first that there is")
        try:
            return self._first + timedelta(days=number)
        except OverflowError:
            raise Refusal("#NUM!", "a date after the year 9999") from None

    def serial(self, day: date) -> float:
        """Return the serial number of a day."""
        number = (day - self._first).days
        if number < 0:
            raise Refusal("#NUM!", "a date before the first that there is")
        late = not self._date1904 and number >= _BEFORE_LEAP_DAY
        return float(number + 1 if late else number)

    def parts(self, serial: float) -> tuple[int, int, int]:
        """Return year, month and day of a serial number: 0 January and 29 February 1900 too."""
        number = math.floor(serial)
        if not self._date1904 and number in (0, _BEFORE_LEAP_DAY):
            return (1900, 1, 0) if number == 0 else (1900, 2, 29)
        day = self.day(serial)
        return day.year, day.month, day.day

    def number(self, cell: Any) -> float:
        """Return a cell as a number: a blank is 0, TRUE is 1, a text what it reads as."""
        if type(cell) is float:
            return cell
        if cell is None:
            return 0.0
        if isinstance(cell, str):
            return self.read(cell)
        if isinstance(cell, CellError):
            raise Refusal(cell.code, cell.reason)
        return float(cell)

    def strict(self, cell: Any) -> float:
        """Return a cell as a number, truth values refused, as the engineering functions do."""
        if isinstance(cell, bool):
            raise Refusal("#VALUE!", "a number is wanted, not a truth value")
        return self.number(cell)

    def read(self, text: str) -> float:
        """Return the number or date that a text reads as."""
        number = plain_number(text)
        if number is not None:
            return number
        serial = self.moment(text)
        if serial is None:
            raise Refusal("#VALUE!", f"a number is wanted, not the text {text!r}")
        return serial

    def moment(self, text: str) -> float | None:
        """Return the serial number of a date, a time, or both."""
        if not text.isascii():
            return None
        # Spaces around a time are passed over, those around a date are not.
        time = _TIME.fullmatch(text.strip(" "))
        if time:
            return _of_day(time)
        head, _, rest = text.partition(" ") if ":" in text else (text, "", "")
        if ":" in text and not (time := _TIME.fullmatch(rest.strip())):
            cut = re.search(r" +\d{1,2}:", text)
            if cut is None or not (time := _TIME.fullmatch(text[cut.start() :].strip())):
                return None
            head = text[: cut.start()]
        day = _read_day(head)
        # A day before the first that there is, is a text as any other.
        if day is None or day.year < max(self._first.year, 1900):
            return None
        share = _of_day(time) if time else 0.0
        return None if share is None else self.serial(day) + share


def plain_number(text: str) -> float | None:
    """Return the number that a text is: with a sign, thousands, an exponent or a percent sign."""
    bare = text.strip(" ")
    if not bare.isascii():
        return None
    negative = bare.startswith("(") and bare.endswith(")")
    match = _NUMBER.fullmatch(bare[1:-1] if negative else bare)
    if match is not None and (match[3] == "" or match[1] == "") and not (negative and match[1]):
        whole, part = (match[4] or "").replace(",", ""), match[5] or ""
        if whole or len(part) > 1:
            sign = -1.0 if negative or "-" in (match[1], match[3]) else 1.0
            value = sign * float(f"{whole or 0}{part}{match[6] or ''}")
            if math.isinf(value):
                return None
            return value / 100 if match[7] else value
    mixed = _FRACTION.fullmatch(bare)
    if mixed and int(mixed[4]):
        value = int(mixed[2]) + int(mixed[3]) / int(mixed[4])
        return -value if mixed[1] == "-" else value
    return None


def _read_day(text: str) -> date | None:
    try:
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[3]), int(match[4]))
        if match := _MONTH_FIRST.fullmatch(text):
            return date(_year(match[4]), int(match[1]), int(match[3]))
        if (match := _NAMED.fullmatch(text)) and (month := _month(match[2])):
            return date(_year(match[3]), month, int(match[1]))
        if (match := _NAME_FIRST.fullmatch(text)) and (month := _month(match[1])):
            return date(_year(match[3] or match[4]), month, int(match[2]))
        if (match := _MONTH_OF_YEAR.fullmatch(text)) and (month := _month(match[1])):
            return date(int(match[2]), month, 1)
    except ValueError:
        return None
    return None


def _year(text: str) -> int:
    number = int(text)
    if len(text) == 4:
        return number
    return number + (2000 if number < _CENTURY else 1900)


def _month(text: str) -> int:
    """Return the number of a month by its name or the first three letters; 0 for another word."""
    word = text.casefold()
    return next(
        (i for i, name in enumerate(_MONTHS, 1) if word in (name, name[:3])),
        0,
    )


def _of_day(time: re.Match[str]) -> float | None:
    hours, minutes, seconds = int(time[1]), int(time[2]), float(time[3] or 0)
    half = (time[4] or "").upper()[:1]
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half == "P" else 0)
    if minutes >= 60 or seconds >= 60:
        return None
    return (hours * 3600 + minutes * 60 + seconds) / 86400


def truth(cell: Any) -> bool:
    """Return a cell as a truth value."""
    if isinstance(cell, str):
        word = cell.upper()
        if word not in ("TRUE", "FALSE"):
            raise Refusal("#VALUE!", f"a truth value is wanted, not the text {cell!r}")
        return word == "TRUE"
    if isinstance(cell, CellError):
        raise Refusal(cell.code, cell.reason)
    return bool(cell)


def text(cell: Any) -> str:
    """Return a cell as a text; a number has the 15 digits that Excel shows."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, CellError):
        raise Refusal(cell.code, cell.reason)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return "" if cell is None else shown_number(cell)


def shown_number(number: float) -> str:
    """Return a number as Excel turns it into text: at most 15 digits, `1E+20` from 1E+20 on."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    short = f"{number:.15g}"
    mantissa, _, exponent = short.partition("e")
    if not exponent or -10 < int(exponent) < 0:
        # Down to nine noughts after the point, Excel writes them out.
        plain = f"{number:.{max(0, 14 - math.floor(math.log10(abs(number))))}f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if 0 < int(exponent) <= 20:
        return str(int(float(short)))
    return f"{mantissa}E{int(exponent):+03d}"


def rows(cell: Any) -> Grid:
    """Return the rows of a range or array; a single value is one row of one."""
    return cell if isinstance(cell, list) else [[cell]]


def cells(cell: Any) -> list[Any]:
    """Return the cells of a range or array, row by row."""
    return [one for row in cell for one in row] if isinstance(cell, list) else [cell]


def without_errors(cell: Any) -> Grid:
    """Return the rows of a range or array; the first error value in it ends the function."""
    grid = rows(cell)
    for row in grid:
        for one in row:
            if isinstance(one, CellError):
                raise Refusal(one.code, one.reason)
    return grid


def folded(cell: Any) -> Any:
    """Return a cell so that texts that differ in case alone are equal."""
    return cell.casefold() if isinstance(cell, str) else cell
