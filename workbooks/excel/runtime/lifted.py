"""What `LIFT` does: a function of single values, called for each element of its arrays."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import CalculatorError, CellFunction, Value
from workbooks.excel.number_formats import ELAPSED, EXPONENT, in_terms
from workbooks.excel.passes.broadcast import RANGE, SINGLE, SKIPPED, WHOLE_COLUMNS
from workbooks.excel.runtime.texts import scientific, shown
from workbooks.formula.address import column_letters
from workbooks.formula.tree import BINDING

Grid: TypeAlias = list[list[Any]]
#: Evaluates formulas beside some cells, of which the first stands in A1.
Scratch: TypeAlias = Callable[[Grid, Sequence[str]], Sequence[Value]]

_BEYOND = CellError("#N/A", "the arrays have different sizes")
# These may give a row or a column, of which a lifted call keeps the first value.
_FIRST_OF = ("XLOOKUP", "INDEX", "CHOOSE")
#: What is beyond the smaller of its arrays these may not ask for; the others fail on it anyway.
_CHOOSING = frozenset(["IF", "IFERROR", "IFNA", "IFS", "SWITCH", "CHOOSE"])
# What needs no calculator where both sides are numbers.
_EXACT: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
_REMEMBERED = 100_000


class Lifted:
    """Calls functions of single values element by element.

    Parameters
    ----------
    scratch : Callable
        Evaluates formulas with functions of the calculator.
    functions : Mapping
        Functions that are not the calculator's.
    """

    def __init__(self, scratch: Scratch, functions: Mapping[str, CellFunction]) -> None:
        self._scratch = scratch
        self._functions = functions
        self._answers: dict[tuple[Any, ...], Any] = {}

    def __call__(self, name: str, kinds: str, *cells: Any) -> Any:
        """Answer with a cell where all single values are cells, with rows where one is an array."""
        given = iter(cells)
        arguments = [None if kind == SKIPPED else next(given) for kind in kinds]
        arrays = [a for k, a in zip(kinds, arguments, strict=True) if k == SINGLE]
        if not any(isinstance(a, list) for a in arrays):
            return self._answered(name, kinds, arguments, [tuple(arrays)])[0]
        if name == "&":
            arrays = [shown(a) for a in arrays]
        grids: list[Grid] = [a if isinstance(a, list) else [[a]] for a in arrays]
        height, width = max(map(len, grids)), max(len(grid[0]) for grid in grids)
        places = [(r, c) for r in range(height) for c in range(width)]
        chooses = name in _CHOOSING or name in BINDING
        elements = [_element(grids, r, c, fill=chooses) for r, c in places]
        wanted = [element for element in elements if element is not None]
        answers = iter(self._answered(name, kinds, arguments, wanted))
        results = [_BEYOND if element is None else next(answers) for element in elements]
        return [results[start : start + width] for start in range(0, len(results), width)]

    def _answered(
        self, name: str, kinds: str, arguments: list[Any], elements: list[tuple[Any, ...]]
    ) -> list[Any]:
        """Return what the function gives for each element, asking once for equal ones."""
        keys = [(name, kinds, element, *map(type, element)) for element in elements]
        # Ranges are not remembered from call to call.
        alone = RANGE not in kinds and WHOLE_COLUMNS not in kinds
        known = self._answers if alone else {}
        missing = {k: e for k, e in zip(keys, elements, strict=True) if k not in known}
        if missing:
            if len(known) > _REMEMBERED:
                known.clear()
                missing = dict(zip(keys, elements, strict=True))
            asked = list(missing.values())
            if name in _EXACT and _all_numbers(asked):
                answers = [_finite(_EXACT[name](*element)) for element in asked]
            elif name == "TEXT":
                answers = self._formatted(asked)
            elif name in self._functions:
                answers = [
                    self._functions[name](*_filled(kinds, arguments, element)) for element in asked
                ]
            else:
                answers = self._by_calculator(name, kinds, arguments, asked)
            known.update(zip(missing, answers, strict=True))
        return [known[key] for key in keys]

    def formatted(self, value: Any, pattern: Any) -> Any:
        """Answer TEXT with a format that is not known before."""
        return self("TEXT", SINGLE * 2, value, pattern)

    def _formatted(self, elements: list[tuple[Any, ...]]) -> list[Any]:
        answers: list[Any] = [None] * len(elements)
        asked: dict[int, tuple[Any, str]] = {}
        signs: dict[int, str] = {}
        for place, (value, pattern) in enumerate(elements):
            text = pattern if isinstance(pattern, str) else ""
            known = in_terms(text)
            fault = next((c for c in (value, pattern) if isinstance(c, CellError)), None)
            if fault is not None:
                answers[place] = fault
            elif isinstance(value, bool):
                answers[place] = "TRUE" if value else "FALSE"
            elif known is not None:
                # A time that has passed may be less than none.
                negative = type(value) is float and value < 0 and ELAPSED.search(known)
                signs[place] = "-" if negative else ""
                asked[place] = (-value if negative else value, known)
            elif not EXPONENT.fullmatch(text):
                answers[place] = CalculatorError(
                    f"the format {text!r} of TEXT is not understood here"
                )
            else:
                number = 0.0 if value is None else value
                is_number = type(number) is float
                answers[place] = scientific(number, text) if is_number else number
        if asked:
            made = self._by_calculator("TEXT", SINGLE * 2, [None, None], list(asked.values()))
            for place, answer in zip(asked, made, strict=True):
                answers[place] = signs[place] + answer if isinstance(answer, str) else answer
        return answers

    def _by_calculator(
        self, name: str, kinds: str, arguments: list[Any], elements: list[tuple[Any, ...]]
    ) -> list[Any]:
        columns: list[list[Any]] = [list(column) for column in zip(*elements, strict=True)]
        texts: list[str] = [f"{column_letters(i)}{{row}}" for i in range(1, len(columns) + 1)]
        singles = iter(texts)
        called = []
        for kind, argument in zip(kinds, arguments, strict=True):
            if kind == SINGLE:
                called.append(next(singles))
            elif kind == SKIPPED:
                called.append("")
            else:
                grid = argument if isinstance(argument, list) else [[argument]]
                if kind == WHOLE_COLUMNS:
                    grid = _without_blank_end(grid)
                left, right = len(columns) + 1, len(columns) + len(grid[0])
                columns.extend(list(column) for column in zip(*grid, strict=True))
                called.append(
                    f"${column_letters(left)}:${column_letters(right)}"
                    if kind == WHOLE_COLUMNS
                    else f"{_absolute(1, left)}:{_absolute(len(grid), right)}"
                )
        height = max(map(len, columns))
        rows = [[c[r] if r < len(c) else None for c in columns] for r in range(height)]
        text = name.join(called) if name in BINDING else f"{name}({','.join(called)})"
        if name in _FIRST_OF:
            text = f"INDEX({text},1,1)"
        formulas = [text.replace("{row}", str(row)) for row in range(1, len(elements) + 1)]
        return [_cell(value) for value in self._scratch(rows, formulas)]


def _all_numbers(elements: list[tuple[Any, ...]]) -> bool:
    return all(type(value) is float for element in elements for value in element)


def _finite(number: float) -> Cell:
    return number if math.isfinite(number) else CellError("#NUM!", "not a finite number")


def _element(grids: list[Grid], row: int, column: int, *, fill: bool) -> tuple[Any, ...] | None:
    """Return one value of each array; single rows, columns and values are repeated.

    Where an array ends before, there is none; to `fill`, that array has #N/A there.
    """
    out = []
    for grid in grids:
        r, c = (0 if len(grid) == 1 else row), (0 if len(grid[0]) == 1 else column)
        inside = r < len(grid) and c < len(grid[0])
        if not inside and not fill:
            return None
        out.append(grid[r][c] if inside else _BEYOND)
    return tuple(out)


def _filled(kinds: str, arguments: list[Any], element: tuple[Any, ...]) -> list[Any]:
    singles = iter(element)
    return [
        next(singles) if k == SINGLE else argument
        for k, argument in zip(kinds, arguments, strict=True)
    ]


def _without_blank_end(grid: Grid) -> Grid:
    end = len(grid)
    while end > 1 and all(cell is None for cell in grid[end - 1]):
        end -= 1
    return grid[:end]


def _absolute(row: int, column: int) -> str:
    return f"${column_letters(column)}${row}"


def _cell(value: Value) -> Cell | CalculatorError:
    # A formula shows a blank cell as 0.
    return 0.0 if value is None else value
