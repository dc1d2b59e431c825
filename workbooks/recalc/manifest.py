"""The manifest of many recalculations: a .csv file with a row a workbook, written as each ends."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from workbooks.errors import BadInputError, UnwritableError
from workbooks.ooxml import files
from workbooks.ooxml.limits import FORMULA_SIGNS
from workbooks.ooxml.publish import Claim, published, whole_lines

NAME = "manifest.csv"
DONE, FAILED = "done", "failed"


class Row(NamedTuple):
    """What came of a workbook; hashes are SHA-256 of its content before and after."""

    file: str
    status: str
    input_hash: str
    output_hash: str
    options: str
    in_error: int
    not_evaluated: int
    not_reproduced: int
    seconds: float
    message: str


@dataclass(slots=True)
class Manifest:
    """The rows of a folder of results, the last of each file."""

    path: Path
    rows: dict[str, Row] = field(default_factory=dict)
    _file: IO[bytes] | None = None

    @classmethod
    def of(cls, folder: Path) -> Manifest:
        """Return that of a folder, not read yet."""
        return cls(folder / NAME)

    def read(self) -> None:
        """Take over what an earlier run wrote; a row that it did not finish counts for nothing."""
        data = whole_lines(self.path)
        if data is None:
            return
        try:
            text = data.decode("utf-8-sig", "surrogateescape")
            header, *rows = [*csv.reader(io.StringIO(text, newline=""))] or [[*Row._fields]]
            if tuple(header) != Row._fields:
                raise ValueError
            for row in rows:
                if len(row) == len(header):
                    kept = _row(row)
                    self.rows[kept.file] = kept
        except (ValueError, csv.Error):
            raise BadInputError(
                f"{self.path} is no manifest of recalculations, or damaged; remove it, or give "
                "another folder"
            ) from None

    def begin(self, claim: Claim, like: Path) -> None:
        """Write what is known, whole, and be ready for more."""
        with published(claim, like) as file:
            file.write(_line(Row._fields))
            for row in self.rows.values():
                file.write(_line(_shown(row)))
        try:
            self._file = self.path.open("ab")
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, row: Row) -> None:
        """Have a row on the disk."""
        assert self._file is not None
        self.rows[row.file] = row
        try:
            self._file.write(_line(_shown(row)))
            files.sync(self._file)
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Stop writing."""
        if self._file is not None:
            self._file.close()

    def _unwritable(self, error: OSError) -> UnwritableError:
        return UnwritableError(f"{self.path} cannot be written: {error.strerror or error}")


def _shown(row: Row) -> Iterable[object]:
    """Return a row as the file has it: one line, and nothing that looks like a formula."""
    # The same file, told in another way.
    name = f"./{row.file}" if row.file.startswith(FORMULA_SIGNS) else row.file
    message = " ".join(row.message.split())
    return (name, *row[1:-1], f"'{message}" if message.startswith(FORMULA_SIGNS) else message)


def _row(texts: list[str]) -> Row:
    name, status, before, after, options, *counts, seconds, message = texts
    first, second, third = map(int, counts)
    return Row(
        name.removeprefix("./"), status, before, after, options, first, second, third,
        float(seconds), message,
    )  # fmt: skip


def _line(cells: Iterable[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(list(cells))
    return text.getvalue().encode("utf-8", "surrogateescape")
