"""What the calculator hands to own functions, and calls of them with no exception lost."""

from __future__ import annotations

import math
import time
from typing import Any, Protocol

from udfs.cells import CellError
from workbooks.calc.protocol import SKIPPED, CalculatorError, CellFunction
from workbooks.errors import DeadlineError
from workbooks.watch import LATE

CODES = {
    "Null": "#NULL!",
    "Div": "#DIV/0!",
    "Value": "#VALUE!",
    "Ref": "#REF!",
    "Name": "#NAME?",
    "Num": "#NUM!",
    "Na": "#N/A",
    "Spill": "#SPILL!",
    "Calc": "#CALC!",
}
FAILURES_ALONE = {
    "Error": "the formula is too long or too deep for the calculator",
    "Circ": "it is in a circle of references or hangs on one, and iterative calculation is off",
    "NImpl": "the calculator has no way to evaluate this kind of reference or operation",
    "Cancelled": "the evaluation was stopped",
}
_PLAIN = {float, bool, str, type(None)}


class Caller(Protocol):
    """The calculator, as a call of an own function knows it."""

    def stop(self, error: BaseException) -> Any:
        """End the evaluation."""

    def calculator_value(self, result: Any) -> Any:
        """Turn what an own function gave into what the calculator takes."""


class OwnCall:
    """A call of an own function by the calculator: cells for its values, and no exception lost."""

    __slots__ = ("_calculator", "_deadline", "_function")

    def __init__(self, function: CellFunction, calculator: Caller, deadline: float | None) -> None:
        self._function = function
        self._calculator = calculator
        self._deadline = deadline or math.inf

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function gives, as the calculator takes it."""
        try:
            if time.monotonic() > self._deadline:
                raise DeadlineError(LATE)
            if _PLAIN.issuperset(map(type, arguments)) and SKIPPED not in arguments:
                result = self._function(*arguments)
            else:
                given = [cells_of(argument) for argument in arguments]
                # A failure of the calculator is not an error value that a function may hand on.
                failed = next((cell for cell in given if isinstance(cell, CalculatorError)), None)
                result = self._function(*given) if failed is None else failed
            return result if type(result) is float else self._calculator.calculator_value(result)
        except BaseException as error:
            return self._calculator.stop(error)

    def stop(self, error: BaseException) -> Any:
        """End the evaluation."""
        return self._calculator.stop(error)


def cells_of(argument: Any) -> Any:
    """Return an argument as cells: error values by their code, rows as lists."""
    if isinstance(argument, dict):
        kind = str(argument.get("kind", ""))
        if kind in ("NImpl", "Circ"):
            return CalculatorError(FAILURES_ALONE[kind])
        # What fails in its own cell is evaluated again with the cell's old value.
        return CellError(CODES.get(kind, "#VALUE!"))
    if isinstance(argument, list):
        return [[_cell_of(cell) for cell in row] for row in argument]
    return None if argument == SKIPPED else argument


def _cell_of(cell: Any) -> Any:
    """Return a cell of a range; there a failure of the calculator is taken for an error."""
    found = cells_of(cell)
    return CellError("#VALUE!", found.reason) if isinstance(found, CalculatorError) else found
