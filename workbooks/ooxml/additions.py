"""Names, sheets and other parts added to a workbook; what stands there stays byte for byte."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Any

from workbooks.errors import RefusedError
from workbooks.ooxml.book import Book, relations
from workbooks.ooxml.package import Package
from workbooks.ooxml.xml import escape

# What stands after the names in a workbook part, in the order of the standard.
_AFTER_NAMES = re.compile(
    rb"<(?:\w+:)?(?:calcPr|oleSize|customWorkbookViews|pivotCaches|smartTagPr|smartTagTypes"
    rb"|webPublishing|fileRecoveryPr|webPublishObjects|extLst)\b|</(?:\w+:)?workbook>"
)
_NAMES_END = re.compile(rb"</((?:\w+:)?)definedNames>")
_NAME = re.compile(
    rb"<(?:\w+:)?definedName\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>[^<]*</(?:\w+:)?definedName>"
)
_CALLED = re.compile(rb"(?<![\w:])name\s*=\s*[\"']([^\"']*)[\"']")
_NO_NAMES = re.compile(rb"<(?:\w+:)?definedNames\s*/>")
_ROOT = re.compile(rb"<((?:\w+:)?)workbook\b")
_SHEETS_END = re.compile(rb"</((?:\w+:)?)sheets>")
_SHEET_ID = re.compile(rb"\bsheetId=[\"']([0-9]+)[\"']")
_WORKSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_STYLES = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"


def with_names(
    data: bytes,
    names: Mapping[str, str],
    hidden: Collection[str] = (),
    comments: Mapping[str, str] | None = None,
    local: Sequence[tuple[str, int, str]] = (),
) -> bytes:
    """Return a workbook part with more defined names; one of the whole workbook gives way.

    `local` has names of one sheet: each its name, the place of its sheet among all, and its text.
    """
    root = _ROOT.search(data)
    prefix = root[1] if root else b""
    lines = b"".join(
        b'<%bdefinedName name="%b"%b%b>%b</%bdefinedName>'
        % (
            prefix,
            escape(name),
            b' comment="%b"' % escape(comments[name]) if comments else b"",
            b' hidden="1"' if name in hidden else b"",
            escape(text),
            prefix,
        )
        for name, text in names.items()
    ) + b"".join(
        b'<%bdefinedName name="%b" localSheetId="%d">%b</%bdefinedName>'
        % (prefix, escape(name), place, escape(text), prefix)
        for name, place, text in local
    )
    data = _NO_NAMES.sub(b"", data, count=1)
    replaced = {name.upper().encode() for name in names}
    data = _NAME.sub(lambda m: b"" if _is_one_of(m[1], replaced) else m[0], data)
    end = _NAMES_END.search(data)
    if end:
        return data[: end.start()] + lines + data[end.start() :]
    after = _AFTER_NAMES.search(data, _SHEETS_END.search(data).end())  # type: ignore[union-attr]
    if after is None:
        raise RefusedError("the workbook part has no place for names")
    block = b"<%bdefinedNames>%b</%bdefinedNames>" % (prefix, lines, prefix)
    return data[: after.start()] + block + data[after.start() :]


def _is_one_of(attributes: bytes, names: Collection[bytes]) -> bool:
    """Tell whether a defined name of the whole workbook has one of these names."""
    name = _CALLED.search(attributes)
    return name is not None and name[1].upper() in names and b"localSheetId" not in attributes


def with_sheet(
    package: Package, book: Book, data: bytes, name: str, rows: Sequence[Sequence[Any]]
) -> tuple[bytes, dict[str, bytes], dict[str, bytes]]:
    """Return a workbook part with one more sheet, very hidden; the parts changed; those added."""
    part = posixpath.join(posixpath.dirname(book.part), "worksheets", "tokenbook-data.xml")
    data, changed = with_sheets(package, book, data, {name: part}, b' state="veryHidden"')
    return data, changed, {part: sheet_part(rows, book.main)}


def with_sheets(
    package: Package,
    book: Book,
    data: bytes,
    parts: Mapping[str, str],
    state: bytes = b"",
    styles: str | None = None,
) -> tuple[bytes, dict[str, bytes]]:
    """Return a workbook part that lists more sheets, behind the others; the parts changed.

    `parts` gives the part of each sheet by its name; `styles` is the part of the styles, where
    the workbook has none.
    """
    kinds = dict.fromkeys(parts.values(), ("worksheet", _WORKSHEET))
    if styles:
        kinds[styles] = ("styles", _STYLES)
    identities, relationships, changed = _with_parts(package, book, kinds)
    end = _SHEETS_END.search(data)
    if end is None:
        raise RefusedError(f"{book.part} lists no sheets")
    number = max(int(match) for match in _SHEET_ID.findall(data))
    lines = b"".join(
        b'<%bsheet name="%b" sheetId="%d"%b xmlns:tok="%b" tok:id="%b"/>'
        % (end[1], escape(name), number + i, state, relationships, identities[part])
        for i, (name, part) in enumerate(parts.items(), start=1)
    )
    return data[: end.start()] + lines + data[end.start() :], changed


def _with_parts(
    package: Package, book: Book, parts: Mapping[str, tuple[str, str]]
) -> tuple[dict[str, bytes], bytes, dict[str, bytes]]:
    """Relate more parts to the workbook, given the kind and content type of each.

    Returns the ids of the relations by part, the namespace of relations, and the parts changed.
    """
    folder, leaf = posixpath.split(book.part)
    rels = posixpath.join(folder, "_rels", f"{leaf}.rels")
    known = relations(package, book.part)
    strict = any(kind.startswith(_STRICT) for kind, _, _ in known.values())
    relationships = (_STRICT if strict else _TRANSITIONAL).encode()
    free = (one for i in count() if (one := f"rIdTokenbook{i}") not in known)
    identities = {part: next(free).encode() for part in parts}
    related = b"".join(
        b'<%%bRelationship Id="%b" Type="%b/%b" Target="%b"/>'
        % (identities[part], relationships, kind.encode(),
           posixpath.relpath(part, folder).encode())
        for part, (kind, _) in parts.items()
    )  # fmt: skip
    typed = b"".join(
        b'<%%bOverride PartName="/%b" ContentType="%b"/>' % (part.encode(), content.encode())
        for part, (_, content) in parts.items()
    )
    changed = {
        rels: before_end(package.read(rels), b"Relationships", related),
        "[Content_Types].xml": before_end(package.read("[Content_Types].xml"), b"Types", typed),
    }
    return identities, relationships, changed


def before_end(data: bytes, element: bytes, line: bytes) -> bytes:
    """Return a part with a line before the end of an element; `%b` in it is the prefix of names."""
    end = re.search(rb"</((?:\w+:)?)%b>" % element, data)
    if end is None:
        raise RefusedError(f"{element.decode()} has no end")
    return data[: end.start()] + line.replace(b"%b", end[1]) + data[end.start() :]


def sheet_part(rows: Sequence[Sequence[Any]], main: str) -> bytes:
    """Return the part of a sheet with these rows."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = b"".join(
            _cell(f"{_letters(column)}{number}".encode(), value)
            for column, value in enumerate(row, start=1)
            if value is not None and value != ""
        )
        if cells:
            lines.append(b'<row r="%d">%b</row>' % (number, cells))
    return (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        b'<worksheet xmlns="%b"><sheetData>%b</sheetData></worksheet>'
        % (main.encode(), b"".join(lines))
    )


def _cell(place: bytes, value: Any) -> bytes:
    if isinstance(value, bool):
        return b'<c r="%b" t="b"><v>%d</v></c>' % (place, value)
    if isinstance(value, int | float):
        return b'<c r="%b"><v>%b</v></c>' % (place, f"{float(value):.17g}".encode())
    space = b' xml:space="preserve"' if value != value.strip() else b""
    return b'<c r="%b" t="inlineStr"><is><t%b>%b</t></is></c>' % (place, space, escape(value))


def _letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
