"""INDEX of one error: the calculator gives #REF! for what lies beyond it, Excel gives the error.

Only a value can be an error as a whole. What is a reference stays: beyond its cells there is none.
"""

from __future__ import annotations

from workbooks.excel.context import Context
from workbooks.excel.marks import Marks
from workbooks.formula.functions import native
from workbooks.formula.tree import (
    Call,
    Error,
    Missing,
    Name,
    Node,
    Number,
    Operation,
    Paren,
    Percent,
    Sign,
    bare,
    bottom_up,
    call,
)

_ARRAY = Name("tb_array")
_ZERO, _ONE = Number("0"), Number("1")


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset(("INDEX",))


def apply(tree: Node, context: Context) -> Node:
    """Let INDEX of a computed array give the error that the array is."""

    def change(node: Node) -> Node:
        if not isinstance(node, Call) or node.name != "INDEX" or len(node.arguments) not in (2, 3):
            return node
        array, *places = node.arguments
        first = all(isinstance(place, Missing) or place in (_ZERO, _ONE) for place in places)
        if first or not _may_be_error(bare(array), context):
            return node
        one = Operation("=", Operation("*", call("ROWS", _ARRAY), call("COLUMNS", _ARRAY)), _ONE)
        failed = call("IF", one, call("ISERROR", _ARRAY))
        return call(
            "LET", _ARRAY, array, call("IF", failed, _ARRAY, call("INDEX", _ARRAY, *places))
        )

    return bottom_up(tree, change)


def _may_be_error(node: Node, context: Context) -> bool:
    """Tell whether a part of a formula is a value, which may be one error."""
    if isinstance(node, Call):
        gives_cells = native(node.name).result in ("reference", "branch")
        return node.name in context.scope.own or not gives_cells
    return isinstance(node, Operation | Sign | Percent | Paren | Error)
