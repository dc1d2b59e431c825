"""A worksheet part, read in pieces that end with a row.

The cells are found by regular expressions over the bytes, which is an order of magnitude faster
than an XML parser. They know the form that every common writer uses; a part of any other form
(prefixed names, comments, CDATA, attributes in another order) is brought to that form by lxml
first. Formula elements are counted independently, so that none can be missed unseen.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from lxml import etree

from workbooks.errors import NotAWorkbookError, UnsafeFileError
from workbooks.formula.address import (
    MAX_COLUMN,
    MAX_ROW,
    cell_name,
    column_number,
    parse_cell,
)
from workbooks.ooxml.xml import MAIN, STRICT_MAIN, local_name, parse

_LONGEST_HEAD = 64 << 20
_LONGEST_NUMBER = 9
_UTF8 = re.compile(rb"encoding=[\"'](?:utf-8|us-ascii)[\"']")
_VALUE = rb"(?:<v(?:\s[^>]*+)?+/>|<v(?:\s[^>]*+)?+>([^<]*+)</v>)?+\s*+"
#: A cell with a formula: all up to the end of the formula, column, row, other attributes of the
#: cell, attributes of the formula (ending in / where it has no text), its text, the remembered
#: value, and what else the cell holds.
FORMULA = re.compile(
    rb'(<c r="([A-Z]{1,3}+)([0-9]++)"([^>]*+)>\s*+'
    rb"<f([^>]*+)>(?:([^<]*+)</f>)?+)\s*+" + _VALUE + rb"((?>(?:[^<]++|<(?!/c>))*))</c>"
)
#: What `FORMULA.split` gives for each cell, after the bytes before it.
HEAD, COLUMN, ROW, CELL_ATTRIBUTES, ATTRIBUTES, TEXT, VALUE, REST = range(1, 9)
STEP = 9
_A_FORMULA = re.compile(rb"<f[\s/>]")
#: Any cell: column, row, other attributes (ending in / where it is empty), content.
CELL = re.compile(
    rb'<c r="([A-Z]{1,3}+)([0-9]++)"([^>]*+)>(?:(?<=/>)|((?>(?:[^<]++|<(?!/c>))*))</c>)'
)
_DIGITS = b"0123456789$"
#: The number of a shared formula among the attributes of one.
SHARED = re.compile(rb'\ssi="([^"]*)"')
_START = re.compile(rb"<sheetData\s*+(/?)>")
_END = b"</sheetData>"
_ROW_END = b"</row>"
_OTHER_CELL = re.compile(rb'<c(?! r=")[\s/>]')
_OPEN_END = re.compile(rb"</\w++\s")
# Without all but signs, a blank within the end of an element comes right after its slash.
_BLANKS = b" \t\n\r\f\v"
_AS_BLANKS = bytes(ord(" ") if byte in _BLANKS else byte for byte in range(256))
_NO_SIGNS = bytes(byte for byte in range(256) if byte not in _BLANKS + b"</>")
_BARE_OPEN_END = re.compile(rb"</ ")
# What needs no such form in XML, and may hide a digit from a regular expression.
_PLAIN_CHARACTER = re.compile(
    rb"&#0*(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6]);|&#x0*[2-7][0-9a-fA-F];"
)
# What such an attribute cannot be without; formulas hold it too.
_LOOSE = tuple(
    (byte, (re.compile(b"=" + byte), re.compile(byte + b"=")))
    for byte in (b" ", b"'", b"\n", b"\t", b"\r")
)
_OTHER_ATTRIBUTE = re.compile(rb"<[A-Za-z][^<>]*?(?:\s=\s*[\"']|=\s+[\"']|=')")


class UnusualError(Exception):
    """The part is legal, perhaps, but not of the common form; ask lxml."""


def pieces(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a sheet as its head, runs of whole rows, and its tail, in this order.

    The head ends with the start of the sheet data; the tail begins with their end.
    """
    source = iter(stream)
    held = b""
    while (match := _START.search(held)) is None:
        piece = next(source, None)
        if piece is None or len(held) > _LONGEST_HEAD:
            raise UnusualError("no sheet data")
        held += piece
    head, held = held[: match.end()], held[match.end() :]
    _check_head(head)
    yield head
    if match[1]:
        yield b"".join([held, *source])
        return
    while (end := held.find(_END)) < 0:
        cut = held.rfind(_ROW_END) + len(_ROW_END)
        if cut >= len(_ROW_END):
            yield _checked(held[:cut])
            held = held[cut:]
        piece = next(source, None)
        if piece is None:
            raise NotAWorkbookError("the sheet data have no end")
        held += piece
    if end:
        yield _checked(held[:end])
    yield b"".join([held[end:], *source])


def _check_head(head: bytes) -> None:
    if b"<!DOCTYPE" in head:
        raise UnsafeFileError("a sheet declares a document type (DTD)")
    declaration = head[:200].lower()
    if b"encoding=" in declaration and not _UTF8.search(declaration):
        raise UnusualError("another encoding")
    if not any(
        head.count(name) == 1 and b'xmlns="%b"' % name in head
        for name in (MAIN.encode(), STRICT_MAIN.encode())
    ):
        raise UnusualError("another namespace")


def _checked(rows: bytes) -> bytes:
    if b"\0" in rows:
        raise UnusualError("a byte that XML has no way to hold")
    # Single bytes are found far faster than pairs that begin with the commonest one.
    pairs = ((b"!", b"<!"), (b"?", b"<?"), (b"x", b"xmlns"))
    if any(byte in rows and sign in rows for byte, sign in pairs):
        raise UnusualError("comments, CDATA, instructions or namespaces among the rows")
    if _OTHER_CELL.search(rows):
        raise UnusualError("a cell that does not begin with its address")
    if _BARE_OPEN_END.search(rows.translate(_AS_BLANKS, _NO_SIGNS)) and _OPEN_END.search(rows):
        raise UnusualError("blanks within the end of an element")
    if b"&" in rows and _PLAIN_CHARACTER.search(rows):
        raise UnusualError("letters or digits written as numbers")
    # A byte that is not there is missed at once; two bytes are found sooner by `re` than by `in`.
    loose = any(pair.search(rows) for byte, pairs in _LOOSE if byte in rows for pair in pairs)
    if loose and _OTHER_ATTRIBUTE.search(rows):
        raise UnusualError("attributes in another form")
    return rows


class SplitRows(list[bytes]):
    """A run of rows split by `FORMULA`; nothing in it is ever changed."""

    @cached_property
    def places(self) -> tuple[array[int], array[int]]:
        """Rows and columns that its formula cells say of themselves."""
        return _places(self)

    def check(self) -> None:
        """Make sure that it holds no formula but those that were found."""
        others = [rest for rest in self[REST::STEP] if rest]
        # Rich text in a cell has elements such as <family/>.
        if _A_FORMULA.search(b"".join(self[0::STEP])) or _A_FORMULA.search(b"".join(others)):
            raise UnusualError("a formula in another form")


def split(rows: bytes) -> SplitRows:
    """Return a run of rows split into its formula cells, and what stands between them."""
    return SplitRows(FORMULA.split(rows))


def _places(parts: list[bytes]) -> tuple[array[int], array[int]]:
    letters = parts[COLUMN::STEP]
    numbers = {c: column_number(c.decode()) for c in set(letters)}
    try:
        rows = list(map(int, parts[ROW::STEP]))
    except ValueError:
        # Python reads no number of thousands of digits.
        rows = [0]
    if rows and not (min(rows) >= 1 and max(rows) <= MAX_ROW):
        raise NotAWorkbookError(f"a formula stands outside the {MAX_ROW:,} rows of a sheet")
    if max(numbers.values(), default=1) > MAX_COLUMN:
        raise NotAWorkbookError(f"a formula stands outside the {MAX_COLUMN:,} columns of a sheet")
    if len(numbers) == 1:
        return array("I", rows), array("H", numbers.values()) * len(rows)
    return array("I", rows), array("H", map(numbers.__getitem__, letters))


def without_digits(texts: list[bytes]) -> list[bytes]:
    """Return formulas without their digits and $ signs: alike for those filled down a column."""
    # XML has no way to hold the byte 0.
    return b"\0".join(texts).translate(None, _DIGITS).split(b"\0")


def normalised(data: bytes, part: str) -> bytes:
    """Return a sheet in the common form: default namespace, no comments, `r` first and present."""
    root = parse(data, part)
    if local_name(root) not in ("worksheet", "dialogsheet"):
        raise NotAWorkbookError(f"{part} is not a worksheet")
    namespace = etree.QName(root).namespace or MAIN
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    # lxml takes None for the default namespace; its annotations do not.
    names: Any = _default_first(root, namespace)
    attributes: Any = dict(root.attrib)
    clean = etree.Element(root.tag, attrib=attributes, nsmap=names)
    clean.extend(list(root))
    row_number = 0
    for row in clean.iter(f"{{{namespace}}}row"):
        row_number = _number_of(row, row_number + 1, part)
        if "spans" in row.attrib:
            del row.attrib["spans"]
        column = 0
        for cell in row.iter(f"{{{namespace}}}c"):
            written = cell.get("r")
            place = (row_number, column + 1) if written is None else parse_cell(written)
            if place is None or place[0] != row_number:
                raise NotAWorkbookError(f"{part}: row {row_number} holds {written!r:.40}")
            column = place[1]
            others = {k: v for k, v in cell.attrib.items() if k != "r"}
            cell.attrib.clear()
            cell.set("r", cell_name(*place))
            for key, value in others.items():
                cell.set(key, value)
            for child in list(cell):
                if local_name(child) == "f" and child.text is None and not child.attrib:
                    cell.remove(child)
                elif local_name(child) == "f" and len(child):
                    raise NotAWorkbookError(f"{part}: the formula of {cell.get('r')} holds markup")
    return etree.tostring(clean, xml_declaration=True, encoding="UTF-8", standalone=True)


def prefix_of(data: bytes, part: str) -> str | None:
    """Return the prefix that a sheet gives to the names of its elements, if it gives one."""
    return parse(data, part).prefix


def prefixed(data: bytes, part: str, prefix: str) -> bytes:
    """Return a sheet in the common form with its names prefixed, as they were before."""
    root = parse(data, part)
    namespace = etree.QName(root).namespace
    names: Any = {prefix: namespace}
    names.update({p: uri for p, uri in root.nsmap.items() if p is not None and p != prefix})
    attributes: Any = dict(root.attrib)
    again = etree.Element(root.tag, attrib=attributes, nsmap=names)
    again.extend(list(root))
    return etree.tostring(again, xml_declaration=True, encoding="UTF-8", standalone=True)


def _default_first(root: etree._Element, namespace: str) -> dict[str | None, str]:
    names: dict[str | None, str] = {None: namespace}
    names.update({p: uri for p, uri in root.nsmap.items() if p is not None and uri != namespace})
    return names


def _number_of(row: etree._Element, otherwise: int, part: str) -> int:
    text = row.get("r", "")
    if text and not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise NotAWorkbookError(f"{part}: a row is numbered {text!r:.40}")
    number = int(text) if text else otherwise
    if number > MAX_ROW:
        raise NotAWorkbookError(f"{part}: a row is numbered {number:,}; Excel has {MAX_ROW:,}")
    if number < otherwise:
        raise NotAWorkbookError(f"{part}: row {number} stands after row {otherwise - 1}")
    others = {k: v for k, v in row.attrib.items() if k != "r"}
    row.attrib.clear()
    row.set("r", str(number))
    for key, value in others.items():
        row.set(key, value)
    return number
