"""Data tables (what-if analysis): the model evaluated once for each of their cells."""

from __future__ import annotations

from dataclasses import dataclass

from udfs.cells import Cell
from workbooks.calc.protocol import Calculator, CalculatorError, Value
from workbooks.recalc.plan import DataTable


class TableInputError(ValueError):
    """An input cell of a data table holds a formula."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Computes the data tables of one sheet.

    Parameters
    ----------
    calculator : Calculator
        The evaluated workbook.
    sheet : str
        The sheet that holds the tables and their input cells.
    """

    calculator: Calculator
    sheet: str

    def values(self, table: DataTable) -> list[list[Value]]:
        """Return the values of a table, row by row; the workbook ends as it began."""
        inputs = [cell for cell in (table.row_input, table.column_input) if cell is not None]
        for cell in inputs:
            if self.calculator.has_formula(self.sheet, *cell):
                raise TableInputError("an input cell of the data table holds a formula")
        before = [self._constant(*cell) for cell in inputs]
        try:
            return self._varied(table)
        finally:
            for cell, value in zip(inputs, before, strict=True):
                self.calculator.set_value(self.sheet, *cell, value)
            self.calculator.evaluate()

    def _varied(self, table: DataTable) -> list[list[Value]]:
        area = table.area
        columns = range(area.left, area.right + 1)
        rows = range(area.top, area.bottom + 1)
        above, beside = area.top - 1, area.left - 1
        if table.row_input and table.column_input:
            heads = [self._constant(above, c) for c in columns]
            sides = [self._constant(r, beside) for r in rows]
            return [
                [self._with(table, head, side, (above, beside)) for head in heads] for side in sides
            ]
        if table.row_input:
            heads = [self._constant(above, c) for c in columns]
            by_column = []
            for head in heads:
                self._set(table.row_input, head)
                by_column.append([self._value(r, beside) for r in rows])
            return [list(row) for row in zip(*by_column, strict=True)]
        sides = [self._constant(r, beside) for r in rows]
        by_row = []
        for side in sides:
            self._set(table.column_input, side)
            by_row.append([self._value(above, c) for c in columns])
        return by_row

    def _with(self, table: DataTable, head: Cell, side: Cell, formula: tuple[int, int]) -> Value:
        if table.row_input is not None:
            self.calculator.set_value(self.sheet, *table.row_input, head)
        self._set(table.column_input, side)
        return self._value(*formula)

    def _set(self, cell: tuple[int, int] | None, value: Cell) -> None:
        if cell is not None:
            self.calculator.set_value(self.sheet, *cell, value)
        self.calculator.evaluate()

    def _value(self, row: int, column: int) -> Value:
        return self.calculator.value(
            self.calculator.values(self.sheet, row, column, row, column)[0][0]
        )

    def _constant(self, row: int, column: int) -> Cell:
        value = self._value(row, column)
        return None if isinstance(value, CalculatorError) else value
