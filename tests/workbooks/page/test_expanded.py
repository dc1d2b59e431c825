"""Calls of native functions written out: the same values, and never a wider claim than is known."""

from __future__ import annotations

import re
from functools import cache

import pytest

from udfs.hosts.native import library_of
from workbooks.page.calculator import PageCalculator
from workbooks.page.expanded import Expander
from workbooks.page.formulas import abstracted, lambda_for_calculator, stored, with_references
from workbooks.page.places import Place

CELLS = ("2", "3", "0.5", "'words", "=1/0", "=NA()", "TRUE", "-4", "")
#: Calls with single cells, ranges, constants, blanks, errors and arguments left out.
FORMULAS = (
    "TOK_SUBSIDY(A1,A2)", "TOK_SUBSIDY(A1,A4)", "TOK_SUBSIDY(A5,A1)", "TOK_SUBSIDY(A6,A1)",
    "TOK_SUBSIDY(A1,A7)", "TOK_SUBSIDY(A9,A1)", "TOK_SUBSIDY(A8,A1)", "TOK_SUBSIDY(A1*2,3)",
    "SUM(TOK_SUBSIDY(A1:A3,A2))", "SUM(TOK_SUBSIDY(A1:A4,A2))", "TOK_RAMP(A1,A3,A2)",
    "TOK_RAMP(A1,A3,A2,A9)", "TOK_RAMP(A1,A3,A2,3)", "TOK_RAMP(A1,A3,A2,)",
    "TOK_RUNWAY_FLOWS(A2,A8:A9)", "TOK_RUNWAY_FLOWS(1,A1:A3)", "TOK_RUNWAY_FLOWS(A1,A4:A5)",
    "TOK_FLEET(A1*100,A2)", "TOK_FLEET(A1*100,A2,A1,A3,A9)", "TOK_REVENUE(A1,A2,A2,A1,A1,,A9)",
    "TOK_TIERED_CHARGE(A2,A1:A2,A2:A3)", "TOK_TIERED_CHARGE(A2,B1:B2,A2:A3)",
    "TOK_RUNWAY(A1*1E9,A2*1E9,A3,A1)+TOK_RUNWAY(A1*1E9,A2*1E9,A3,A1)",
    "IF(A1>1,TOK_SUBSIDY(A1,TOK_RAMP(A1,A3,A2)),0)",
)  # fmt: skip


@cache
def names() -> dict[str, str]:
    """Return what the functions that are called hold, and what these call."""
    called = set(re.findall(r"TOK_\w+", " ".join(FORMULAS)))
    return {name: stored(text) for name, text in library_of(called).names.items()}


def computed(formulas: list[str], defined: dict[str, str]):
    """Return what the page's calculator makes of formulas in one workbook."""
    calculator = PageCalculator(["Sheet"])
    for name, text in sorted(defined.items(), key=lambda pair: len(pair[1])):
        calculator.name(name, lambda_for_calculator(text))
    calculator.put([(Place(0, row, 1), text) for row, text in enumerate(CELLS, start=1)])
    calculator.put([(Place(0, 1, 2), "0"), (Place(0, 2, 2), "1")])
    places = [Place(0, row, 4) for row in range(1, len(formulas) + 1)]
    calculator.put((place, f"={text}") for place, text in zip(places, formulas, strict=True))
    calculator.evaluate()
    return calculator.values(places)


def test_calls_that_are_written_out_compute_as_the_functions_themselves():
    used = names()
    assert not any("tokenbook data" in text for text in used.values())
    written = []
    for formula in FORMULAS:
        text, references = abstracted("=" + formula)
        text = lambda_for_calculator("=" + Expander(names()).text(text[1:]))
        assert "TOK_" not in text
        written.append(with_references(text, references)[1:])
    ours, theirs = computed(written, {}), computed(list(FORMULAS), used)
    for formula, one, other in zip(FORMULAS, ours, theirs, strict=True):
        if isinstance(one, float) and isinstance(other, float):
            assert one == pytest.approx(other, rel=1e-13), formula
        else:
            assert one == other, formula
    assert sum(isinstance(value, float) for value in ours) > 10


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        # A name of the formula's own is no name of the function's.
        ("LET(v1__,2,TOK_F(v1__))", "4"),
        ("TOK_F(3)+TOK_F(3)", "12"),
        ("TOK_G(2)", "2"),
        ("TOK_G(2,5)", "7"),
        ("TOK_G(2,)", "2"),
        ("TOK_F(A1:A1)", "4"),
    ],
)
def test_names_and_arguments_left_out_keep_their_meaning(formula, text):
    names = {"TOK_F": "LAMBDA(x_,LET(v1__,x_,v1__*2))",
             "TOK_G": "LAMBDA(x_,[y_],IF(ISOMITTED(y_),x_,x_+y_))"}  # fmt: skip
    written, references = abstracted("=" + formula)
    found = with_references(Expander(names).text(written[1:]), references)
    assert computed([found], {}) == [float(text)]


def test_a_range_of_several_cells_is_never_taken_for_one():
    names = {"TOK_N": 'LAMBDA(x_,IF(ROWS(x_)*COLUMNS(x_)=1,"one","several"))'}
    for formula, told in (("TOK_N(A1:B2)", "several"), ("TOK_N($A$1)", "one"),
                          ("TOK_N(A:A)", "several"), ("TOK_N(2)", "one")):  # fmt: skip
        written = abstracted("=" + formula)[0][1:]
        assert Expander(names).text(written) == f'"{told}"'


def test_an_error_is_told_where_the_calculator_passes_over_it():
    formulas = ["AND(A8>0,A5>0)", "SUMPRODUCT((A1:A3*1>A5*1)*1)", "AND(A1>0,A2>0)",
                "SUMPRODUCT((A1:A3*1>1)*1)"]  # fmt: skip
    written = []
    for formula in formulas:
        text, references = abstracted("=" + formula)
        written.append(with_references(Expander({}).text(text[1:]), references))
    error, other, true, count = computed(written, {})
    assert [str(error), str(other), true, count] == ["#DIV/0!", "#DIV/0!", True, 2.0]
