"""What NumPy's functions make of symbols."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from udfs.hosts.native.symbols import (
    FUNCTIONS,
    INFINITE,
    NEVER,
    UFUNCS,
    Lambda,
    Symbol,
    both,
    call,
    either,
    is_vector,
    operation,
    power,
    where,
)
from udfs.hosts.native.ways import UntraceableError


def _element_by_element(rule: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Apply a rule to each element of arrays whose elements are values of a formula."""
    boxes = []
    for one in inputs:
        box = np.empty(np.shape(one) if isinstance(one, np.ndarray) else (), dtype=object)
        box[...] = one
        boxes.append(box)
    spread = np.broadcast_arrays(*boxes)
    result = np.empty(spread[0].shape, dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = rule(*(one[place] for one in spread))
    return result


def _larger(one: Any, two: Any) -> Symbol:
    return where(operation(">=", one, two), one, two)


def _smaller(one: Any, two: Any) -> Symbol:
    return where(operation("<=", one, two), one, two)


def _is_missing(value: Any) -> Symbol:
    """Tell an error, or what a record does not tell, from a number."""
    return operation("<=", call("IFERROR", value, -INFINITE), -NEVER)


def _log1p(value: Any) -> Symbol:
    """Return ln(1 + x) with all its digits for a small x (Kahan)."""
    raised = operation("+", 1.0, value)
    return where(raised == 1.0, value, call("LN", raised) * value / (raised - 1.0))


def _logarithm(value: Any) -> Symbol:
    """Return ln(x); of a column by element, which not every evaluator does by itself."""
    v = Symbol("var", "v", vector=False)
    if is_vector(value):
        return call("MAP", value, Lambda([v], call("LN", v)), vector=True)
    return call("LN", value)


def _running(function: Callable[..., Symbol], start: float, values: Any) -> Symbol:
    a, b = Symbol("var", "a", vector=False), Symbol("var", "b", vector=False)
    return call("SCAN", start, values, Lambda([a, b], function(a, b)), vector=True)


def _cumulative(function: str, start: float) -> Callable[..., Symbol]:
    def rule(values: Any, **_axis: Any) -> Symbol:
        return _running(lambda a, b: Symbol(function, a, b), start, values)

    return rule


def _product(values: Any, **_axis: Any) -> Symbol:
    a, b = Symbol("var", "a", vector=False), Symbol("var", "b", vector=False)
    return call("REDUCE", 1.0, values, Lambda([a, b], a * b), vector=False)


def _whole(function: str) -> Callable[..., Symbol]:
    def rule(values: Any, **_axis: Any) -> Symbol:
        return call(function, values, vector=False)

    return rule


def _first_true(values: Any, **_axis: Any) -> Symbol:
    """Return the place of the first element that holds, 0 where none does, as NumPy has it."""
    found = call("MATCH", 1.0, operation("*", values, 1.0, fold=False), 0.0, vector=False)
    return call("IFERROR", found, 1.0) - 1.0


def _found_in(values: Any, wanted: Any, *, side: str) -> Symbol:
    """Return how many of ascending elements are at most the wanted one; an error where none is.

    A formula must not take the element before the first: INDEX(x,0) is all of them.
    """
    if side != "right":
        raise UntraceableError("np.searchsorted from the left")
    return call("MATCH", wanted, values, 1.0, vector=False)


def _counted(values: Any, **_axis: Any) -> Symbol:
    # SUM passes over TRUE, which a product is not.
    return call("SUM", operation("*", values, 1.0, fold=False), vector=False)


def _take(values: Any, places: Any, **_axis: Any) -> Symbol:
    return call("INDEX", values, operation("+", places, 1.0), vector=False)


def _ordered(values: Any, **_stable: Any) -> Symbol:
    """Return the places of the elements from the least to the greatest; ties keep their order."""
    places = call("SEQUENCE", call("ROWS", values, vector=False), vector=True)
    return call("SORTBY", places, values, 1.0, places, 1.0, vector=True) - 1.0


def _ordered_by(keys: Sequence[Any]) -> Symbol:
    """Return the places in the order of the last key, of equals in that of the one before it."""
    places = call("SEQUENCE", call("ROWS", keys[0], vector=False), vector=True)
    by = [part for key in (*reversed(keys), places) for part in (key, 1.0)]
    return call("SORTBY", places, *by, vector=True) - 1.0


def _least(values: Any) -> Symbol:
    """Return the place of the first of the least elements."""
    least = call("MIN", values, vector=False)
    return call("MATCH", least, values, 0.0, vector=False) - 1.0


def _taken(values: Any, places: Any) -> Symbol:
    """Return the elements at places, counted from 0."""
    if not is_vector(places):
        return _take(values, places)
    i = Symbol("var", "i", vector=False)
    one = Lambda([i], call("INDEX", values, operation("+", i, 1.0)))
    return call("MAP", places, one, vector=True)


def _put_before(parts: Sequence[Any], **_axis: Any) -> Any:
    """Return a column moved down by one, a number before it: all that is asked of concatenate."""
    first, rest = parts
    if not (isinstance(first, list) and len(first) == 1 and getattr(rest, "op", "") == "head"):
        raise UntraceableError("np.concatenate of values")
    whole = rest.args[0]
    r, k = Symbol("var", "r", vector=False), Symbol("var", "k", vector=False)
    above = where(operation("=", r, 1.0), first[0], call("INDEX", whole, r - 1.0))
    height = call("ROWS", whole, vector=False)
    return call("MAKEARRAY", height, 1.0, Lambda([r, k], above), vector=True)


def _select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0.0) -> Any:
    result = default
    for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
        result = where(condition, choice, result)
    return result


def _clipped(value: Any, low: Any, high: Any) -> Any:
    return _smaller(_larger(value, low), high)


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: operation("+", a, b),
    "subtract": lambda a, b: operation("-", a, b),
    "multiply": lambda a, b: operation("*", a, b),
    "divide": lambda a, b: operation("/", a, b),
    "power": power,
    "float_power": power,
    "negative": lambda a: -a,
    "absolute": abs,
    "maximum": _larger,
    "fmax": _larger,
    "maximum.accumulate": lambda values: _running(_larger, -INFINITE, values),
    "minimum": _smaller,
    "fmin": _smaller,
    "greater": lambda a, b: operation(">", a, b),
    "greater_equal": lambda a, b: operation(">=", a, b),
    "less": lambda a, b: operation("<", a, b),
    "less_equal": lambda a, b: operation("<=", a, b),
    "equal": lambda a, b: operation("=", a, b),
    "not_equal": lambda a, b: operation("<>", a, b),
    "logical_and": both,
    "bitwise_and": both,
    "logical_or": either,
    "bitwise_or": either,
    "logical_not": lambda a: ~a,
    "invert": lambda a: ~a,
    "floor": lambda a: call("INT", a),
    "ceil": lambda a: -call("INT", -a),
    "exp": lambda a: call("EXP", a),
    "exp2": lambda a: power(2.0, a),
    "log": _logarithm,
    "log1p": _log1p,
    "log2": lambda a: call("LN", a) / math.log(2),
    "log10": lambda a: call("LOG10", a),
    "sqrt": lambda a: call("SQRT", a),
    "square": lambda a: a * a,
    "remainder": lambda a, b: a - b * call("INT", a / b),
    "isnan": _is_missing,
    "isfinite": lambda a: operation("<", abs(a), NEVER),
    "isinf": lambda a: operation(">=", abs(a), NEVER),
}

_WHOLE: Mapping[str, Callable[..., Any]] = {
    "where": where,
    "select": _select,
    "clip": _clipped,
    "argsort": _ordered,
    "lexsort": _ordered_by,
    "argmin": _least,
    "take": _taken,
    "searchsorted": _found_in,
    "count_nonzero": _counted,
    "size": lambda values: call("ROWS", values, vector=False),
    "concatenate": _put_before,
    "cumsum": _cumulative("+", 0.0),
    "cumprod": _cumulative("*", 1.0),
    "prod": _product,
    "sum": _whole("SUM"),
    "amax": _whole("MAX"),
    "max": _whole("MAX"),
    "amin": _whole("MIN"),
    "min": _whole("MIN"),
    "any": lambda values, **_axis: values.any(),
    "argmax": _first_true,
    "take_along_axis": _take,
    "zeros_like": lambda values: operation("*", values, 0.0, fold=False),
}


def _spread(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Return a rule that takes arrays whose elements are values of a formula, too."""

    def spread(*inputs: Any) -> Any:
        if any(isinstance(one, np.ndarray) and one.dtype == object for one in inputs):
            return _element_by_element(rule, inputs)
        return rule(*inputs)

    return spread


UFUNCS.update({name: _spread(rule) for name, rule in _OPERATIONS.items()})
FUNCTIONS.update(_WHOLE)
