"""What a pass may know besides the formula: the workbook, and the formula's own cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from workbooks.formula.address import Area
from workbooks.formula.names import Names
from workbooks.formula.references import NeedsRowError
from workbooks.formula.structured import Tables
from workbooks.formula.tree import Node
from workbooks.ooxml.hidden import HiddenRows


class KeepOldValueError(ValueError):
    """The formula cannot be evaluated here: its cell keeps its old value; the message says why."""


class Place(NamedTuple):
    """The cell that a formula stands in."""

    sheet: str
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Own:
    """What the passes have to know of a worksheet function of ours."""

    arrays: bool


class Fill(NamedTuple):
    """The cells that an array formula was entered in."""

    rows: int
    columns: int


class Spill(NamedTuple):
    """A dynamic array formula, by the number under which its shape is noted."""

    number: int


@dataclass(frozen=True, slots=True)
class Scope:
    """A workbook, as the passes see it.

    Parameters
    ----------
    names : Names
        The defined names.
    tables : Tables
        The tables.
    sheets : Sequence of str
        The sheets in their order.
    own : Mapping
        The worksheet functions of ours by their names in upper case.
    knows : Callable
        Tells whether the calculator has a function.
    hidden : HiddenRows, optional
        The hidden rows, which SUBTOTAL passes over.
    careful : bool
        Turn round the ranges that are written from their end, at which the calculator gives up.
    stays : Mapping
        The cells of array formulas that keep their old values, by sheet in lower case, row and
        column of the first.
    asked : set
        Holds a `#` once a formula has asked for the cells that an array formula fills.
    texts : frozenset
        The sheets, in lower case, that hold texts which the calculator reads otherwise than Excel.
    """

    names: Names
    tables: Tables
    sheets: Sequence[str]
    own: Mapping[str, Own]
    knows: Callable[[str], bool]
    hidden: HiddenRows | None = None
    careful: bool = False
    stays: Mapping[tuple[str, int, int], Area] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    texts: frozenset[str] = frozenset()

    def gives_arrays(self, name: str) -> bool:
        """Tell whether a function of ours returns a row, a column or a table."""
        return name in self.own and self.own[name].arrays


@dataclass(slots=True)
class Notes:
    """What the passes found out on the way about a formula that stands in many rows.

    `limits` are rows outside which it is #VALUE!; `holds` are rows outside which it has to be
    read for itself; `placed` says that it hangs on its own place.
    """

    limits: list[tuple[int, int]] = field(default_factory=list)
    holds: list[tuple[int, int]] = field(default_factory=list)
    placed: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one formula.

    Parameters
    ----------
    scope : Scope
        The workbook.
    sheet : str
        The sheet that the formula stands in.
    at : Place, optional
        Its cell; None while it is rewritten for all rows at once.
    target : Fill or Spill, optional
        Where the result of an array formula goes; None for an ordinary formula.
    rewrite_name : Callable
        Puts the formula of a defined name through the passes.
    depth : int
        How many names it is inside of [-].
    notes : Notes
        What was found out.
    """

    scope: Scope
    sheet: str
    at: Place | None
    target: Fill | Spill | None
    rewrite_name: Callable[[Node, Context], Node]
    depth: int = 0
    notes: Notes = field(default_factory=Notes)

    @property
    def array(self) -> bool:
        """Whether it is an array formula, in which a range is an array."""
        return self.target is not None

    @property
    def place(self) -> Place:
        """The formula's own cell; asks for the row."""
        self.notes.placed = True
        if self.at is None:
            raise NeedsRowError
        return self.at

    @property
    def filled(self) -> int:
        """How many cells it fills [-]."""
        return self.target.rows * self.target.columns if isinstance(self.target, Fill) else 1

    def in_name(self) -> Context:
        """Return the surroundings of the formula of a name: Excel evaluates it as an array one."""
        return replace(self, target=Fill(1, 1), depth=self.depth + 1)
