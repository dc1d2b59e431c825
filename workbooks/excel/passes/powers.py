"""Powers: 0^0 is #NUM! in Excel, and 1 in the calculator; 0 to a negative power is #DIV/0!.

`POWER` is answered by our own function, which knows. A power whose exponent is a number above 0,
or whose base is a number other than 0, stays an operator.
"""

from __future__ import annotations

from workbooks.excel.context import Context
from workbooks.excel.marks import Marks
from workbooks.formula.tree import Node, Number, Operation, bare, bottom_up, call

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset("^")


def apply(tree: Node, _context: Context) -> Node:
    """Ask `POWER` where base and exponent may both be 0, or the exponent negative."""
    return bottom_up(tree, _power)


def _power(node: Node) -> Node:
    if not isinstance(node, Operation) or node.operator != "^":
        return node
    if _is_above_zero(node.left) or _is_above_zero(node.right):
        return node
    return call("POWER", node.left, node.right)


def _is_above_zero(node: Node) -> bool:
    literal = bare(node)
    return isinstance(literal, Number) and float(literal.text) > 0.0
