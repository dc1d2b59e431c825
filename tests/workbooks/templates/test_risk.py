"""The draws of `risk` are those of the engine, and tell the same as a simulation."""

from __future__ import annotations

import csv
import math
import subprocess
import sys

import numpy as np
import pytest
from openpyxl import load_workbook

from engine import subsidy
from engine.uncertainty.distributions import Percentiles, Pert
from workbooks.recalc import recalculate
from workbooks.templates.risk.draws import DRAWS, MONTHS, STEPS
from workbooks.templates.risk.inputs import DRIVERS, FACTOR, KEYS

_NUMBERS = np.arange(1, DRAWS + 1)[:, np.newaxis]


@pytest.fixture(scope="module")
def path(built):
    return built("risk").path


@pytest.fixture(scope="module")
def book(path):
    return load_workbook(path, data_only=True)


def drawn(book):
    """Return the rows of the sheet of draws: inputs, cost, subsidy, runway, cash by month."""
    rows = book["Draws"].iter_rows(values_only=True)
    body = [row for row in rows if isinstance(row[0], int) and isinstance(row[1], float)]
    assert [row[0] for row in body] == list(range(1, DRAWS + 1))
    ends = 1 + len(KEYS)
    return (
        np.array([row[1:ends] for row in body]),
        [row[ends + 2] for row in body],
        np.array([row[ends + 3 : ends + 3 + MONTHS] for row in body]),
    )


def test_draws_are_quantiles_of_the_distributions_on_risks(book):
    values, *_ = drawn(book)
    numbers = np.mod(0.5 + _NUMBERS * np.array(STEPS), 1)
    for driver in DRIVERS:
        column = KEYS.index(driver.key)
        expected = Pert(driver.low, driver.base, driver.high).quantile(numbers[:, column])
        assert values[:, column] == pytest.approx(expected, rel=1e-9)
    row = next(row for row in book["Risks"].iter_rows(values_only=True) if row[0] == FACTOR)
    expected = Percentiles(*row[5:8]).quantile(numbers[:, -1])
    assert values[:, -1] == pytest.approx(expected, rel=1e-9)


def test_numbers_spread_evenly():
    numbers = np.mod(0.5 + _NUMBERS * np.array(STEPS), 1)
    for column in numbers.T:
        assert np.abs(np.sort(column) - (np.arange(DRAWS) + 0.5) / DRAWS).max() < 0.02
    correlations = np.corrcoef(numbers.T) - np.eye(len(KEYS))
    assert np.abs(correlations).max() < 0.1


def test_the_cash_crosses_zero_in_the_month_that_the_runway_says(book):
    _, runways, cash = drawn(book)
    crossed = 0
    for runway, path in zip(runways, cash, strict=True):
        # Cash that comes back after it has run out has run out.
        gone = np.nonzero(path <= 0)[0]
        if isinstance(runway, str) or runway > MONTHS:
            assert not gone.size
        else:
            assert gone[0] + 1 == math.ceil(runway)
            crossed += 1
    assert crossed > DRAWS / 4


def test_what_is_assumed_is_what_the_engine_says(book):
    row = next(row for row in book["Cases"].iter_rows(values_only=True) if row[0] == "Assumed")
    ends = 1 + len(KEYS)
    inputs = dict(zip(KEYS, row[1:ends], strict=True))
    cost, lost, runway = row[ends : ends + 3]
    rates = [inputs[key] for key in ("volume_growth", "price_change", "cost_change")]
    given = (305e6, inputs["tokens_per_day"], inputs["price"], cost)
    assert lost == pytest.approx(cost - inputs["price"], rel=1e-12)
    assert runway == pytest.approx(subsidy.runway(*given, *rates), rel=1e-12)


@pytest.mark.long
def test_odds_are_those_of_a_simulation_of_the_workbook(path, book, tmp_path):
    """The sheet has few draws; a simulation of the same workbook reads the same sheet Risks."""
    conditions = {
        "subsidy>0": "Odds that the price is below cost",
        f"runway_months<={MONTHS}": "Odds of running out within the months shown",
    }
    command = [sys.executable, "-m", "workbooks.cli", "simulate", path, "--draws", "8000",
               "--outputs", "subsidy,runway_months", "-o", tmp_path / "odds.csv"]  # fmt: skip
    command += [part for text in conditions for part in ("--probability", text)]
    subprocess.run(command, check=True, capture_output=True)
    with (tmp_path / "odds.csv").open(encoding="utf-8") as file:
        told = {row[0]: [cell for cell in row[1:] if cell] for row in csv.reader(file)}
    cells = {row[0]: row[1] for row in book["Result"].iter_rows(max_col=2, values_only=True)}
    for text, label in conditions.items():
        simulated = float(told[f"probability of {text}"][0])
        assert cells[label] == pytest.approx(simulated, abs=0.04), label


def test_the_widest_input_comes_first_and_equal_ones_each_once(path, tmp_path, book):
    def swings(workbook):
        rows = list(workbook["Result"].iter_rows(max_col=4, values_only=True))
        top = next(i for i, row in enumerate(rows) if row[0] == "Input")
        return rows[top + 1 : top + 1 + len(KEYS)]

    found = swings(book)
    assert [row[3] for row in found] == sorted((row[3] for row in found), reverse=True)
    same = [(f"{d.key}_{side}", d.base) for d in DRIVERS[:3] for side in ("low", "high")]
    recalculate(path, tmp_path / "same.xlsx", set_values=same)
    found = swings(load_workbook(tmp_path / "same.xlsx", data_only=True))
    assert len({row[0] for row in found}) == len(KEYS)
    assert [row[3] for row in found[-3:]] == [0, 0, 0]
