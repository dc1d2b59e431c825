"""AGGREGATE with a rank: LARGE, SMALL, percentiles and quartiles over what is no error."""

from __future__ import annotations

from dataclasses import replace

from workbooks.calc.protocol import RANKED
from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import Marks
from workbooks.formula.tree import Call, Node, Number, bottom_up

# From here on AGGREGATE takes an array and a rank.
_FIRST_RANK = 14
_PASS_OVER_ERRORS = ("4", "6")


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset(("AGGREGATE",))


def apply(tree: Node, _context: Context) -> Node:
    """Let our own function answer where a rank is asked for."""
    return bottom_up(
        tree, lambda n: _rank(n) if isinstance(n, Call) and n.name == "AGGREGATE" else n
    )


def _rank(node: Call) -> Call:
    numbers = [a.text for a in node.arguments[:2] if isinstance(a, Number)]
    if len(numbers) != 2 or not all(number.isdigit() for number in numbers):
        raise KeepOldValueError("the first two arguments of AGGREGATE must be plain numbers")
    if int(numbers[0]) < _FIRST_RANK:
        return node
    if numbers[1] not in _PASS_OVER_ERRORS:
        raise KeepOldValueError(f"AGGREGATE({numbers[0]},{numbers[1]}, ...) is not supported")
    return replace(node, name=RANKED, prefix="")
