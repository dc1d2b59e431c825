"""`A1#` where the array formula in A1 keeps its old value: the cells that Excel saved of it."""

from __future__ import annotations

from workbooks.excel.context import Context
from workbooks.excel.marks import Marks
from workbooks.formula.references import Reference, reference_to
from workbooks.formula.tree import Inlined, Name, Node, Spilled, bare, rebuilt

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((Spilled,))


def apply(tree: Node, context: Context) -> Node:
    """Put a range in the place of what an array formula fills that is not evaluated."""

    def change(node: Node) -> Node:
        if isinstance(node, Spilled):
            return _cells(node, context)
        return rebuilt(node, change)

    return change(tree)


def _cells(node: Spilled, context: Context) -> Node:
    scope = context.scope
    scope.asked.add("#")
    anchor = _anchor(node.operand, context) if scope.stays else None
    if anchor is None or anchor.to_sheet is not None or not anchor.is_cell:
        return node
    area = scope.stays.get(((anchor.sheet or context.sheet).casefold(), *anchor.area[:2]))
    return node if area is None else reference_to(area, anchor.sheet, fixed=True)


def _anchor(node: Node, context: Context) -> Reference | None:
    """Return the cell that is written before the sign."""
    node = bare(node)
    if isinstance(node, Inlined):
        node = node.tree
    if isinstance(node, Name) and node.sheet is None:
        name = context.scope.names.find(node.text, context.sheet)
        if name is not None and context.scope.names.is_simple(name):
            node = context.scope.names.tree(name)
    return node if isinstance(node, Reference) else None
