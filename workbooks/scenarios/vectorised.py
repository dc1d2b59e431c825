"""Many scenarios at once: the formulas between inputs and outputs, computed as arrays.

This covers what most of a finance model is made of: arithmetic, comparisons, sums, IF, and own
functions of numbers. A model that needs anything else, and a scenario in which any cell comes out
as no finite number, is left to the spreadsheet engine, one scenario at a time; so are the first
scenarios, to hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import TokenbookError
from workbooks.calc.protocol import EngineError
from workbooks.excel.context import KeepOldValueError, Place
from workbooks.formula.address import Area, column_number
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.tree import Call, Logical, Name, Node, Number, Reference, walk
from workbooks.ooxml.scan import ATTRIBUTES, COLUMN, FORMULA, ROW, TEXT
from workbooks.ooxml.xml import unescape
from workbooks.recalc.expression import (
    COMPARISONS,
    EXACT,
    Operators,
    UnsupportedError,
    evaluate,
    sound,
)
from workbooks.recalc.job import Job

Cell: TypeAlias = tuple[str, int, int]
#: A value in all scenarios: one for each, or the same for all; text only on its way to a function.
Value: TypeAlias = Any

_LARGEST_AREA = 100_000


def _power(base: Any, exponent: Any) -> Any:
    """Raise to a power; 0^0, which NumPy takes for 1, is an error in a worksheet."""
    undefined = np.equal(base, 0) & np.equal(exponent, 0)
    return sound(np.where(undefined, np.nan, np.power(base, exponent)))


_OPERATORS: Operators = {
    **EXACT,
    "^": _power,
}
_ONE: dict[str, Callable[[Any], Any]] = {
    "ABS": np.abs,
    "INT": np.floor,
    "SQRT": np.sqrt,
    "EXP": np.exp,
    "LN": np.log,
    "NOT": lambda x: np.logical_not(np.asarray(x, dtype=bool)),
}
_MANY: dict[str, Callable[[list[Any]], Any]] = {
    "SUM": lambda values: reduce(np.add, values, 0.0),
    "PRODUCT": lambda values: reduce(np.multiply, values),
    "MIN": lambda values: reduce(np.minimum, values),
    "MAX": lambda values: reduce(np.maximum, values),
    "AVERAGE": lambda values: reduce(np.add, values) / len(values),
    "AND": lambda values: reduce(np.logical_and, values),
    "OR": lambda values: reduce(np.logical_or, values),
}


@dataclass(slots=True)
class Vectorised:
    """The formulas between some inputs and outputs of an evaluated workbook.

    Parameters
    ----------
    job : Job
        The workbook.
    functions : Mapping
        Own functions by name.
    inputs, outputs : Sequence
        Cells by sheet, row and column.
    """

    job: Job
    functions: Mapping[str, Any]
    inputs: Sequence[Cell]
    outputs: Sequence[Cell]
    _texts: dict[Cell, str | None] = field(default_factory=dict)
    _trees: dict[Cell, Node] = field(default_factory=dict)
    _order: list[Cell] = field(default_factory=list)
    _constants: dict[Cell, Any] = field(default_factory=dict)
    _operators: Operators = field(init=False)
    _clean: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        compared = {sign: self._comparing(how) for sign, how in COMPARISONS.items()}
        self._operators = {**_OPERATORS, **compared}
        if self.job.book.iterate:
            raise UnsupportedError("a circular model")
        for plan in self.job.plans.values():
            if plan.kept or plan.arrays or plan.tables:
                raise UnsupportedError("array formulas, data tables or cells not evaluated")
            for rows in self.job.rows(plan.info, []):
                for match in FORMULA.finditer(rows):
                    place = (
                        plan.info.name, int(match[ROW]), column_number(match[COLUMN].decode()),
                    )  # fmt: skip
                    plain = match[TEXT] and not match[ATTRIBUTES]
                    self._texts[place] = unescape(match[TEXT]) if plain else None
        self._sort()

    def __call__(self, scenarios: NDArray[np.float64]) -> tuple[list[Value], NDArray[np.bool_]]:
        """Return the outputs, and the scenarios in which every cell is a finite number.

        Parameters
        ----------
        scenarios : NDArray
            One row a scenario, one column an input.
        """
        values: dict[Cell, Value] = dict(zip(self.inputs, scenarios.T, strict=True))
        self._clean = clean = np.ones(len(scenarios), dtype=bool)
        with np.errstate(all="ignore"):
            for cell in self._order:
                values[cell] = value = self._node(self._trees[cell], cell, values)
                clean &= np.isfinite(value)
        outputs = [np.broadcast_to(self._cell(cell, values), clean.shape) for cell in self.outputs]
        return outputs, clean

    # --- order ---------------------------------------------------------------------------------

    def _sort(self) -> None:
        """Put the formulas that the outputs need into an order in which each finds its own."""
        given, done, open_ = set(self.inputs), set(self.inputs), set[Cell]()
        stack = [(cell, False) for cell in self.outputs]
        while stack:
            cell, seen = stack.pop()
            if seen:
                open_.discard(cell)
                done.add(cell)
                self._order.append(cell)
            elif cell in done or cell not in self._texts:
                continue
            elif cell in open_:
                raise UnsupportedError("a circle of formulas")
            else:
                open_.add(cell)
                stack.append((cell, True))
                stack += [(c, False) for c in self._needs(cell) if c not in given]

    def _needs(self, cell: Cell) -> Iterator[Cell]:
        text = self._texts[cell]
        if text is None:
            raise UnsupportedError("a shared formula")
        try:
            tree = self.job.pipeline.rewritten(parse(text), Place(*cell))
        except (KeepOldValueError, FormulaError) as error:
            raise UnsupportedError(str(error)) from error
        self._trees[cell] = tree
        for node in walk(tree):
            if isinstance(node, Call):
                self._known(node.name)
            elif isinstance(node, Reference | Name):
                sheet, area = self._area(node, cell)
                yield from ((sheet, r, c) for r, c in area.cells())

    def _known(self, name: str) -> None:
        function = self.functions.get(name)
        numbers = function is not None and function.plain and function.result == "number"
        if name not in _ONE and name not in _MANY and name != "IF" and not numbers:
            raise UnsupportedError(name)

    def _area(self, node: Reference | Name, cell: Cell) -> tuple[str, Area]:
        found: Node = node
        if isinstance(node, Name):
            names = self.job.pipeline.scope.names
            name = names.find(node.text, cell[0])
            found = names.tree(name) if name is not None else node
        if not isinstance(found, Reference) or found.to_sheet is not None:
            raise UnsupportedError("a name that stands for no cells")
        info = self.job.book.sheet(found.sheet or cell[0])
        if info is None or found.area.rows * found.area.columns > _LARGEST_AREA:
            raise UnsupportedError(f"the reference {found.text()}")
        return info.name, found.area

    # --- values --------------------------------------------------------------------------------

    def _cell(self, cell: Cell, values: dict[Cell, Value]) -> Value:
        if cell in values:
            return values[cell]
        if cell not in self._constants:
            sheet, row, column = cell
            raw = self.job.engine.values(sheet, row, column, row, column)[0][0]
            value = self.job.engine.value(raw)
            if value is not None and (isinstance(value, EngineError) or type(value) is not float):
                raise UnsupportedError("a cell that holds no number")
            self._constants[cell] = value
        return self._constants[cell]

    def _reference(
        self, node: Reference | Name, cell: Cell, values: dict[Cell, Value]
    ) -> list[Value]:
        sheet, area = self._area(node, cell)
        return [self._cell((sheet, r, c), values) for r, c in area.cells()]

    def _call(self, node: Call, cell: Cell, values: dict[Cell, Value]) -> Value:
        name = node.name
        if name in _MANY:
            return self._many(node, cell, values)
        arguments = [self._node(argument, cell, values) for argument in node.arguments]
        if name == "IF":
            condition = arguments[0]
            otherwise = arguments[2] if len(arguments) > 2 else None
            if len(arguments) < 2 or otherwise is None:
                raise UnsupportedError("IF without both branches")
            return np.where(np.asarray(condition, dtype=bool), arguments[1], otherwise)
        if name in _ONE:
            return sound(_ONE[name](arguments[0]))
        try:
            return sound(self.functions[name].engine(*arguments))
        except TokenbookError as error:
            raise UnsupportedError(str(error)) from error

    def _many(self, node: Call, cell: Cell, values: dict[Cell, Value]) -> Value:
        found: list[Value] = []
        for argument in node.arguments:
            if isinstance(argument, Reference | Name):
                # Blank cells of a range do not count.
                found += [v for v in self._reference(argument, cell, values) if v is not None]
            else:
                found.append(self._node(argument, cell, values))
        if not found or any(np.asarray(v).dtype == bool for v in found) != (
            node.name in ("AND", "OR")
        ):
            raise UnsupportedError("truth values among numbers")
        return sound(_MANY[node.name](found))

    def _node(self, node: Node, cell: Cell, values: dict[Cell, Value]) -> Value:
        return evaluate(node, self._operators, lambda operand: self._operand(operand, cell, values))

    def _comparing(self, how: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Return a comparison that leaves scenarios with errors in it to the engine."""

        def compare(left: Any, right: Any) -> Any:
            # What is no number compares as nothing does, and would choose a branch.
            self._clean &= ~(np.isnan(left) | np.isnan(right))
            return how(left, right)

        return compare

    def _operand(self, node: Node, cell: Cell, values: dict[Cell, Value]) -> Value:
        match node:
            case Call():
                return self._call(node, cell, values)
            case Reference() | Name():
                cells = self._reference(node, cell, values)
                if len(cells) != 1:
                    raise UnsupportedError("a range where one value is wanted")
                return 0.0 if cells[0] is None else cells[0]
            case Number(text):
                return float(text)
            case Logical(value):
                return np.bool_(value)
        raise UnsupportedError("an operand that is no number")
