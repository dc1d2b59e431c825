"""SUMIF and its kin: an error in a cell that fits comes out, and errors can be counted.

The calculator passes over the errors of the cells that it adds up, and gives the error that is
asked for where Excel counts it. Its own function stays wherever no error is concerned.
"""

from __future__ import annotations

from udfs.cells import CODES
from workbooks.calc.protocol import CRITERIA
from workbooks.excel.context import Context, Scope
from workbooks.excel.kinds import is_area
from workbooks.formula.functions import Native, native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Array,
    Call,
    Error,
    Inlined,
    Name,
    Node,
    Operation,
    Text,
    bottom_up,
    call,
    children,
)

_OPERATORS = "=<>"
_MAY_FAIL = (Reference, Name, Error, Call, Operation)


def apply(tree: Node, context: Context) -> Node:
    """Ask for errors first."""
    return bottom_up(tree, lambda node: _call(node, context.scope))


def _call(node: Node, scope: Scope) -> Node:
    if not isinstance(node, Call):
        return node
    row = native(node.name)
    if "criteria" not in row.traits or len(node.arguments) < 2:
        return node
    total, pairs = _parts(node, row)
    criteria = pairs[1::2]
    if len(pairs) % 2 or not (row.integer or _is_range(total)):
        return node
    kind = "COUNT" if row.integer else node.name.removesuffix("S").removesuffix("IF")
    asked = call(CRITERIA, Text(kind), total, *pairs)
    if any(map(_names_error, criteria)):
        return asked
    # What is counted may be in error; what is added up may not.
    tests: list[Node] = [] if row.integer else [call("ISERROR", call("SUM", total))]
    tests += [_fails(c, scope) for c in criteria if isinstance(c, _MAY_FAIL)]
    if not tests:
        return node
    return call("IF", tests[0] if len(tests) == 1 else call("OR", *tests), asked, node)


def _parts(node: Call, row: Native) -> tuple[Node, tuple[Node, ...]]:
    """Return what is added up (what is counted has nothing), and the ranges with their criteria."""
    given = node.arguments
    if row.arguments.startswith("r("):
        return given[0], given[1:]
    if row.integer:
        return given[0], given
    return given[2] if len(given) > 2 else given[0], given[:2]


def _names_error(criterion: Node) -> bool:
    """Tell whether a criterion is written out, and asks for an error value."""
    if isinstance(criterion, Array):
        return any(map(_names_error, children(criterion)))
    if isinstance(criterion, Text):
        return criterion.value.lstrip(_OPERATORS).upper() in CODES
    return isinstance(criterion, Error)


def _fails(criterion: Node, scope: Scope) -> Node:
    """Return what is true where a criterion, or one of several, is an error value."""
    return call("ISERROR", criterion if _is_single(criterion, scope) else call("SUM", criterion))


def _is_range(total: Node) -> bool:
    """Tell whether what is added up is a range: nothing else is taken there."""
    if isinstance(total, Call):
        return native(total.name).result == "reference"
    return isinstance(total, Reference | Name)


def _is_single(criterion: Node, scope: Scope) -> bool:
    """Tell whether a criterion is surely one value."""
    if isinstance(criterion, Call):
        row = native(criterion.name)
        if "one" in row.traits or row.result == "array":
            return "one" in row.traits
    if isinstance(criterion, Reference):
        return criterion.is_cell
    if isinstance(criterion, Name):
        return scope.names.defines(criterion.text) and not is_area(criterion, scope)
    if isinstance(criterion, Inlined | Array):
        return False
    return all(_is_single(part, scope) for part in children(criterion))
