"""Functions of single values that are handed arrays: element by element, as Excel takes them.

The calculator's own functions of single values, all but a few, take the first element of an array
or fail. Where such a function may be handed an array, its call is put inside `TB.LIFT`, which
calls it for each element (`workbooks.excel.runtime.lifted`). What is not known to work, neither so
nor by itself, is refused, since it would give a wrong value that looks right.
"""

from __future__ import annotations

from dataclasses import replace

from workbooks.calc.protocol import FIT, FORMATTED, LIFT, RANKED
from workbooks.excel.context import Context, KeepOldValueError, Scope
from workbooks.excel.kinds import is_many, may_be_area, returns_array
from workbooks.excel.marks import AREAS, ARRAY_FORMULA, OWN, Marks, functions, marks
from workbooks.formula.functions import native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Apply,
    Array,
    Call,
    Inlined,
    Missing,
    Name,
    Node,
    Number,
    Paren,
    Spilled,
    Text,
    children,
    rebuilt,
)

#: How the second argument of `TB.LIFT` tells of each further one: a single value of which there
#: may be an array, a range, a range of whole columns, one that is left out.
SINGLE, RANGE, WHOLE_COLUMNS, SKIPPED = "1*|-"
# In an ordinary formula these take one cell of a range, even inside functions of arrays.
_ONE_EVEN_THERE = ("IF", "IFERROR", "IFNA")
# Where the first argument of these is no array, the others are handed on as they are.
_BY_FIRST = ("CHOOSE", "IFS")


#: What `TB.LIFT` knows these by.
_NAMES = {FORMATTED: "TEXT", RANKED: "AGGREGATE"}


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = (
    AREAS
    | marks(ARRAY_FORMULA, OWN, Array, Apply, LIFT, FIT)
    | functions(traits=("arrays",), result="array")
)


def apply(tree: Node, context: Context) -> Node:
    """Put calls that are to go element by element inside `TB.LIFT`."""
    return _spread(tree, context.scope, arrays=context.array, ordinary=False)


def _spread(node: Node, scope: Scope, *, arrays: bool, ordinary: bool) -> Node:
    """Go through a formula.

    Parameters
    ----------
    node : Node
        The formula or a part of it.
    scope : Scope
        The workbook.
    arrays : bool
        Whether a range is an array at this place.
    ordinary : bool
        Whether it is one only because of the function around it.
    """
    if not isinstance(node, Call):
        return rebuilt(node, lambda n: _spread(n, scope, arrays=arrays, ordinary=ordinary))
    own, row = node.name in scope.own, native(node.name)
    of_arrays = row.arrays and not own
    if (
        ordinary
        and arrays
        and node.name in _ONE_EVEN_THERE
        and any(_has_ranges(argument, scope) for argument in node.arguments[:1])
    ):
        raise KeepOldValueError(
            f"{node.name} of a range inside a function of arrays: Excel takes one cell of it "
            "unless this is entered as an array formula"
        )
    inside, alone = arrays or of_arrays or own, ordinary or (not arrays and of_arrays)
    node = rebuilt(node, lambda n: _spread(n, scope, arrays=inside, ordinary=alone))
    if not isinstance(node, Call) or own or "broadcasts" in row.traits:
        return node
    return _call(node, scope, arrays=arrays)


def _call(node: Call, scope: Scope, *, arrays: bool) -> Node:
    name, row, count = node.name, native(node.name), len(node.arguments)
    kinds = [row.kind(i, count) for i in range(count)]
    places = [
        i
        for i, kind in enumerate(kinds)
        if kind in "vtnsxuf" or (kind == "b" and name in ("CHOOSE", "IFS", "SWITCH"))
    ]
    spread = [i for i in places if is_many(node.arguments[i], scope, ranges=arrays)]
    if not arrays and places:
        node = _first_alone(node, places, scope)
        if row.no_ranges:
            spread += [i for i in places if _is_range(node.arguments[i], scope)]
    if not spread or (name in _BY_FIRST and spread[0] != 0):
        return node
    if any(kinds[i] in "xuf" for i in spread):
        raise KeepOldValueError(f"what {name} gives for an array is not certain")
    if row.no_ranges and any(_is_range(node.arguments[i], scope) for i in spread):
        raise KeepOldValueError(f"{name} expects one value, not a range")
    return _lifted(node, places)


def _first_alone(node: Call, places: list[int], scope: Scope) -> Call:
    """Take the first element of what gives an array where an ordinary formula wants a value."""
    given = list(node.arguments)
    for i in places:
        if _gives_array(given[i], scope):
            given[i] = Call(FIT, (given[i], Number("1"), Number("1")))
    same = all(a is b for a, b in zip(given, node.arguments, strict=True))
    return node if same else replace(node, arguments=tuple(given))


def _gives_array(node: Node, scope: Scope) -> bool:
    """Tell whether an argument, or an operand in it, is a function that returns an array."""
    if isinstance(node, Call):
        if node.name in scope.own and any(is_many(a, scope, ranges=True) for a in node.arguments):
            return True
        return returns_array(node, scope) and node.name not in scope.own
    if isinstance(node, Spilled):
        return True
    if isinstance(node, Paren | Reference | Inlined | Array):
        return False
    return any(_gives_array(child, scope) for child in children(node))


def _lifted(node: Call, places: list[int]) -> Call:
    kinds, given = "", []
    for i, argument in enumerate(node.arguments):
        if isinstance(argument, Missing):
            kinds += SKIPPED
            continue
        if i in places:
            kinds += SINGLE
        else:
            columns = isinstance(argument, Reference) and argument.whole_columns
            kinds += WHOLE_COLUMNS if columns else RANGE
        given.append(argument)
    name = _NAMES.get(node.name, node.name)
    return Call(LIFT, (Text(name), Text(kinds), *given))


def _has_ranges(node: Node, scope: Scope) -> bool:
    """Tell whether an argument is an array because of a range, rather than a constant."""
    if isinstance(node, Array):
        return False
    if isinstance(node, Reference | Name | Inlined | Spilled):
        return may_be_area(node, scope)
    return is_many(node, scope, ranges=True) and any(_has_ranges(c, scope) for c in children(node))


def _is_range(node: Node, scope: Scope) -> bool:
    return isinstance(node, Reference | Name | Inlined) and may_be_area(node, scope)
