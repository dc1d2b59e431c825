"""The operators of a formula applied to arrays, in the order that a worksheet gives them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from workbooks.formula.tree import Node, Operation, Paren, Percent, Sign

#: A number or an array of them.
Value: TypeAlias = Any
#: What operators do.
Operators: TypeAlias = Mapping[str, Callable[[Value, Value], Value]]
#: Gives the value of a function call, a reference or a constant.
Operand: TypeAlias = Callable[[Node], Value]


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


# Numbers farther apart than this share of themselves differ in 15 digits.
_CLOSE = 1e-14


def in_fifteen_digits(sign: str, left: Value, right: Value, holds: Value) -> Value:
    """Return a comparison as Excel makes it: of numbers of 15 digits."""
    left, right, holds = (np.atleast_1d(a) for a in np.broadcast_arrays(left, right, holds))
    close = np.abs(left - right) <= _CLOSE * np.maximum(np.abs(left), np.abs(right))
    unsure = np.flatnonzero(close & (left != right))
    if not unsure.size:
        return holds
    holds = holds.copy()
    for place in unsure:
        pair = (float(f"{side[place]:.15g}") for side in (left, right))
        holds[place] = COMPARISONS[sign](*pair)
    return holds


class UnsupportedError(Exception):
    """The formula needs more than arrays."""


def evaluate(node: Node, operators: Operators, operand: Operand) -> Value:
    """Return the value of an expression.

    Parameters
    ----------
    node : Node
        The expression.
    operators : Mapping
        What the operators between two values do; one that is not among them is not supported.
    operand : Callable
        Gives the value of what is no operator.
    """
    match node:
        case Operation(symbol, left, right):
            apply = operators.get(symbol)
            if apply is None:
                raise UnsupportedError(f"the operator {symbol}")
            return apply(evaluate(left, operators, operand), evaluate(right, operators, operand))
        case Sign(symbol, inner):
            value = evaluate(inner, operators, operand)
            return operator.neg(value) if symbol == "-" else value
        case Percent(inner):
            return evaluate(inner, operators, operand) / 100
        case Paren(inner):
            return evaluate(inner, operators, operand)
        case _:
            return operand(node)
