"""The rows of a sweep: gathered as they come, typed, and made into the file that was asked for.

They go to a file beside the result, one JSON array a line, so that a sweep that was stopped at any
moment can go on: its first line says of what sweep it is, and a last line that has no end was not
finished. The result itself is only written when all rows are there, whole, in the place of what
was there before.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.errors import BadInputError, UnwritableError
from workbooks.ooxml import files
from workbooks.ooxml.limits import FORMULA_SIGNS, LONGEST_TEXT
from workbooks.ooxml.publish import Claim, published, whole_lines
from workbooks.watch import Watch

KINDS = (".csv", ".parquet", ".xlsx")
_MOST_ROWS = 1_048_576
_ERROR = "#"

Row = tuple[int, list[Cell], list[Cell | CalculatorError], str]


def check_result(target: Path, *sources: Path) -> None:
    """Refuse a result that is of no known kind, or would be written over what it comes from."""
    if target.suffix.lower() not in KINDS:
        raise UnwritableError(f"{target}: a sweep is written to .csv, .parquet or .xlsx")
    for mine in (target, part_of(target)):
        keep_apart(mine, sources)


def keep_apart(target: Path, sources: Sequence[Path]) -> None:
    """Refuse a result that would be written over what it comes from."""
    for source in sources:
        if _same(target, source):
            raise UnwritableError(f"{target} is what is to be read; give the result another name")


def _same(one: Path, other: Path) -> bool:
    try:
        first, second = files.status(one), files.status(other)
    except (OSError, ValueError) as error:
        raise UnwritableError(f"{one} cannot be written: {error}") from error
    if first is None or second is None:
        return files.real(one) == files.real(other)
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def part_of(target: Path) -> Path:
    """Return the file in which the rows of a result are gathered."""
    return target.with_name(f"{target.name}.part")


def mark_of(sources: Sequence[Path], *settings: object) -> str:
    """Return what tells a sweep from another: the bytes that it reads, and how it is set."""
    digest = hashlib.sha256()
    for source in sources:
        try:
            digest.update(hashlib.sha256(source.read_bytes()).digest())
        except OSError as error:
            raise BadInputError(f"{source}: {error.strerror}") from error
    digest.update(repr(settings).encode())
    return digest.hexdigest()


@dataclass(slots=True)
class Gathered:
    """The rows of a sweep that are there; `count` of them."""

    path: Path
    header: list[str]
    mark: str
    count: int = 0
    bad: int = 0
    _file: IO[bytes] | None = None

    def found(self) -> None:
        """Take over what an earlier sweep left; nothing, where it had not even begun."""
        lines = (whole_lines(self.path) or b"").splitlines()
        if not lines:
            return
        try:
            mark, *rows = map(json.loads, lines)
        except ValueError:
            mark, rows = None, []
        if mark != [self.mark]:
            raise BadInputError(
                f"{self.path} is of another sweep (another model, other scenarios, outputs or "
                "settings); take another name, or do not resume"
            )
        # A row behind one that is missing was written by nobody.
        whole = [row for i, row in enumerate(rows, 1) if isinstance(row, list) and row[:1] == [i]]
        if len(whole) != len(rows):
            raise BadInputError(f"{self.path} is damaged; remove it, or do not resume")
        self.count = len(rows)
        self.bad = sum(bool(row[3]) for row in rows)

    def open(self) -> None:
        """Begin to write, behind what was found."""
        try:
            if self.count:
                file: IO[bytes] = self.path.open("r+b")
                data = file.read()
                file.truncate(data.rfind(b"\n") + 1)
                file.seek(0, io.SEEK_END)
            else:
                file = self.path.open("wb")
                file.write(json.dumps([self.mark]).encode() + b"\n")
            file.flush()
        except OSError as error:
            raise self._unwritable(error) from error
        self._file = file

    def add(
        self, inputs: Sequence[Cell], outputs: Sequence[Cell | CalculatorError], why: str
    ) -> None:
        """Write a row."""
        assert self._file is not None
        row = [self.count + 1, [*map(_kept, inputs)], [*map(_kept, outputs)], why]
        try:
            self._file.write(json.dumps(row).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error
        self.count += 1
        self.bad += bool(why)

    def close(self) -> None:
        """Stop writing."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                raise self._unwritable(error) from error
            finally:
                self._file = None

    def rows(self) -> Iterator[list[Cell]]:
        """Yield the rows as they stand in the result, the header first."""
        yield list(self.header)
        with self.path.open("rb") as file:
            next(file)
            for line in file:
                number, inputs, outputs, why = json.loads(line)
                yield [float(number), *map(_cell, inputs), *map(_cell, outputs), why or None]

    def finish(self, claim: Claim, watch: Watch) -> None:
        """Make the result of the rows, and remove what they were gathered in."""
        kind = claim.target.suffix.lower()
        with published(claim, self.path, watch=watch) as file:
            if kind == ".csv":
                self._write_csv(file)
            elif kind == ".xlsx":
                self._write_sheet(file)
            else:
                self._write_parquet(file)
            watch.check()
        try:
            files.remove(self.path)
        except OSError as error:
            raise self._unwritable(error) from error

    def _write_csv(self, file: IO[bytes]) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        csv.writer(text).writerows([_plain(cell) for cell in row] for row in self.rows())
        text.flush()
        text.detach()

    def _write_sheet(self, file: IO[bytes]) -> None:
        from openpyxl import Workbook  # noqa: PLC0415  (only wanted here)
        from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

        if self.count >= _MOST_ROWS:
            raise UnwritableError(
                f"{self.count:,} scenarios are more than the rows of a sheet; write .csv"
            )
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Sweep")
        for row in self.rows():
            cells: list[Any] = []
            for value in row:
                if isinstance(value, str | CellError):
                    text = str(value) if isinstance(value, CellError) else value
                    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text)[:LONGEST_TEXT])
                    # Whatever it looks like, a text is no formula and no number.
                    cell.data_type = "e" if isinstance(value, CellError) else "s"
                    cells.append(cell)
                else:
                    cells.append(value)
            sheet.append(cells)
        book.save(file)

    def _write_parquet(self, file: IO[bytes]) -> None:
        import pandas as pd  # noqa: PLC0415  (heavy, and only wanted here)

        header, *rows = self.rows()
        columns = {}
        for name, *cells in zip(header, *rows, strict=True):
            kinds = {type(cell) for cell in cells if cell is not None}
            # A column has one type: where it is mixed, all become texts.
            mixed = len(kinds) > 1 or CellError in kinds
            columns[name] = [_text(cell) for cell in cells] if mixed else cells
        try:
            pd.DataFrame(columns).to_parquet(file)
        except ImportError as error:
            raise UnwritableError("a .parquet file wants pyarrow; install it") from error

    def _unwritable(self, error: OSError) -> UnwritableError:
        return UnwritableError(f"{self.path} cannot be written: {error.strerror or error}")


def _kept(value: Cell | CalculatorError) -> Any:
    """Return a value as JSON that keeps its type."""
    if isinstance(value, CellError):
        return {_ERROR: value.code}
    if isinstance(value, CalculatorError):
        return f"not evaluated: {value.reason}"
    return value


def _cell(value: Any) -> Cell:
    return CellError(value[_ERROR]) if isinstance(value, dict) else value


def _text(value: Cell) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, CellError):
        return value.code
    return str(value).upper() if isinstance(value, bool) else repr(value)


def _plain(value: Cell) -> Any:
    """Return a value as a .csv file has it: an apostrophe before what looks like a formula."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_SIGNS) else value
    return "" if value is None else _text(value)
