"""What is said where the live cell of an input, or one of a scenario that is not live, is set."""

from __future__ import annotations

import pytest

from workbooks.build import build
from workbooks.errors import BadInputError
from workbooks.recalc import recalculate


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build("breakeven", tmp_path_factory.mktemp("live")).path


def test_the_live_cell_names_the_cells_of_the_scenarios(model):
    wanted = (
        r"^Inputs!B\d+ holds a formula, =INDEX\(.*; "
        r"set price_steady, price_price_war or price_efficiency, or replace the formula by --force$"
    )
    with pytest.raises(BadInputError, match=wanted):
        recalculate(model, model.with_name("out.xlsx"), set_values=[("price", 1.2)])


def test_another_formula_shows_its_beginning(model):
    shown = r"=IF\(ISNA\(TOK_RUNWAY.*…"
    wanted = rf"^Subsidy!B\d+ holds a formula, {shown}; set a cell that it reads, or"
    with pytest.raises(BadInputError, match=wanted):
        recalculate(model, model.with_name("out.xlsx"), set_values=[("runway_months", 3.0)])


@pytest.mark.parametrize(("name", "told"), [("price_price_war", True), ("price_steady", False)])
def test_an_input_of_a_scenario_that_is_not_live_is_told(model, name, told):
    report = recalculate(model, model.with_name("out.xlsx"), set_values=[(name, 1.2)])
    assert any("it changes nothing" in warning for warning in report.warnings) is told
