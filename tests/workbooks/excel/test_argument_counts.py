"""Functions with arguments that Excel would not take, or too few: an error, no traceback."""

from __future__ import annotations

import openpyxl
import pytest

from workbooks.formula.functions import catalogue
from workbooks.recalc import recalculate

NAMES = [name for name, row in catalogue().items() if not name.startswith("TB.")]


@pytest.mark.parametrize("arguments", ["", "A1", "A1:A3", "1,2,3,4,5,6,7,8", 'A1:A3,"x",TRUE'])
def test_every_function_ends_in_a_value_or_is_listed(tmp_path, arguments):
    book = openpyxl.Workbook()
    sheet = book.active
    for row, name in enumerate(NAMES, start=1):
        sheet.cell(row, 1, row)
        sheet.cell(row, 5, f"={name}({arguments})")
    path = tmp_path / "book.xlsx"
    book.save(path)
    report = recalculate(path)
    assert report.evaluated + len(report.unevaluated) >= len(NAMES)


#: Errors as arguments, in each place, and arguments that some function refuses.
REFUSED = (
    "A1", "A1,1", "1,A1", "A1,1,1", "1,1,A1", "A1,1,1,1", '"x"', '"x",1', '1,"x"', '"x",-1,1',
    "-1", "-1,-1", "0", "0,0",
)  # fmt: skip
#: What each says of an error.
QUESTIONS = {
    "ISERROR": True, "ISNUMBER": False, "ISTEXT": False, "ISNONTEXT": True, "ISLOGICAL": False,
}  # fmt: skip
# LAMBDA is no function that is called so, and these want ranges.
OTHERS = ("LAMBDA", "AVERAGEIFS", "MAXIFS", "MINIFS", "SUMIFS")


def values_of(tmp_path, error, calls, questions):
    """Return for each call its value, and what the questions say of it; None where it is kept."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"], sheet["A2"] = error, 1
    for row, formula in enumerate(calls, start=3):
        for column, asked in enumerate(("{}", *questions), start=2):
            sheet.cell(row, column, f"={asked.format(formula)}")
    path = tmp_path / "book.xlsx"
    book.save(path)
    kept = {one.address for one in recalculate(path).unevaluated}
    values = openpyxl.load_workbook(path, data_only=True).active
    return [
        [
            None if f"Sheet!{cell.coordinate}" in kept else cell.value
            for cell in values[row][1 : 2 + len(questions)]
        ]
        for row in range(3, 3 + len(calls))
    ]


def test_every_error_is_told_to_be_one(tmp_path):
    calls = [f"{name}({given})" for name in NAMES if name not in OTHERS for given in REFUSED]
    found = values_of(tmp_path, "=1/0", calls, [f"{one}({{}})" for one in QUESTIONS])
    wrong, errors = [], 0
    for formula, (value, *told) in zip(calls, found, strict=True):
        if str(value).startswith("#"):
            errors += 1
            right = zip(told, QUESTIONS.values(), strict=True)
            if not all(one is None or one is answer for one, answer in right):
                wrong.append((formula, value, told))
    assert wrong == []
    assert errors > 1000


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!"])
def test_which_error_it_is_is_known(tmp_path, error):
    calls = (
        "UPPER(A1)", "LOWER(A1)", "MID(A1,1,1)", 'MID("x",A1,1)', 'LEFT("x",A1)', 'FIND("x",A1)',
        'SEARCH("x",A1)', 'SUBSTITUTE(A1,"x","y")', 'CONCATENATE("x",A1)', "RADIANS(A1)",
        "MEDIAN(A1:A2)", "LARGE(A1:A2,1)", "STDEV(A1:A2)", "PERCENTILE(A1:A2,0.5)", 'EXACT(A1,"x")',
        "REPT(A1,2)", "GEOMEAN(A1:A2)", "NPV(0.1,A1:A2)", 'TEXTJOIN(",",TRUE,A1:A2)',
        'UPPER(MID(A1,1,1)&"x")', "UPPER(VLOOKUP(A1,A2:A3,1,FALSE))", "LEFT(UPPER(LOWER(A1)),1)",
    )  # fmt: skip
    given = "=NA()" if error == "#N/A" else "=1/0"
    lacks = error == "#N/A"
    told = [error, lacks, not lacks, "none" if lacks else error, "none"]
    asked = ("ISNA({})", "ISERR({})", 'IFNA({},"none")', 'IFERROR({},"none")')
    for formula, found in zip(calls, values_of(tmp_path, given, calls, asked), strict=True):
        assert found == told, formula
