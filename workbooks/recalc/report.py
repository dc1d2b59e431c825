"""What a recalculation did, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from udfs.cells import Cell

#: Cells listed by name in a report; the counts are always exact.
LISTED = 10_000


class Change(NamedTuple):
    """A cell whose value is no longer what the file held."""

    address: str
    old: Cell
    new: Cell


class CellProblem(NamedTuple):
    """A cell that shows an error value, and why.

    `root` is the cell in which the error begins, the cell itself where it does, and `followers`
    how many others have their error from it [-]. Each cell is counted for one root alone: the
    first that its formula meets. `input` is the cell whose value is what a function refuses.
    """

    address: str
    function: str
    code: str
    reason: str
    root: str = ""
    followers: int = 0
    input: str = ""


class Cause(NamedTuple):
    """Where errors begin: an input that is refused, or a formula, and `alike` others like it [-].

    `first` is the first formula in error, the cell itself where it is no input. `followers` counts
    the cells that have their error from there, and are not counted before [-].
    """

    address: str
    function: str
    code: str
    reason: str
    first: str
    alike: int
    followers: int


class Unevaluated(NamedTuple):
    """A cell that kept its old value because its formula could not be evaluated."""

    address: str
    reason: str


class Unreproduced(NamedTuple):
    """A cell that does not come out as Excel saved it, with both values."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What changed since a workbook was computed, and the cells that moved because of it.

    `cells` lists the first 10,000 with their values before and now, nothing set; `count` counts
    them all.
    """

    what: str
    before: str
    now: str
    count: int
    cells: list[Change]

    @property
    def reason(self) -> str:
        """Why the cells moved."""
        return f"the {self.what} changed from {self.before} to {self.now}"


@dataclass(slots=True)
class Report:
    """What was done to a workbook.

    `changed` and `unevaluated` list the first 10,000 cells each, sheet by sheet; `changed_count`,
    `error_count` and `unevaluated_count` count them all. `errors` has every formula in error:
    those in which an error begins first, by how many follow, and then the others. `causes` says in
    few lines where errors begin, the one with most followers first. `unreproduced` are the cells
    that do not come out as Excel saved them; `baseline` says why they were not looked for.
    `moved` tells what changed since the workbook was computed, and which cells moved because of it.
    """

    evaluated: int = 0
    changed: list[Change] = field(default_factory=list)
    changed_count: int = 0
    errors: list[CellProblem] = field(default_factory=list)
    error_count: int = 0
    causes: list[Cause] = field(default_factory=list)
    unevaluated: list[Unevaluated] = field(default_factory=list)
    unevaluated_count: int = 0
    unreproduced: list[Unreproduced] = field(default_factory=list)
    unreproduced_count: int = 0
    baseline: str = ""
    moved: list[Moved] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether every formula was evaluated, as Excel did, and none came out as an error."""
        return not (self.error_count or self.unevaluated_count or self.unreproduced_count)

    def add(self, other: Report) -> None:
        """Take in the cells of another report."""
        self.evaluated += other.evaluated
        for kind in ("changed", "unevaluated"):
            listed: list[object] = getattr(self, kind)
            listed += getattr(other, kind)[: LISTED - len(listed)]
        self.changed_count += other.changed_count
        self.error_count += other.error_count
        self.unevaluated_count += other.unevaluated_count

    def add_change(self, change: Change) -> None:
        """Count a changed cell, and list it while there is room."""
        self.changed_count += 1
        if len(self.changed) < LISTED:
            self.changed.append(change)

    def add_unreproduced(self, cell: Unreproduced) -> None:
        """Count a cell that does not come out as saved, and list it while there is room."""
        self.unreproduced_count += 1
        if len(self.unreproduced) < LISTED:
            self.unreproduced.append(cell)

    def add_unevaluated(self, cell: Unevaluated) -> None:
        """Count a cell that kept its old value, and list it while there is room."""
        self.unevaluated_count += 1
        if len(self.unevaluated) < LISTED:
            self.unevaluated.append(cell)
