"""The page's calculator held against recalculation, cell by cell, before and after changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.formula.address import full_name
from workbooks.page.choosing import Choice, Field
from workbooks.page.graph import Graph, places_of
from workbooks.page.places import Place
from workbooks.page.reading import Workbook
from workbooks.page.rules import Allowed
from workbooks.recalc import setup_for
from workbooks.recalc.inputs import resolve
from workbooks.recalc.job import Job
from workbooks.recalc.run import opened

#: Two calculators that round at other places still agree to this; the page's has 15 digits.
RELATIVE, ABSOLUTE = 1e-9, 1e-12
# The 15 digits of a number, summed over the months of a plan, leave this of it unsure.
_LAST_DIGITS = 1e-12
# How many formulas are computed to try one choice of each list.
_MOST_FORMULAS = 20_000
# By how much numbers are moved, one after the other, so that few changes cancel out.
_MOVES = (1.03, 0.97, 1.07, 0.96)

Change = Mapping[Place, Cell]


class Recalculation:
    """A workbook as recalculation computes it, with its inputs set."""

    def __init__(self, job: Job, workbook: Workbook) -> None:
        self._job, self._book = job, workbook
        self._changed: set[Place] = set()
        job.fixed = False
        job.evaluate()

    def change(self, change: Change) -> None:
        """Compute the workbook with some cells set, all others as in the file."""
        again = {place: self._book.value(place) for place in self._changed - change.keys()}
        self._changed = set(change)
        given = [(full_name(self._book.sheets[p.sheet], p.row, p.column), value)
                 for p, value in {**again, **change}.items()]  # fmt: skip
        names = self._job.pipeline.scope.names
        self._job.set_values(resolve(given, self._job.book, names, force=False))

    def values(self, places: Iterable[Place]) -> dict[Place, Cell]:
        """Return the values of cells; what is not evaluated is left out."""
        calculator = self._job.calculator
        kept = {plan.info.name: plan.kept for plan in self._job.plans.values()}
        wanted: dict[tuple[int, int], list[int]] = {}
        for place in places:
            wanted.setdefault((place.sheet, place.column), []).append(place.row)
        found: dict[Place, Cell] = {}
        for (sheet, column), rows in wanted.items():
            name = self._book.sheets[sheet]
            top, bottom = min(rows), max(rows)
            values = calculator.values(name, top, column, bottom, column)
            for row in rows:
                value = calculator.value(values[row - top][0])
                if (row, column) not in kept.get(name, {}) and not isinstance(
                    value, CalculatorError
                ):
                    found[Place(sheet, row, column)] = value
        return found


@contextmanager
def recalculated(path: Path, workbook: Workbook) -> Iterator[Recalculation]:
    """Open a workbook and compute it as it stands."""
    with opened(path, setup_for()) as job:
        yield Recalculation(job, workbook)


@dataclass(frozen=True)
class Difference:
    """A cell for which the page's calculator has another value, and after which change."""

    place: Place
    ours: Cell
    theirs: Cell
    change: str


def compare(
    recalculation: Mapping[Place, Cell], theirs: Mapping[Place, Cell], change: str, graph: Graph
) -> list[Difference]:
    """Return the cells whose values differ."""
    found = [
        Difference(place, recalculation.get(place), value, change)
        for place, value in theirs.items()
        if place not in recalculation or not agree(recalculation[place], value)
    ]
    return [one for one in found if not _rounding(one, recalculation, graph)]


def unlike(recalculation: Mapping[Place, Cell], theirs: Mapping[Place, Cell]) -> dict[Place, Cell]:
    """Return what the page's calculator has in the cells that are alike only but for rounding."""
    return {p: value for p, value in theirs.items() if not agree(recalculation.get(p), value)}


def _rounding(one: Difference, values: Mapping[Place, Cell], graph: Graph) -> bool:
    """Tell whether a cell differs by no more than the last digits of what it reads.

    A difference of two numbers that are nearly the same has few digits of its own.
    """
    if not (isinstance(one.ours, float) and isinstance(one.theirs, float)):
        return False
    read = (
        abs(value)
        for block in graph.blocks.get(one.place, ())
        for place in places_of(block)
        if isinstance(value := values.get(place), float)
    )
    return abs(one.ours - one.theirs) <= _LAST_DIGITS * max(read, default=0.0)


def agree(ours: Cell, theirs: Cell) -> bool:
    """Tell whether two values are the same, up to the last digits of a number."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs) <= max(ABSOLUTE, RELATIVE * max(abs(ours), abs(theirs)))
    if isinstance(ours, CellError) and isinstance(theirs, CellError):
        # Only #N/A means something of its own; the last two are what a calculator does not know.
        told = {ours.code, theirs.code}
        return len(told) == 1 or not told & {"#N/A", "#NAME?", "#N/IMPL!"}
    if ours in (None, "", 0.0) and theirs in (None, "", 0.0):
        # A reference to a blank cell.
        return ours == theirs or None in (ours, theirs)
    return type(ours) is type(theirs) and ours == theirs


def changes(
    workbook: Workbook, fields: Sequence[Field], scenario: Choice | None, formulas: int
) -> list[tuple[str, Change]]:
    """Return changes to try: in each scenario all of its numbers moved, and other choices.

    `formulas` says how many are computed for each of them.
    """
    found: list[tuple[str, Change]] = []
    for number, option in enumerate(scenario.options if scenario else ("",)):
        change: dict[Place, Cell] = {}
        for i, field in enumerate(fields):
            cells = field.cells if scenario and scenario.beside else (
                field.cells[min(number, len(field.cells) - 1)],
            )  # fmt: skip
            for place in cells:
                moved = _moved(workbook.value(place), field, _MOVES[(i + number) % len(_MOVES)])
                if moved is not None:
                    change[place] = moved
        if scenario is not None:
            change[scenario.place] = option
        found.append((f"in the scenario {option}" if option else "with all numbers moved", change))
    lists = [
        (field, place, other)
        for field in fields
        for place in field.cells[:1]
        if (other := _other(workbook, field.allowed, place)) is not None
    ]
    # Each by itself: many choices at once seldom go together.
    for field, place, other in lists[: max(1, _MOST_FORMULAS // max(formulas, 1))]:
        found.append((f"with {field.label} as {other}", {place: other}))
    return found


def _moved(value: Cell, field: Field, by: float) -> float | None:
    """Return another number that an input may be; None where there is none at hand."""
    if not isinstance(value, float) or isinstance(value, bool):
        return None
    if field.allowed.listed is not None or field.allowed.area is not None:
        return None
    moves = [value * by, value * (2 - by), value + 1, value - 1]
    if value == 0:
        moves = [0.01, 0.1, 1.0, -0.01]
    if value == int(value) and abs(value) < 1e5 and not re.search(r"[.%]", field.format):
        # What counts something, or is a day, stays whole; 0 is often where a table has to begin.
        moves = [value + 1, value - 1] if value else []
    return next((m for m in moves if fits(m, field.allowed)), None)


def fits(value: float, allowed: Allowed) -> bool:
    """Tell whether a number is one that an input may be."""
    if allowed.whole and value != int(value):
        return False
    if allowed.low is not None and (
        value < allowed.low or (allowed.low_open and value == allowed.low)
    ):
        return False
    return allowed.high is None or not (
        value > allowed.high or (allowed.high_open and value == allowed.high)
    )


def _other(workbook: Workbook, allowed: Allowed, place: Place) -> Cell:
    """Return the next choice of a list; None where there is no list."""
    texts = allowed.texts(workbook)
    value = workbook.value(place)
    now = f"{value:.15g}" if isinstance(value, float) else value
    if now not in texts or len(texts) < 2:
        return None
    chosen = texts[(texts.index(now) + 1) % len(texts)]
    return float(chosen) if isinstance(value, float) else chosen
