"""Formulas that refer to themselves: where iteration begins, and what is no circle."""

from __future__ import annotations

import pytest

from workbooks.recalc import recalculate

ON = '<calcPr calcId="191029" iterate="1" iterateCount="100" iterateDelta="0.000001"/>'
# From 0 it stays 0; from anywhere above it goes to the root of B2.
ROOT = (
    '<row r="1"><c r="A1"><f>IF(B1=0,0,(B1+$B$2/B1)/2)</f><v>{0}</v></c>'
    '<c r="B1"><f>A1</f><v>{0}</v></c><c r="C1"><f>A1*10</f><v>0</v></c></row>'
    '<row r="2"><c r="B2"><v>10</v></c>'
    '<c r="C2" cm="1"><f t="array" ref="C2:C3">{{1;2}}*A1</f><v>0</v></c></row>'
    '<row r="3"><c r="C3"><v>0</v></c></row>'
)


@pytest.mark.parametrize("baseline", [True, False])
def test_iteration_begins_with_the_saved_values(write, values, baseline: bool) -> None:
    path = write(ROOT.format("3.2"), calc=ON)
    recalculate(path, baseline=baseline)
    found = values(path)
    assert found["A1"] == found["B1"] == pytest.approx(10**0.5, abs=1e-6)
    assert found["C1"] == pytest.approx(1000**0.5, abs=1e-5)
    assert found["C3"] == pytest.approx(2 * 10**0.5, abs=1e-5)
    recalculate(path, set_values=[("S!B2", 16.0)], baseline=baseline)
    assert values(path)["C1"] == pytest.approx(40, abs=1e-5)


def test_without_saved_values_iteration_begins_with_0(write, values) -> None:
    path = write(ROOT.replace("<v>{0}</v>", "").replace("{{", "{").replace("}}", "}"), calc=ON)
    recalculate(path)
    assert values(path)["A1"] == 0


def test_a_circle_that_an_error_is_in_stays_in_error(write, values) -> None:
    path = write(ROOT.format("#DIV/0!").replace('r="A1"', 'r="A1" t="e"').replace(
        'r="B1"', 'r="B1" t="e"'), calc=ON)  # fmt: skip
    recalculate(path)
    assert values(path)["A1"] == "#DIV/0!"


#: A1, which B1 depends on, with B1 where it is not asked for while D1 is 0.
BRANCHES = [
    "IF($D$1=0,1,B1)",
    "IF($D$1=1,B1,1)",
    "IFS($D$1=0,1,TRUE,B1)",
    "CHOOSE($D$1+1,1,B1)",
    "SWITCH($D$1,0,1,B1)",
    "IFERROR(1,B1)",
    "IF(AND($D$1=0,TRUE),1,SUM(B1:B3))",
    "MAX(1,IF($D$1=0,1,B1))",
    "ROUND(IF($D$1=0,1,B1),2)",
    "INDEX(A5:A6,1)+IF($D$1=0,1,B1)",
]


@pytest.mark.parametrize("formula", BRANCHES)
def test_a_branch_that_is_not_taken_closes_no_circle(write, values, formula: str) -> None:
    path = write(
        f'<row r="1"><c r="A1"><f>{formula}</f></c><c r="B1"><f>A1+1</f></c>'
        '<c r="C1"><f>SUM(B1:B2)*2</f></c><c r="D1"><v>0</v></c></row>'
    )
    report = recalculate(path)
    assert not report.unevaluated
    assert [values(path)[cell] for cell in ("A1", "B1", "C1")] == [1, 2, 4]


def test_a_circle_is_told_once_its_branch_is_taken(write, values) -> None:
    path = write(
        '<row r="1"><c r="A1"><f>IF($D$1=0,1,B1)</f><v>1</v></c><c r="B1"><f>A1+1</f><v>2</v></c>'
        '<c r="C1"><f>5</f><v>5</v></c><c r="D1"><v>0</v></c></row>'
    )
    report = recalculate(path, set_values=[("S!D1", 1.0)])
    assert [cell.address for cell in report.unevaluated] == ["S!A1", "S!B1"]
    assert [values(path)[cell] for cell in ("A1", "B1", "C1")] == [1, 2, 5]


def test_functions_of_ours_in_branches_that_are_not_taken(write, values) -> None:
    rows = "".join(
        f'<row r="{r}"><c r="A{r}"><f>IF($D$1=0,{"1" if r == 1 else f"B{r - 1}"},C{r})</f></c>'
        f'<c r="B{r}"><f>TOK_SUBSIDY(A{r},A{r}+1)+A{r}</f></c>'
        f'<c r="C{r}"><f>IF($D$1=0,B{r},1)+A{r}</f></c>'
        + ('<c r="D1"><v>0</v></c>' if r == 1 else "")
        + "</row>"
        for r in range(1, 40)
    )
    path = write(rows)
    assert not recalculate(path).unevaluated
    first = values(path)
    step = first["B1"] - first["A1"]
    assert first["A39"] == pytest.approx(1 + 38 * step)
    assert first["C39"] == first["B39"] + first["A39"]


def test_what_hangs_on_a_circle_keeps_its_value_and_is_told(write, values) -> None:
    path = write(
        '<row r="1"><c r="A1"><f>B1</f><v>0</v></c><c r="B1"><f>A1</f><v>0</v></c>'
        '<c r="C1"><f>A1+1</f><v>0</v></c><c r="D1"><f>A1*2</f><v>0</v></c>'
        '<c r="E1"><f>1+1</f><v>2</v></c></row>'
    )
    report = recalculate(path)
    assert {cell.address for cell in report.unevaluated} == {f"S!{c}1" for c in "ABCD"}
    assert all("circle" in cell.reason for cell in report.unevaluated)
    assert [values(path)[f"{c}1"] for c in "ABCDE"] == [0, 0, 0, 0, 2]
