"""IF in an array formula: a blank cell of a branch counts as 0 beside an array of conditions.

Excel makes an array of the branches there, and an array has no blanks, so that AVERAGE, MIN and
COUNT of what IF gives see a 0. The calculator hands the blank on, which they pass over. Where the
condition is one value, Excel hands the cells on as well.
"""

from __future__ import annotations

from dataclasses import replace

from workbooks.excel.context import Context
from workbooks.excel.kinds import is_many
from workbooks.excel.marks import Marks
from workbooks.formula.functions import native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Call,
    Inlined,
    Joined,
    Name,
    Node,
    Number,
    Operation,
    Paren,
    bare,
    bottom_up,
    call,
)

_ZERO = Number("0")


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset(("IF",))


def apply(tree: Node, context: Context) -> Node:
    """Put 0 in the place of blank cells."""
    if not context.array:
        return tree
    return bottom_up(tree, lambda node: _call(node, context))


def _call(node: Node, context: Context) -> Node:
    if not isinstance(node, Call) or node.name != "IF" or not node.arguments:
        return node
    condition, *branches = node.arguments
    if not any(map(_has_cells, branches)) or not is_many(condition, context.scope, ranges=True):
        return node
    filled = (_filled(one) if _has_cells(one) else one for one in branches)
    return replace(node, arguments=(condition, *filled))


def _has_cells(branch: Node) -> bool:
    """Tell whether a branch may be cells as they are, blank ones among them."""
    inner = bare(branch) if isinstance(branch, Paren) else branch
    if isinstance(inner, Call):
        return native(inner.name).result == "reference"
    return isinstance(inner, Reference | Name | Inlined | Joined)


def _filled(branch: Node) -> Node:
    return call("IF", Operation("=", branch, _ZERO), _ZERO, branch)
