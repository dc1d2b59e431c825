"""What an engine function is run on to learn its formula: a value that remembers how it was made.

A `Symbol` takes part in arithmetic, comparisons and NumPy's functions as a number would, and keeps
the expression. It has no truth: a body that asks `if x > 0` of a value cannot be written as a
formula and says so; `np.where` can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.errors import UnknownIdError

#: What stands for +infinity in a formula, which has no such number; results from NEVER upwards
#: mean "never".
INFINITE = 1e305
NEVER = 1e300


class UntraceableError(TypeError):
    """A function's body cannot be written as a formula; the message says where."""


class Symbol:
    """A value in a formula: an operation and what it is applied to."""

    __slots__ = ("args", "op", "vector")
    __array_priority__ = 1000
    ndim = 1

    def __init__(self, op: str, *args: Any, vector: bool | None = None) -> None:
        self.op = op
        self.args = args
        #: Whether the value is a column of its own length, such as the months of a path.
        self.vector = any(is_vector(a) for a in args) if vector is None else vector

    def __repr__(self) -> str:
        return f"<{self.op} {self.args!r}>"

    # --- arithmetic --------------------------------------------------------------------------

    def __add__(self, other: Any) -> Symbol:
        return operation("+", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return operation("+", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return operation("-", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return operation("-", other, self)

    def __mul__(self, other: Any) -> Symbol:
        return operation("*", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return operation("*", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return operation("/", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return operation("/", other, self)

    def __mod__(self, other: Any) -> Symbol:
        return operation("-", self, operation("*", other, call("INT", self / other)))

    def __pow__(self, other: Any) -> Any:
        return power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return power(other, self)

    def __floordiv__(self, other: Any) -> Symbol:
        return call("INT", self / other)

    def __rmod__(self, other: Any) -> Symbol:
        return operation("-", other, self * call("INT", other / self))

    def __neg__(self) -> Symbol:
        return Symbol("neg", self)

    def __abs__(self) -> Symbol:
        return call("ABS", self)

    def __lt__(self, other: Any) -> Symbol:
        return operation("<", self, other)

    def __le__(self, other: Any) -> Symbol:
        return operation("<=", self, other)

    def __gt__(self, other: Any) -> Symbol:
        return operation(">", self, other)

    def __ge__(self, other: Any) -> Symbol:
        return operation(">=", self, other)

    def __eq__(self, other: object) -> Any:
        return operation("=", self, other)

    def __ne__(self, other: object) -> Any:
        return operation("<>", self, other)

    # A value is no key: a dictionary would miss it without a word.
    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other: Any) -> Any:
        return both(self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Symbol:
        return either(self, other)

    __ror__ = __or__

    def __invert__(self) -> Symbol:
        return operation("=", operation("*", self, 1.0, fold=False), 0.0)

    # --- what a formula cannot do ------------------------------------------------------------

    def __bool__(self) -> bool:
        from udfs.hosts.native.branches import truth  # noqa: PLC0415  (it joins symbols)

        return truth(self)

    def __format__(self, how: str) -> str:
        from udfs.hosts.native.branches import mark  # noqa: PLC0415  (it joins symbols)

        return mark(self, how)

    def __float__(self) -> float:
        raise UntraceableError("float() of a value")

    def __index__(self) -> int:
        raise UntraceableError("a value as an index: write take_along_axis")

    def __iter__(self) -> Any:
        raise UntraceableError("a loop over a value")

    # --- NumPy -------------------------------------------------------------------------------

    @property
    def size(self) -> Symbol:
        """How many elements a series has."""
        return call("ROWS", self, vector=False)

    def item(self) -> Symbol:
        """Return the value itself, as a single value of NumPy does."""
        return self

    def tolist(self) -> list[Symbol]:
        """Return what a message tells of a series; no formula holds the message."""
        return [self]

    def sum(self) -> Symbol:
        """Return the sum of a series."""
        return call("SUM", self, vector=False)

    def any(self, **_axis: Any) -> Symbol:
        """Tell whether any element holds."""
        # SUM passes over TRUE, which a product is not.
        held = operation("*", self, 1.0, fold=False)
        return operation(">", call("SUM", held, vector=False), 0.0)

    def __getitem__(self, key: Any) -> Symbol:
        if key == slice(None, -1):
            return Symbol("head", self, vector=True)
        if key in ((Ellipsis, np.newaxis), (Ellipsis, 0)):
            return self
        if key in (-1, (Ellipsis, slice(-1, None))):
            return call("INDEX", self, call("ROWS", self, vector=False), vector=False)
        if isinstance(key, int):
            return call("INDEX", self, float(key + 1), vector=False)
        raise UntraceableError(f"a value indexed by {key!r}")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        rule = _UFUNCS.get(ufunc.__name__)
        if any(isinstance(one, np.ndarray) and one.dtype == object for one in inputs):
            return _element_by_element(rule, inputs)
        if rule is None or method != "__call__" or kwargs:
            raise UntraceableError(f"np.{ufunc.__name__} has no formula here")
        return rule(*inputs)

    def __array_function__(
        self, function: Callable[..., Any], _types: Any, args: Any, kwargs: Any
    ) -> Any:
        rule = _FUNCTIONS.get(function.__name__)
        if rule is None:
            raise UntraceableError(f"np.{function.__name__} has no formula here")
        return rule(*args, **kwargs)

    # --- what the engine asks of its arguments -------------------------------------------------

    @staticmethod
    def __engine_call__(
        function: Callable[..., Any], domains: Mapping[str, Any], arguments: Mapping[str, Any]
    ) -> Any:
        """Run an engine function that another one calls, its domains as conditions."""
        given = {
            name: arguments[domains[name].same_as]
            if value is None and name in domains and domains[name].same_as
            else value
            for name, value in arguments.items()
        }
        sound: Any = True
        for name, domain in domains.items():
            if isinstance(given[name], Symbol):
                sound = both(sound, inside(given[name], domain))
        result = function(**given)
        if sound is True or not isinstance(result, Symbol):
            return result
        return where(sound, result, math.nan)

    @staticmethod
    def __steps__(count: Any) -> Symbol:
        """Return 0, 1, … below `count`."""
        return call("SEQUENCE", count, vector=True) - 1.0

    @staticmethod
    def __by_element__(function: Callable[..., Any], values: Sequence[Any]) -> Symbol:
        """Apply a function that looks along a column to each element of its arguments."""
        return each(values, function)

    @staticmethod
    def __normal__(value: Any) -> Symbol:
        """Return the share of a standard normal below a value."""
        v = Symbol("var", "p", vector=False)
        return call("MAP", value, Lambda([v], call("NORM.S.DIST", v, True)), vector=False)


class Text(Symbol):
    """A text in a formula, with the methods of one that a lookup needs."""

    __slots__ = ()

    @staticmethod
    def __match__(kind: str, given: Any, known: Iterable[str]) -> str:
        """Return which of few texts is meant, each on a way of its own."""
        folded = call("_TOK_FOLD", given)
        for name in known:
            if folded == name.lower().replace(" ", "").replace("_", "").replace("-", ""):
                return name
        raise UnknownIdError(f"{kind} is none of {', '.join(known)}")

    @staticmethod
    def __record__(record: type, given: Any) -> Any:
        """Return the record that a text names."""
        from udfs.hosts.native.records import found  # noqa: PLC0415  (it is made of symbols)

        return found(record, given)

    def strip(self) -> Text:
        """Return the text without blanks around it."""
        return Text("call", "TRIM", self)

    def lower(self) -> Text:
        """Return the text in small letters."""
        return Text("call", "LOWER", self)

    casefold = lower

    def upper(self) -> Text:
        """Return the text in capitals."""
        return Text("call", "UPPER", self)

    def replace(self, old: str, new: str) -> Text:
        """Return the text with one part put for another."""
        return Text("call", "SUBSTITUTE", self, old, new)


class Lambda(Symbol):
    """A function in a formula: variables and what is made of them."""

    __slots__ = ()

    def __init__(self, variables: Sequence[Symbol], body: Any) -> None:
        super().__init__("lambda", tuple(variables), body, vector=False)


def is_vector(value: Any) -> bool:
    """Tell whether a value is a column of its own length."""
    return isinstance(value, Symbol) and value.vector


def variable(name: str, *, vector: bool = False, text: bool = False) -> Symbol:
    """Return an argument."""
    return (Text if text else Symbol)("var", name, vector=vector)


def call(name: str, *args: Any, vector: bool | None = None) -> Symbol:
    """Return the call of a worksheet function."""
    return Symbol("call", name, *args, vector=vector)


def named(hint: str, value: Any) -> Symbol:
    """Return a value that the formula gives a name of its own."""
    return Symbol("named", hint, value)


def operation(operator: str, left: Any, right: Any, *, fold: bool = True) -> Symbol:
    """Return two values joined; what adds nothing is left out."""
    left, right = _plain(left), _plain(right)
    if fold and isinstance(left, Symbol) and not isinstance(right, Symbol | str):
        nothing = {"+": 0.0, "-": 0.0, "*": 1.0, "/": 1.0}.get(operator)
        if nothing is not None and right == nothing:
            return left
    if fold and isinstance(right, Symbol) and not isinstance(left, Symbol | str):
        nothing = {"+": 0.0, "*": 1.0}.get(operator)
        if nothing is not None and left == nothing:
            return right
    return Symbol(operator, left, right)


def power(base: Any, exponent: Any) -> Any:
    """Return a power as NumPy has it: anything to the power of 0 is 1, and 0 to 0 too."""
    base, exponent = _plain(base), _plain(exponent)
    if not isinstance(exponent, Symbol) and exponent != 0:
        return base if exponent == 1 else Symbol("^", base, exponent)
    if not isinstance(base, Symbol) and base != 0:
        return Symbol("^", base, exponent)
    return where(operation("=", exponent, 0.0), 1.0, Symbol("^", base, exponent))


def where(condition: Any, yes: Any, no: Any) -> Symbol:
    """Return one value where a condition holds, another where it does not."""
    return Symbol("if", _plain(condition), _plain(yes), _plain(no))


def both(left: Any, right: Any) -> Any:
    """Return whether two conditions hold; the error of the left one goes first."""
    if left is True:
        return right
    return left if right is True else Symbol("*", _plain(left), _plain(right))


def either(left: Any, right: Any) -> Symbol:
    """Return whether one of two conditions holds."""
    return operation(">", Symbol("+", _plain(left), _plain(right)), 0.0)


def inside(value: Any, domain: Any) -> Any:
    """Return the condition under which a value lies in a domain."""
    sound: Any = True
    edges = ((">", domain.low, -math.inf), ("<", domain.high, math.inf))
    for operator, edge, limit in edges:
        if abs(edge) >= NEVER:
            continue
        shown = 0.0 if abs(edge) < 1 / NEVER else float(f"{edge:.15g}")
        # A domain that leaves its end out is held by the float next to it.
        opened = edge != shown and edge == math.nextafter(shown, -limit)
        sound = both(sound, operation(operator if opened else f"{operator}=", value, shown))
    if domain.whole:
        sound = both(sound, operation("=", value, call("INT", value)))
    return operation("=", value, value) if sound is True else sound


def each(
    values: Sequence[Any], function: Callable[..., Any], *, kinds: Sequence[type] | None = None
) -> Symbol:
    """Return a function's result for each element of values that broadcast; no error spreads."""
    together: Any = 0.0
    for value in values:
        blank = operation("*", operation("=", value, ""), 0.0, fold=False)
        together = operation("+", together, call("IFERROR", blank, 0.0))
    here = operation("=", together, 0.0)
    kinds = kinds or [Symbol] * len(values)
    names = [kind("var", "p", vector=False) for kind in kinds]
    spread = [call("IF", here, value) for value in values]
    found = call("MAP", *spread, Lambda(names, function(*names)), vector=False)
    # Of single values one single value, which IF and ISNA take as such.
    return call("_TOK_ALONE", found)


def _plain(value: Any) -> Any:
    """Return a constant as Python has it."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return Symbol("column", *(float(v) for v in value), vector=True)
    if isinstance(value, Symbol | str | bool):
        return value
    if isinstance(value, int | float):
        return float(value)
    raise UntraceableError(f"{type(value).__name__} in a formula")


def _element_by_element(rule: Callable[..., Any] | None, inputs: Sequence[Any]) -> Any:
    """Apply a rule to each element of arrays whose elements are values of a formula."""
    if rule is None:
        raise UntraceableError("an array of values where no formula is known")
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


def _running(function: str, start: float, values: Any) -> Symbol:
    a, b = Symbol("var", "a", vector=False), Symbol("var", "b", vector=False)
    return call("SCAN", start, values, Lambda([a, b], Symbol(function, a, b)), vector=True)


def _cumulative(function: str, start: float) -> Callable[..., Symbol]:
    def rule(values: Any, **_axis: Any) -> Symbol:
        return _running(function, start, values)

    return rule


def _product(values: Any) -> Symbol:
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


_UFUNCS: Mapping[str, Callable[..., Any]] = {
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
    "log": lambda a: call("LN", a),
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

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "where": where,
    "select": _select,
    "clip": _clipped,
    "argsort": _ordered,
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
