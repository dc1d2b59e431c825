"""The result of a formula in the shape of its cells, and failures of the calculator kept apart."""

from __future__ import annotations

from workbooks.calc.protocol import FAILURES, FIT, FORMATTED, LIFT, ONE, SPILL, SURE
from workbooks.excel.context import Context, Fill, Scope, Spill
from workbooks.excel.kinds import is_area, returns_array
from workbooks.excel.marks import ARRAY_FORMULA, OWN, Marks, functions, marks
from workbooks.formula.functions import native
from workbooks.formula.tree import (
    Array,
    Call,
    Inlined,
    Node,
    Number,
    Operation,
    Paren,
    Percent,
    Sign,
    Spilled,
    children,
    walk,
)

# Own functions that may fail where Excel would not.
_MAY_FAIL = (LIFT, ONE, FORMATTED)


#: What concerns the pass (see `workbooks.excel.marks`).
SHAPED: Marks = marks(ARRAY_FORMULA, OWN, LIFT, Array, Spilled, Inlined) | functions(result="array")


def fit(tree: Node, context: Context) -> Node:
    """Give an array formula the shape of its cells, and an ordinary formula one value."""
    match context.target:
        case Fill(rows, columns):
            return Call(FIT, (tree, Number(str(rows)), Number(str(columns))))
        case Spill(number):
            return Call(SPILL, (tree, Number(str(number))))
    scope = context.scope
    lifted = any(isinstance(n, Call) and n.name == LIFT for n in _everywhere(tree))
    if lifted or _gives_array(tree, scope) or _own_of_ranges(tree, scope):
        return Call(FIT, (tree, Number("1"), Number("1")))
    return tree


#: What concerns the pass (see `workbooks.excel.marks`).
FAILING: Marks = frozenset((*_MAY_FAIL, Inlined))


def sure(tree: Node, _context: Context) -> Node:
    """Let no function make a value of a failure that only the calculator has."""
    names = {node.name for node in _everywhere(tree) if isinstance(node, Call)}
    if names.isdisjoint(_MAY_FAIL) or not any(_swallows(node) for node in _everywhere(tree)):
        return tree
    return Call(SURE, (Call(FAILURES, ()), tree))


def _swallows(node: Node) -> bool:
    if not isinstance(node, Call):
        return False
    if node.name == LIFT:
        called = node.arguments[0]
        return "swallows" in native(getattr(called, "value", "")).traits
    return "swallows" in native(node.name).traits


def _everywhere(tree: Node) -> list[Node]:
    """Return all nodes, also those of names that were written out."""
    found: list[Node] = []
    for node in walk(tree):
        found.append(node)
        if isinstance(node, Inlined):
            found += _everywhere(node.tree)
    return found


def _gives_array(node: Node, scope: Scope) -> bool:
    """Tell whether a function that is not inside another one may return more than one value."""
    if isinstance(node, Array):
        return True
    if isinstance(node, Call):
        if returns_array(node, scope) and not _one(node):
            return True
        row = native(node.name)
        through = (row.every_single or "broadcasts" in row.traits) and node.name not in scope.own
        return through and any(_gives_array(child, scope) for child in children(node))
    if isinstance(node, Operation | Sign | Percent | Paren):
        return any(_gives_array(child, scope) for child in children(node))
    return returns_array(node, scope)


def _one(node: Call) -> bool:
    return node.name == FIT and node.arguments[1:] == (Number("1"), Number("1"))


def _own_of_ranges(tree: Node, scope: Scope) -> bool:
    """Tell whether a function of ours is handed a range, so that it may give a range."""
    return any(
        isinstance(inner, Array) or is_area(inner, scope)
        for node in walk(tree)
        if isinstance(node, Call) and node.name in scope.own
        for inner in walk(node)
    )
