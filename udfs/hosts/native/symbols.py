"""What an engine function is run on to learn its formula: a value that remembers how it was made.

A `Symbol` takes part in arithmetic, comparisons and NumPy's functions as a number would, and keeps
the expression. It has no truth: a body that asks `if x > 0` of a value cannot be written as a
formula and says so; `np.where` can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from udfs.hosts.native.ways import UntraceableError, mark, truth

#: What stands for +infinity in a formula, which has no such number; results from NEVER upwards
#: mean "never".
INFINITE = 1e305
NEVER = 1e300

# What adds nothing where it stands right of a value, or left of it.
_RIGHT_OF_ALL = {"+": 0.0, "-": 0.0, "*": 1.0, "/": 1.0}
_LEFT_OF_ALL = {"+": 0.0, "*": 1.0}

#: What NumPy's functions make of symbols, by name; `numpy_rules` fills both.
UFUNCS: dict[str, Callable[..., Any]] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}


class Symbol:
    """A value in a formula: an operation and what it is applied to."""

    __slots__ = ("args", "op", "vector")
    __array_priority__ = 1000
    ndim = 1

    def __init__(self, op: str, *args: Any, vector: bool | None = None) -> None:
        self.op = op
        self.args = args
        if vector is None:
            # Many thousands are made: no call for each argument.
            vector = False
            for one in args:
                if isinstance(one, Symbol) and one.vector:
                    vector = True
                    break
        #: Whether the value is a column of its own length, such as the months of a path.
        self.vector: bool = vector

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
        return truth(self)

    def __format__(self, how: str) -> str:
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
        if isinstance(key, Symbol):
            if not is_vector(key):
                raise UntraceableError("a value that is kept or left out")
            return call("FILTER", self, key, vector=True)
        if key == slice(None, -1):
            return Symbol("head", self, vector=True)
        if key in ((Ellipsis, np.newaxis), (Ellipsis, 0)):
            return self
        if key in (-1, (Ellipsis, slice(-1, None))):
            return call("INDEX", self, call("ROWS", self, vector=False), vector=False)
        if isinstance(key, int):
            return call("INDEX", self, float(key + 1), vector=False)
        if key == slice(None, None, -1):
            places = call("SEQUENCE", self.size, vector=True)
            return call("SORTBY", self, places, -1.0, vector=True)
        raise UntraceableError(f"a value indexed by {key!r}")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        rule = UFUNCS.get(name)
        if rule is None or kwargs:
            raise UntraceableError(f"np.{name} has no formula here")
        return rule(*inputs)

    def __array_function__(
        self, function: Callable[..., Any], _types: Any, args: Any, kwargs: Any
    ) -> Any:
        rule = FUNCTIONS.get(function.__name__)
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
    def __largest__(holds: Callable[[Any], Any], most: Any) -> Symbol:
        """Return the largest whole number up to each of `most` at which a condition holds."""
        a, b = Symbol("var", "a", vector=is_vector(most)), Symbol("var", "b", vector=False)
        top = call("MAX", call("IFERROR", most, 0.0), vector=False)
        # A digit too many does no harm: it is beyond the most.
        digits = call("INT", call("LN", where(top > 1.0, top, 1.0)) / math.log(2.0)) + 2.0
        powers = power(2.0, digits - call("SEQUENCE", digits, vector=True))
        tried = a + b
        kept = call("IFERROR", (tried <= most) * holds(tried), 0.0)
        found = Lambda([a, b], where(kept, tried, a))
        nothing = operation("*", most, 0.0, fold=False)
        return call("REDUCE", nothing, powers, found, vector=is_vector(most))

    @staticmethod
    def __normal__(value: Any) -> Symbol:
        """Return the share of a standard normal below a value."""
        v = Symbol("var", "p", vector=False)
        return call("MAP", value, Lambda([v], call("NORM.S.DIST", v, True)), vector=False)


class Lambda(Symbol):
    """A function in a formula: variables and what is made of them."""

    __slots__ = ()

    def __init__(self, variables: Sequence[Symbol], body: Any) -> None:
        super().__init__("lambda", tuple(variables), body, vector=False)


def is_vector(value: Any) -> bool:
    """Tell whether a value is a column of its own length."""
    return isinstance(value, Symbol) and value.vector


def variable(name: str, *, vector: bool = False) -> Symbol:
    """Return an argument."""
    return Symbol("var", name, vector=vector)


def call(name: str, *args: Any, vector: bool | None = None) -> Symbol:
    """Return the call of a worksheet function."""
    return Symbol("call", name, *args, vector=vector)


def named(hint: str, value: Any) -> Symbol:
    """Return a value that the formula gives a name of its own."""
    return Symbol("named", hint, value)


def operation(operator: str, left: Any, right: Any, *, fold: bool = True) -> Symbol:
    """Return two values joined; what adds nothing is left out."""
    left, right = plain(left), plain(right)
    if fold and isinstance(left, Symbol):
        if not isinstance(right, (Symbol, str)):
            nothing = _RIGHT_OF_ALL.get(operator)
            if nothing is not None and right == nothing:
                return left
    elif fold and isinstance(right, Symbol) and not isinstance(left, str):
        nothing = _LEFT_OF_ALL.get(operator)
        if nothing is not None and left == nothing:
            return right
    return Symbol(operator, left, right)


def power(base: Any, exponent: Any) -> Any:
    """Return a power as NumPy has it: anything to the power of 0 is 1, and 0 to 0 too."""
    base, exponent = plain(base), plain(exponent)
    if not isinstance(exponent, Symbol) and exponent != 0:
        return base if exponent == 1 else Symbol("^", base, exponent)
    if not isinstance(base, Symbol) and base != 0:
        return Symbol("^", base, exponent)
    return where(operation("=", exponent, 0.0), 1.0, Symbol("^", base, exponent))


def where(condition: Any, yes: Any, no: Any) -> Symbol:
    """Return one value where a condition holds, another where it does not."""
    return Symbol("if", plain(condition), plain(yes), plain(no))


def both(left: Any, right: Any) -> Any:
    """Return whether two conditions hold; the error of the left one goes first."""
    if left is True:
        return right
    return left if right is True else Symbol("*", plain(left), plain(right))


def either(left: Any, right: Any) -> Symbol:
    """Return whether one of two conditions holds."""
    return operation(">", Symbol("+", plain(left), plain(right)), 0.0)


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


def plain(value: Any) -> Any:
    """Return a constant as Python has it."""
    # Nearly all are one of these two; the checks below take many times as long.
    if type(value) is float or isinstance(value, Symbol):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return Symbol("column", *(float(v) for v in value), vector=True)
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        return float(value)
    raise UntraceableError(f"{type(value).__name__} in a formula")
