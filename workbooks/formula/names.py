"""Defined names: what each stands for, and which the engine has to be spared."""

from __future__ import annotations

import re
from collections.abc import Iterable

from workbooks.formula.address import split_sheet
from workbooks.ooxml.book import DefinedName

_SHEET = r"(?:'(?:[^'\[\]]|'')+'|[\w.]+)!"
_POINT = r"\$[A-Z]{1,3}\$[0-9]+"
_ABSOLUTE = re.compile(rf"{_SHEET}{_POINT}(?::{_POINT})?", re.UNICODE)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[Ee][+-]?[0-9]+)?")
_TEXT = re.compile(r'"(?:[^"]|"")*"')
_RANGE = re.compile(r":|\[|#")
_NAME = re.compile(r"[^\W\d][\w.?]*", re.UNICODE)
_POSITION = re.compile(r"[A-Z]{1,3}[0-9]+|R[0-9]*C?[0-9]*|C[0-9]*", re.IGNORECASE)


def is_undefined(text: str) -> bool:
    """Tell whether a reference is a name, and so means nothing where none is defined."""
    return bool(_NAME.fullmatch(text)) and not _POSITION.fullmatch(text)


class Names:
    """The defined names of a workbook."""

    def __init__(self, names: Iterable[DefinedName]) -> None:
        self._global: dict[str, DefinedName] = {}
        self._local: dict[tuple[str, str], DefinedName] = {}
        self._sheets: set[str] = set()
        for name in names:
            if name.sheet is None:
                self._global[name.name.casefold()] = name
            else:
                self._local[name.sheet, name.name.casefold()] = name
                self._sheets.add(name.sheet)

    def local_to(self, sheet: str) -> bool:
        """Tell whether a sheet has names of its own."""
        return sheet in self._sheets

    def find(self, text: str, sheet: str | None) -> DefinedName | None:
        """Return a name as it is seen from a sheet; its own names come first."""
        key = text.casefold()
        if sheet is not None and (sheet, key) in self._local:
            return self._local[sheet, key]
        return self._global.get(key)

    def unqualified(self, text: str) -> str:
        """Return a name without the sheet or the workbook that it is said to be of.

        `[0]!Rate` is a name of this workbook. A name of another sheet is given as what it stands
        for, since the engine looks for names in the sheet of the formula.
        """
        if "!" not in text:
            return text
        sheet, rest = split_sheet(text)
        if sheet == "[0]":
            return rest
        name = self.find(rest, sheet) if _NAME.fullmatch(rest) else None
        if name is None or name.sheet is None:
            return text if name is None else rest
        return name.text if _simple(name) else text

    def defines(self, text: str) -> bool:
        """Tell whether any such name exists."""
        key = text.casefold()
        return key in self._global or any(name == key for _, name in self._local)

    def to_inline(self, text: str, sheet: str) -> DefinedName | None:
        """Return the name that has to be written out in a formula, None where it may stay."""
        where, rest = split_sheet(text) if "!" in text else (sheet, text)
        name = self.find(rest, where)
        return name if name is not None and not _simple(name) else None

    def is_area(self, text: str) -> bool:
        """Tell whether a reference or name may cover more than one cell."""
        if _RANGE.search(text):
            return True
        key = text.casefold()
        found = [self._global[key]] if key in self._global else []
        found += [name for (_, own), name in self._local.items() if own == key]
        return any(":" in name.text or "(" in name.text for name in found)

    def simple(self) -> list[DefinedName]:
        """Return the names that the engine takes as they are."""
        return [n for n in (*self._global.values(), *self._local.values()) if _simple(n)]


def _simple(name: DefinedName) -> bool:
    text = name.text
    return bool(
        _ABSOLUTE.fullmatch(text)
        or _NUMBER.fullmatch(text)
        or _TEXT.fullmatch(text)
        or text.upper() in ("TRUE", "FALSE")
    )
