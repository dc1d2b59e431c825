"""A workbook ready for blocks of draws, compiled where it can be, here or in another process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.uncertainty.draws import Plan, Sampling
from udfs.cells import CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.errors import BadInputError
from workbooks.recalc import setup_for
from workbooks.recalc.run import opened
from workbooks.scenarios.compiled.held import first_difference
from workbooks.scenarios.compiled.program import Program
from workbooks.scenarios.compiled.values import BOOL, NUMBER, Column, UnsupportedError
from workbooks.scenarios.drawn import Condition, Draws
from workbooks.scenarios.model import Model
from workbooks.scenarios.risks import Risks
from workbooks.scenarios.travelling import content_of

Array = NDArray[np.float64]

# Draws of the first block for which the calculator is asked whether it agrees.
_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Task:
    """Everything that decides what a block of draws gives; it travels to other processes.

    They get the workbook by its bytes: its `path` means nothing on another machine.

    `one_by_one` says why the workbook is not computed for many draws at once; empty where it is.
    """

    path: str
    risks: Risks
    outputs: tuple[str, ...]
    seed: int
    sampling: Sampling
    one_by_one: str = ""
    conditions: tuple[Condition, ...] = ()

    @property
    def plan(self) -> Plan:
        """What is drawn."""
        marginals = [risk.distribution for risk in self.risks.risks]
        return Plan(marginals, self.seed, self.sampling, self.risks.correlation)


class Runner:
    """A workbook ready for blocks of draws."""

    def __init__(self, task: Task, stack: ExitStack) -> None:
        setup = setup_for()
        job = stack.enter_context(opened(Path(task.path), setup))
        self.model = Model(job, task.risks.cells, task.outputs, setup.functions)
        self.model.check_numbers()
        self.program = None if task.one_by_one else self.model.compiled()
        self.reason = task.one_by_one or self.model.reason
        self.task = task
        self._job = job
        self._plan, self._outputs = task.plan, task.outputs

    def content(self) -> bytes:
        """Return the bytes of the workbook that is open, for those who open it elsewhere."""
        return content_of(Path(self.task.path), self._job)

    def checked(self, size: int) -> None:
        """Hold the compiled workbook against the calculator, and leave it where they differ."""
        if self.program is None:
            return
        drawn = self._plan.block(0, size)
        try:
            for place in np.unique(np.linspace(0, size - 1, _SAMPLES).astype(int)):
                scenario = [float(value) for value in drawn[:, place]]
                told = first_difference(self.program, scenario, self.model(scenario))
                if told is not None:
                    raise UnsupportedError(f"the calculator differs in draw {place + 1}: {told}")
        except UnsupportedError as refused:
            self.program, self.reason = None, str(refused)

    def block(self, number: int, size: int) -> Draws:
        """Return one block of draws with its results."""
        drawn = self._plan.block(number, size)
        if self.program is not None:
            given = [Column(NUMBER, row) for row in drawn]
            columns = self.program.run(given, size)
            found = [_numbers(self.program, column, size) for column in columns]
        else:
            rows = [self.model([float(v) for v in draw]) for draw in drawn.T]
            found = [
                _of_cells([row[i] for row in rows], name) for i, name in enumerate(self._outputs)
            ]
        return _labelled(drawn, found)


def _labelled(inputs: Array, found: Sequence[tuple[Array, Sequence[str]]]) -> Draws:
    """Return a block: `found` gives numbers, and what stands in the place of those that are NaN."""
    labels = tuple(sorted({label for _, told in found for label in told if label}))
    places = {label: place for place, label in enumerate(labels)} | {"": -1}
    codes = [np.array([places[label] for label in told], dtype=np.int16) for _, told in found]
    size = inputs.shape[1]
    wide = [c if len(c) else np.full(size, -1, dtype=np.int16) for c in codes]
    return Draws(inputs, np.array([values for values, _ in found]), np.array(wide), labels)


def _numbers(program: Program, column: Column, size: int) -> tuple[Array, list[str]]:
    """Return the numbers of an output, and what else it holds; no labels where all are numbers."""
    kind = np.broadcast_to(np.asarray(column.kind), (size,))
    num = np.broadcast_to(np.asarray(column.num, dtype=np.float64), (size,))
    plain = (kind == NUMBER) | (kind == BOOL)
    if plain.all():
        return np.array(num), []
    labels = [""] * size
    for place in np.flatnonzero(~plain):
        labels[place] = _label(program.texts.cell(int(kind[place]), float(num[place])))
    return np.where(plain, num, np.nan), labels


def _of_cells(cells: Sequence[Any], name: str) -> tuple[Array, list[str]]:
    values, labels = np.full(len(cells), np.nan), [""] * len(cells)
    for i, cell in enumerate(cells):
        if isinstance(cell, CalculatorError):
            raise BadInputError(f"{name} cannot be evaluated: {cell.reason}")
        if isinstance(cell, bool | float):
            values[i] = float(cell)
        else:
            labels[i] = _label(cell)
    return values, labels


def _label(cell: Any) -> str:
    return cell.code if isinstance(cell, CellError) else str(cell or "nothing")
