"""Uses of native functions for which the calculator gives something else than Excel."""

from __future__ import annotations

from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.kinds import literal
from workbooks.excel.marks import Marks, functions, marks
from workbooks.formula.functions import native
from workbooks.formula.tree import Call, Joined, Missing, Node, bare, bottom_up

_DATE_UNITS = ('"Y"', '"M"', '"D"', '"YM"', '"MD"')
_A1_STYLE = ("TRUE", "1")


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = marks(Joined, "DATEDIF", "INDIRECT") | functions(handled="refused")


def apply(tree: Node, _context: Context) -> Node:
    """Let the cell keep its value."""
    return bottom_up(tree, _checked)


def _checked(node: Node) -> Node:
    if isinstance(node, Joined) and node.operator == ":":
        for side in (bare(node.left), bare(node.right)):
            if isinstance(side, Call) and "XLOOKUP" in side.name:
                raise KeepOldValueError("XLOOKUP as the end of a range is not supported")
    if not isinstance(node, Call):
        return node
    if native(node.name).handled == "refused":
        raise KeepOldValueError(f"{node.name} is not supported: {native(node.name).why}")
    unit = literal(node.arguments[-1]).upper() if node.arguments else ""
    if node.name == "DATEDIF" and unit not in _DATE_UNITS:
        raise KeepOldValueError("DATEDIF is supported with the units Y, M, D, YM and MD alone")
    if (
        node.name == "INDIRECT"
        and len(node.arguments) > 1
        and not isinstance(node.arguments[1], Missing)
        and literal(node.arguments[1]).upper() not in _A1_STYLE
    ):
        raise KeepOldValueError("INDIRECT in R1C1 style is not supported")
    return node
