"""Another calculator takes the place of formualizer: the native formulas give the same values."""

from __future__ import annotations

import math
from dataclasses import replace

import openpyxl
import pytest

from workbooks.recalc import recalculate, setup_for
from workbooks.recalc.freeze import freeze
from workbooks.recalc.run import recalculate_file

pytest.importorskip("ironcalc")

from ironcalc_calculator import IronCalcCalculator
from shipped import few_first, inputs_of, scenarios_of

#: Distributions are computed by other series; a check shows the difference of two such figures.
RELATIVE, ABSOLUTE = 1e-9, 1e-9
#: At most this share of a template's formulas calls what only Python can answer [-].
KEPT = {"audit": 0.30}
KEPT_ELSEWHERE = 0.03
#: IronCalc's TEXT rounds halves to the even digit: TEXT(2.5,"0") is "2" there, and "3" in Excel.
KNOWN = {"risk": {("Result", "C56")}}
WHY = "IronCalc cannot call an own function"


def values_of(path):
    book = openpyxl.load_workbook(path, data_only=True)
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


def same(one, other):
    if type(one) in (int, float) and type(other) in (int, float):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@pytest.mark.parametrize("name", few_first())
def test_native_formulas_of_a_template(name, built, tmp_path) -> None:
    """Every input is changed, so that a calculator that does nothing gives other values."""
    frozen, ours, theirs = (tmp_path / f"{n}.xlsx" for n in ("frozen", "ours", "theirs"))
    freeze(built(name).path, frozen)
    inputs = inputs_of(name, frozen)
    scenario = dict(zip(inputs, scenarios_of(inputs)[1], strict=True))
    given = [(cell, value) for cell, value in scenario.items() if isinstance(value, float)]
    setup = replace(setup_for(), make_calculator=IronCalcCalculator)
    report = recalculate_file(frozen, theirs, setup, set_values=given, baseline=False)
    formulas = report.evaluated + len(report.unevaluated)
    assert {cell.reason for cell in report.unevaluated} <= {WHY}
    assert len(report.unevaluated) <= KEPT.get(name, KEPT_ELSEWHERE) * formulas
    assert len(report.changed) > formulas / 10
    # What IronCalc could not compute keeps its value in both.
    old = values_of(frozen)
    kept = [(cell.address, old[tuple(cell.address.rsplit("!", 1))]) for cell in report.unevaluated]
    recalculate(frozen, ours, set_values=given + kept, baseline=False, force=True)
    expected, found = values_of(ours), values_of(theirs)
    assert expected.keys() == found.keys()
    other = {p: (v, found[p]) for p, v in expected.items() if not same(v, found[p])}
    assert {p: pair for p, pair in other.items() if p not in KNOWN.get(name, ())} == {}
