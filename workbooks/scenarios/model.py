"""A workbook as a function: the values of some cells in, those of others out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from udfs.cells import Cell
from udfs.declare import Function
from workbooks.calc.protocol import CalculatorError
from workbooks.errors import BadInputError
from workbooks.formula.address import parse_area, split_sheet
from workbooks.recalc.inputs import Target, resolve
from workbooks.recalc.job import Job
from workbooks.recalc.report import Unreproduced
from workbooks.scenarios.compiled.held import first_difference
from workbooks.scenarios.compiled.program import Program
from workbooks.scenarios.compiled.values import UnsupportedError

# Fewer scenarios are soon done one by one.
_WORTH_WHILE = 30
# Scenarios for which the calculator is asked whether it agrees.
_SAMPLES = 5


class Model:
    """A workbook, called with the values of some cells for those of others.

    Each call evaluates the whole workbook anew, as `recalculate` does. Setting cells of one that
    is evaluated already takes less time and is wrong: the calculator does not see that cells
    depend on what an array formula fills, and leaves them, and data tables, as they were.
    """

    def __init__(
        self,
        job: Job,
        inputs: Sequence[str],
        outputs: Sequence[str],
        functions: Mapping[str, Any],
    ) -> None:
        self._job, self._functions, self._names = job, functions, list(inputs)
        #: Why the workbook is not computed for many scenarios at once; empty where it is.
        self.reason = ""
        # The values only stand for their cells here; each scenario brings its own.
        self._inputs = self._targets([None] * len(inputs))
        self._outputs = [place_of(cell, job) for cell in outputs]
        for target in self._inputs:
            target.probe = True
        job.sheets.targets = self._inputs
        job.fixed = False
        job.evaluate()

    def unreproduced(self) -> tuple[list[Unreproduced], str]:
        """Return the cells that do not come out as Excel saved them, or why none is held to that.

        It is asked before any scenario is.
        """
        return self._job.unreproduced(), self._job.report.baseline

    def compiled(self) -> Program | None:
        """Return the formulas in between, compiled; None, and the reason, where they cannot be."""
        functions = {
            name.upper(): function
            for name, function in self._functions.items()
            if isinstance(function, Function)
        }
        inputs = [(t.sheet, t.row, t.column) for t in self._inputs]
        try:
            return Program(self._job, functions, inputs, self._outputs)
        except UnsupportedError as refused:
            self.reason = str(refused)
            return None

    def at_once(self, rows: Sequence[Sequence[Cell]]) -> dict[int, list[Cell | CalculatorError]]:
        """Return the outputs of the scenarios that can be computed together, by their number.

        None are, where a formula is not compiled, or where the calculator says otherwise.
        """
        fits = [i for i, row in enumerate(rows) if not self.refused(row)]
        program = self.compiled() if len(fits) >= _WORTH_WHILE else None
        if program is None:
            return {}
        texts = program.texts
        try:
            given = [texts.gathered([rows[i][k] for i in fits]) for k in range(len(self._inputs))]
            columns = program.run(given, len(fits))
            for i in fits[:: max(len(fits) // _SAMPLES, 1)]:
                told = first_difference(program, rows[i], self(rows[i]))
                if told is not None:
                    raise UnsupportedError(f"the calculator differs in scenario {i + 1}: {told}")
        except UnsupportedError as refused:
            self.reason = str(refused)
            return {}
        cells = [texts.cells(column, len(fits)) for column in columns]
        return {i + 1: list(one) for i, one in zip(fits, zip(*cells, strict=True), strict=True)}

    def refused(self, values: Sequence[Cell]) -> str:
        """Return why a scenario is refused; empty where it is not."""
        if len(values) != len(self._inputs):
            return f"{len(values)} values for {len(self._inputs)} cells"
        for name, value, probe in zip(self._names, values, self._inputs, strict=True):
            if probe.numeric and not (isinstance(value, float) and math.isfinite(value)):
                return f"{name} holds a number; {value!r} is none"
        return ""

    def __call__(self, values: Sequence[Cell]) -> list[Cell | CalculatorError]:
        """Return the outputs for these inputs."""
        refused = self.refused(values)
        if refused:
            raise BadInputError(refused)
        self._job.sheets.targets = self._targets(values)
        self._job.evaluate()
        return [self._value(*place) for place in self._outputs]

    def _targets(self, values: Sequence[Cell]) -> list[Target]:
        given = list(zip(self._names, values, strict=True))
        return resolve(given, self._job.book, self._job.pipeline.scope.names, force=False)

    def _value(self, sheet: str, row: int, column: int) -> Cell | CalculatorError:
        for plan in self._job.plans.values():
            if plan.info.name == sheet and (row, column) in plan.kept:
                return CalculatorError(plan.kept[row, column])
        calculator = self._job.calculator
        return calculator.value(calculator.values(sheet, row, column, row, column)[0][0])


def place_of(text: str, job: Job) -> tuple[str, int, int]:
    """Return the one cell that is meant by `Sheet!B5` or a defined name."""
    sheet_name, cell = split_sheet(text.strip())
    if sheet_name is None:
        name = job.pipeline.scope.names.find(cell, None)
        if name is None:
            near = job.pipeline.scope.names.near(cell) or "; write a cell as Sheet!B5"
            raise BadInputError(f"{text}: no such defined name{near}")
        sheet_name, cell = split_sheet(name.text)
    area = parse_area(cell)
    sheet = job.book.sheet(sheet_name or "")
    if sheet is None and sheet_name:
        known = ", ".join(info.name for info in job.book.sheets)
        raise BadInputError(f"{text}: there is no sheet {sheet_name!r}; the file has {known}")
    if sheet is None or area is None or area.rows * area.columns != 1:
        raise BadInputError(f"{text} is not one cell of the workbook; write it as Sheet!B5")
    return sheet.name, area.top, area.left
