"""Ways of writing that the calculator takes otherwise than Excel."""

from __future__ import annotations

from dataclasses import replace

from workbooks.excel.context import Context
from workbooks.excel.marks import SEVERAL, Marks
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Inlined,
    Name,
    Node,
    Number,
    Operation,
    Single,
    Spilled,
    bottom_up,
    call,
)

_ZERO = Number("0")


#: What concerns the pass (see `workbooks.excel.marks`).
SINGLES: Marks = frozenset((Single,))


def single(tree: Node, _context: Context) -> Node:
    """Write `@A1:A9` as `@INDEX(A1:A9,0,0)`: else a blank cell would become a number."""

    def change(node: Node) -> Node:
        if isinstance(node, Single) and isinstance(node.operand, Reference | Name | Inlined):
            return Single(call("INDEX", node.operand, _ZERO, _ZERO))
        return node

    return bottom_up(tree, change)


#: What concerns the pass (see `workbooks.excel.marks`).
SPILLS: Marks = frozenset((Spilled,))


def spilled(tree: Node, _context: Context) -> Node:
    """Let `A1#` be A1 where its result is one cell: the calculator finds nothing there."""

    def change(node: Node) -> Node:
        if not isinstance(node, Spilled):
            return node
        cells = call("IFERROR", call("ROWS", node), _ZERO)
        return call("IF", Operation("=", cells, _ZERO), node.operand, node)

    return bottom_up(tree, change)


#: What concerns the pass (see `workbooks.excel.marks`).
RANGES: Marks = frozenset((Reference,))


def in_order(tree: Node, context: Context) -> Node:
    """Write ranges from their first cell to their last, where the calculator needs it."""
    if not context.scope.careful:
        return tree
    return bottom_up(tree, lambda n: n.in_order() if isinstance(n, Reference) else n)


#: What concerns the pass (see `workbooks.excel.marks`).
OF_SEVERAL: Marks = frozenset((SEVERAL,))


def one_cell(tree: Node, _context: Context) -> Node:
    """Write `A2:A2` as A2: the calculator finds no cell of it in other rows than this."""
    return bottom_up(tree, lambda n: _one_cell(n) if isinstance(n, Reference) else n)


def _one_cell(node: Reference) -> Reference:
    last = node.last
    if last is None or node.to_sheet or node.whole_columns or node.whole_rows:
        return node
    one = node.first.row == last.row and node.first.column == last.column
    return replace(node, last=None) if one else node
