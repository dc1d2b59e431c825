"""Whether a lookup of an exact value found it: its #N/A is its own only where it did not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from udfs.cells import CellError
from workbooks.excel.kinds import literal
from workbooks.excel.runtime.coerce import folded
from workbooks.formula.address import Area
from workbooks.formula.functions import native
from workbooks.formula.tree import Call, Logical, Missing, Node, Number, Text, bare, walk
from workbooks.recalc.precedents import Form, Precedents, Window, passing

#: Returns the values of an area of a sheet, by rows.
Read = Callable[[str, Area], Sequence[Sequence[Any]]]
# The place of the argument that says how it is searched, and what stands there for an exact value.
_MODES = {
    "VLOOKUP": (3, ("FALSE", "0")),
    "HLOOKUP": (3, ("FALSE", "0")),
    "MATCH": (2, ("0",)),
    "XMATCH": (2, ("0",)),
    "XLOOKUP": (4, ("0",)),
}
_UNLESS_GIVEN = ("XMATCH", "XLOOKUP")
_IF_NOT_FOUND = 3
_WILDCARDS = frozenset("*?~")


class Search(NamedTuple):
    """What is looked for, a value or a cell, and the cells in which it is."""

    value: Any
    cell: Window | None
    keys: Window


@dataclass(slots=True)
class Searches:
    """Tells of formulas whether a lookup in them finds nothing.

    Parameters
    ----------
    precedents : Precedents
        Knows what formulas refer to.
    read : Callable
        Gives the values of cells.
    """

    precedents: Precedents
    read: Read
    _keys: dict[tuple[str, Area], frozenset[Any]] = field(default_factory=dict)

    def of(self, form: Form) -> Iterator[Search]:
        """Yield the lookups of exact values whose #N/A a formula lets through."""
        tree = form.tree
        # Of a branch that is not taken nothing is known.
        if tree is None or any(
            isinstance(node, Call) and native(node.name).result == "branch" for node in walk(tree)
        ):
            return
        for node in passing(tree, "#N/A"):
            if not isinstance(node, Call) or not _is_exact(node):
                continue
            wanted, table = node.arguments[:2]
            cell = self.precedents.cell(wanted, form.place)
            tables = self.precedents.windows(table, form.place, "")
            known = cell is not None or isinstance(bare(wanted), Number | Text | Logical)
            if known and len(tables) == 1:
                yield Search(_value(wanted), cell, tables[0].searched_by(node.name))

    def misses(self, search: Search, row: int, column: int) -> bool:
        """Tell whether a lookup surely finds nothing, seen from this row and column."""
        wanted = search.value
        if search.cell is not None:
            wanted = self.read(search.cell.sheet, search.cell.area(row, column))[0][0]
        if isinstance(wanted, CellError) or (
            isinstance(wanted, str) and not _WILDCARDS.isdisjoint(wanted)
        ):
            return False
        area = search.keys.area(row, column)
        place = (search.keys.sheet.casefold(), area)
        if place not in self._keys:
            cells = (cell for line in self.read(search.keys.sheet, area) for cell in line)
            self._keys[place] = frozenset(_key(cell) for cell in cells)
        return _key(0.0 if wanted is None else wanted) not in self._keys[place]


def _is_exact(node: Call) -> bool:
    """Tell whether a call looks for an exact value, and is #N/A where there is none."""
    place, exact = _MODES.get(node.name, (0, ()))
    given = node.arguments
    if not exact or len(given) < 2:
        return False
    if node.name == "XLOOKUP" and not all(
        isinstance(a, Missing) for a in given[_IF_NOT_FOUND : _IF_NOT_FOUND + 1]
    ):
        return False
    if len(given) <= place:
        return node.name in _UNLESS_GIVEN
    return isinstance(given[place], Missing) or literal(given[place]) in exact


def _value(node: Node) -> Any:
    match bare(node):
        case Number(text):
            return float(text)
        case Text(value) | Logical(value):
            return value
        case _:
            return None


def _key(cell: Any) -> tuple[type, Any]:
    """Return what is equal of values that a lookup takes for equal."""
    return type(cell), folded(cell)
