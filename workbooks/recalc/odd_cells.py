"""The sheets that hold texts which the calculator reads otherwise than Excel.

Where there is none, as in nearly all workbooks, operators go to the calculator as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from workbooks.excel.odd_texts import MONTHS, is_odd
from workbooks.ooxml.constants import Strings
from workbooks.ooxml.scan import CELL_ATTRIBUTES, STEP, VALUE
from workbooks.ooxml.xml import unescape

# How such a text begins; no longer one is read as a number.
_CONTENT = rb"((?:\s|\xc2\xa0|&#)*(?:[$(+.0-9-]|(?i:%b))[^<]{0,240})" % MONTHS.encode()
_TEXT = re.compile(rb"<t(?:\s[^>]*+)?>" + _CONTENT + rb"</t>")
_CONSTANT = re.compile(rb'\st="str"[^>]*+><v>' + _CONTENT + rb"</v>")
_VALUE = re.compile(_CONTENT)
_SHARED = re.compile(rb'\st="s"[^>]*+><v>([0-9]++)</v>')
# A text of this many bytes, with its tags, may be cut in two.
_LONGEST = 1024


@dataclass(slots=True)
class OddCells:
    """Finds the sheets with such texts.

    Parameters
    ----------
    strings : Callable
        Yields the table of texts that cells share, if there is one.
    sheets : set of str
        Those that were found.
    """

    strings: Callable[[], Iterator[bytes] | None]
    sheets: set[str] = field(default_factory=set)
    _shared: frozenset[int] | None = None

    def note(self, sheet: str, parts: list[bytes]) -> None:
        """Look at a run of rows, split by `scan.FORMULA`: constants, and the values of formulas."""
        if sheet not in self.sheets and (self._in_constants(parts) or _in_values(parts)):
            self.sheets.add(sheet)

    def _in_constants(self, parts: list[bytes]) -> bool:
        rows = b"".join(parts[0::STEP])
        shared = self._shared_ones() if b't="s"' in rows else frozenset()
        if shared and not shared.isdisjoint(map(int, _SHARED.findall(rows))):
            return True
        return (b"inlineStr" in rows and _has_odd(_TEXT, rows)) or (
            b't="str"' in rows and _has_odd(_CONSTANT, rows)
        )

    def _shared_ones(self) -> frozenset[int]:
        """Return the places of such texts in the table of those that cells share."""
        if self._shared is None:
            found = Strings(self.strings).where(is_odd) if self._is_any_shared() else ()
            self._shared = frozenset(found)
        return self._shared

    def _is_any_shared(self) -> bool:
        before = b""
        for piece in self.strings() or ():
            if _has_odd(_TEXT, before + piece):
                return True
            before = piece[-_LONGEST:]
        return False


def _has_odd(pattern: re.Pattern[bytes], rows: bytes) -> bool:
    return any(is_odd(unescape(match[1])) for match in pattern.finditer(rows))


def _in_values(parts: list[bytes]) -> bool:
    """Tell whether a formula was saved with such a text."""
    if not any(b't="str"' in attributes for attributes in set(parts[CELL_ATTRIBUTES::STEP])):
        return False
    values = (value for value in parts[VALUE::STEP] if value and _VALUE.fullmatch(value))
    return any(is_odd(unescape(value)) for value in values)
