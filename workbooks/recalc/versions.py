"""What computed a workbook: recorded in its properties, and what has changed since it was computed.

A saved model comes out otherwise when the prices, the catalogue, the calibration or the functions
themselves have changed. A workbook that calls our functions therefore carries their versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from workbooks.errors import NotAWorkbookError, RefusedError
from workbooks.formula.address import full_name
from workbooks.ooxml.book import MARK, Book
from workbooks.ooxml.custom_properties import Edited, custom_properties, with_custom_properties
from workbooks.ooxml.package import Package
from workbooks.recalc.baseline import Comparison
from workbooks.recalc.report import LISTED, Change, Moved, Report

#: What stands before the name of what has a version, in the name of the property.
PROPERTY = "Tokenbook "


class Outdated(NamedTuple):
    """Something that changed since the workbook was computed: from which version, and to which."""

    what: str
    before: str
    now: str


def outdated(
    package: Package, book: Book, now: Mapping[str, str], report: Report
) -> list[Outdated]:
    """Return what changed since a workbook was computed; nothing where it does not say."""
    if not now:
        return []
    try:
        held = custom_properties(package)
    except NotAWorkbookError:
        # It is told when the versions cannot be recorded either.
        return []
    before = {kind: held.get(PROPERTY + kind, "") for kind in now}
    found = [
        Outdated(kind, before[kind], version)
        for kind, version in now.items()
        if before[kind] and before[kind] != version
    ]
    if found and MARK.encode() not in package.read(book.part):
        report.warnings.append(
            "another program saved the file since its versions were recorded; its values may be "
            "of later ones"
        )
    return found


def moved(
    changed: Sequence[Outdated], functions: Mapping[str, Any], comparison: Comparison
) -> list[Moved]:
    """Return the cells that moved because of each change, from those that differ as they stand."""
    told: list[Moved] = []
    if not changed:
        return told
    from udfs.versions import CONTRACT, reads  # noqa: PLC0415  (with the engine behind it)

    for what, before, now in changed:
        hang = {n for n, f in functions.items() if what == CONTRACT or what in reads(f.engine)}
        found = comparison.moved_by(hang)
        cells = [Change(full_name(*place), old, new) for place, old, new in found[:LISTED]]
        told.append(Moved(what, before, now, len(found), cells))
    return told


def recorded(
    package: Package, now: Mapping[str, str], types: bytes, warn: Callable[[str], None]
) -> Edited:
    """Return what is to be written so that a workbook says what computed it."""
    values = {PROPERTY + kind: version for kind, version in now.items()}
    try:
        return with_custom_properties(package, values, types)
    except RefusedError as error:
        if isinstance(error.__cause__, OSError):
            raise  # the disk fails, and not what the workbook holds
        warn(f"the versions of data and contract cannot be recorded in the workbook: {error}")
        return Edited({}, {})


def calls_own(prefix: str, package: Package, book: Book) -> bool:
    """Tell whether a workbook has formulas of ours: whether a name with the prefix stands in it."""
    wanted = prefix.lower().encode()
    parts: Iterable[str] = [book.part, *(info.part for info in book.sheets)]
    for part in parts:
        before = b""
        with package.stream(part) as stream:
            for piece in package.chunks(stream, part):
                if wanted in (before + piece).lower():
                    return True
                before = piece[1 - len(wanted) :]
    return False
