"""What is known of a sheet once it has been read."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from udfs.cells import Cell
from workbooks.formula.address import Area
from workbooks.ooxml.book import SheetInfo
from workbooks.ooxml.scan import ROW, STEP, SplitRows


class ArrayCells(NamedTuple):
    """An array formula and the cells that it fills; a dynamic one has a number for its result."""

    area: Area
    spill: int | None
    text: str


class DataTable(NamedTuple):
    """A what-if table: the cells it fills, and the input cells it varies.

    `row_input` takes the values above the table, `column_input` those to its left; one of them
    may be missing.
    """

    area: Area
    row_input: tuple[int, int] | None
    column_input: tuple[int, int] | None


class Formulas(NamedTuple):
    """The formulas of a run of rows: where they stand, and what was computed before evaluation.

    `known` holds a value for each, None for those that are the calculator's; it is empty where all
    are.
    """

    rows: array[int]
    columns: array[int]
    known: Sequence[Cell]

    @property
    def waiting(self) -> bool:
        """Whether any is left to the calculator."""
        return len(self.known) < len(self.rows) or None in self.known


@dataclass(slots=True)
class SheetPlan:
    """What is known of a sheet once it has been read."""

    info: SheetInfo
    formulas: int = 0
    last_row: int = 0
    arrays: list[ArrayCells] = field(default_factory=list)
    tables: list[DataTable] = field(default_factory=list)
    kept: dict[tuple[int, int], str] = field(default_factory=dict)
    runs: list[Formulas] = field(default_factory=list)
    values: list[list[Any]] | None = None
    shared: dict[bytes, str] = field(default_factory=dict)
    given: dict[tuple[int, int], Cell] = field(default_factory=dict)
    #: Array formulas and data tables that were not evaluated, by their first cell.
    left: dict[tuple[int, int], Area] = field(default_factory=dict)
    #: What array formulas and data tables fill, where it holds a formula element without a text.
    children: set[tuple[int, int]] = field(default_factory=set)
    #: Whether a formula gives a text that the calculator reads otherwise than Excel.
    odd: bool = False

    @property
    def staying(self) -> dict[tuple[int, int], Area]:
        """Array formulas that keep their old values, by their first cell."""
        kept = ((a.area.top, a.area.left, a.area) for a in self.arrays if a.spill is not None)
        return self.left | {
            (top, left): area for top, left, area in kept if (top, left) in self.kept
        }

    @property
    def computed(self) -> bool:
        """Whether any formula was computed before the calculator saw it."""
        return any(run.known for run in self.runs)

    def note(self, parts: SplitRows, known: Sequence[Cell]) -> None:
        """Remember where the formulas of a run of rows stand, and what is known of them."""
        self.formulas += len(parts) // STEP
        self.runs.append(Formulas(*parts.places, known))

    def filled(self, parts: list[bytes]) -> bool:
        """Tell whether an array formula or data table may fill cells beside these formulas."""
        rows = parts[ROW::STEP]
        areas = [*(a.area for a in self.arrays), *(t.area for t in self.tables)]
        return any(a.top <= int(rows[-1]) and a.bottom >= int(rows[0]) for a in areas if rows)
