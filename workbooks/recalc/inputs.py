"""Values to be put into a workbook: where they go, and whether they fit there."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from udfs.cells import Cell
from workbooks.errors import BadInputError
from workbooks.formula.address import full_name, parse_area, split_sheet
from workbooks.formula.names import Names
from workbooks.ooxml.book import Book
from workbooks.ooxml.limits import LONGEST_TEXT
from workbooks.ooxml.number_formats import BUILT_IN
from workbooks.ooxml.overrides import value_cell
from workbooks.ooxml.package import Package
from workbooks.ooxml.scan import CELL
from workbooks.ooxml.xml import unescape
from workbooks.recalc.prepare import attributes

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# A number as it is typed: sign, currency, digits with or without commas between thousands, percent.
_TYPED = re.compile(
    r"(?P<sign>[+-]?)(?P<currency>[$€£¥]?)"
    r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+\.?[0-9]*|\.[0-9]+)\s?(?P<percent>%?)"
)
_STYLES = "xl/styles.xml"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
#: Characters of a formula that a message shows.
_SHOWN = 60
#: Names by which a workbook tells which of its scenarios is live, and what they are called.
_LIVE, _SCENARIOS = "scenario", "scenario_names"


@dataclass(slots=True)
class Target:
    """One cell to be set; a probe only looks whether it can be, and leaves it as it is."""

    asked: str
    sheet: str
    row: int
    column: int
    value: Cell
    force: bool
    probe: bool = False
    done: bool = field(default=False)
    numeric: bool = field(default=False)
    replaces_formula: bool = field(default=False)
    #: The number formats of the workbook by style; none where only numbers are given.
    formats: Formats | None = None
    #: The names of the workbook, for what is said where a formula stands in the way.
    names: Names | None = None

    @property
    def address(self) -> str:
        """The cell with its sheet."""
        return full_name(self.sheet, self.row, self.column)

    def edit(self, old: bytes | None) -> bytes:
        """Return the cell with its new value, or refuse."""
        if old is None:
            raise BadInputError(
                f"{self.address} is not in the file; only cells that are can be set"
            )
        match = CELL.fullmatch(old)
        content = (match[4] or b"") if match else b""
        kind = attributes(match[3]).get("t", "n") if match else "n"
        formula = re.search(rb"<f([^>]*+)>([^<]*+)", content)
        if formula:
            self._check_formula(attributes(formula[1]), formula[2])
            self.replaces_formula = True
        self.numeric = kind == "n" and b"<v>" in content
        self.done = True
        if self.probe:
            return old
        if self.numeric and isinstance(self.value, str) and match and self.formats:
            shown = self.formats.of(int(attributes(match[3]).get("s", "0")))
            typed = as_typed(self.value, shown)
            self.value = self.value if typed is None else typed
        if self.numeric and not _is_number(self.value):
            raise BadInputError(f"{self.address} holds a number; {self.value!r} is none")
        return value_cell(self.row, self.column, old, self.value, inline=True)

    def _check_formula(self, given: dict[str, str], text: bytes) -> None:
        if not self.force:
            written = unescape(text)
            cut = f"{written[:_SHOWN]}…" if len(written) > _SHOWN else written
            formula = f"a formula, ={cut}" if cut else "a formula"
            # Where it shows the live scenario, the cells of the scenarios stand beside it.
            beginning = f"{self.asked.strip()}_"
            named = self.names.in_row(self.row, beginning, self.sheet) if self.names else ()
            instead = ", ".join(named[:-1]) + " or " * (len(named) > 1)
            instead += named[-1] if named else "a cell that it reads"
            # What is only looked at is set again and again, and takes no force.
            force = "" if self.probe else ", or replace the formula by --force"
            raise BadInputError(f"{self.address} holds {formula}; set {instead}{force}")
        if given.get("t") in ("array", "dataTable"):
            raise BadInputError(f"{self.address} is part of an array formula or data table")
        if given.get("t") == "shared" and "ref" in given:
            raise BadInputError(f"{self.address} holds a formula that other cells share")


class Formats:
    """The number formats of a workbook, read when one is asked for."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._by_style: list[str] | None = None

    def of(self, style: int) -> str:
        """Return the number format of a cell's style; empty where it has none."""
        if self._by_style is None:
            self._by_style = self._read()
        return self._by_style[style] if style < len(self._by_style) else ""

    def _read(self) -> list[str]:
        if _STYLES not in self._package:
            return []
        root = etree.fromstring(self._package.read(_STYLES))
        own = {
            int(found.get("numFmtId", "0")): found.get("formatCode", "")
            for found in root.iter(f"{_MAIN}numFmt")
        }
        cells = root.find(f"{_MAIN}cellXfs")
        ids = [int(found.get("numFmtId", "0")) for found in ([] if cells is None else cells)]
        return [own.get(one, BUILT_IN.get(one, "")) for one in ids]


def as_typed(text: str, number_format: str) -> float | None:
    """Return the number that `50%`, `$1.20` or `1,200` means in a cell of that format.

    A sign is taken only where the format shows it, so that 50 % is never taken for a price of 0.5.
    """
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        return None
    shown = re.sub(r"\[[^\]$]*\]|\\.", "", number_format)
    percent = "%" in re.sub(r'"[^"]*"', "", shown)
    if found["percent"] and not percent:
        return None
    if found["currency"] and found["currency"] not in shown:
        return None
    if "," in found["digits"] and not (percent or "," in shown or found["currency"]):
        return None
    number = float(found["digits"].replace(",", "")) * (-1 if found["sign"] == "-" else 1)
    return number / 100 if found["percent"] else number


def told_of_inactive(
    targets: Sequence[Target], names: Names, value_at: Callable[[str, int, int], Cell]
) -> list[str]:
    """Return a warning for each cell set in the column of a scenario that is not the live one."""
    live, listed = names.find(_LIVE, None), names.find(_SCENARIOS, None)
    if live is None or listed is None:
        return []
    (live_sheet, live_cell), (sheet, cells) = split_sheet(live.text), split_sheet(listed.text)
    at, heads = parse_area(live_cell), parse_area(cells)
    if live_sheet is None or sheet is None or at is None or heads is None:
        return []
    chosen = value_at(live_sheet, at.top, at.left)
    told = []
    for target in targets:
        inside = heads.left <= target.column < heads.left + heads.columns
        if target.sheet != sheet or not inside or target.row <= heads.top:
            continue
        scenario = value_at(sheet, heads.top, target.column)
        if scenario != chosen:
            told.append(
                f"{target.address} is an input of the scenario {scenario!r}, but {chosen!r} is "
                f"live: it changes nothing; set {_LIVE}={scenario!r} too"
            )
    return told


def _is_number(value: Cell) -> bool:
    return isinstance(value, float) and not isinstance(value, bool)


def resolve(
    given: Sequence[tuple[str, Any]],
    book: Book,
    names: Names,
    *,
    force: bool,
    formats: Formats | None = None,
) -> list[Target]:
    """Return the cells that are meant by `Sheet!B3`, a quoted sheet or a defined name."""
    targets: dict[tuple[str, int, int], Target] = {}
    for asked, value in given:
        sheet_name, cell = split_sheet(asked.strip())
        if sheet_name is None:
            name = names.find(cell, None)
            if name is None:
                near = names.near(cell) or "; write a cell as Sheet!B3"
                raise BadInputError(f"{asked}: no such defined name{near}")
            sheet_name, cell = split_sheet(name.text)
        area = parse_area(cell)
        if sheet_name is None or area is None or area.rows * area.columns != 1:
            raise BadInputError(f"{asked} is not one cell; write it as Sheet!B3")
        sheet = book.sheet(sheet_name)
        if sheet is None:
            known = ", ".join(s.name for s in book.sheets)
            raise BadInputError(f"{asked}: there is no sheet {sheet_name!r}; the file has {known}")
        place = (sheet.name, area.top, area.left)
        if place in targets:
            raise BadInputError(f"{asked} is set twice")
        targets[place] = Target(
            asked, *place, value=_checked(asked, value), force=force, formats=formats, names=names
        )
    return list(targets.values())


def _checked(asked: str, value: Any) -> Cell:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise BadInputError(f"{asked}: {number} is not a finite number")
        return number
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise BadInputError(f"{asked}: a cell holds {LONGEST_TEXT:,} characters at most")
        return value
    raise BadInputError(f"{asked}: {value!r} is neither number, text nor TRUE or FALSE")


def as_value(text: str) -> Cell:
    """Return what a typed text means: a number, TRUE or FALSE, else the text itself."""
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped):
        return float(stripped)
    if stripped.upper() in ("TRUE", "FALSE"):
        return stripped.upper() == "TRUE"
    return text


def load_inputs(path: str | Path) -> list[tuple[str, Cell]]:
    """Read cells and values from a file.

    A .csv file has two columns, cell and value; a header row of these two words is skipped. A
    .json file holds one object, `{"Sheet!B3": 0.88, ...}`. A text that begins with = stays a
    text: formulas cannot be put in this way.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is not UTF-8 text") from error
    if path.suffix.lower() == ".json":
        return _from_json(path, text)
    if path.suffix.lower() == ".csv":
        return _from_csv(path, text)
    raise BadInputError(f"{path}: inputs are read from .csv or .json")


def _from_json(path: Path, text: str) -> list[tuple[str, Cell]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadInputError(f'{path} must hold one object: {{"Sheet!B3": 0.88}}')
    return [(address, _checked(address, value)) for address, value in content.items()]


def _from_csv(path: Path, text: str) -> list[tuple[str, Cell]]:
    found = []
    try:
        for line in (reader := csv.reader(text.splitlines(keepends=True), strict=True)):
            if not any(part.strip() for part in line):
                continue
            if len(line) != 2:
                raise BadInputError(f"{path}, line {reader.line_num}: cell and value are wanted")
            if reader.line_num == 1 and [p.strip().lower() for p in line] == ["cell", "value"]:
                continue
            found.append((line[0].strip(), as_value(line[1])))
    except csv.Error as error:
        raise BadInputError(f"{path} is not CSV: {error}") from error
    return found


def targets_by_sheet(targets: Sequence[Target]) -> dict[str, dict[int, dict[int, Target]]]:
    """Group targets by sheet, row and column."""
    grouped: dict[str, dict[int, dict[int, Target]]] = {}
    for target in targets:
        grouped.setdefault(target.sheet, {}).setdefault(target.row, {})[target.column] = target
    return grouped
