"""Structured references become references to cells: the calculator has no tables.

`Sales[Qty]` covers the same cells wherever it stands; `Sales[@Qty]` is the cell in the formula's
own row, and #VALUE! beside the table.
"""

from __future__ import annotations

from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import Marks
from workbooks.formula.structured import TableError
from workbooks.formula.tree import Name, Node, TableReference, rebuilt

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((TableReference, Name))


def apply(tree: Node, context: Context) -> Node:
    """Put cells in the place of references into tables."""

    def change(node: Node) -> Node:
        if isinstance(node, TableReference):
            return _cells(node, context)
        if isinstance(node, Name) and node.sheet is None:
            return context.scope.tables.named(node.text) or node
        return rebuilt(node, change)

    return change(tree)


def _cells(node: TableReference, context: Context) -> Node:
    try:
        cells, limits = context.scope.tables.resolved(node.text, lambda: context.place)
    except TableError as error:
        raise KeepOldValueError(str(error)) from error
    if limits is not None:
        context.notes.limits.append(limits)
    return cells
