"""The operators of a formula applied to arrays, in the order that a worksheet gives them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from openpyxl.formula.tokenizer import Token

from workbooks.formula.tokens import BINDING, Node, is_blank

#: A number or an array of them.
Value: TypeAlias = Any
#: What operators do.
Operators: TypeAlias = Mapping[str, Callable[[Value, Value], Value]]
#: Gives the value of a function call, a bracket, a reference or a constant.
Operand: TypeAlias = Callable[[Node | Token], Value]


def sound(value: Value) -> Value:
    """Return numbers with NaN for infinity: an error must not turn into a number further on."""
    finite = np.isfinite(value)
    return value if finite.all() else np.where(finite, value, np.nan)


#: The operators that have one right result, to the last bit, whoever computes it.
EXACT: Operators = {
    "+": lambda a, b: sound(np.add(a, b)),
    "-": lambda a, b: sound(np.subtract(a, b)),
    "*": lambda a, b: sound(np.multiply(a, b)),
    "/": lambda a, b: sound(np.divide(a, b)),
}
#: Comparisons; what is NaN compares as nothing does, which the caller has to see to.
COMPARISONS: Operators = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}


class UnsupportedError(Exception):
    """The formula needs more than arrays."""


def evaluate(items: Sequence[Node | Token], operators: Operators, operand: Operand) -> Value:
    """Return the value of what stands in one bracket or argument."""
    solid = [item for item in items if not is_blank(item)]
    value, place = _binary(solid, 0, 0, operators, operand)
    if place != len(solid):
        raise UnsupportedError("an operator of another kind")
    return value


def _binary(
    items: list[Node | Token], place: int, binding: int, operators: Operators, operand: Operand
) -> tuple[Value, int]:
    """Read operands and operators that bind tighter than `binding`; all bind to the left."""
    left, place = _signed(items, place, operand)
    while place < len(items):
        item = items[place]
        if isinstance(item, Node) or item.type != Token.OP_IN:
            break
        apply = operators.get(item.value)
        tightness = BINDING.get(item.value, 0)
        if apply is None or tightness <= binding:
            break
        right, place = _binary(items, place + 1, tightness, operators, operand)
        left = apply(left, right)
    return left, place


def _signed(items: list[Node | Token], place: int, operand: Operand) -> tuple[Value, int]:
    if place >= len(items):
        raise UnsupportedError("an operand is missing")
    item = items[place]
    if isinstance(item, Token) and item.type == Token.OP_PRE:
        # In a worksheet the sign binds tighter than any operator: -2^2 is 4.
        value, place = _signed(items, place + 1, operand)
        return (operator.neg(value) if item.value == "-" else value), place
    if isinstance(item, Token) and item.type != Token.OPERAND:
        raise UnsupportedError(f"{item.value}")
    value = operand(item)
    place += 1
    while place < len(items) and _is_percent(items[place]):
        value, place = value / 100, place + 1
    return value, place


def _is_percent(item: Node | Token) -> bool:
    return isinstance(item, Token) and item.type == Token.OP_POST
