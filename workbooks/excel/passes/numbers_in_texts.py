"""Texts where an operator wants a number: `"$5"+0` is 5 in Excel, and #VALUE! in the calculator.

What may be such a text is put inside `TB.NUMBER`, which reads it as VALUE does: a text that is
written out, what a function makes, and the cells of sheets that hold such texts
(`workbooks.excel.odd_texts`). All other cells the calculator reads as Excel does.
"""

from __future__ import annotations

from dataclasses import replace

from workbooks.calc.protocol import LIFT, LOWERED, NUMBER
from workbooks.excel.context import Context
from workbooks.excel.marks import Marks
from workbooks.excel.odd_texts import is_odd
from workbooks.formula.functions import native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    ARITHMETIC,
    Apply,
    Array,
    Call,
    Inlined,
    Joined,
    Name,
    Node,
    Operation,
    Paren,
    Percent,
    Sign,
    Single,
    Spilled,
    Text,
    bottom_up,
    children,
    walk,
)

#: Texts to the catalogue, and places in texts.
_PLACES = frozenset(["FIND", "SEARCH"])
#: These hand on what one of their arguments is.
_HANDING_ON = frozenset(["FILTER", "HLOOKUP", "IFERROR", "IFNA", "LOOKUP", "T", "VLOOKUP"])

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((*ARITHMETIC, Sign, Percent, LIFT))


def apply(tree: Node, context: Context) -> Node:
    """Put what may be a text that the calculator reads otherwise inside `TB.NUMBER`."""
    return bottom_up(tree, _Texts(tree, context).read)


class _Texts:
    """What of a formula may be such a text."""

    def __init__(self, tree: Node, context: Context) -> None:
        self._context = context
        self._held = context.scope.texts
        # A name that LET or LAMBDA gives may be any part of the formula.
        self._made = any(map(self._makes, walk(tree)))

    def read(self, node: Node) -> Node:
        """Return an operation whose operands are numbers."""
        match node:
            case Operation(operator, left, right) if operator in ARITHMETIC:
                new = self._number(left), self._number(right)
                same = new[0] is left and new[1] is right
                return node if same else Operation(operator, *new)
            case Sign("-", operand) | Percent(operand):
                number = self._number(operand)
                return node if number is operand else replace(node, operand=number)
            case Call(name, (Text(called), kinds, *given)) if name == LIFT and called in ARITHMETIC:
                numbers = [self._number(one) for one in given]
                if all(a is b for a, b in zip(numbers, given, strict=True)):
                    return node
                return Call(LIFT, (Text(called), kinds, *numbers))
            case _:
                return node

    def _number(self, node: Node) -> Node:
        return Call(NUMBER, (node,)) if self._may_be_odd(node) else node

    def _makes(self, node: Node) -> bool:
        """Tell whether a part of a formula is, or gives, a text that is none of a cell."""
        match node:
            case Text(value):
                return is_odd(value)
            case Operation(operator):
                return operator == "&"
            case Call(name):
                return native(name).result == "text" and name not in _PLACES
            case _:
                return False

    def _may_be_odd(self, node: Node) -> bool:
        """Tell whether an operand may be a text that the calculator reads otherwise."""
        match node:
            case Reference():
                # The calculator takes as much of whole columns as is used, and of an array all.
                whole = node.whole_columns or node.whole_rows
                return not whole and (node.sheet or self._context.sheet).casefold() in self._held
            case Inlined(tree):
                return self._may_be_odd(tree)
            case Name():
                return self._name(node)
            case Apply():
                return bool(self._held) or self._made
            case Joined() | Single() | Spilled():
                return bool(self._held)
            case Paren() | Array() | Sign("+"):
                return any(map(self._may_be_odd, children(node)))
            case Call():
                return self._makes(node) or self._call(node)
            case _:
                return self._makes(node)

    def _call(self, node: Call) -> bool:
        name, given = node.name, node.arguments
        if name == LIFT and isinstance(given[0], Text):
            called = Call(given[0].value, given[2:])
            return self._makes(called) or self._hands_on(called)
        return self._hands_on(node)

    def _hands_on(self, node: Call) -> bool:
        name, row = node.name, native(node.name)
        if name in self._context.scope.own or name == NUMBER:
            return False
        if row.result == "reference" and self._held:
            return True
        passing = row.result in ("branch", "reference", "array") or name in _HANDING_ON | LOWERED
        return passing and any(self._cells(one) for one in node.arguments)

    def _cells(self, node: Node) -> bool:
        """Tell whether an argument is, or holds, such a text: whole columns may too."""
        if isinstance(node, Reference):
            return bool(self._held)
        return self._may_be_odd(node)

    def _name(self, node: Name) -> bool:
        names = self._context.scope.names
        if not names.defines(node.text):
            # What LET or LAMBDA gives.
            return self._made or bool(self._held)
        name = names.find(node.text, node.sheet or self._context.sheet)
        return name is not None and names.is_simple(name) and self._may_be_odd(names.tree(name))
