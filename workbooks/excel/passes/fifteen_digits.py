"""Numbers of which Excel takes 15 digits, and the calculator up to 17: compared, and as texts.

`0.1+0.2=0.3` is true in Excel. `TB.DIGITS` gives a number of no more digits than that, `TB.SHOWN`
one that becomes a text. And the last sum or difference of a formula is 0 where its operands cancel
out: `0.5-0.4-0.1` is, `(0.5-0.4-0.1)` is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbooks.calc.protocol import DIGITS, LIFT, SHOWN, SNAPPED
from workbooks.excel.context import Context
from workbooks.excel.kinds import may_be_number
from workbooks.excel.marks import Marks, functions
from workbooks.excel.passes.broadcast import SKIPPED
from workbooks.formula.functions import native
from workbooks.formula.tree import (
    ARITHMETIC,
    BINDING,
    COMPARISONS,
    Call,
    Error,
    Logical,
    Missing,
    Node,
    Number,
    Operation,
    Paren,
    Percent,
    Sign,
    Text,
    bare,
    bottom_up,
    rebuilt,
    walk,
)

#: Kinds of arguments that are read as texts.
_TEXTS = "tj"


#: What concerns the pass (see `workbooks.excel.marks`).
COMPARED: Marks = frozenset(COMPARISONS)


def compare(tree: Node, context: Context) -> Node:
    """Put what is compared inside `TB.DIGITS`, in an ordinary formula."""
    return tree if context.array else compared(tree)


def compared(node: Node) -> Node:
    """Put what an ordinary formula compares inside `TB.DIGITS`."""
    if isinstance(node, Call) and native(node.name).arrays:
        # Blank cells of an array would not stay blank.
        return node
    node = rebuilt(node, compared)
    if not isinstance(node, Operation) or node.operator not in COMPARISONS:
        return node
    computed = _is_computed(node.left) or _is_computed(node.right)
    if not computed and (_is_exact(node.left) or _is_exact(node.right)):
        return node
    return replace(node, left=_digits(node.left), right=_digits(node.right))


def _is_exact(node: Node) -> bool:
    """Tell whether what is compared with this is alike in all digits or not at all."""
    match bare(node):
        case Number(text):
            return float(text) == 0.0
        case Text() | Logical() | Error() | Missing():
            return True
    return not may_be_number(node)


def _digits(node: Node) -> Node:
    return _handed_to(DIGITS, node)


#: What concerns the pass (see `workbooks.excel.marks`).
ADDED: Marks = frozenset("+-")


def snap(tree: Node, context: Context) -> Node:
    """Let the last sum or difference of an ordinary formula be 0 where its operands cancel out."""
    return tree if context.array else snapped(tree)


def snapped(tree: Node) -> Node:
    """Put the last sum or difference of an ordinary formula inside `TB.SNAP`."""
    if not isinstance(tree, Operation) or tree.operator not in ("+", "-"):
        return tree
    operand = simpler(tree)
    if isinstance(operand, Call) and native(operand.name).arrays:
        return tree
    return Call(SNAPPED, (tree, operand))


def _is_computed(node: Node) -> bool:
    """Tell whether an operand is a number that is computed where it stands."""
    match node:
        case Operation(operator):
            return operator in ARITHMETIC
        case Paren(inner):
            return _is_computed(inner)
        case Sign(_, operand) | Percent(operand):
            return _is_computed(operand)
        case Call(name):
            return "total" in native(name).traits
        case _:
            return False


def _shown(node: Node) -> Node:
    return _handed_to(SHOWN, node)


def _handed_to(function: str, node: Node) -> Node:
    """Put what may be a number inside a function; joined texts are none."""
    joins = isinstance(node, Operation) and node.operator == "&"
    return Call(function, (node,)) if may_be_number(node) and not joins else node


def simpler(tree: Operation) -> Node:
    """Return the operand that is evaluated once more, to see whether the two cancel out."""
    return min((tree.right, tree.left), key=lambda side: sum(1 for _ in walk(side)))


#: What concerns the pass (see `workbooks.excel.marks`).
JOINED: Marks = frozenset(("&", LIFT)) | functions(kinds=_TEXTS)


def as_texts(tree: Node, _context: Context) -> Node:
    """Put what becomes text, and may be a number, inside `TB.SHOWN`."""
    return bottom_up(tree, _texts)


def _texts(node: Node) -> Node:
    if isinstance(node, Operation) and node.operator == "&":
        left, right = _shown(node.left), _shown(node.right)
        same = left is node.left and right is node.right
        return node if same else replace(node, left=left, right=right)
    if not isinstance(node, Call):
        return node
    kinds = "--" + _lifted_kinds(node) if node.name == LIFT else _kinds(node.name, node.arguments)
    given = [
        _shown(a) if kind in _TEXTS else a for kind, a in zip(kinds, node.arguments, strict=True)
    ]
    same = all(a is b for a, b in zip(given, node.arguments, strict=True))
    return node if same else replace(node, arguments=tuple(given))


def _kinds(name: str, arguments: Sequence[Node]) -> str:
    row = native(name)
    return "".join(row.kind(i, len(arguments)) for i in range(len(arguments)))


def _lifted_kinds(node: Call) -> str:
    """Return the kinds of the arguments that a call inside `TB.LIFT` is given."""
    called, told = node.arguments[:2]
    if not isinstance(called, Text) or not isinstance(told, Text) or called.value in BINDING:
        return "-" * (len(node.arguments) - 2)
    kinds = _kinds(called.value, [Missing()] * len(told.value))
    return "".join(kind for kind, how in zip(kinds, told.value, strict=True) if how != SKIPPED)
