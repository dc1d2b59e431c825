"""The sheets of one workbook put behind those of another, all else of which stays as it is."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from workbooks.ooxml.additions import with_names, with_sheets
from workbooks.ooxml.book import Book, read_book, relations
from workbooks.ooxml.package import Package
from workbooks.ooxml.styles import Looks
from workbooks.ooxml.xml import MAIN, parse, serialise

_LOOK = re.compile(rb'(<c r="[A-Z]+[0-9]+" s=")([0-9]+)(")')
_RULE = re.compile(rb'( dxfId=")([0-9]+)(")')
_CHOSEN = re.compile(rb' tabSelected="(?:1|true)"')


@dataclass(frozen=True)
class Merged:
    """The parts of a workbook that change, those that are added, and the sheets among these."""

    changed: Mapping[str, bytes]
    added: Mapping[str, bytes]
    sheets: Mapping[str, str]


def sheet_names(package: Package, book: Book) -> list[str]:
    """Return the names of all sheets, charts on sheets of their own too, in their order."""
    root = parse(package.read(book.part), book.part)
    return [element.get("name", "") for element in root.iter(f"{{{book.main}}}sheet")]


def merged(package: Package, book: Book, draft: Package) -> Merged:
    """Put the sheets of a workbook that we wrote behind those of another.

    Parameters
    ----------
    package, book : Package, Book
        The workbook that gets them. No sheet and no name of the draft may have a namesake in it.
    draft : Package
        What we wrote: sheets without pictures, links and tables.
    """
    theirs = read_book(draft)
    folder = posixpath.dirname(book.part)
    free = (f"{folder}/worksheets/tokenbook{i}.xml" for i in count(1))
    parts = (part for part in free if part not in package)
    sheets = {info.name: next(parts) for info in theirs.sheets}
    before = len(sheet_names(package, book))
    styles, looks = _looks(package, book, draft, theirs)
    none = None if styles in package else styles
    data, changed = with_sheets(package, book, package.read(book.part), sheets, styles=none)
    changed[book.part] = with_names(
        data,
        {name.name: name.text for name in theirs.names if name.sheet is None},
        local=_local_names(draft, theirs, before),
    )
    added = {
        sheets[info.name]: _moved(draft.read(info.part), looks, book.main) for info in theirs.sheets
    }
    (added if none else changed)[styles] = serialise(looks.mine)
    return Merged(changed, added, sheets)


def _looks(package: Package, book: Book, draft: Package, theirs: Book) -> tuple[str, Looks]:
    """Return the part of the workbook's styles, which may not be there, and how they grow."""

    def part_of(one: Package, its: Book) -> str:
        kinds = relations(one, its.part).values()
        free = f"{posixpath.dirname(its.part)}/styles.xml"
        return next((part for kind, part, _ in kinds if kind.endswith("/styles")), free)

    part, source = part_of(package, book), part_of(draft, theirs)
    ours = draft.read(source).replace(MAIN.encode(), book.main.encode())
    mine = package.read(part) if part in package else ours
    return part, Looks(parse(mine, part), parse(ours, source))


def _local_names(draft: Package, theirs: Book, before: int) -> list[tuple[str, int, str]]:
    """Return the names that belong to a sheet, such as its print area: name, place, text."""
    root = parse(draft.read(theirs.part), theirs.part)
    return [
        (name.get("name", ""), before + int(place), name.text or "")
        for name in root.iter(f"{{{theirs.main}}}definedName")
        if (place := name.get("localSheetId")) is not None
    ]


def _moved(sheet: bytes, looks: Looks, main: str) -> bytes:
    """Return a sheet of ours with the looks of the other workbook."""
    if b' t="s"' in sheet or b":id=" in sheet:
        raise ValueError("a sheet that is put elsewhere must hold all it has in its own part")
    sheet = _CHOSEN.sub(b"", sheet).replace(MAIN.encode(), main.encode())
    sheet = _LOOK.sub(lambda m: b"%b%d%b" % (m[1], looks.cell(int(m[2])), m[3]), sheet)
    return _RULE.sub(lambda m: b"%b%d%b" % (m[1], looks.differing(int(m[2])), m[3]), sheet)
