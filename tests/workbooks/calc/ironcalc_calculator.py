"""IronCalc behind the protocol of the calculator: a second one, to see that the protocol admits it.

IronCalc calls no Python, so a formula that our passes give a function of our own fails there, and
its cell keeps the old value; it has no seed and no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import ironcalc

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import (
    DIGITS,
    SHOWN,
    SNAPPED,
    CalculatorError,
    CellFunction,
    Settings,
    Value,
    calculator_name,
)
from workbooks.errors import CalculatorFailedError, NotAWorkbookError

_CODES = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!"}
)
_WHY = {
    "#CIRC!": "it refers to itself",
    "#ERROR!": "IronCalc cannot read the formula",
    "#N/IMPL!": "IronCalc has no such function",
}
_STYLED = re.compile(rb'(<(?:c|row)\b[^>]*?) s="[0-9]+"')
#: Own functions that a LAMBDA can be: numbers of 15 digits, and the nothing of a difference.
_ROUNDED = "=LAMBDA(x,IF(ISNUMBER(x),IF(x=0,0,ROUND(x,14-INT(LOG10(ABS(x))))),x))"
_NATIVE = {
    DIGITS: _ROUNDED,
    SHOWN: _ROUNDED,
    SNAPPED: "=LAMBDA(r,o,IF(ISNUMBER(r)*ISNUMBER(o),IF(ABS(r)<=2^-50*ABS(o),0,r),r))",
}
_CANNOT_CALL = "IronCalc cannot call an own function"
_CALLED = re.compile(r"([A-Z_][\w.]*)\(")
# A panic of Rust's comes as what derives from BaseException alone.
_PANIC = "PanicException"


def _complete(path: Path, into: Path) -> None:
    """Copy a prepared workbook with the parts that IronCalc asks for, and no styles in its cells.

    The copy has no table of styles, and IronCalc looks them up as a cell is set.
    """
    empty = into.with_name("empty.xlsx")
    ironcalc.create("empty", "en", "UTC").save_to_xlsx(str(empty))
    with ZipFile(path) as prepared, ZipFile(empty) as whole, ZipFile(into, "w") as out:
        for part in prepared.namelist():
            content = prepared.read(part)
            if part.startswith("xl/worksheets/"):
                content = _STYLED.sub(rb"\1", content)
            out.writestr(part, content)
        for part in set(whole.namelist()) - set(prepared.namelist()):
            if not part.endswith("/"):
                out.writestr(part, whole.read(part))


class IronCalcCalculator:
    """One workbook in IronCalc."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._own: frozenset[str] = frozenset()
        self._model = ironcalc.create("empty", "en", "UTC")
        self._sheets: dict[str, int] = {}

    def knows(self, function: str) -> bool:
        """Tell whether a formula may call this function."""
        if function.upper() in self._own:
            return True
        probe = ironcalc.create("probe", "en", "UTC")
        probe.set_user_input(0, 1, 1, f"={function}()")
        probe.evaluate()
        return probe.get_cell_value(0, 1, 1) not in ("#NAME?", "#N/IMPL!")

    def register(self, functions: Mapping[str, CellFunction]) -> None:
        """Note the own functions that it lacks; their calls fail."""
        names = {name.upper() for name in functions} - _NATIVE.keys()
        self._own = frozenset(name for name in names if not self.knows(name))

    def load(self, path: Path) -> None:
        """Take in a prepared workbook."""
        try:
            with TemporaryDirectory() as folder:
                whole = Path(folder) / "whole.xlsx"
                _complete(path, whole)
                self._model = ironcalc.load_from_xlsx(str(whole), "en", "UTC")
            for name, text in _NATIVE.items():
                self._model.new_defined_name(name, None, text)
        except (ironcalc.WorkbookError, OSError) as error:
            raise NotAWorkbookError(f"IronCalc cannot read the workbook: {error}") from error
        names = [sheet["name"] for sheet in self._model.get_worksheets_properties()]
        self._sheets = {name: place for place, name in enumerate(names)}

    def evaluate(self) -> None:
        """Compute every formula."""
        try:
            self._model.evaluate()
        except BaseException as error:
            if type(error).__name__ != _PANIC:
                raise
            raise CalculatorFailedError(f"the workbook cannot be evaluated: {error}") from error

    def values(self, sheet: str, top: int, left: int, bottom: int, right: int) -> list[list[Value]]:
        """Return the rows of a rectangle."""
        place = self._sheets[calculator_name(sheet)]
        return [
            [self._cell(place, row, column) for column in range(left, right + 1)]
            for row in range(top, bottom + 1)
        ]

    def value(self, raw: Any) -> Value:
        """Return a cell as it is: `values` gives cells."""
        found: Value = raw
        return found

    def set_value(self, sheet: str, row: int, column: int, value: Cell) -> None:
        """Put a constant into a cell."""
        place = self._sheets[calculator_name(sheet)]
        if value is None:
            self._model.clear_cell_contents(place, row, column)
        elif isinstance(value, bool):
            self._model.update_cell_with_bool(place, row, column, value)
        elif isinstance(value, int | float):
            self._model.update_cell_with_number(place, row, column, float(value))
        elif isinstance(value, CellError):
            self._model.set_user_input(place, row, column, value.code)
        else:
            self._model.update_cell_with_text(place, row, column, value)

    def set_values(self, values: Mapping[tuple[str, int, int], Cell]) -> None:
        """Put constants into cells: each by sheet, row and column."""
        for place, value in values.items():
            self.set_value(*place, value)

    def set_again(self, sheet: str, column: int, rows: Iterable[int]) -> None:
        """Do nothing: how IronCalc holds constants costs nobody anything."""

    def set_formula(self, sheet: str, row: int, column: int, text: str) -> None:
        """Put a formula into a cell."""
        place = self._sheets[calculator_name(sheet)]
        self._model.set_user_input(place, row, column, f"={text}")

    def has_formula(self, sheet: str, row: int, column: int) -> bool:
        """Tell whether a cell holds a formula."""
        place = self._sheets[calculator_name(sheet)]
        return self._model.get_cell_formula(place, row, column) is not None

    def scratch(self, cells: list[list[Any]], formulas: Sequence[str]) -> list[Value]:
        """Evaluate formulas beside some cells from A1 on, in a workbook of their own."""
        other = IronCalcCalculator(self.settings)
        other._own, other._sheets = self._own, {"scratch": 0}
        for row, line in enumerate(cells, 1):
            for column, cell in enumerate(line, 1):
                other.set_value("scratch", row, column, cell)
        column = len(cells[0]) + 2
        for row, text in enumerate(formulas, 1):
            other.set_formula("scratch", row, column, text)
        other.evaluate()
        return [row[0] for row in other.values("scratch", 1, column, len(formulas), column)]

    def close(self) -> None:
        """Let go of the workbook."""
        self._model = ironcalc.create("empty", "en", "UTC")

    def explain(self, *_cell: object) -> str:
        """Return nothing: no own function has run."""
        return ""

    def _cell(self, place: int, row: int, column: int) -> Value:
        value = self._model.get_cell_value(place, row, column)
        formula = (self._model.get_cell_formula(place, row, column) or "").upper()
        if "(" in formula and not self._own.isdisjoint(_CALLED.findall(formula)):
            # It is no error of the workbook's, though IFERROR would take it for one.
            return CalculatorError(_CANNOT_CALL)
        if self._model.get_cell_type(place, row, column) != ironcalc.CellType.ErrorValue:
            found: Value = value
            return found
        if value in _CODES:
            return CellError(value)
        return CalculatorError(_WHY.get(value, f"IronCalc fails here ({value})"))
