"""Arguments that are left out between commas: the calculator takes each for 0.

Excel takes them for what the function's page says, so that `LINEST(y,,FALSE)` has an intercept, and
`SEQUENCE(,4)` one row. Functions that read what is left out as 0 in Excel too are not among these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from workbooks.excel.context import Context
from workbooks.excel.marks import Marks
from workbooks.formula.tree import Call, Logical, Missing, Node, Number, bottom_up, call

_ONE, _TRUE = Number("1"), Logical(True)
#: What stands for an argument, by its place from 0 on.
_DEFAULTS: Mapping[str, Mapping[int, Node]] = {
    "ADDRESS": {2: _ONE, 3: _TRUE},
    "CEILING.MATH": {1: _ONE},
    "FLOOR.MATH": {1: _ONE},
    "GROWTH": {3: _TRUE},
    "LINEST": {2: _TRUE},
    "LOGEST": {2: _TRUE},
    "RANDARRAY": {0: _ONE, 1: _ONE, 3: _ONE},
    "SEQUENCE": {0: _ONE, 1: _ONE, 2: _ONE, 3: _ONE},
    "TREND": {3: _TRUE},
}
# Where these are asked for no other values, they give those of the known ones, which without x
# are counted: 1, 2, 3, ...
_FITTED = ("GROWTH", "TREND")
_KNOWN, _NEW = 1, 2

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset(_DEFAULTS)


def apply(tree: Node, _context: Context) -> Node:
    """Write out what stands for the arguments that are left out."""
    return bottom_up(tree, _call)


def _call(node: Node) -> Node:
    if not isinstance(node, Call) or node.name not in _DEFAULTS:
        return node
    given = list(node.arguments)
    if node.name in _FITTED and len(given) > _NEW:
        if isinstance(given[_KNOWN], Missing):
            shape = (call("ROWS", given[0]), call("COLUMNS", given[0]))
            given[_KNOWN] = call("SEQUENCE", *shape)
        if isinstance(given[_NEW], Missing):
            given[_NEW] = given[_KNOWN]
    for place, default in _DEFAULTS[node.name].items():
        if place < len(given) and isinstance(given[place], Missing):
            given[place] = default
    same = all(a is b for a, b in zip(given, node.arguments, strict=True))
    return node if same else replace(node, arguments=tuple(given))
