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
