"""Failures that only the calculator has: no IFERROR and no COUNT makes a value of them."""

from __future__ import annotations

import pytest

from workbooks.recalc import recalculate

FORMATTED = (
    'IFERROR(TEXT(A1,A2),"none")',
    'IF(ISERROR(TEXT(A1,A2)),"none","some")',
    'IFNA(MATCH("x",TEXT(A1:A3,A2),0),0)',
    'SUMPRODUCT(--ISNUMBER(SEARCH("a",TEXT(A1:A3,{"[$x]q"}))))',
)
# Of several cells one is wanted here, which none is in an array formula.
SEVERAL = (
    "COUNT(EDATE(INDEX(A1:A3,0),1))",
    'IFERROR(XLOOKUP(1,OFFSET(A1,0,0,3),A1:B3),"none")',
)


@pytest.mark.parametrize(
    ("formula", "kind"),
    [(formula, "") for formula in FORMATTED + SEVERAL]
    + [(formula, ' t="array" ref="H3"') for formula in FORMATTED],
)
def test_a_failure_inside_keeps_the_value(write, values, formula: str, kind: str) -> None:
    text = formula.replace('"', "&quot;")
    path = write(
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>[$x]q</t></is></c></row>'
        f'<row r="3"><c r="H3"><f{kind}>{text}</f><v>77</v></c></row>'
        '<row r="4"><c r="H4"><f>IFERROR(H3,0)+1</f><v>0</v></c></row>'
    )
    report = recalculate(path)
    assert [u.address for u in report.unevaluated] == ["S!H3"]
    assert values(path)["H3"] == 77
    assert values(path)["H4"] == 78


def test_a_circle_keeps_its_values_in_spite_of_iferror(write, values) -> None:
    path = write(
        '<row r="1"><c r="A1"><f>IFERROR(B1,0)</f><v>5</v></c>'
        '<c r="B1"><f>A1+1</f><v>6</v></c><c r="C1"><f>IFERROR(B1,0)</f><v>0</v></c></row>'
    )
    report = recalculate(path)
    assert {u.address for u in report.unevaluated} == {"S!A1", "S!B1"}
    assert values(path) == {"A1": 5, "B1": 6, "C1": 6}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("IFERROR(TEXT(A1,A2),&quot;none&quot;)", "1.5"),
        ("IFERROR(1/0+LEN(TEXT(A1,A2)),7)", 7),
        ("IFERROR(SUM(ROUND({1.5,2.5},0))/0,7)", 7),
    ],
)
def test_errors_of_the_workbook_are_caught(write, values, formula: str, value: object) -> None:
    path = write(
        '<row r="1"><c r="A1"><v>1.5</v></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>0.0</t></is></c></row>'
        f'<row r="3"><c r="H3"><f>{formula}</f><v>77</v></c></row>'
    )
    assert not recalculate(path).unevaluated
    assert values(path)["H3"] == value


@pytest.mark.parametrize("attributes", ['t="array" ref="B1:B3"', 't="array" ref="B1" cm="1"'])
def test_blank_cells_of_an_array_are_zeros(write, values, attributes: str) -> None:
    cm = ' cm="1"' if "cm" in attributes else ""
    kind = attributes.removesuffix(' cm="1"').replace('ref="B1"', 'ref="B1:B3"')
    path = write(
        '<row r="1"><c r="A1"><v>1</v></c>'
        f'<c r="B1"{cm}><f {kind}>A1:A3</f><v>9</v></c></row>'
        '<row r="2"><c r="B2"><v>9</v></c><c r="C2"><f>B2=0</f><v>0</v></c></row>'
        '<row r="3"><c r="A3"><v>3</v></c><c r="B3"><v>9</v></c></row>'
    )
    recalculate(path)
    found = values(path)
    assert [found[name] for name in ("B1", "B2", "B3", "C2")] == [1, 0, 3, 1]
