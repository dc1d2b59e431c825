"""The sheets of a workbook as a recalculation reads them: runs of rows, the values set in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from workbooks.errors import NotAWorkbookError, UnsafeFileError
from workbooks.ooxml.book import Book, SheetInfo
from workbooks.ooxml.overrides import Edit, edited
from workbooks.ooxml.package import Package
from workbooks.ooxml.scan import (
    SplitRows,
    UnusualError,
    normalised,
    pieces,
    prefix_of,
    prefixed,
    split,
)
from workbooks.ooxml.xml import is_utf8, parse, serialise
from workbooks.recalc.inputs import Target, targets_by_sheet

#: Sheets up to this many bytes stay split between reading and writing; larger ones are read twice.
KEPT_IN_PARTS = 32 << 20


class UnusualSheetError(Exception):
    """A sheet is written in a way that only a parser reads; it has to be put into common form."""

    def __init__(self, info: SheetInfo) -> None:
        super().__init__(info.part)
        self.info = info


class Split(NamedTuple):
    """A sheet in memory: its head and tail, and its runs of rows."""

    ends: list[bytes]
    runs: list[SplitRows]


@dataclass(slots=True)
class Sheets:
    """The sheets of a workbook being recalculated.

    Parameters
    ----------
    package : Package
        The file.
    book : Book
        What it says of its sheets.
    targets : list of Target
        The values to be set.
    """

    package: Package
    book: Book
    targets: list[Target] = field(default_factory=list)
    split: dict[str, Split] = field(default_factory=dict)
    _normal: dict[str, bytes] = field(default_factory=dict)
    _prefixes: dict[str, str] = field(default_factory=dict)

    def parts(self, info: SheetInfo) -> Iterator[bytes]:
        """Yield a sheet as head, runs of rows, tail."""
        if info.part in self._normal:
            try:
                yield from pieces([self._normal[info.part]])
            except UnusualError as error:
                raise NotAWorkbookError(f"{info.part} is no worksheet: {error}") from error
            return
        with self.package.stream(info.part) as stream:
            try:
                yield from pieces(self.package.chunks(stream, info.part))
            except UnusualError as error:
                raise UnusualSheetError(info) from error

    def rows(self, info: SheetInfo, ends: list[bytes]) -> Iterator[bytes]:
        """Yield the runs of rows of a sheet, the values to be set in place.

        The sheet's head and tail are put into `ends`.
        """
        parts = self.parts(info)
        ends.append(next(parts))
        try:
            yield from edited(all_but_last(parts, ends), self.edits(info))
        except UnusualError as error:
            raise UnusualSheetError(info) from error

    def split_rows(self, info: SheetInfo, ends: list[bytes]) -> Iterator[SplitRows]:
        """Yield the runs of rows of a sheet split into their formulas; keep those of small ones."""
        kept = self.split.get(info.part)
        if kept is not None:
            yield from kept.runs
            return
        runs: list[SplitRows] = []
        small = self.package.size(info.part) <= KEPT_IN_PARTS
        for rows in self.rows(info, ends):
            parts = split(rows)
            try:
                parts.check()
            except UnusualError as error:
                raise UnusualSheetError(info) from error
            if small:
                runs.append(parts)
            yield parts
        if small:
            self.split[info.part] = Split(ends, runs)

    def edits(self, info: SheetInfo) -> dict[int, dict[int, Edit]]:
        """Return what is to be set in a sheet, by row and column."""
        mine = targets_by_sheet(self.targets).get(info.name, {})
        return {
            row: {column: target.edit for column, target in columns.items()}
            for row, columns in mine.items()
        }

    def strings(self) -> Iterator[bytes] | None:
        """Yield the table of texts that cells share, None where there is none."""
        part = self.book.strings
        return self._string_pieces(part) if part is not None and part in self.package else None

    def _string_pieces(self, part: str) -> Iterator[bytes]:
        with self.package.stream(part) as stream:
            pieces_ = self.package.chunks(stream, part)
            head = next(pieces_, b"")
            if b"<!DOCTYPE" in head:
                raise UnsafeFileError(f"{part} declares a document type (DTD)")
            if is_utf8(head):
                yield head
                yield from pieces_
                return
        yield serialise(parse(self.package.read(part), part))

    def rows_of(self, sheet: str) -> Iterable[bytes]:
        """Yield the runs of rows of the sheet of that name."""
        info = self.book.sheet(sheet)
        return self.rows(info, []) if info is not None else ()

    def as_it_was(self, info: SheetInfo, make: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
        """Yield the new bytes of a sheet, with the prefix of its names that it had."""
        prefix = self._prefixes.get(info.part)
        if prefix is None:
            yield from make()
        else:
            yield prefixed(b"".join(make()), info.part, prefix)

    def bring_to_form(self, info: SheetInfo) -> None:
        """Read a sheet by a parser, and take what that makes of it from now on."""
        if info.part in self._normal:
            raise NotAWorkbookError(f"{info.part} ({info.name}) is no worksheet that can be read")
        data = self.package.read(info.part)
        self._normal[info.part] = normalised(data, info.part)
        prefix = prefix_of(data, info.part)
        if prefix:
            self._prefixes[info.part] = prefix

    def is_in_form(self, info: SheetInfo) -> bool:
        """Tell whether a sheet has been put into common form."""
        return info.part in self._normal


def all_but_last(parts: Iterator[bytes], last: list[bytes]) -> Iterator[bytes]:
    """Yield all pieces but the last, which goes into `last`."""
    held: bytes | None = None
    for piece in parts:
        if held is not None:
            yield held
        held = piece
    if held is not None:
        last.append(held)
