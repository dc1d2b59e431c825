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
    if len(pairs) % 2 or not all(_is_single(c, scope) for c in criteria):
        return node
    if row.integer:
        asked = call(CRITERIA, Text("COUNT"), *pairs)
        if any(isinstance(c, Text) and c.value.lstrip(_OPERATORS) in CODES for c in criteria):
            return asked
        tests = [call("ISERROR", c) for c in criteria if isinstance(c, _MAY_FAIL)]
        if not tests:
            return node
        return call("IF", tests[0] if len(tests) == 1 else call("OR", *tests), asked, node)
    if total is None or not _is_range(total):
        return node
    asked = call(CRITERIA, Text(node.name.removesuffix("S").removesuffix("IF")), total, *pairs)
    return call("IF", call("ISERROR", call("SUM", total)), asked, node)


def _parts(node: Call, row: Native) -> tuple[Node | None, tuple[Node, ...]]:
    """Return what is added up, and the ranges with their criteria."""
    given = node.arguments
    if row.arguments.startswith("r("):
        return given[0], given[1:]
    if row.integer:
        return None, given
    return given[2] if len(given) > 2 else given[0], given[:2]


def _is_range(total: Node) -> bool:
    """Tell whether what is added up is a range: nothing else is taken there."""
    if isinstance(total, Call):
        return native(total.name).result == "reference"
    return isinstance(total, Reference | Name)


def _is_single(criterion: Node, scope: Scope) -> bool:
    """Tell whether a criterion is surely one value."""
    if isinstance(criterion, Call) and "one" in native(criterion.name).traits:
        return True
    if isinstance(criterion, Reference):
        return criterion.is_cell
    if isinstance(criterion, Name):
        return scope.names.defines(criterion.text) and not is_area(criterion, scope)
    if isinstance(criterion, Inlined | Array):
        return False
    return all(_is_single(part, scope) for part in children(criterion))
