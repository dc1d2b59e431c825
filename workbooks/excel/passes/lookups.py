"""Lookups of the next value: the calculator finds nothing in data without order, Excel does.

Where the calculator's own function finds nothing, ours searches as Excel does.
"""

from __future__ import annotations

from dataclasses import replace

from workbooks.calc.protocol import MATCHED, NEXT_LOOKUP, NEXT_MATCH
from workbooks.excel.context import Context
from workbooks.excel.kinds import literal
from workbooks.excel.marks import Marks
from workbooks.excel.runtime.coerce import plain_number
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Array,
    Call,
    Error,
    Inlined,
    Logical,
    Missing,
    Name,
    Node,
    Number,
    bottom_up,
    call,
)

_ZERO, _ONE = Number("0"), Number("1")
_NEXT, _HALVES, _WILD = ("-1", "1"), ("-2", "2"), "2"
_MISSING, _MODE = 3, 4


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset(("LOOKUP", "MATCH", "VLOOKUP", "HLOOKUP", "XMATCH", "XLOOKUP"))


def apply(tree: Node, _context: Context) -> Node:
    """Put LOOKUP in terms of MATCH, and XLOOKUP in terms of our own where it has to be."""
    return bottom_up(tree, _call)


def _call(node: Node) -> Node:
    if not isinstance(node, Call):
        return node
    if node.name == "LOOKUP" and len(node.arguments) in (2, 3):
        return _as_match(node)
    if node.name == "MATCH" and len(node.arguments) in (2, 3):
        return _searched(node)
    if node.name in ("VLOOKUP", "HLOOKUP") and len(node.arguments) in (3, 4):
        return _in_table(node)
    if node.name == "XMATCH" and len(node.arguments) in (3, 4):
        return _next(node, node.arguments[2:], NEXT_MATCH)
    if node.name == "XLOOKUP" and len(node.arguments) in (5, 6):
        return _next(node, node.arguments[_MODE:], NEXT_LOOKUP)
    return node


def _next(node: Call, modes: tuple[Node, ...], ours: str) -> Node:
    """Let our own search answer, where the next value is wanted or one is searched by halves."""
    mode = literal(modes[0]) or ("0" if isinstance(modes[0], Missing) else "")
    order = (literal(modes[1]) if not isinstance(modes[1], Missing) else "1") if modes[1:] else "1"
    by_halves = order in _HALVES
    unknown = plain_number(order) is not None and order not in (*_NEXT, *_HALVES)
    if unknown or (by_halves and mode == _WILD):
        wanted = node.arguments[0]
        return call("IF", call("ISERROR", wanted), wanted, Error("#VALUE!"))
    if not (mode in _NEXT and (by_halves or order in _NEXT)) and not (by_halves and mode == "0"):
        return node
    given = list(node.arguments)
    if ours == NEXT_LOOKUP and isinstance(given[_MISSING], Missing):
        # What is left out would come as 0.
        given[_MISSING] = Error("#N/A")
    place = _MODE if ours == NEXT_LOOKUP else 2
    if isinstance(given[place], Missing):
        given[place] = _ZERO
    return Call(ours, tuple(given))


def _as_match(node: Call) -> Node:
    """Put LOOKUP in terms of MATCH: the calculator's own stumbles over errors and mixed types."""
    wanted, vector, result = node.arguments[0], node.arguments[1], node.arguments[-1]
    is_range = isinstance(vector, Reference | Name | Inlined)
    if len(node.arguments) == 2 and (
        not _one_column(vector) if is_range else isinstance(vector, Array) and _is_table(vector)
    ):
        # A table, searched in its first row or column.
        return node
    if not is_range:
        # INDEX takes arrays in ordinary formulas too, as LOOKUP does.
        vector = call("INDEX", vector, Number("0"))
    found = call("MATCH", wanted, vector)
    # The calculator's MATCH wants the vector in order, which the largest of all values does not.
    ours = replace(found, name=MATCHED)
    return call("INDEX", result, _unless_truth(wanted, ours, call("IFNA", found, ours)))


def _unless_truth(wanted: Node, ours: Node, found: Node) -> Node:
    """Let our own search answer at once for a truth value, which the calculator takes for 1."""
    if isinstance(wanted, Logical):
        return ours
    if isinstance(wanted, Reference) and wanted.is_cell:
        return call("IF", call("ISLOGICAL", wanted), ours, found)
    return found


def _searched(node: Call) -> Node:
    """Let our own search follow, where MATCH looks for the next value and finds none."""
    order = _literal_of(node, 2)
    if order not in ("1", "-1", "TRUE"):
        return node
    if order == "-1":
        # The calculator's search of falling values stumbles over other kinds among them.
        return replace(node, name=MATCHED)
    ours = replace(node, name=MATCHED, arguments=node.arguments[:2])
    return _unless_truth(node.arguments[0], ours, call("IFNA", node, ours))


def _in_table(node: Call) -> Node:
    """Let our own search follow, where the first column or row of a table has no order."""
    order = _literal_of(node, 3)
    if order != "TRUE" and (plain_number(order) or 0.0) == 0.0:
        return node
    wanted, table, line = node.arguments[:3]
    down = node.name == "VLOOKUP"
    keys = call("INDEX", table, *((_ZERO, _ONE) if down else (_ONE, _ZERO)))
    found = call(MATCHED, wanted, keys)
    place = (found, line) if down else (line, found)
    ours = call("INDEX", table, *place)
    return _unless_truth(wanted, ours, call("IFNA", node, ours))


def _literal_of(node: Call, place: int) -> str:
    """Return how a lookup is asked to search, where that is written out."""
    if len(node.arguments) <= place:
        return "1"
    return literal(node.arguments[place])


def _one_column(vector: Node) -> bool:
    return isinstance(vector, Reference) and vector.first.column == vector.end.column


def _is_table(array: Array) -> bool:
    return len(array.rows) > 1 and len(array.rows[0]) > 1
