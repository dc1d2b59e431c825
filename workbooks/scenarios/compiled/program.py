"""The formulas between some inputs and outputs of a workbook, in the order in which they go.

Only what lies between is computed: cells that no input reaches keep the value that the calculator
gave them, and cells that no output needs are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from udfs.declare import Function
from workbooks.calc.protocol import CalculatorError
from workbooks.excel.runtime.lifted import Lifted
from workbooks.excel.runtime.registry import functions
from workbooks.formula.address import Area, full_name
from workbooks.formula.tree import Call, walk
from workbooks.recalc.job import Job
from workbooks.scenarios.compiled.evaluate import KNOWN, Evaluator
from workbooks.scenarios.compiled.formulas import Formula, Formulas, Place, filled
from workbooks.scenarios.compiled.native import Calculator
from workbooks.scenarios.compiled.values import (
    NA,
    Column,
    Grid,
    Texts,
    UnsupportedError,
    error,
    merged,
)

#: The cells of a reference, row by row; their values, where none is computed.
Reads: TypeAlias = tuple[tuple[tuple[Place, ...], ...], tuple[tuple[Column, ...], ...] | None]

#: Draws computed together: their numbers fit the cache of a processor.
CHUNK = 32_768
_MOST_CELLS = 200_000


@dataclass(slots=True)
class Program:
    """A workbook as a function of some cells, over many draws at once.

    Parameters
    ----------
    job : Job
        The evaluated workbook.
    functions : Mapping
        Own functions by their names in upper case.
    inputs, outputs : Sequence
        Cells by sheet, row and column.

    Raises
    ------
    UnsupportedError
        Where a formula in between cannot be compiled; the message names its cell.
    """

    job: Job
    functions: Mapping[str, Function]
    inputs: Sequence[Place]
    outputs: Sequence[Place]
    texts: Texts = field(default_factory=Texts)
    steps: list[Formula] = field(default_factory=list)
    _formulas: Formulas = field(init=False)
    _calculator: Calculator = field(init=False)
    _computed: frozenset[Place] = field(init=False)
    _constants: dict[Place, Column] = field(default_factory=dict)
    _dropped: list[list[Place]] = field(default_factory=list)
    _read_of: dict[tuple[str, Area], Reads] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.job.book.iterate:
            raise UnsupportedError("the workbook is calculated by iteration")
        runtime = functions(date1904=self.job.book.date1904, mac=self.job.book.mac)
        self._calculator = Calculator(Lifted(self.job.calculator.scratch, runtime), runtime)
        self._formulas = Formulas(self.job, self.inputs)
        self._order()
        self._computed = frozenset((*self.inputs, *self.cells))

    @property
    def cells(self) -> list[Place]:
        """Return all cells that are computed."""
        return [place for step in self.steps for place in filled(step)]

    def needed_by(self, place: Place) -> list[Place]:
        """Return the cells that the formula of a cell refers to."""
        formula = self._formulas.at(place)
        return [] if formula is None else self._formulas.needed(formula)

    def run(
        self, given: Sequence[Column], size: int, wanted: Sequence[Place] | None = None
    ) -> list[Column]:
        """Return the wanted cells, or the outputs, in all draws; the work goes by chunks.

        Parameters
        ----------
        given : Sequence of Column
            The inputs in all draws.
        size : int
            Number of draws [-].
        wanted : Sequence, optional
            Cells; all that are computed may be asked for.
        """
        asked = list(self.outputs if wanted is None else wanted)
        parts = [
            self._chunk([_cut(one, start, size) for one in given], min(CHUNK, size - start), asked)
            for start in range(0, size, CHUNK)
        ]
        if len(parts) == 1:
            return parts[0]
        sizes = [min(CHUNK, size - start) for start in range(0, size, CHUNK)]
        return [_joined(pieces, sizes) for pieces in zip(*parts, strict=True)]

    def _chunk(self, given: Sequence[Column], size: int, asked: Sequence[Place]) -> list[Column]:
        values: dict[Place, Column] = dict(zip(self.inputs, given, strict=True))
        keep = set(asked)

        def read(sheet: str, area: Area) -> Sequence[Sequence[Column]]:
            return self._cells(sheet, area, values)

        evaluator = Evaluator(
            self.texts, self.functions, read, self._formulas.named, size, self._calculator
        )
        with np.errstate(all="ignore"):
            for step, dropped in zip(self.steps, self._dropped, strict=True):
                try:
                    self._take(step, evaluator, values)
                except UnsupportedError as refused:
                    raise UnsupportedError(f"{full_name(*step.place)}: {refused}") from refused
                for place in dropped:
                    if place not in keep:
                        del values[place]
        return [values[p] if p in values else self._constant(p) for p in asked]

    def _take(self, step: Formula, evaluator: Evaluator, values: dict[Place, Column]) -> None:
        tree, sheet = self._formulas.tree(step), step.place[0]
        if step.area is None:
            values[step.place] = evaluator.cell(tree, sheet)
            return
        grid = evaluator.array(tree, sheet)
        for row, column in step.area.cells():
            found = _fitted(grid, row - step.area.top, column - step.area.left)
            values[sheet, row, column] = found

    # --- order -----------------------------------------------------------------------------------

    def _order(self) -> None:
        """Put the formulas between inputs and outputs in an order in which each finds its own."""
        varying: dict[Place, bool] = dict.fromkeys(self.inputs, True)
        open_: set[Place] = set()
        stack = [(place, False) for place in self.outputs]
        while stack:
            place, seen = stack.pop()
            formula = self._formulas.at(place)
            home = place if formula is None else formula.place
            if seen:
                open_.discard(home)
                self._settle(home, varying)
            elif home in varying:
                continue
            elif formula is None or place in self.inputs:
                varying[home] = varying.get(place, False)
            elif home in open_:
                raise UnsupportedError(f"{full_name(*home)}: a circle of formulas")
            else:
                open_.add(home)
                stack.append((home, True))
                stack += [
                    (one, False) for one in self._formulas.needed(formula) if one not in varying
                ]
        last: dict[Place, int] = {}
        for i, step in enumerate(self.steps):
            for place in self._formulas.needed(step):
                last[place] = i
            for place in filled(step):
                last.setdefault(place, i)
        computed = set(self.cells)
        self._dropped = [[] for _ in self.steps]
        for place, i in last.items():
            if place in computed:
                self._dropped[i].append(place)

    def _settle(self, home: Place, varying: dict[Place, bool]) -> None:
        formula = self._formulas.at(home)
        assert formula is not None
        reached = any(self._varies(place, varying) for place in self._formulas.needed(formula))
        varying[home] = reached
        if not reached:
            return
        for place in filled(formula):
            if place in self._formulas.barred:
                raise UnsupportedError(f"{full_name(*place)}: {self._formulas.barred[place]}")
        for node in walk(self._formulas.tree(formula)):
            if not isinstance(node, Call) or node.name in KNOWN or node.name in self.functions:
                continue
            if not self._calculator.answers(node.name):
                raise UnsupportedError(f"{full_name(*home)}: {node.name}()")
        self.steps.append(formula)

    def _varies(self, place: Place, varying: Mapping[Place, bool]) -> bool:
        if place in varying:
            return varying[place]
        formula = self._formulas.at(place)
        return formula is not None and varying.get(formula.place, False)

    # --- values ----------------------------------------------------------------------------------

    def _cells(
        self, sheet: str, area: Area, values: Mapping[Place, Column]
    ) -> Sequence[Sequence[Column]]:
        key = (sheet, area)
        if key not in self._read_of:
            self._read_of[key] = self._reads(sheet, area)
        places, still = self._read_of[key]
        if still is not None:
            return still
        return [
            [values[place] if place in values else self._constant(place) for place in row]
            for row in places
        ]

    def _reads(self, sheet: str, area: Area) -> Reads:
        name = self._formulas.sheet(sheet)
        bottom = min(area.bottom, max(self._last_row(name), area.top))
        if (bottom - area.top + 1) * area.columns > _MOST_CELLS:
            raise UnsupportedError("a reference to very many cells")
        places = tuple(
            tuple((name, r, c) for c in range(area.left, area.right + 1))
            for r in range(area.top, bottom + 1)
        )
        if any(place in self._computed for row in places for place in row):
            return places, None
        return places, tuple(tuple(map(self._constant, row)) for row in places)

    def _last_row(self, sheet: str) -> int:
        return next(p.last_row for p in self.job.plans.values() if p.info.name == sheet)

    def _constant(self, place: Place) -> Column:
        if place not in self._constants:
            sheet, row, column = place
            raw = self.job.calculator.values(sheet, row, column, row, column)[0][0]
            value = self.job.calculator.value(raw)
            if isinstance(value, CalculatorError):
                raise UnsupportedError(f"{full_name(*place)}: {value.reason}")
            self._constants[place] = self.texts.of(value)
        return self._constants[place]


def _fitted(grid: Grid, r: int, c: int) -> Column:
    """Return what an array formula shows in one of its cells: `#N/A` beyond its result."""
    high, wide = grid.shape
    c = 0 if wide == 1 else c
    if grid.height is None:
        r = 0 if high == 1 else r
        return grid.rows[r][c] if r < high and c < wide else error(NA)
    inside = grid.rows[r][c] if r < high and c < wide else error(NA)
    found = merged(grid.height > r, inside, error(NA))
    if c < wide:
        found = merged(grid.height == 1, grid.rows[0][c], found)
    # An error in the place of a table fills all of its cells.
    return merged(np.isinf(grid.height), grid.rows[0][0], found)


def _cut(column: Column, start: int, size: int) -> Column:
    end = min(start + CHUNK, size)
    kind = column.kind[start:end] if isinstance(column.kind, np.ndarray) else column.kind
    num = column.num[start:end] if isinstance(column.num, np.ndarray) else column.num
    return Column(kind, num)


def _joined(pieces: Sequence[Column], sizes: Sequence[int]) -> Column:
    kinds = {piece.kind if isinstance(piece.kind, int) else None for piece in pieces}
    kind = kinds.pop() if len(kinds) == 1 else None
    nums = [
        np.broadcast_to(np.asarray(p.num, dtype=np.float64), (n,))
        for p, n in zip(pieces, sizes, strict=True)
    ]
    if kind is not None:
        return Column(kind, np.concatenate(nums))
    all_kinds = [
        np.broadcast_to(np.asarray(p.kind, dtype=np.uint8), (n,))
        for p, n in zip(pieces, sizes, strict=True)
    ]
    return Column(np.concatenate(all_kinds), np.concatenate(nums))
