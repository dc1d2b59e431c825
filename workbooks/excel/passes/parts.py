"""Rows and columns that are put beside each other, or chosen by several numbers at once.

The calculator's `VSTACK` and `HSTACK` want parts of one size, where Excel fills up with #N/A: our
own answers where they are not sure to be. Its `CHOOSECOLS` and `CHOOSEROWS` want a number in each
argument.
"""

from __future__ import annotations

from dataclasses import replace

from workbooks.calc.protocol import STACKED
from workbooks.excel.context import Context, KeepOldValueError, Scope
from workbooks.excel.kinds import is_many
from workbooks.excel.marks import Marks
from workbooks.formula.references import Reference
from workbooks.formula.tree import Array, Call, Node, Number, Text, bottom_up, children

_CHOOSING = ("CHOOSECOLS", "CHOOSEROWS")
_STACKING = ("HSTACK", "VSTACK")

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((*_CHOOSING, *_STACKING))


def apply(tree: Node, context: Context) -> Node:
    """Put such calls in terms that the calculator gets right."""
    return bottom_up(tree, lambda node: _call(node, context.scope))


def _call(node: Node, scope: Scope) -> Node:
    if not isinstance(node, Call) or not node.arguments:
        # Without arguments it is no formula of Excel's: the calculator tells what is wrong.
        return node
    if node.name in _STACKING:
        sizes = {_across(part, down=node.name == "HSTACK") for part in node.arguments}
        if len(sizes) == 1 and None not in sizes:
            return node
        return Call(STACKED, (Text(node.name), *node.arguments))
    return _chosen(node, scope) if node.name in _CHOOSING else node


def _across(part: Node, *, down: bool) -> int | None:
    """Return how wide a part is, or how high; None where it is not known."""
    match part:
        case Array(rows):
            return len(rows) if down else len(rows[0])
        case Reference() if part.to_sheet is None and not down:
            return None if part.whole_rows else part.width
        case Reference() if part.is_cell:
            return 1
        case Number() | Text():
            return 1
        case _:
            return None


def _chosen(node: Call, scope: Scope) -> Node:
    """Write the numbers of an array as arguments; refuse what may be several and is not one."""
    array, *numbers = node.arguments
    given: list[Node] = []
    for number in numbers:
        if isinstance(number, Array):
            given += children(number)
        elif is_many(number, scope, ranges=True):
            raise KeepOldValueError(f"{node.name} by numbers that are computed as an array")
        else:
            given.append(number)
    return node if given == numbers else replace(node, arguments=(array, *given))
