"""SUBTOTAL and AGGREGATE pass over hidden rows, of which the calculator does not know.

Each range becomes the runs of rows that are to be seen. Rows hidden by a filter are always passed
over; rows hidden by hand only by the functions from 101 on, or by AGGREGATE's option.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import Marks
from workbooks.formula.address import Area
from workbooks.formula.references import Corner, Reference
from workbooks.formula.tree import Call, Error, Name, Node, Number, bottom_up
from workbooks.ooxml.hidden import HiddenRows

# SUBTOTAL takes 254 ranges.
_MOST_RUNS = 250
# Numbers of functions that pass over rows hidden by hand too; others over filtered rows alone.
_BY_HAND = 100
_HIDDEN_OPTIONS = ("1", "3", "5", "7")
# What is left of a SUBTOTAL over no cell at all, for those of its functions that give a number.
_OF_NOTHING = frozenset([2, 3, 4, 5, 6, 9])
_CALLS = ("SUBTOTAL", "AGGREGATE", "TB.AGGREGATE")


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset(_CALLS)


def apply(tree: Node, context: Context) -> Node:
    """Hand over the rows that are to be seen alone."""
    hidden = context.scope.hidden
    if hidden is None:
        return tree
    return bottom_up(
        tree,
        lambda n: _seen(n, context, hidden) if isinstance(n, Call) and n.name in _CALLS else n,
    )


def _seen(node: Call, context: Context, hidden: HiddenRows) -> Node:
    start = 1 if node.name == "SUBTOTAL" else 2
    settings = [a.text if isinstance(a, Number) else "" for a in node.arguments[:start]] or [""]
    by_hand: bool | None = None
    if node.name != "SUBTOTAL":
        if settings[-1].isdigit() and settings[-1] not in _HIDDEN_OPTIONS:
            return node
        by_hand = settings[-1].isdigit() or None
    elif settings and settings[0].isdigit():
        by_hand = int(settings[0]) > _BY_HAND
    given: list[Node] = []
    for argument in node.arguments[start:]:
        given += _visible(argument, context, hidden, by_hand)
    if len(given) > _MOST_RUNS:
        raise KeepOldValueError(f"{node.name} over more than {_MOST_RUNS} runs of visible rows")
    if not given:
        return _nothing(node, settings[0])
    before = node.arguments[start:]
    if len(given) == len(before) and all(a is b for a, b in zip(given, before, strict=True)):
        return node
    return replace(node, arguments=(*node.arguments[:start], *given))


def _nothing(node: Call, number: str) -> Node:
    if node.name != "SUBTOTAL" or not number.isdigit():
        raise KeepOldValueError(f"{node.name} over rows that are all hidden is not supported")
    return Number("0") if int(number) % _BY_HAND in _OF_NOTHING else Error("#DIV/0!")


def _visible(
    argument: Node, context: Context, hidden: HiddenRows, by_hand: bool | None
) -> list[Node]:
    cells = _cells(argument, context)
    if cells is None or by_hand is None:
        if hidden.anywhere():
            raise KeepOldValueError("which of the rows are hidden is not known before evaluation")
        return [argument]
    every, filtered = hidden.of(cells.sheet or context.sheet)
    everywhere = every if by_hand else filtered
    if not everywhere:
        # Not asked for the rows, which may not be known yet.
        return [argument]
    area = cells.area
    passed = {row for row in everywhere if area.top <= row <= area.bottom}
    if not passed:
        return [argument]
    return [_range(run, cells) for run in _runs(area, passed)]


def _cells(argument: Node, context: Context) -> Reference | None:
    if isinstance(argument, Name):
        names = context.scope.names
        name = names.find(argument.text, context.sheet)
        found = names.tree(name) if name is not None else None
        return found if isinstance(found, Reference) else None
    return argument if isinstance(argument, Reference) else None


def _runs(area: Area, passed: set[int]) -> Iterator[Area]:
    """Yield the parts of an area between the rows that are passed over."""
    top = area.top
    for row in sorted(passed):
        if row > top:
            yield Area(top, area.left, row - 1, area.right)
        top = row + 1
    if top <= area.bottom:
        yield Area(top, area.left, area.bottom, area.right)


def _range(area: Area, of: Reference) -> Reference:
    # Two corners for one cell too: it is a range here.
    return Reference(Corner(area.top, area.left), Corner(area.bottom, area.right), of.sheet)
