"""The cells of a sheet as the bytes of its rows, as openpyxl would write them, but sooner."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from itertools import groupby
from operator import attrgetter

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.compat import safe_string
from openpyxl.utils import get_column_letter

from workbooks.authoring.layout import Cell, Value

_DATA = re.compile(rb"<sheetData>.*?</sheetData>|<sheetData/>", re.DOTALL)
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"/>')
#: A cell holds no longer text [characters].
_LONGEST = 32_767


def rows_of(
    cells: Iterable[Cell], style: Callable[[Cell], int], heights: Mapping[int, Mapping[str, str]]
) -> bytes:
    """Return the rows of a sheet.

    Parameters
    ----------
    cells : iterable of Cell
        Its cells, in any order, no two in one place.
    style : Callable
        Gives the number of a cell's style; asked in the order of the file.
    heights : Mapping
        What a row says of itself beside its number.
    """
    ordered = sorted(cells, key=attrgetter("row", "column"))
    text = "".join(
        piece
        for number, row in groupby(ordered, key=attrgetter("row"))
        for piece in _row(number, row, style, heights.get(number, {}))
    )
    if illegal := ILLEGAL_CHARACTERS_RE.search(text):
        raise ValueError(f"no cell can hold the character {illegal[0]!r}")
    return text.encode("ascii", "xmlcharrefreplace")


def with_rows(sheet: bytes, rows: bytes, spread: tuple[int, int, int, int]) -> bytes:
    """Return the part of a sheet with its rows, which it is written without.

    `spread` are the first row and column, and the last ones.
    """
    top, left, bottom, right = spread
    place = f"{get_column_letter(left)}{top}:{get_column_letter(right)}{bottom}"
    sheet = _DIMENSION.sub(b'<dimension ref="%s"/>' % place.encode(), sheet, count=1)
    return _DATA.sub(lambda _: b"<sheetData>%s</sheetData>" % rows, sheet, count=1)


def _row(
    number: int, cells: Iterable[Cell], style: Callable[[Cell], int], more: Mapping[str, str]
) -> Iterator[str]:
    said = "".join(f' {key}="{value}"' for key, value in more.items())
    yield f'<row r="{number}"{said}>'
    for cell in cells:
        start = f'<c r="{get_column_letter(cell.column)}{number}" s="{style(cell)}"'
        yield f"{start}{_content(cell)}"
    yield "</row>"


def _content(cell: Cell) -> str:
    """Return what stands after the place and the style of a cell, up to its end."""
    value = cell.value
    if value is None:
        return "/>"
    if cell.array is not None:
        rows, columns = cell.array
        first, last = get_column_letter(cell.column), get_column_letter(cell.column + columns - 1)
        place = f"{first}{cell.row}:{last}{cell.row + rows - 1}"
        formula = _escaped(str(value).removeprefix("="))
        return f'><f t="array" ref="{place}">{formula}</f><v></v></c>'
    if isinstance(value, str):
        return _text(value)
    kind = "b" if isinstance(value, bool) else "n"
    return f' t="{kind}"><v>{safe_string(value)}</v></c>'


def _text(value: Value) -> str:
    text = str(value)
    if len(text) > _LONGEST:
        raise ValueError(f"a text of {len(text)} characters: {text[:40]}…")
    if len(text) > 1 and text.startswith("="):
        return f"><f>{_escaped(text[1:])}</f><v></v></c>"
    if not text:
        return ' t="inlineStr"></c>'
    kept = ' xml:space="preserve"' if text != text.strip() else ""
    return f' t="inlineStr"><is><t{kept}>{_escaped(text)}</t></is></c>'


def _escaped(text: str) -> str:
    return escape(text, quote=False) if "&" in text or "<" in text or ">" in text else text
