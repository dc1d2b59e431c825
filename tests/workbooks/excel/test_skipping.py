"""A pass that a formula does not concern is left out: over every template, that changes nothing."""

from __future__ import annotations

from datetime import datetime

import pytest

from workbooks import templates
from workbooks.excel import pipeline
from workbooks.excel.passes import PASSES
from workbooks.recalc import recalculate

NOON = datetime(2026, 11, 29, 12)


@pytest.mark.long
@pytest.mark.parametrize("name", templates.NAMES)
def test_no_pass_that_is_left_out_would_change_a_formula(name, built, tmp_path, monkeypatch):
    source = built(name).path
    recalculate(source, tmp_path / "some.xlsx", clock=NOON)
    formulas = 0

    def passed(tree, context, rules):
        nonlocal formulas
        formulas += len(rules) == len(PASSES)
        for rule in rules:
            tree = rule(tree, context)
        return tree

    monkeypatch.setattr(pipeline, "_passed", passed)
    recalculate(source, tmp_path / "all.xlsx", clock=NOON)
    assert formulas > 0
    assert (tmp_path / "all.xlsx").read_bytes() == (tmp_path / "some.xlsx").read_bytes()
