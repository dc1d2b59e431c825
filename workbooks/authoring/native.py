"""A workbook in which the functions it calls are native LAMBDA names: nothing to install."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import unescape
from pathlib import Path

from udfs.declare import registry
from udfs.hosts.native import DATA_SHEET, library_of, reason
from udfs.hosts.native.origin import signed_now, up_to_date, written_by_us
from workbooks.errors import RefusedError
from workbooks.ooxml.additions import sheet_part, with_names, with_sheet
from workbooks.ooxml.book import Book, read_book
from workbooks.ooxml.package import Package
from workbooks.ooxml.publish import check_target, claimed, published

_PARTS = re.compile(r"xl/(workbook|worksheets/[^/]+|tables/[^/]+|charts/[^/]+)\.xml")
_FORMULA = re.compile(
    rb"<(?:\w+:)?(f|calculatedColumnFormula|definedName|formula|formula1|formula2)\b[^>]*(?<!/)>"
    rb"([^<]*)</(?:\w+:)?\1>"
)
# Texts are matched first, so that a name inside one is passed over.
_CALL = re.compile(r"""("(?:[^"]|"")*")|(?<![\w.!])(TOK_\w+)(?=\()""", re.IGNORECASE)


@dataclass(frozen=True)
class Nativised:
    """What became native in a workbook, and what did not."""

    #: Functions that are names of the workbook now.
    native: tuple[str, ...]
    #: Functions that it calls and that no formula can be written for, and why.
    kept: Mapping[str, str]
    #: Names of ours that the workbook defines in its own way; these stay, and win.
    own: tuple[str, ...]


def make_native(workbook: str | Path, out: str | Path) -> Nativised:
    """Write a workbook in which each function that it calls is a native name.

    Parameters
    ----------
    workbook : str or Path
        The workbook; it is not written to, unless it is `out` too.
    out : str or Path
        Where the result goes. Names are added, and a very hidden sheet where the functions look
        something up; every other byte is that of the workbook.

    Returns
    -------
    Nativised
        What was added and what could not be.

    Raises
    ------
    RefusedError
        Where the file is no workbook, or cannot be written.
    """
    source = Path(workbook)
    target = check_target(Path(out), source)
    with claimed(target) as claim, Package(source) as package:
        book = read_book(package)
        if book.signed:
            raise RefusedError(f"{source.name} is signed; a change would break the signature")
        called = _called(package)
        defined = {n.name.upper(): (n.text, n.comment) for n in book.names if n.sheet is None}
        own = tuple(n for n in called if n in defined and not written_by_us(n, *defined[n]))
        wanted = [n for n in called if n not in own and not reason(n)]
        library = library_of(wanted)
        names = {
            n: text
            for n, text in library.names.items()
            if n.upper() not in defined or not up_to_date(text, *defined[n.upper()])
        }
        changed, added = _parts(package, book, names, library.hidden, library.data)
        with published(claim, source) as file:
            package.write(
                file,
                {part: partial(list, [data]) for part, data in changed.items()},
                added=added,
            )
    kept = {n: why for n in called if n not in own and (why := reason(n))}
    return Nativised(tuple(wanted), kept, own)


def calls_of(workbook: str | Path) -> list[str]:
    """Return the functions that a workbook calls."""
    with Package(Path(workbook)) as package:
        return _called(package)


def _parts(
    package: Package,
    book: Book,
    names: Mapping[str, str],
    hidden: frozenset[str],
    rows: tuple[tuple[object, ...], ...],
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    data = package.read(book.part)
    changed: dict[str, bytes] = {}
    added: dict[str, bytes] = {}
    there = book.sheet(DATA_SHEET)
    if rows and there is not None:
        changed[there.part] = sheet_part(rows, book.main)
    elif rows:
        data, changed, added = with_sheet(package, book, data, DATA_SHEET, rows)
    if names:
        data = with_names(data, names, hidden, {n: signed_now(t) for n, t in names.items()})
    if data != package.read(book.part):
        changed[book.part] = data
    return changed, added


def _called(package: Package) -> list[str]:
    """Return the functions that formulas of the workbook call, in the order of the registry."""
    found: set[str] = set()
    for part in package.entries:
        if not _PARTS.fullmatch(part):
            continue
        data = package.read(part)
        if b"TOK_" not in data.upper():
            continue
        for _, formula in _FORMULA.findall(data):
            for _, name in _CALL.findall(unescape(formula.decode("utf-8"))):
                found.add(name.upper())
    return [name for name in registry if name in found]
