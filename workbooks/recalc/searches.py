"""Whether a lookup found something: its #N/A is its own only where it did not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from udfs.cells import CellError
from workbooks.excel.kinds import literal
from workbooks.excel.runtime.coerce import folded
from workbooks.excel.runtime.lookups import IN_ORDER, order_of, rising
from workbooks.formula.address import Area
from workbooks.formula.functions import native
from workbooks.formula.tree import Call, Logical, Missing, Node, Number, Sign, Text, bare, walk
from workbooks.recalc.precedents import Form, Precedents, Window, passing

#: Returns the values of an area of a sheet, by rows.
Read = Callable[[str, Area], Sequence[Sequence[Any]]]


class How(Enum):
    """What is looked for: the value, or the next one, in data in an order or in none."""

    EXACT = 0
    RISING = 1
    FALLING = 2
    SMALLER = 3
    LARGER = 4


_TABLE = {"FALSE": How.EXACT, "0": How.EXACT, "TRUE": How.RISING, "1": How.RISING}
_NEXT = {"0": How.EXACT, "-1": How.SMALLER, "1": How.LARGER}
# The place of the argument that says how it is searched, what may stand there, and what holds
# where it is not there.
_MODES: Mapping[str, tuple[int, Mapping[str, How], How]] = {
    "VLOOKUP": (3, _TABLE, How.RISING),
    "HLOOKUP": (3, _TABLE, How.RISING),
    "MATCH": (2, {"0": How.EXACT, "1": How.RISING, "-1": How.FALLING}, How.RISING),
    "LOOKUP": (3, {}, How.RISING),
    "XMATCH": (2, _NEXT, How.EXACT),
    "XLOOKUP": (4, _NEXT, How.EXACT),
}
# Where these have the order in which they search; any but these two is by halves.
_ORDERS = {"XMATCH": 3, "XLOOKUP": 5}
_FROM_AN_END = ("1", "-1")
_IF_NOT_FOUND = 3
_WILDCARDS = frozenset("*?~")


class Search(NamedTuple):
    """What is looked for, a value or a cell, the cells in which it is, and how."""

    value: Any
    cell: Window | None
    keys: Window
    how: How


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
    _cells: dict[tuple[str, Area], list[Any]] = field(default_factory=dict)
    _ends: dict[tuple[str, Area], list[Any]] = field(default_factory=dict)

    def of(self, form: Form) -> Iterator[Search]:
        """Yield the lookups whose #N/A a formula lets through."""
        tree = form.tree
        # Of a branch that is not taken nothing is known.
        if tree is None or any(
            isinstance(node, Call) and native(node.name).result == "branch" for node in walk(tree)
        ):
            return
        for node in passing(tree, "#N/A"):
            how = _how(node) if isinstance(node, Call) else None
            if how is None:
                continue
            assert isinstance(node, Call)
            wanted, table = node.arguments[:2]
            cell = self.precedents.cell(wanted, form.place)
            tables = self.precedents.windows(table, form.place, "")
            if (cell is not None or _value(wanted) is not None) and len(tables) == 1:
                keys = tables[0].searched_by(node.name)
                yield Search(_value(wanted), cell, keys, how)

    def misses(self, search: Search, row: int, column: int) -> bool:
        """Tell whether a lookup surely finds nothing, seen from this row and column."""
        wanted = search.value
        if search.cell is not None:
            wanted = self.read(search.cell.sheet, search.cell.area(row, column))[0][0]
        if isinstance(wanted, CellError):
            # Its error comes out, and none of the table's.
            return wanted.code == "#N/A"
        area = search.keys.area(row, column)
        if area.rows > 1 and area.columns > 1:
            return False
        place = (search.keys.sheet.casefold(), area)
        if place not in self._cells:
            rows = self.read(search.keys.sheet, area)
            self._cells[place] = [folded(cell) for line in rows for cell in line]
        return self._is_missing(wanted, place, search.how)

    def _is_missing(self, wanted: Any, place: tuple[str, Area], how: How) -> bool:
        cells = self._cells[place]
        value = 0.0 if wanted is None else folded(wanted)
        if how is How.EXACT:
            if isinstance(wanted, str) and not _WILDCARDS.isdisjoint(wanted):
                return False
            if place not in self._keys:
                self._keys[place] = frozenset((type(cell), cell) for cell in cells)
            return (type(value), value) not in self._keys[place]
        if how is How.RISING:
            return rising(value, cells) == 0
        if how is How.FALLING:
            first = next((cell for cell in cells if type(cell) is type(value)), None)
            return first is None or first < value
        if wanted is None:
            # A blank may be there.
            return False
        if place not in self._ends:
            found = [order_of(cell) for cell in cells if type(cell) in IN_ORDER]
            self._ends[place] = [min(found), max(found)] if found else []
        ends, key = self._ends[place], order_of(value)
        return not ends or (ends[0] > key if how is How.SMALLER else ends[1] < key)


def _how(node: Call) -> How | None:
    """Return how a call searches that is #N/A where it finds nothing; None where it is not sure."""
    given = node.arguments
    if node.name not in _MODES or len(given) < 2:
        return None
    place, modes, otherwise = _MODES[node.name]
    if node.name == "XLOOKUP" and not all(
        isinstance(a, Missing) for a in given[_IF_NOT_FOUND : _IF_NOT_FOUND + 1]
    ):
        return None
    order = given[_ORDERS.get(node.name, len(given)) :]
    if order and not isinstance(order[0], Missing) and literal(order[0]) not in _FROM_AN_END:
        return None
    if len(given) <= place:
        return otherwise
    return How.EXACT if isinstance(given[place], Missing) else modes.get(literal(given[place]))


def _value(node: Node) -> Any:
    match bare(node):
        case Number(text):
            return float(text)
        case Sign("-", Number(text)):
            return -float(text)
        case Text(value) | Logical(value):
            return value
        case _:
            return None
