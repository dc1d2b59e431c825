"""SUMIF and its kin: an error in a cell that fits comes out, and errors can be counted.

The calculator passes over the errors of the cells that it adds up, and gives the error that is
asked for where Excel counts it. Its own function stays wherever no error is concerned.
"""

from __future__ import annotations

from collections.abc import Sequence

from udfs.cells import CODES
from workbooks.calc.protocol import CRITERIA
from workbooks.excel.context import Context, Scope
from workbooks.excel.kinds import is_area
from workbooks.excel.marks import Marks, functions
from workbooks.formula.functions import Native, native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Array,
    Call,
    Error,
    Inlined,
    Name,
    Node,
    Operation,
    Text,
    bottom_up,
    call,
    children,
)

_OPERATORS = "=<>"
_TRUTHS = ("TRUE", "FALSE")
_MAY_FAIL = (Reference, Name, Error, Call, Operation)


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = functions(traits=("criteria",))


def apply(tree: Node, context: Context) -> Node:
    """Ask for errors first."""
    return bottom_up(tree, lambda node: _call(node, context.scope))


def _call(node: Node, scope: Scope) -> Node:
    if not isinstance(node, Call):
        return node
    row = native(node.name)
    if "criteria" not in row.traits or len(node.arguments) < 2:
        return node
    total, pairs = _parts(node, row)
    criteria = pairs[1::2]
    if len(pairs) % 2 or not (row.integer or _is_range(total)):
        return node
    kind = "COUNT" if row.integer else node.name.removesuffix("S").removesuffix("IF")
    asked = call(CRITERIA, Text(kind), total, *pairs)
    if any(map(_is_special, criteria)):
        return asked
    if node.name.endswith("IFS"):
        return _of_one_size(_asked(node, total, criteria, asked, scope), node, total, pairs)
    return _asked(node, total, criteria, asked, scope)


def _asked(node: Call, total: Node, criteria: Sequence[Node], asked: Node, scope: Scope) -> Node:
    """Let our own function answer where an error is concerned."""
    row = native(node.name)
    # What is counted may be in error; what is added up may not.
    tests: list[Node] = [] if row.integer else [call("ISERROR", call("SUM", total))]
    tests += [_fails(c, scope) for c in criteria if isinstance(c, _MAY_FAIL)]
    if not tests:
        return node
    return call("IF", tests[0] if len(tests) == 1 else call("OR", *tests), asked, node)


def _of_one_size(found: Node, node: Call, total: Node, pairs: Sequence[Node]) -> Node:
    """Refuse ranges of different sizes, as SUMIFS and its kin do; SUMIF takes them."""
    counted = native(node.name).integer
    ranges = [r for r in (*(() if counted else (total,)), *pairs[0::2]) if isinstance(r, Reference)]
    if any(_columns(r) != _columns(ranges[0]) for r in ranges):
        return Error("#VALUE!")
    tests = [
        Operation("<>", call("ROWS", other), call("ROWS", ranges[0]))
        for other in ranges[1:]
        if _rows(other) != _rows(ranges[0])
    ]
    if not tests:
        return found
    return call("IF", tests[0] if len(tests) == 1 else call("OR", *tests), Error("#VALUE!"), found)


def _columns(reference: Reference) -> tuple[int, bool]:
    return reference.width, reference.whole_columns


def _rows(reference: Reference) -> tuple[object, object]:
    """Return the rows of a reference; alike where it is sure to have as many."""
    return reference.first.row, reference.end.row


def _parts(node: Call, row: Native) -> tuple[Node, tuple[Node, ...]]:
    """Return what is added up (what is counted has nothing), and the ranges with their criteria."""
    given = node.arguments
    if row.arguments.startswith("r("):
        return given[0], given[1:]
    if row.integer:
        return given[0], given
    return given[2] if len(given) > 2 else given[0], given[:2]


def _is_special(criterion: Node) -> bool:
    """Tell whether a criterion is written out, and asks for an error or orders truth values."""
    if isinstance(criterion, Array):
        return any(map(_is_special, children(criterion)))
    if isinstance(criterion, Text):
        wanted = criterion.value.lstrip(_OPERATORS).upper()
        ordered = criterion.value.startswith(("<", ">")) and not criterion.value.startswith("<>")
        return wanted in CODES or (ordered and wanted in _TRUTHS)
    return isinstance(criterion, Error)


def _fails(criterion: Node, scope: Scope) -> Node:
    """Return what is true where a criterion, or one of several, is an error value."""
    return call("ISERROR", criterion if _is_single(criterion, scope) else call("SUM", criterion))


def _is_range(total: Node) -> bool:
    """Tell whether what is added up is a range: nothing else is taken there."""
    if isinstance(total, Call):
        return native(total.name).result == "reference"
    return isinstance(total, Reference | Name)


def _is_single(criterion: Node, scope: Scope) -> bool:
    """Tell whether a criterion is surely one value."""
    if isinstance(criterion, Call):
        row = native(criterion.name)
        if "one" in row.traits or row.result == "array":
            return "one" in row.traits
    if isinstance(criterion, Reference):
        return criterion.is_cell
    if isinstance(criterion, Name):
        return scope.names.defines(criterion.text) and not is_area(criterion, scope)
    if isinstance(criterion, Inlined | Array):
        return False
    return all(_is_single(part, scope) for part in children(criterion))
