"""Each worksheet function that is replaced or supplied, held to a table of published values.

A table is `tests/data/functions/NAME.csv`: formula, expected, source. A row whose formula is an
address puts a value into that cell. Expected: a number; `~1.23` for one that is published with
these digits only; TRUE or FALSE; an error value; `refused` for a formula that keeps its old value;
anything else is a text, with an apostrophe before what would read as one of these.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from workbooks.recalc import recalculate

TABLES = Path(__file__).parents[3] / "data" / "functions"
ADDRESS = re.compile(r"[A-Z]{1,2}[0-9]+")
COLUMN = 60


def meant(text: str) -> object:
    """Return the value that a table's text stands for."""
    if text in ("TRUE", "FALSE"):
        return text == "TRUE"
    if text.startswith("'"):
        return text[1:]
    try:
        return float(text)
    except ValueError:
        return text


def agrees(found: object, expected: str) -> bool:
    """Tell whether a value is the one that is published."""
    if expected.startswith("~"):
        digits = len(expected.partition("e")[0].partition(".")[2])
        exponent = int(expected.partition("e")[2] or 0)
        close = 0.5000001 * 10.0 ** (exponent - digits)
        return type(found) in (int, float) and abs(found - float(expected[1:])) <= close  # type: ignore[operator]
    value = meant(expected)
    if isinstance(value, float):
        return type(found) in (int, float) and found == pytest.approx(value, rel=1e-12, abs=1e-300)
    return type(found) is type(value) and found == value


def rows_of(path: Path) -> list[tuple[str, str, str]]:
    """Return the rows of a table, each with its source."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        assert next(reader) == ["formula", "expected", "source"]
        rows = [(formula, expected, source) for formula, expected, source in reader]
    assert all(source for _, _, source in rows)
    return rows


def differences(path: Path, book_path: Path, beside: Mapping[str, object]) -> list[str]:
    """Recalculate a table in one workbook and return what does not come out.

    `beside` is what stands in the same sheet, far from all that the table reads.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    asked: dict[int, tuple[str, str]] = {}
    for number, (formula, expected, _) in enumerate(rows_of(path), 2):
        if ADDRESS.fullmatch(formula):
            sheet[formula] = expected if expected.startswith("=") else meant(expected)
            if expected.startswith("'"):
                sheet[formula].data_type = "s"
        else:
            sheet.cell(number, COLUMN, f"={formula}")
            asked[number] = formula, expected
    for address, cell in beside.items():
        sheet[address] = cell
    book.save(book_path)
    report = recalculate(book_path)
    kept = {u.address: u.reason for u in report.unevaluated}
    values = openpyxl.load_workbook(book_path, data_only=True)["S"]
    out = []
    for number, (formula, expected) in asked.items():
        reason = kept.get(f"S!{values.cell(number, COLUMN).coordinate}")
        found = values.cell(number, COLUMN).value
        # openpyxl reads a formula's empty text as no value.
        found = "" if found is None else found
        if expected == "refused":
            if reason is None:
                out.append(f"line {number}: {formula} is {found!r}, and should be refused")
        elif reason is not None:
            out.append(f"line {number}: {formula} is refused ({reason}), expected {expected}")
        elif not agrees(found, expected):
            out.append(f"line {number}: {formula} is {found!r}, expected {expected}")
    return out


#: What makes a recalculation go another way for all formulas of a workbook, or of a sheet: a range
#: that is turned round, and a text that the calculator would read otherwise than Excel.
ANOTHER_WAY = {"XFC1000": "=SUM(XFD1001:XFC1001)", "XFD1000": "(3)"}


@pytest.mark.parametrize("beside", [{}, ANOTHER_WAY], ids=["alone", "another way"])
@pytest.mark.parametrize("path", sorted(TABLES.glob("*.csv")), ids=lambda path: path.stem)
def test_published_values(tmp_path: Path, path: Path, beside: Mapping[str, object]) -> None:
    """Whatever else stands in the workbook."""
    assert differences(path, tmp_path / "table.xlsx", beside) == []
