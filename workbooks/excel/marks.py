"""What a formula is made of: by that it is known which passes have anything to do with it.

A mark is the name of a function, an operator, a kind of node, or one of the three below. A pass
declares the marks of which a formula must have one for the pass to change it, or to refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from workbooks.excel.context import Context
from workbooks.formula.functions import catalogue
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Call,
    Inlined,
    Joined,
    Name,
    Node,
    Operation,
    Spilled,
    walk,
)

Mark: TypeAlias = str | type
Marks: TypeAlias = frozenset[Mark]

#: A function of ours is called.
OWN = "a function of ours"
#: A reference to more than one cell.
SEVERAL = "several cells"
#: It is an array formula.
ARRAY_FORMULA = "an array formula"

#: What may stand for more than one cell.
AREAS: Marks = frozenset((SEVERAL, Name, Inlined, Spilled, Joined))


def marks(*given: Mark) -> Marks:
    """Return marks of all kinds together."""
    return frozenset(given)


def marks_of(tree: Node, context: Context) -> Marks:
    """Return the marks of a formula."""
    found: set[Mark] = set()
    if context.array:
        found.add(ARRAY_FORMULA)
    own = context.scope.own
    for node in walk(tree):
        found.add(type(node))
        if isinstance(node, Call):
            found.add(node.name)
            if node.name in own:
                found.add(OWN)
        elif isinstance(node, Operation):
            found.add(node.operator)
        elif isinstance(node, Reference) and not node.is_cell:
            found.add(SEVERAL)
    return frozenset(found)


def functions(
    *, traits: Iterable[str] = (), kinds: Iterable[str] = (), result: str = "", handled: str = ""
) -> Marks:
    """Return the functions of the catalogue with one of some traits or kinds of arguments.

    So too those that give such a result, and those that are handled so.
    """
    return frozenset(
        row.name
        for row in catalogue().values()
        if row.traits.intersection(traits)
        or set(row.arguments).intersection(kinds)
        or (result and row.result == result)
        or (handled and row.handled == handled)
    )
