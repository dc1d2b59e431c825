"""The constants of a sheet as they stand in its bytes: whole columns, and single cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from lxml import etree

from udfs.cells import Cell
from workbooks.errors import NotAWorkbookError
from workbooks.formula.address import cell_name
from workbooks.ooxml.overrides import last_row
from workbooks.ooxml.xml import unescape

_CELL = rb'<c r="%b([0-9]++)"([^>]*+)(?<!/)>((?>(?:[^<]++|<(?!/c>))*))</c>'
_NUMBER = rb'<c r="%b([0-9]++)"(?: s="[0-9]++")?+(?: t="n")?+><v>([-+0-9.eE]++)</v></c>'
_NUMBER_BESIDE = _NUMBER.replace(b"([0-9]++)", rb"\1")
_TYPE = re.compile(rb'\st="([^"]*)"')
_V = re.compile(rb"<v>([^<]++)</v>")
_INLINE = re.compile(rb"<is><t[^>]*+>([^<]*+)</t></is>")
_ARRAY = re.compile(rb'<f[^>]*\st="(?:array|dataTable)"')
# Characters that a workbook holds as escapes of its own: the calculator reads those.
_ESCAPED = "_x"
_MOST_READ = 8 << 20


@lru_cache(maxsize=256)
def _pattern(form: bytes, letters: bytes) -> re.Pattern[bytes]:
    return re.compile(form % letters)


@lru_cache(maxsize=256)
def _side_by_side(columns: tuple[str, ...]) -> re.Pattern[bytes]:
    first, *others = (letters.encode() for letters in columns)
    return re.compile(_NUMBER % first + b"".join(_NUMBER_BESIDE % letters for letters in others))


def numbers(rows: bytes, columns: Sequence[str]) -> list[tuple[list[bytes], list[float]]]:
    """Return the row numbers, as they are written, and the plain numbers of each of some columns.

    Columns that stand side by side are read at one go, which is faster than one after the other.
    """
    step = len(columns) + 2
    parts = _side_by_side(tuple(columns)).split(rows)
    found = [(parts[1::step], parts[i::step]) for i in range(2, step)]
    if len(columns) > 1:
        # Rows in which not all of them hold a number. No cell begins in one piece and ends in
        # another.
        rest = b"\n".join(parts[0::step])
        found = [
            (numbered + more[1::3], texts + more[2::3]) if len(more) > 1 else (numbered, texts)
            for letters, (numbered, texts) in zip(columns, found, strict=True)
            for more in [_side_by_side((letters,)).split(rest)]
        ]
    return [_read(*column) for column in found]


def _read(rows: list[bytes], texts: list[bytes]) -> tuple[list[bytes], list[float]]:
    distinct = set(texts)
    try:
        if 2 * len(distinct) > len(texts):
            return rows, list(map(float, texts))
        # To look a number up takes a fraction of the time that it takes to read it.
        known = {text: float(text) for text in distinct}
    except ValueError:
        return [], []
    return rows, list(map(known.__getitem__, texts))


def cells(rows: bytes, letters: str, strings: Strings) -> dict[bytes, Cell]:
    """Return the numbers and texts of one column, by their row numbers as they are written.

    A cell that is blank, in error or of an unusual form is not among them.
    """
    # Most texts stand in many rows.
    known: dict[tuple[bytes, bytes], Cell] = {}
    column: dict[bytes, Cell] = {}
    for row, attributes, content in _pattern(_CELL, letters.encode()).findall(rows):
        key = (attributes, content)
        if key not in known:
            known[key] = _value(attributes, content, strings)
        if known[key] is not None:
            column[row] = known[key]
    return column


def _value(attributes: bytes, content: bytes, strings: Strings) -> Cell:
    """Return the number or text that a cell holds; None for anything else."""
    if b"<f" in content:
        return None
    kind = _TYPE.search(attributes)
    if kind is not None and kind[1] == b"inlineStr":
        inline = _INLINE.fullmatch(content)
        text = unescape(inline[1]) if inline else ""
        return text if text and _ESCAPED not in text else None
    found = _V.fullmatch(content)
    if found is None:
        return None
    try:
        if kind is None or kind[1] == b"n":
            return float(found[1])
        return strings.text(int(found[1])) if kind[1] == b"s" else None
    except ValueError:
        return None


class Strings:
    """The table of texts that cells share, read when the first of them is asked for."""

    def __init__(self, read: Callable[[], Iterator[bytes] | None]) -> None:
        self._read = read
        self._texts: list[str] | None = None

    def text(self, index: int) -> str | None:
        """Return a text; None for one that is empty, or written in an unusual way."""
        texts = self._all()
        text = texts[index] if 0 <= index < len(texts) else ""
        return text if text and _ESCAPED not in text else None

    def where(self, holds: Callable[[str], bool]) -> list[int]:
        """Return the places of the texts of which something holds."""
        return [i for i, text in enumerate(self._all()) if text and holds(text)]

    def _all(self) -> list[str]:
        if self._texts is None:
            self._texts = list(self._parsed())
        return self._texts

    def _parsed(self) -> Iterator[str]:
        source = self._read()
        if source is None:
            return
        parser = etree.XMLPullParser(
            events=("end",), resolve_entities=False, no_network=True, load_dtd=False
        )
        try:
            for piece in source:
                parser.feed(piece)
                for _, item in parser.read_events():
                    assert isinstance(item, etree._Element)
                    if not str(item.tag).endswith("}si"):
                        continue
                    plain = len(item) == 1 and str(item[0].tag).endswith("}t") and not len(item[0])
                    yield (item[0].text or "") if plain else ""
                    item.clear()
        except etree.XMLSyntaxError as error:
            raise NotAWorkbookError(f"the table of texts is not well-formed: {error}") from error


class Points:
    """Single cells anywhere in a workbook that hold constants.

    Parameters
    ----------
    rows : Callable
        Gives the runs of rows of a sheet, by its name.
    strings : Strings
        The texts that cells share.
    """

    def __init__(self, rows: Callable[[str], Iterable[bytes]], strings: Strings) -> None:
        self._rows = rows
        self._strings = strings
        self._known: dict[tuple[str, int, int], Cell] = {}

    def value(self, sheet: str, row: int, column: int) -> Cell:
        """Return a number or text; None for a blank cell, a formula, or one that is far down."""
        place = (sheet, row, column)
        if place not in self._known:
            self._known[place] = self._found(*place)
        return self._known[place]

    def _found(self, sheet: str, row: int, column: int) -> Cell:
        letters = cell_name(1, column).removesuffix("1").encode()
        pattern = re.compile(_CELL.replace(b"([0-9]++)", b"(%d)" % row) % letters)
        read = 0
        for block in self._rows(sheet):
            read += len(block)
            # What an array formula fills looks like a constant, and is none.
            if _ARRAY.search(block) or read > _MOST_READ:
                return None
            found = pattern.search(block)
            if found is not None:
                return _value(found[2], found[3], self._strings)
            if last_row(block) > row:
                return None
        return None
