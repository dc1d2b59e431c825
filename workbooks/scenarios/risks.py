"""What varies in a simulation: cells with their distributions, and how they are correlated."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DomainError
from engine.uncertainty.correlation import checked
from engine.uncertainty.distributions import (
    Discrete,
    Distribution,
    Empirical,
    Lognormal,
    Normal,
    Percentiles,
    Pert,
    Triangular,
    Truncated,
    Uniform,
    serving_error,
)
from workbooks.errors import BadInputError

#: The sheet in which a workbook may say itself what varies.
SHEET = "Risks"
COLUMNS = (
    "cell", "distribution", "low", "base", "high", "mean", "sd", "p10", "p50", "p90", "values",
    "weights",
)  # fmt: skip
_PAIRS = ("a", "b", "rho")
#: Columns for readers, of which nothing is read.
_REMARKS = ("note", "comment", "source")
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "pert": ("low", "base", "high"),
    "triangular": ("low", "base", "high"),
    "uniform": ("low", "high"),
    "normal": ("mean", "sd"),
    "lognormal": ("mean", "sd"),
    "discrete": ("values", "weights"),
    "empirical": ("values",),
    "percentiles": ("p10", "p50", "p90"),
    "serving error dense": (),
    "serving error moe": (),
}
# These reach without end: low and high cut them off, where they are given.
_ENDLESS = ("normal", "lognormal", "percentiles", "serving error dense", "serving error moe")

#: Gives the numbers of a range that stands in the place of a list.
Range = Callable[[str], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Risk:
    """A cell and what it may be."""

    cell: str
    distribution: Distribution


@dataclass(frozen=True, slots=True)
class Risks:
    """All that varies."""

    risks: tuple[Risk, ...]
    correlation: NDArray[np.float64] | None = None

    @property
    def cells(self) -> list[str]:
        """The cells in order."""
        return [risk.cell for risk in self.risks]


def read_risks(
    workbook: Path, inputs: Path | None = None, correlations: Path | None = None
) -> Risks:
    """Read what varies from files, or from the sheet `Risks` of the workbook.

    Parameters
    ----------
    workbook : Path
        The workbook: ranges of observations are read from it too.
    inputs : Path, optional
        A .csv file with the columns of `COLUMNS`, as many as are needed.
    correlations : Path, optional
        A .csv file with the columns a, b, rho.
    """
    lists = _ranges(workbook)
    if inputs is not None:
        rows, where = _csv(inputs), str(inputs)
        pairs = _csv(correlations) if correlations is not None else []
    else:
        rows, pairs = _sheet(workbook)
        where = f"{workbook.name}, sheet {SHEET}"
        pairs = _csv(correlations) if correlations is not None else pairs
    risks = tuple(_risk(row, f"{where}, row {i}", lists) for i, row in enumerate(rows, 2))
    if not risks:
        raise BadInputError(f"{where}: no cell is given a distribution")
    names = [risk.cell for risk in risks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInputError(f"{where}: {twice} is given twice")
    return Risks(risks, _matrix(names, pairs, str(correlations or where)))


def _risk(row: Mapping[str, str], where: str, lists: Range) -> Risk:
    cell, kind = row.get("cell", ""), " ".join(row.get("distribution", "").lower().split())
    if not cell:
        raise BadInputError(f"{where}: the cell is missing")
    if not kind:
        raise BadInputError(f"{where}: {cell} lacks a distribution, such as pert")
    if kind not in _KNOWN:
        near = get_close_matches(kind, _KNOWN, n=2)
        told = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(_KNOWN)}"
        raise BadInputError(f"{where}: there is no distribution {kind!r}; {told}")
    missing = [name for name in _KNOWN[kind] if not row.get(name)]
    if missing and not (kind == "discrete" and missing == ["weights"]):
        raise BadInputError(f"{where}: {cell}, {kind}, lacks {', '.join(missing)}")
    allowed = {*_KNOWN[kind], *(("low", "high") if kind in _ENDLESS else ())}
    spare = [name for name in COLUMNS[2:] if row.get(name) and name not in allowed]
    if spare:
        raise BadInputError(f"{where}: {cell}, {kind}, takes no {', '.join(spare)}")
    try:
        return Risk(cell, _distribution(kind, row, where, lists))
    except DomainError as refused:
        raise BadInputError(f"{where}: {cell}: {refused}") from refused


def _distribution(kind: str, row: Mapping[str, str], where: str, lists: Range) -> Distribution:
    def number(name: str) -> float:
        try:
            return float(row[name])
        except ValueError:
            raise BadInputError(f"{where}: {name} is {row[name]!r}; a number is wanted") from None

    def several(name: str) -> tuple[float, ...]:
        text = row[name]
        if "!" in text:
            return tuple(lists(text))
        try:
            return tuple(float(part) for part in text.replace(";", " ").split())
        except ValueError:
            raise BadInputError(
                f"{where}: {name} is {text!r}; numbers with ; between them, or a range "
                "such as Data!A1:A9, are wanted"
            ) from None

    of: Distribution
    if kind == "discrete":
        values = several("values")
        weights = several("weights") if row.get("weights") else (1 / len(values),) * len(values)
        return Discrete(values, weights)
    if kind == "empirical":
        return Empirical(several("values"))
    if kind.startswith("serving error"):
        of = serving_error(kind.rpartition(" ")[2])
    else:
        made = {
            "pert": Pert, "triangular": Triangular, "uniform": Uniform, "normal": Normal,
            "lognormal": Lognormal, "percentiles": Percentiles,
        }[kind]  # fmt: skip
        of = made(*(number(name) for name in _KNOWN[kind]))
    if kind not in _ENDLESS or not (row.get("low") or row.get("high")):
        return of
    limits = {name: number(name) for name in ("low", "high") if row.get(name)}
    return Truncated(of, **limits)


def _matrix(
    names: list[str], pairs: Sequence[Mapping[str, str]], where: str
) -> NDArray[np.float64] | None:
    if not pairs:
        return None
    matrix = np.eye(len(names))
    given: set[frozenset[int]] = set()
    for i, row in enumerate(pairs, 2):
        places = []
        for side in ("a", "b"):
            name = row.get(side, "")
            if name not in names:
                near = get_close_matches(name, names, n=2)
                told = f"; did you mean {' or '.join(near)}?" if near else ""
                raise BadInputError(f"{where}, row {i}: {name!r} has no distribution{told}")
            places.append(names.index(name))
        try:
            rho = float(row.get("rho", ""))
        except ValueError:
            raise BadInputError(f"{where}, row {i}: rho is {row.get('rho')!r}, no number") from None
        if places[0] == places[1]:
            raise BadInputError(f"{where}, row {i}: {names[places[0]]} is correlated with itself")
        if frozenset(places) in given:
            pair = " and ".join(names[place] for place in places)
            raise BadInputError(f"{where}, row {i}: {pair} are given twice")
        given.add(frozenset(places))
        matrix[places[0], places[1]] = matrix[places[1], places[0]] = rho
    try:
        return checked(matrix, names)
    except DomainError as refused:
        raise BadInputError(f"{where}: {refused}") from refused


# --- reading --------------------------------------------------------------------------------------


def _csv(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if any(c.strip() for c in row)]
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{path} is not a CSV file in UTF-8: {error}") from error
    if rows and len(rows[0]) == 1 and ";" in rows[0][0]:
        raise BadInputError(f"{path}: its columns are parted by semicolons; part them by commas")
    for i, row in enumerate(rows[1:], 2):
        spare = [cell for cell in row[len(rows[0]) :] if cell.strip()]
        if spare:
            raise BadInputError(f"{path}, row {i}: {spare[0]!r} stands right of the last column")
    return _records(rows, str(path))


def _records(rows: Sequence[Sequence[str]], where: str) -> list[dict[str, str]]:
    if not rows:
        raise BadInputError(f"{where} is empty")
    header = [name.strip().lower() for name in rows[0]]
    known = (*COLUMNS, *_PAIRS, *_REMARKS)
    strange = [name for name in header if name and name not in known]
    if strange:
        near = get_close_matches(strange[0], known, n=1)
        told = f"did you mean {near[0]}?" if near else f"known: {', '.join((*COLUMNS, 'note'))}"
        raise BadInputError(f"{where}: there is no column {strange[0]!r}; {told}")
    twice = next((name for name in header if name in known and header.count(name) > 1), None)
    if twice is not None:
        raise BadInputError(f"{where}: there are two columns {twice}")
    return [
        {name: cell.strip() for name, cell in zip(header, row, strict=False) if name}
        for row in rows[1:]
    ]


def _sheet(path: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return the rows of the sheet `Risks`, and the correlations below them."""
    from openpyxl import load_workbook  # noqa: PLC0415  (heavy, and only wanted here)

    book = load_workbook(path, data_only=True, read_only=True)
    try:
        if SHEET not in book.sheetnames:
            raise BadInputError(f"{path.name} has no sheet {SHEET}; name a file with --inputs")
        rows = [[_text(cell) for cell in row] for row in book[SHEET].iter_rows(values_only=True)]
    finally:
        book.close()
    heads = [i for i, row in enumerate(rows) if row and row[0].strip().lower() == "cell"]
    if not heads:
        raise BadInputError(f"{path.name}, sheet {SHEET}: no row begins with the heading cell")
    pairs = [i for i, row in enumerate(rows) if [c.strip().lower() for c in row[:3]] == [*_PAIRS]]
    where = f"{path.name}, sheet {SHEET}"
    first = _block(rows[heads[0] :])
    second = _block(rows[pairs[0] :]) if pairs else []
    return _records(first, where), _records(second, where) if second else []


def _block(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    end = next((i for i, row in enumerate(rows) if not any(row[:2])), len(rows))
    return list(rows[:end])


def _text(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _ranges(path: Path) -> Range:
    def numbers(text: str) -> list[float]:
        from openpyxl import load_workbook  # noqa: PLC0415

        sheet, _, area = text.lstrip("=").rpartition("!")
        book = load_workbook(path, data_only=True)
        name = sheet.strip("'")
        if name not in book.sheetnames:
            raise BadInputError(f"{text}: there is no sheet {name!r}")
        try:
            found = book[name][area.replace("$", "")]
        except ValueError as error:
            raise BadInputError(f"{text} is no range of cells") from error
        rows = found if isinstance(found, tuple) else ((found,),)
        cells = [c.value for row in rows for c in (row if isinstance(row, tuple) else (row,))]
        return [float(c) for c in cells if isinstance(c, int | float) and not isinstance(c, bool)]

    return numbers
