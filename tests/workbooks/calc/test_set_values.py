"""Cells that are set together hold, and make of their formulas, what those set one by one do."""

from __future__ import annotations

import random

import openpyxl
import pytest
from shipped import few_first, inputs_of, scenarios_of

from udfs.cells import CellError
from workbooks.calc.formualizer import FormualizerCalculator
from workbooks.calc.protocol import Settings
from workbooks.calc.together import together
from workbooks.recalc import setup_for
from workbooks.recalc.inputs import resolve
from workbooks.recalc.run import opened

ROWS, COLUMNS, FAR = 40, 8, 3000
VALUES = (2.5, -1.0, "text", "", "=A1", True, None, CellError("#DIV/0!"))


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A sheet of constants with formulas between them, blanks, and cells far below."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "S"
    for row in (*range(1, ROWS + 1), FAR):
        for column in range(1, COLUMNS + 1):
            if (row + column) % 5 == 0:
                sheet.cell(row, column, f'=COUNTA($A$1:$A${row})&"|"&A{row}&"|"&H{row}')
            elif (row * column) % 7:
                sheet.cell(row, column, row + column / 100)
    sheet["Z1"] = f"=SUM(A1:H{FAR})"
    sheet["Z2"] = f"=COUNTBLANK(A1:H{FAR})&COUNT(A1:H{FAR})&COUNTA(A1:H{FAR})&ISTEXT(C3)"
    path = tmp_path_factory.mktemp("set") / "book.xlsx"
    workbook.save(path)
    return path


def loaded(path):
    calculator = FormualizerCalculator(Settings())
    calculator.load(path)
    calculator.evaluate()
    return calculator


def held(calculator):
    """Return all cells, and which of them are formulas."""
    cells = [calculator.values("S", 1, 1, ROWS, 26), calculator.values("S", FAR, 1, FAR, 26)]
    return cells, [
        calculator.has_formula("S", row, column)
        for row in (*range(1, ROWS + 1), FAR) for column in range(1, COLUMNS + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_together_is_as_one_by_one(book, seed):
    chance = random.Random(seed)
    together, alone = loaded(book), loaded(book)
    for share in (0.1, 0.5, 0.9):
        given = {
            ("S", row, column): chance.choice(VALUES)
            for row in (*range(1, ROWS + 1), FAR) for column in range(1, COLUMNS + 1)
            if chance.random() < share and (row + column) % 5
        }  # fmt: skip
        together.set_values(given)
        for place, value in given.items():
            alone.set_value(*place, value)
        together.evaluate()
        alone.evaluate()
        assert held(together) == held(alone)


def test_a_formula_that_is_set_to_a_value_is_gone(book):
    calculator = loaded(book)
    assert calculator.has_formula("S", 4, 1)
    calculator.set_values({("S", 3, 1): 7.0, ("S", 4, 1): 8.0})
    calculator.evaluate()
    assert not calculator.has_formula("S", 4, 1)
    assert calculator.values("S", 3, 1, 4, 1) == [[7.0], [8.0]]


def test_rows_far_apart_are_no_block():
    """What takes time is taken once for a block, but there must be room for it."""
    given = {("S", 1, 1): "a", ("S", 1001, 1): "b", ("S", 2002, 1): "c"}
    assert [(top, len(rows)) for _, top, _, rows in together(given)] == [(1, 1001), (2002, 1)]


@pytest.mark.parametrize("name", few_first())
def test_all_inputs_of_a_template(name, built):
    """Every formula is the same to the last digit, after each of four changes of all inputs."""
    path = built(name).path
    inputs = inputs_of(name, path)
    found = []
    for at_once in (True, False):
        with opened(path, setup_for()) as job:
            job.fixed = False
            job.evaluate()
            calculator = job.calculator
            if not at_once:
                calculator.set_values = lambda values, one=calculator.set_value: [
                    one(*place, value) for place, value in values.items()
                ]
            values = []
            for scenario in scenarios_of(inputs):
                given = list(zip(inputs, scenario, strict=True))
                job.set_values(resolve(given, job.book, job.pipeline.scope.names, force=False))
                values.append([
                    (plan.info.name, list(job.values(plan))) for plan in job.plans.values()
                ])  # fmt: skip
            found.append(values)
    first, second = found
    assert len({str(one) for one in first}) == len(first)
    assert first == second
