"""Texts of more than 32,767 characters inside a formula: #VALUE! in Excel, which can hold none.

The calculator goes on with them, so that `LEN(A1&B1)` would be 40,000. Its own REPT refuses them as
Excel does, and gives any other text as it is. What a cell itself gets is looked at where it is
written. Arrays of texts are left alone: REPT takes one text.
"""

from __future__ import annotations

from workbooks.excel.context import Context, Scope
from workbooks.excel.kinds import is_many
from workbooks.excel.marks import Marks
from workbooks.formula.functions import native
from workbooks.formula.tree import (
    Call,
    Error,
    Logical,
    Missing,
    Node,
    Number,
    Operation,
    Paren,
    Text,
    call,
    rebuilt,
)
from workbooks.ooxml.limits import LONGEST_TEXT

#: Longer is no number, however it is shown [characters].
_NUMBER = 32
_JOINING = ("CONCATENATE", "CONCAT")
#: Where these have the count of characters that they give.
_COUNTED = {"LEFT": 1, "RIGHT": 1, "MID": 2}


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset(("&", *_JOINING))


def apply(tree: Node, context: Context) -> Node:
    """Put what joins texts, and may be too long, inside REPT."""
    return _checked(tree, context.scope, top=True)


def _checked(node: Node, scope: Scope, *, top: bool) -> Node:
    """Go through a formula; `top` says that the result is what its cell gets."""
    if isinstance(node, Call):
        row = native(node.name)
        kinds = [row.kind(i, len(node.arguments)) for i in range(len(node.arguments))]
        branches = {id(a) for a, kind in zip(node.arguments, kinds, strict=True) if kind in "be"}
        found = rebuilt(node, lambda n: _checked(n, scope, top=top and id(n) in branches))
    elif isinstance(node, Operation) and node.operator == "&":
        # What is too long already is so with more behind it.
        found = rebuilt(node, lambda n: _checked(n, scope, top=_joins(n)))
    else:
        found = rebuilt(node, lambda n: _checked(n, scope, top=top and isinstance(node, Paren)))
    if top or not _joins(node) or _longest(node) <= LONGEST_TEXT:
        return found
    return found if is_many(node, scope, ranges=True) else call("REPT", found, Number("1"))


def _joins(node: Node) -> bool:
    if isinstance(node, Call):
        return node.name in _JOINING
    return isinstance(node, Operation) and node.operator == "&"


def _longest(node: Node) -> int:
    """Return how many characters a part of a formula has at most, as a text."""
    match node:
        case Text(value):
            return len(value)
        case Number() | Logical() | Error() | Missing():
            return _NUMBER
        case Paren(inner):
            return _longest(inner)
        case Operation("&", left, right):
            return _longest(left) + _longest(right)
        case Operation():
            return _NUMBER
        case Call(name, arguments) if name == "TB.SHOWN":
            return _longest(arguments[0])
        case Call("CONCATENATE", arguments):
            return sum(map(_longest, arguments))
        case Call(name, arguments) if name in _COUNTED:
            return _counted(arguments[_COUNTED[name] :])
        case Call(name) if native(name).result in ("count", "ordinal") or name == "CHAR":
            return _NUMBER
        # What is a text by itself is none that is too long; CONCAT may take whole columns.
        case Call("CONCAT"):
            return LONGEST_TEXT + 1
        case _:
            return LONGEST_TEXT


def _counted(arguments: tuple[Node, ...]) -> int:
    if not arguments:
        return 1
    count = arguments[0]
    return int(float(count.text)) if isinstance(count, Number) else LONGEST_TEXT
