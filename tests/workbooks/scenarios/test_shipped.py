"""Every formula of every shipped template, in scenarios that change every input."""

from __future__ import annotations

import csv
from collections.abc import Callable
from operator import ne
from pathlib import Path

import pytest
from shipped import few_first, formulas_of, inputs_of, recalculated, same, scenarios_of

from workbooks.build import Built
from workbooks.recalc import as_value
from workbooks.scenarios.sweep import sweep

Build = Callable[[str], Built]


@pytest.mark.parametrize("name", few_first())
def test_a_sweep_gives_what_recalculations_give(name: str, built: Build, tmp_path: Path) -> None:
    path = built(name).path
    inputs, formulas = inputs_of(name, path), formulas_of(path)
    scenarios = scenarios_of(inputs)
    with (tmp_path / "scenarios.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(inputs), *scenarios])
    report = sweep(path, tmp_path / "scenarios.csv", formulas, tmp_path / "out.csv")
    assert (report.done, report.bad) == (len(scenarios), 0)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    before: list[object] = []
    for scenario, row in zip(scenarios, found, strict=True):
        wanted = recalculated(path, list(inputs), scenario, formulas, tmp_path / "one.xlsx")
        shown = [_value(row[cell]) for cell in formulas]
        assert not {
            cell: pair
            for cell, *pair in zip(formulas, shown, wanted, strict=True)
            if not same(*pair)
        }
        # A scenario that changes little would find no cell that was left behind.
        assert not before or sum(map(ne, wanted, before)) > 20
        before = wanted


def _value(text: str) -> object:
    return None if text == "" else as_value(text)
