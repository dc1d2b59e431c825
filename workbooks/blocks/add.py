"""A block added to a copy of a workbook; what stands in it stays byte for byte."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.errors import InputError, UnknownIdError
from workbooks.authoring.layout import FLAG, Book, Ref, Sheet
from workbooks.authoring.limits import Limited
from workbooks.authoring.writer import write
from workbooks.blocks import BLOCKS, CHECKS, LINES
from workbooks.blocks.layout import Standing, check_agreement, check_standing, lay_out, mark, rows
from workbooks.errors import RefusedError
from workbooks.formula.address import MAX_ROW, column_number, quote_sheet
from workbooks.formula.names import Names
from workbooks.formula.references import Reference
from workbooks.ooxml.book import Book as BookInFile
from workbooks.ooxml.book import read_book
from workbooks.ooxml.merge import merged, sheet_names
from workbooks.ooxml.package import Package
from workbooks.ooxml.publish import check_target, claimed, lock_file, published
from workbooks.recalc import recalculate
from workbooks.recalc.job import Progress
from workbooks.recalc.report import Report
from workbooks.templates.plan.inputs import MONTHS

_CELL = re.compile(rb"\br=[\"']([A-Z]{1,3})[0-9]+[\"']")
_LONGEST_PLACE = 14


@dataclass(frozen=True)
class Added:
    """What was added to a workbook."""

    path: Path
    sheets: tuple[str, ...]
    #: What a reader should know: rows that two blocks have each for itself, cells in error.
    told: tuple[str, ...]


def add(
    workbook: Path,
    block: str,
    output: Path | None = None,
    *,
    force: bool = False,
    deadline: float | None = None,
    progress: Progress | None = None,
) -> Added:
    """Write a copy of a workbook with the sheets of a block behind its own, every value in them.

    Parameters
    ----------
    workbook : Path
        The workbook; it is not written to, unless it is `output` too.
    block : str
        One of `LINES`.
    output : Path, optional
        Where the copy goes: FILE-with-BLOCK beside the workbook where left out.
    force : bool
        Whether to write over a file that is there.
    deadline : float, optional
        Give up after this long [s].
    progress : Callable
        Told the step, what is done and the total.

    Returns
    -------
    Added
        The sheets, and what is to be told.

    Raises
    ------
    InputError
        Where the block stands in the workbook, a name is taken, or the output exists.
    RefusedError
        Where the file is no workbook, or cannot be written.
    """
    if block not in LINES:
        raise UnknownIdError.of("block", block, list(LINES))
    output = output or workbook.with_name(f"{workbook.stem}-with-{block}{workbook.suffix}")
    target = check_target(output, workbook)
    if target.exists() and not force:
        raise InputError(f"{output} exists; --force writes over it, -o elsewhere")
    if not force and (lock := lock_file(target)):
        raise InputError(f"{output.name} is open in another program ({lock.name}); close it there")
    with claimed(target) as claim, Package(workbook) as package:
        book = read_book(package)
        if book.signed:
            raise RefusedError(f"{workbook.name} is signed; a change would break the signature")
        laid, others, limited, told = _laid_out(package, book, block)
        with tempfile.TemporaryDirectory(prefix="tokenbook-") as folder:
            draft, scratch = Path(folder) / "draft.xlsx", Path(folder) / f"all{workbook.suffix}"
            write(laid, draft, others, limited)
            with Package(draft) as written:
                new = merged(package, book, written)
            changed = {part: partial(list[bytes], [data]) for part, data in new.changed.items()}
            with scratch.open("wb") as file:
                package.write(file, changed, added=new.added)
            # Only the new sheets are taken from it: what stands keeps the values that it has.
            report = recalculate(
                scratch, baseline=block == CHECKS, deadline=deadline, progress=progress
            )
            with Package(scratch) as whole:
                added = {**new.added, **{part: whole.read(part) for part in new.sheets.values()}}
        told += _without_value(report, new.sheets)
        with published(claim, workbook, package.identity) as file:
            package.write(file, changed, added=added)
    return Added(output, tuple(new.sheets), tuple(told))


def _without_value(report: Report, sheets: Iterable[str]) -> list[str]:
    """Return what is wrong with cells of some sheets, a line each."""
    lines = [(cell.address, f"shows {cell.code}", cell.reason) for cell in report.errors]
    lines += [(cell.address, "has no value", cell.reason) for cell in report.unevaluated]
    ours = {quote_sheet(name) for name in sheets}
    return [
        f"{address} {what}: {reason}"
        for address, what, reason in lines
        if address.rpartition("!")[0] in ours
    ]


def _laid_out(
    package: Package, file: BookInFile, block: str
) -> tuple[Book, list[Ref], list[Limited], list[str]]:
    """Lay out a block for a workbook: the book, and what its checks cover beside it."""
    standing, there = _standing(file), sheet_names(package, file)
    names = {name.name.casefold() for name in file.names if name.sheet is None}
    if block in standing or (block == CHECKS and FLAG in names):
        raise InputError(f"{package.path.name} has the block {block} already")
    book = Book("block", block, "", covered=False, flag="", taken=tuple(there))
    others: list[Ref] = []
    limited: list[Limited] = []
    told: list[str] = []
    if block == CHECKS:
        book.flag = FLAG
        limited = check_standing(book, standing)
        others = list(_used(package, file))
    else:
        if FLAG in names:
            # The checks that stand do not know the new sheets: these have a flag of their own.
            book.flag, book.checks_sheet = f"{block}_flag", f"{block.capitalize()} checks"
            told.append(f"Checks does not cover the new sheets; {book.checks_sheet} does")
        lay_out(book, block, standing, from_1904=file.date1904)
        told += check_agreement(Sheet(book, "", "", "", ()), standing, block)
    taken = [name for name in (*book.names, book.flag) if name.casefold() in names]
    if taken:
        raise InputError(
            f"{package.path.name} has the names {', '.join(taken[:3])} already; nothing was written"
        )
    return book, others, limited, told


def _standing(file: BookInFile) -> Standing:
    """Find the blocks that a workbook has, and where their rows and inputs stand by now."""
    names, standing = Names(file.names), Standing()
    for block in BLOCKS:
        if _place(names, mark(block), file) is None:
            continue
        refs = {}
        for name in file.names:
            key = name.name.casefold().removeprefix(f"{block}_")
            place = _place(names, name.name, file)
            if name.sheet is None and key != name.name.casefold() and place is not None:
                if key in rows() and (place.rows, place.columns) != (1, MONTHS):
                    raise InputError(f"{name.name} is no row of {MONTHS} months any more: {place}")
                refs[key] = place
        standing[block] = refs
    return standing


def _place(names: Names, name: str, file: BookInFile) -> Ref | None:
    """Return where a name points, None where it points nowhere."""
    found = names.find(name, None)
    tree = names.tree(found) if found else None
    if not isinstance(tree, Reference) or tree.sheet is None or file.sheet(tree.sheet) is None:
        return None
    area = tree.area
    return Ref(tree.sheet, area.top, area.left, area.rows, area.columns)


def _used(package: Package, file: BookInFile) -> Iterator[Ref]:
    """Give the columns of each sheet that hold something, over all rows that may come."""
    for info in file.sheets:
        columns, held = {"A"}, b""
        with package.stream(info.part) as stream:
            for piece in package.chunks(stream, info.part):
                columns |= {found.decode() for found in set(_CELL.findall(held + piece))}
                held = piece[-_LONGEST_PLACE:]
        yield Ref(info.name, 1, 1, MAX_ROW, max(map(column_number, columns)))
