"""A workbook as a function: many scenarios in, the values of some cells out.

The workbook is loaded once. Scenarios of numbers are computed together where the model allows
it; for any other, its cells are set, and the engine evaluates what depends on them. Results are
written as they come, so that a sweep that was stopped can go on.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import EngineError
from workbooks.recalc import BadInputError, RefusedError, UnwritableError, as_value, setup_for
from workbooks.recalc.job import Job
from workbooks.recalc.run import opened
from workbooks.scenarios.model import Model

if TYPE_CHECKING:
    import pandas as pd

_ERROR = "error"
_NUMBER = "scenario"


@dataclass(slots=True)
class SweepReport:
    """What a sweep did.

    `done` scenarios were evaluated now, `resumed` were there from before; `bad` were refused, and
    say why in their row. `reason` says why they were evaluated one by one, if they were many.
    """

    done: int = 0
    resumed: int = 0
    bad: int = 0
    reason: str = ""


def read_scenarios(path: str | Path) -> tuple[list[str], list[list[Cell]]]:
    """Read scenarios from a .csv file: cells or names in the header, one scenario a row."""
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if any(c.strip() for c in row)]
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{path} is not a CSV file in UTF-8: {error}") from error
    if len(rows) < 2:
        raise BadInputError(f"{path}: a header of cells and at least one scenario are wanted")
    header = [cell.strip() for cell in rows[0]]
    return header, [[as_value(cell) for cell in row] for row in rows[1:]]


def sweep(
    path: str | Path,
    scenarios: str | Path,
    outputs: Sequence[str],
    result: str | Path,
    *,
    resume: bool = False,
    functions: Mapping[str, Any] | None = None,
    seed: int = 0,
    clock: datetime | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> SweepReport:
    """Evaluate a workbook for each scenario and write the outputs to a file.

    Parameters
    ----------
    path : str or Path
        The workbook; it is not changed.
    scenarios : str or Path
        A .csv file: the cells to set in the header, one scenario a row.
    outputs : sequence of str
        The cells wanted, as `Sheet!B5` or a defined name.
    result : str or Path
        A .csv, .parquet or .xlsx file: scenario number, inputs, outputs, error. The rows are
        gathered in a .csv file (beside the result, if that is of another kind).
    resume : bool
        Go on where an earlier sweep with the same inputs and outputs was stopped.
    functions, seed, clock, progress
        As of `workbooks.recalc.recalculate`.

    Returns
    -------
    SweepReport
        How many scenarios were evaluated, found done, and bad [-].
    """
    target = Path(result)
    if target.suffix.lower() not in (".csv", ".parquet", ".xlsx"):
        raise UnwritableError(f"{target}: a sweep is written to .csv, .parquet or .xlsx")
    cells, rows = read_scenarios(scenarios)
    gathered = target if target.suffix.lower() == ".csv" else Path(f"{target}.part.csv")
    header = [_NUMBER, *cells, *outputs, _ERROR]
    report = SweepReport(resumed=_found(gathered, header) if resume else 0)
    tell = progress or (lambda *_: None)
    try:
        setup = setup_for(functions, seed=seed, clock=clock)
        with (
            gathered.open("a" if report.resumed else "w", encoding="utf-8", newline="") as file,
            opened(Path(path), setup) as job,
        ):
            _run(job, file, header, cells, rows, outputs, setup.functions, report, tell)
    except OSError as error:
        raise UnwritableError(f"{gathered} cannot be written: {error.strerror}") from error
    if gathered != target:
        _convert(gathered, target)
        gathered.unlink()
    return report


def _run(
    job: Job,
    file: IO[str],
    header: list[str],
    cells: list[str],
    rows: list[list[Cell]],
    outputs: Sequence[str],
    functions: Mapping[str, Any],
    report: SweepReport,
    tell: Callable[[str, int, int], None],
) -> None:
    model = Model(job, cells, outputs, functions)
    at_once = model.at_once(rows)
    report.reason = model.reason
    writer = csv.writer(file)
    if not report.resumed:
        writer.writerow(header)
    for number, row in enumerate(rows, 1):
        if number <= report.resumed:
            continue
        values: list[Any] = [""] * len(outputs)
        error = ""
        try:
            values = [_shown(value) for value in at_once.get(number) or model(row)]
        except RefusedError as refused:
            error = str(refused)
            report.bad += 1
        inputs = [_shown(cell) for cell in (*row, *[""] * len(cells))][: len(cells)]
        writer.writerow([number, *inputs, *values, error])
        file.flush()
        report.done += 1
        tell("sweep", number, len(rows))


def _shown(value: Any) -> Any:
    if isinstance(value, CellError):
        return value.code
    if isinstance(value, EngineError):
        return f"not evaluated: {value.reason}"
    if isinstance(value, bool):
        return str(value).upper()
    return "" if value is None else value


def _found(path: Path, header: list[str]) -> int:
    """Return how many whole scenarios an earlier sweep left; cut off one that it did not end."""
    if not path.exists():
        return 0
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    rows = list(csv.reader(whole.splitlines()))
    if not rows or rows[0] != header:
        raise BadInputError(f"{path} is of another sweep; take another name, or do not resume")
    if whole != text:
        path.write_text(whole, encoding="utf-8", newline="")
    return len(rows) - 1


def _convert(source: Path, target: Path) -> None:
    import pandas as pd  # noqa: PLC0415  (heavy, and only wanted here)

    # #N/A is a value here, and not a gap.
    frame = pd.read_csv(source, keep_default_na=False, na_values=[""])
    if target.suffix.lower() == ".xlsx":
        _write_sheet(frame, target)
        return
    try:
        frame.to_parquet(target)
    except ImportError as error:
        raise UnwritableError(f"{target}: .parquet wants pyarrow; install it") from error


def _write_sheet(frame: pd.DataFrame, target: Path) -> None:
    from openpyxl import Workbook  # noqa: PLC0415  (only wanted here)

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sweep")
    for row in _plain_rows(frame):
        sheet.append(row)
    book.save(target)


def _plain_rows(frame: pd.DataFrame) -> Iterator[list[Any]]:
    import pandas as pd  # noqa: PLC0415

    yield list(frame.columns)
    for record in frame.itertuples(index=False):
        yield [None if pd.isna(value) else value for value in record]
