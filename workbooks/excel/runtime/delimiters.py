"""TEXTBEFORE and TEXTAFTER: what stands before or after a delimiter, or one of several.

Held against a workbook of such texts that Excel saved.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import Calendar, Refusal, cells
from workbooks.excel.runtime.coerce import text as as_text

_CALENDAR = Calendar()


def _flag(cell: Any) -> bool:
    """Return an option that is 0 or 1."""
    number = int(_CALENDAR.number(cell))
    if number not in (0, 1):
        raise Refusal("#VALUE!", "the option is 0 or 1")
    return bool(number)


def _places(text: str, delimiters: list[str], *, fold: bool, back: bool) -> list[tuple[int, int]]:
    """Return where delimiters begin and end: from the first on, or from the last on backwards."""
    # Backwards the text is read from its end, so that of delimiters that overlap the last counts.
    turn = slice(None, None, -1 if back else 1)
    pattern = "|".join(re.escape(one[turn]) for one in delimiters)
    found = re.compile(pattern, re.IGNORECASE if fold else 0).finditer(text[turn])
    if not back:
        return [match.span() for match in found]
    return [(len(text) - match.end(), len(text) - match.start()) for match in found]


def beside(*, before: bool) -> Callable[..., Any]:
    """Return TEXTBEFORE or TEXTAFTER."""

    def answer(
        text: str,
        delimiter: Any,
        instance: Any = None,
        mode: Any = None,
        at_end: Any = None,
        missing: Any = None,
    ) -> Any:
        delimiters = [as_text(cell) for cell in cells(delimiter)]
        number = 1 if instance is None else int(_CALENDAR.number(instance))
        fold, ends = _flag(mode), _flag(at_end)
        if number == 0 or (text and abs(number) > len(text)):
            raise Refusal("#VALUE!", "no delimiter has this number")
        back = number < 0
        if "" in delimiters:
            # Nothing stands at the end that the search begins at.
            return "" if before is not back else text
        places = _places(text, delimiters, fold=fold, back=back)
        if ends:
            # The end that the search comes to is one more.
            places.append((0, 0) if back else (len(text), len(text)))
        if len(places) < abs(number):
            return CellError("#N/A", "the delimiter is not there") if missing is None else missing
        start, end = places[abs(number) - 1]
        return text[:start] if before else text[end:]

    return answer
