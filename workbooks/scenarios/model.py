"""A workbook as a function: the values of some cells in, those of others out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from udfs.cells import Cell, CellError
from udfs.declare import Function
from workbooks.calc.protocol import CalculatorError
from workbooks.errors import BadInputError
from workbooks.formula.address import full_name, parse_area, split_sheet
from workbooks.recalc.inputs import Target, resolve
from workbooks.recalc.job import Job
from workbooks.recalc.report import Unreproduced
from workbooks.scenarios.compiled.held import first_difference
from workbooks.scenarios.compiled.program import Program
from workbooks.scenarios.compiled.values import UnsupportedError

# Fewer scenarios are soon done one by one.
_WORTH_WHILE = 30
# Outputs that one range stands for.
_MOST_OUTPUTS = 10_000
# Columns right of a label in which its number is looked for.
_BESIDE = 8
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

    def check_numbers(self) -> None:
        """Refuse an input that holds a text, where numbers are to be put; it is asked first."""
        for name, target in zip(self._names, self._inputs, strict=True):
            held = self._value(target.sheet, target.row, target.column)
            if not isinstance(held, str):
                continue
            near = self._number_beside(target)
            instead = "name a cell that holds a number"
            instead += f", such as {near}" if near else ""
            raise BadInputError(
                f"{name} holds the text {held!r}, and a risk draws numbers; {instead}"
            )

    def _number_beside(self, label: Target) -> str:
        """Return the first cell right of a label that holds a number, and none by a formula."""
        for column in range(label.column + 1, label.column + 1 + _BESIDE):
            place = label.sheet, label.row, column
            held = self._value(*place)
            if isinstance(held, float) and not self._job.calculator.has_formula(*place):
                return f"{full_name(*place)} ({held:g})"
        return ""

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

    def cause(self, values: Sequence[Cell], output: str) -> str:
        """Return in which cell the error of an output begins, and why; empty where it is none."""
        # What goes through formulas for the causes of errors takes a while to load.
        from workbooks.recalc.results import Results  # noqa: PLC0415

        sheet, row, column = place_of(output, self._job)
        self(values)
        if not isinstance(self._value(sheet, row, column), CellError):
            return ""
        report = self._job.report
        report.errors.clear()
        Results(self._job).tell()
        problems = {one.address: one for one in report.errors}
        shown = problems.get(full_name(sheet, row, column))
        if shown is None:
            return ""
        begun = problems.get(shown.root)
        why = f": {begun.reason}" if begun is not None and begun.reason else ""
        return f"{shown.code} begins in {shown.root or shown.address}{why}"

    def _targets(self, values: Sequence[Cell]) -> list[Target]:
        given = list(zip(self._names, values, strict=True))
        return resolve(given, self._job.book, self._job.pipeline.scope.names, force=False)

    def _value(self, sheet: str, row: int, column: int) -> Cell | CalculatorError:
        for plan in self._job.plans.values():
            if plan.info.name == sheet and (row, column) in plan.kept:
                return CalculatorError(plan.kept[row, column])
        calculator = self._job.calculator
        return calculator.value(calculator.values(sheet, row, column, row, column)[0][0])


def each_cell(outputs: Sequence[str]) -> list[str]:
    """Return outputs with each cell of a range for itself: `Sheet!B2:B4` is three of them."""
    cells: list[str] = []
    for text in outputs:
        sheet, corners = split_sheet(text.strip())
        area = parse_area(corners) if sheet is not None and ":" in corners else None
        if sheet is None or area is None:
            cells.append(text)
            continue
        if (count := area.rows * area.columns) > _MOST_OUTPUTS:
            raise BadInputError(
                f"{text} has {count:,} cells; {_MOST_OUTPUTS:,} outputs at most are wanted"
            )
        cells += [full_name(sheet, *place) for place in area.cells()]
    return cells


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
