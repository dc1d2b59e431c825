"""What Excel writes, and other programs do not."""

from __future__ import annotations

import pytest

from workbooks.recalc import recalculate


@pytest.mark.parametrize("name", ["sheet1", "SHEET1", "Sheet1"])
def test_first_sheet_is_found_by_any_spelling(write, values, name: str) -> None:
    rows = '<row r="1"><c r="A1"><f>B1+1</f></c><c r="B1"><v>5</v></c></row>'
    rows += f'<row r="2"><c r="A2"><f>SUM({name}!B1,1)</f></c></row>'
    path = write({name: rows, "Other": f'<row r="1"><c r="A1"><f>{name}!A1</f></c></row>'})
    recalculate(path)
    assert values(path, name) == {"A1": 6, "B1": 5, "A2": 6}
    assert values(path, "Other") == {"A1": 6}
