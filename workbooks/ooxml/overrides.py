"""Rows with some of their cells replaced, in one pass over the bytes.

Cells and rows that are not there yet are put in at their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from udfs.cells import Cell, CellError
from workbooks.formula.address import column_letters, column_number
from workbooks.ooxml.scan import CELL, UnusualError
from workbooks.ooxml.xml import held_text

_ROW = re.compile(rb"<row\b([^>]*+)>(?:(?<=/>)|((?>(?:[^<]++|<(?!/row>))*))</row>)")
#: The number of a row among its attributes.
ROW_NUMBER = re.compile(rb'\sr="([0-9]{1,9})"')
_SPANS = re.compile(rb'\sspans="[^"]*"')
_TYPE = re.compile(rb'\s(?:t|vm)="[^"]*"')

#: Given the bytes of a cell as it stands (None where it is absent), returns what to put there.
Edit = Callable[[bytes | None], bytes]


def edited(rows: Iterable[bytes], edits: Mapping[int, Mapping[int, Edit]]) -> Iterator[bytes]:
    """Yield runs of rows with the cells of `edits` (row, then column) replaced or added."""
    waiting = sorted(edits)
    if not waiting:
        yield from rows
        return
    for block in rows:
        last = last_row(block)
        if not waiting or last < waiting[0]:
            yield block
            continue
        yield _edited_block(block, edits, waiting)
    if waiting:
        yield b"".join(_new_row(number, edits[number]) for number in waiting)


def last_row(block: bytes) -> int:
    """Return the number of the last row of a run; 0 where it does not say."""
    start = block.rfind(b"<row")
    match = ROW_NUMBER.search(block, start) if start >= 0 else None
    return int(match[1]) if match else 0


def _edited_block(
    block: bytes, edits: Mapping[int, Mapping[int, Edit]], waiting: list[int]
) -> bytes:
    out, place = [], 0
    for match in _ROW.finditer(block):
        if not waiting:
            break
        found = ROW_NUMBER.search(match[1])
        if found is None:
            raise UnusualError("a row without its number")
        number = int(found[1])
        if number < waiting[0]:
            continue
        out.append(block[place : match.start()])
        place = match.start()
        while waiting and waiting[0] < number:
            new = waiting.pop(0)
            out.append(_new_row(new, edits[new]))
        if waiting and waiting[0] == number:
            waiting.pop(0)
            out.append(_edited_row(match[1], match[2] or b"", edits[number]))
            place = match.end()
    out.append(block[place:])
    return b"".join(out)


def _new_row(number: int, edits: Mapping[int, Edit]) -> bytes:
    cells = b"".join(edits[column](None) for column in sorted(edits))
    return b'<row r="%d">%b</row>' % (number, cells)


def _edited_row(attributes: bytes, cells: bytes, edits: Mapping[int, Edit]) -> bytes:
    waiting = sorted(edits)
    out, place, grown = [], 0, False
    for match in CELL.finditer(cells):
        if not waiting:
            break
        column = column_number(match[1].decode())
        if column < waiting[0]:
            continue
        out.append(cells[place : match.start()])
        place = match.start()
        while waiting and waiting[0] < column:
            out.append(edits[waiting.pop(0)](None))
            grown = True
        if waiting and waiting[0] == column:
            out.append(edits[waiting.pop(0)](match[0]))
            place = match.end()
    out.append(cells[place:])
    for column in waiting:
        out.append(edits[column](None))
        grown = True
    start = attributes.rstrip(b"/")
    if grown:
        # The hint of the columns in use no longer holds.
        start = _SPANS.sub(b"", start)
    return b"<row%b>%b</row>" % (start, b"".join(out))


def value_cell(row: int, column: int, old: bytes | None, value: Cell, *, inline: bool) -> bytes:
    """Return a cell that holds a value and keeps the style of the old one.

    Texts that are constants (`inline`) go into the cell as such; results of formulas as `str`.
    """
    attributes = b""
    if old is not None:
        match = CELL.match(old)
        if match:
            attributes = _TYPE.sub(b"", match[3].rstrip(b"/"))
    name = b"%b%d" % (column_letters(column).encode(), row)
    if value is None:
        return b'<c r="%b"%b/>' % (name, attributes)
    if isinstance(value, str) and inline:
        return b'<c r="%b"%b t="inlineStr"><is><t xml:space="preserve">%b</t></is></c>' % (
            name, attributes, held_text(value),
        )  # fmt: skip
    kind, text = value_text(value)
    return b'<c r="%b"%b%b><v>%b</v></c>' % (name, attributes, kind, text)


def empty_text_cell(row: int, column: int, old: bytes | None) -> bytes:
    """Return a cell that holds an empty text, and keeps the style of the old one.

    Calc takes a cell whose constant is an empty text for a blank one, which is 0 where a formula
    refers to it. So it is a formula.
    """
    cell = value_cell(row, column, old, "", inline=False)
    return cell.replace(b"><v>", b'><f>""</f><v>', 1)


def value_text(value: Cell) -> tuple[bytes, bytes]:
    """Return the type attribute of a cell, with a blank before it, and the text of its value."""
    if isinstance(value, bool):
        return b' t="b"', b"1" if value else b"0"
    if isinstance(value, float | int):
        return b"", number_text(value)
    if isinstance(value, CellError):
        # Newer errors are stored as #VALUE! beside rich data; files that hold their names in
        # clear are taken for damaged.
        code = value.code if value.code in _STORED else "#VALUE!"
        return b' t="e"', code.encode()
    return b' t="str"', held_text(value or "")


_STORED = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"}


def number_text(value: float) -> bytes:
    """Return a number as the shortest text that reads back as the same number."""
    return repr(float(value)).removesuffix(".0").encode()


def number_texts(values: Sequence[float]) -> list[bytes]:
    """Return the texts of many numbers, as `number_text` gives each."""
    texts = ("\n".join(map(repr, values)) + "\n").replace(".0\n", "\n").encode().split(b"\n")
    texts.pop()
    return texts
