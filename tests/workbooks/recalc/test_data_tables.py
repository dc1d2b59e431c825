"""Data tables: what each of their cells is, which are refused, and where their errors begin."""

from __future__ import annotations

import pytest

from workbooks.recalc import recalculate

# A1 and B1 are the inputs, C1 hangs on both.
HEAD = (
    '<row r="1"><c r="A1"><v>3</v></c><c r="B1"><v>10</v></c><c r="C1"><f>A1*B1</f><v>30</v></c>'
    "</row>"
)


def table(attributes: str, *, head: str = "<v>1</v>", side: str = "<v>2</v>") -> str:
    """Return a table in F6:G7, its formula in F5, G5 and E6 (or in E5), below what it varies."""
    return (
        f'{HEAD}<row r="5"><c r="E5"><f>C1</f></c><c r="F5">{head}</c><c r="G5"><v>5</v></c></row>'
        f'<row r="6"><c r="E6">{side}</c><c r="F6"><f t="dataTable" ref="F6:G7" {attributes}/>'
        '<v>7</v></c><c r="G6"><v>8</v></c></row>'
        '<row r="7"><c r="E7"><v>4</v></c><c r="F7"><v>9</v></c><c r="G7"><v>10</v></c></row>'
    )


CELLS = ("F6", "G6", "F7", "G7")
FORMULA = "<f>C1+1</f>"
VALUES = [
    # Two inputs: those above go into the first, those beside into the second.
    (table('dt2D="1" dtr="1" r1="A1" r2="B1"'), (2, 10, 4, 20)),
    (table('dt2D="true" dtr="1" r1="B1" r2="A1"'), (2, 10, 4, 20)),
    # One, above or beside; the formulas stand at the other side.
    (table('dtr="1" r1="A1"', side=FORMULA), (11, 51, None, None)),
    (table('dtr="true" r1="B1"', side=FORMULA), (4, 16, None, None)),
    (table('r1="A1"', head=FORMULA), (21, None, 41, None)),
    (table('dt2D="0" dtr="0" r1="B1"', head=FORMULA), (7, None, 13, None)),
]


@pytest.mark.parametrize(("rows", "wanted"), VALUES)
def test_the_cells_of_a_table(write, values, rows, wanted) -> None:
    path = write(rows)
    recalculate(path)
    found = values(path)
    for cell, value in zip(CELLS, wanted, strict=True):
        assert value is None or found[cell] == value
    assert (found["A1"], found["B1"], found["C1"]) == (3, 10, 30)


REFUSED = [
    (table('dtr="1"'), "the data table lacks its input cell"),
    (table('dtr="1" r1="#REF!"'), "the data table lacks its input cell"),
    (table('dt2D="1" r1="A1"'), "the data table lacks its second input cell"),
    (table('dt2D="1" r1="A1" r2="no"'), "the data table lacks its second input cell"),
    (table('dtr="1" r1="A1"').replace('ref="F6:G7"', 'ref="E6:G7"'), "lacks its input cell"),
    (table('dtr="1" r1="C1"'), "an input cell of the data table holds a formula"),
]


@pytest.mark.parametrize(("rows", "why"), REFUSED)
def test_a_table_that_cannot_be_computed_keeps_its_values(write, values, rows, why) -> None:
    path = write(rows)
    report = recalculate(path)
    assert any(why in one.reason for one in report.unevaluated if one.address == "S!F6")
    found = values(path)
    assert [found[cell] for cell in CELLS] == [7, 8, 9, 10]


def test_a_table_at_the_edge_of_a_sheet_has_nothing_above_it(write) -> None:
    rows = '<row r="1"><c r="B1"><f t="dataTable" ref="B1:B1" r1="A1"/><v>7</v></c></row>'
    report = recalculate(write(rows))
    assert [one.reason for one in report.unevaluated] == ["the data table lacks its input cell"]


ROOTS = [
    # An error among what is put in, above or beside, or in the formula.
    (table('dt2D="1" dtr="1" r1="A1" r2="B1"', head="<f>1/0</f>"), {"F6": "F5", "F7": "F5"}),
    (table('dt2D="1" dtr="1" r1="A1" r2="B1"', side="<f>1/0</f>"), {"F6": "E6", "G6": "E6"}),
    (table('r1="A1"', head="<f>C1/0</f>"), {"F6": "F5", "F7": "F5"}),
    (table('dtr="1" r1="A1"', side="<f>C1/0</f>"), {"F6": "E6", "G6": "E6"}),
]


@pytest.mark.parametrize(("rows", "roots"), ROOTS)
def test_an_error_in_a_table_begins_in_what_the_table_reads(write, rows, roots) -> None:
    report = recalculate(write(rows))
    told = {one.address.removeprefix("S!"): one.root.removeprefix("S!") for one in report.errors}
    assert {cell: root for cell, root in told.items() if cell in CELLS} == roots
