"""References that the calculator lacks: unions, intersections, those over several sheets."""

from __future__ import annotations

from dataclasses import replace

from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import SEVERAL, Marks
from workbooks.formula.address import Area
from workbooks.formula.functions import native
from workbooks.formula.references import Reference, reference_to
from workbooks.formula.tree import Call, Error, Joined, Node, Paren, bare, children, rebuilt

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((Joined, SEVERAL))


def apply(tree: Node, context: Context) -> Node:
    """Put plain references in their place."""
    return _checked(_plain(tree, context))


def _plain(node: Node, context: Context) -> Node:
    node = rebuilt(node, lambda child: _plain(child, context))
    if isinstance(node, Joined) and node.operator == " ":
        return _common(node, context.sheet)
    if not isinstance(node, Call):
        return node
    row, count = native(node.name), len(node.arguments)
    given: list[Node] = []
    for i, argument in enumerate(node.arguments):
        if "gathers" in row.traits or row.kind(i, count) == "g":
            given += _gathered(argument, context)
        else:
            given.append(argument)
    same = len(given) == count and all(a is b for a, b in zip(given, node.arguments, strict=True))
    return node if same else replace(node, arguments=tuple(given))


def _gathered(argument: Node, context: Context) -> list[Node]:
    """Return the parts of a union, or the same cells of several sheets."""
    inner = bare(argument)
    if isinstance(inner, Joined) and inner.operator == ",":
        return [*_gathered(inner.left, context), *_gathered(inner.right, context)]
    if isinstance(inner, Reference) and inner.to_sheet is not None and inner.sheet is not None:
        known = [name.casefold() for name in context.scope.sheets]
        ends = inner.sheet.casefold(), inner.to_sheet.casefold()
        if not set(ends) <= set(known):
            return [Error("#REF!")]
        start, end = sorted(known.index(sheet) for sheet in ends)
        return [inner.at(name) for name in context.scope.sheets[start : end + 1]]
    return [argument]


def _checked(node: Node, around: str = "") -> Node:
    """Refuse what is left: a union or several sheets where one reference is wanted."""
    if isinstance(node, Joined) and node.operator == ",":
        where = f"cannot be handed to {around}" if around else "is only understood inside SUM etc."
        raise KeepOldValueError(f"a union of ranges {where}")
    if isinstance(node, Reference) and node.to_sheet is not None:
        where = f"cannot be handed to {around}" if around else "is only understood inside SUM etc."
        raise KeepOldValueError(f"a reference over several sheets {where}")
    inside = node.name if isinstance(node, Call) else around if isinstance(node, Paren) else ""
    for child in children(node):
        _checked(child, inside)
    return node


def _common(node: Joined, own: str) -> Node:
    a, b = bare(node.left), bare(node.right)
    if not isinstance(a, Reference) or not isinstance(b, Reference):
        raise KeepOldValueError("the intersection of these ranges is not known before evaluation")
    sheets = {(r.sheet or own).casefold() for r in (a, b)}
    if len(sheets) > 1 or a.to_sheet is not None or b.to_sheet is not None:
        raise KeepOldValueError("the intersection of these ranges is not known before evaluation")
    first, second = a.area, b.area
    common = Area(
        max(first.top, second.top),
        max(first.left, second.left),
        min(first.bottom, second.bottom),
        min(first.right, second.right),
    )
    if common.rows <= 0 or common.columns <= 0:
        return Error("#NULL!")
    return reference_to(common, a.sheet or b.sheet)
