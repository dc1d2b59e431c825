"""Questions about errors that go past them: `ISERROR(UPPER(A1))`, where A1 is in error.

Some of the calculator's functions end the whole formula where one of their arguments is an error,
so that nothing but IFERROR around them is asked. It answers in the place of the question. Where it
matters which error it is, such a function is called only with arguments that are none.
"""

from __future__ import annotations

from collections.abc import Mapping

from workbooks.excel.context import Context
from workbooks.excel.marks import Marks
from workbooks.formula.functions import SINGLE_KINDS, native
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, Logical, Name, Node, Operation, bare, bottom_up, call, walk

#: What a question is answered with where there is an error, whichever it is.
_ANSWERS: Mapping[str, bool] = {
    "ISERR": True,
    "ISERROR": True,
    "ISLOGICAL": False,
    "ISNA": False,
    "ISNONTEXT": True,
    "ISNUMBER": False,
    "ISTEXT": False,
}
#: These ask which error it is.
_WHICH = frozenset(("IFNA", "ISERR", "ISNA"))

# Errors in the ranges of these count only where they are picked, as in those of criteria.
_PICKING = frozenset(("HLOOKUP", "VLOOKUP"))

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((*_ANSWERS, *_WHICH))


def apply(tree: Node, _context: Context) -> Node:
    """Put IFERROR around questions whose answer an error may go past."""
    return bottom_up(tree, _answered)


def _answered(node: Node) -> Node:
    if not isinstance(node, Call) or node.name not in CONCERNS or not node.arguments:
        return node
    asked, *others = node.arguments
    if not any(map(_escapes, walk(asked))):
        return node
    if node.name in _WHICH:
        node = Call(node.name, (bottom_up(asked, _guarded), *others))
    answer = _ANSWERS.get(node.name)
    return node if answer is None else call("IFERROR", node, Logical(answer))


def _escapes(node: Node) -> bool:
    return isinstance(node, Call) and "escapes" in native(node.name).traits


def _guarded(node: Node) -> Node:
    """Give the first argument in error in the place of a function that it would escape from."""
    if not isinstance(node, Call) or not _escapes(node):
        return node
    row, count = native(node.name), len(node.arguments)
    picks = row.name in _PICKING or "criteria" in row.traits
    whole: Node = node
    for place in reversed(range(count)):
        argument = node.arguments[place]
        if not isinstance(bare(argument), Reference | Name | Call | Operation):
            continue
        if row.kind(place, count) in SINGLE_KINDS:
            error = argument
        elif picks:
            continue
        else:
            # Of several cells SUM gives the first error, which stays where it is.
            error = call("SUM", argument)
        whole = call("IF", call("ISERROR", error), error, whole)
    return whole
