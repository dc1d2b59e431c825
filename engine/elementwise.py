"""Arguments and their domains, so that the body of an engine function is its equation alone.

`elementwise` is for functions of numbers: floats in, float out; anything array-like in, an array
of the broadcast shape out; pandas in, pandas out. `single` is for functions that return a table.
Hosts read the kind of each argument from its annotation (`Number`, `Scalar`, `Series`, `str`).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce, wraps
from typing import Annotated, Any, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from engine.applied import How, number_of, over_arrays, over_scalars, over_stacks, series_of
from engine.blocks import in_blocks
from engine.conversion import aligned
from engine.domains import LARGEST, Domain
from engine.errors import DomainError, InputError

#: Broadcasts: a float, or an array of floats.
Number = Annotated[float | NDArray[np.float64], "number"]
#: One number, never a range.
Scalar = Annotated[float, "scalar"]
#: A whole range taken together, in reading order.
Series = Annotated[NDArray[np.float64], "series"]
#: One row of numbers for each element of the arguments.
Row = Annotated[tuple[Number, ...], "row"]
#: As many results, one below the other, as the first series has elements.
Column = Annotated[NDArray[np.float64], "column"]

#: Default of an argument that equals another one unless it is given (see `at_least`).
SAME: Any = None

# Elements at once that fit the cache: of an equation alone, of one that keeps fifty arrays, and of
# one that has an axis of hundreds of steps.
_BLOCK = 32768
_SOONER_BLOCK = 8192
_AXIS_BLOCK = 512


def any_real(*, blank: float | None = None) -> Domain:
    """Any finite number; in a series, `blank` is what a blank cell stands for."""
    return Domain(-LARGEST, LARGEST, "a finite number", blank=blank)


def at_least(low: float, *, same_as: str | None = None, per: str = "") -> Domain:
    """Numbers from `low` upwards; left out, the argument equals the one named by `same_as`."""
    return Domain(low, LARGEST, f"{low:g} or more", same_as=same_as, per=per)


def above(low: float) -> Domain:
    """Numbers greater than `low`."""
    return Domain(math.nextafter(low, math.inf), LARGEST, f"more than {low:g}")


def between(low: float, high: float) -> Domain:
    """Numbers from `low` to `high`, the ends included."""
    return Domain(low, high, f"{low:g} to {high:g}")


def fraction() -> Domain:
    """0 to 1, the ends included; a percent typed as a whole number is told what it should be."""
    return Domain(0.0, 1.0, "0 to 1, as 0.08 for 8 %")


def positive_fraction() -> Domain:
    """Above 0, up to and including 1."""
    return Domain(math.nextafter(0, 1), 1.0, "above 0 and at most 1")


def proper_fraction() -> Domain:
    """From 0, below 1."""
    return Domain(0.0, math.nextafter(1, 0), "0 or more and below 1")


def whole(low: float, high: float = LARGEST) -> Domain:
    """Whole numbers from `low` to `high`."""
    limit = "or more" if high == LARGEST else f"to {high:g}"
    return Domain(low, high, f"a whole number, {low:g} {limit}", whole=True)


P = ParamSpec("P")
R = TypeVar("R")


def elementwise(
    *, never: str = "", **domains: Domain
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function of numbers and the domain of each.

    Parameters
    ----------
    never : str
        Where +infinity is an answer (a runway without end), what it means.
    **domains : Domain
        One for every numeric argument. An argument without one is passed on as it is.
    """
    return _declared("elementwise", domains, never)


def single(never: str = "", /, **domains: Domain) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function of single numbers and whole series, such as one that returns a table.

    Parameters
    ----------
    never : str
        Where +infinity is an answer, what it means.
    **domains : Domain
        One for every numeric argument.
    """
    return _declared("single", domains, never)


def positive(value: Number, message: str) -> Number:
    """Give `value` back where it is above 0; elsewhere raise (a scalar) or put NaN (an array)."""
    return holds(value > 0, value, message)


def holds(condition: bool | NDArray[np.bool_], value: Number, message: str) -> Number:
    """Give `value` back where `condition` holds; elsewhere raise (a scalar) or put NaN."""
    if not isinstance(condition, bool | np.bool_):
        return np.where(condition, value, np.nan)
    if not condition:
        raise DomainError(message)
    return value


def steps(count: Scalar, beside: Any = None) -> NDArray[np.float64]:
    """Return 0, 1, 2 … below a whole number, such as the months of a path.

    `beside` is a value that the steps are computed with, where the number itself is fixed.

    >>> steps(3.0)
    array([0., 1., 2.])
    """
    traced = getattr(type(count), "__steps__", None) or getattr(type(beside), "__steps__", None)
    passed: NDArray[np.float64] = traced(count) if traced else np.arange(count, dtype=np.float64)
    return passed


def by_element(
    function: Callable[..., NDArray[np.float64]],
    *values: Number,
    sooner: Sequence[Callable[..., NDArray[np.float64]]] = (),
) -> Number:
    """Apply a function that looks along the last axis to each element of numbers that broadcast.

    The function gets columns of some elements at once, so that what it makes of them fits the
    processor's cache; it returns one number for each.

    `sooner` are cheaper functions that are asked first, over plain arrays: what one of them gives
    but NaN is what the function would give.
    """
    tracer = next((t for v in values if (t := getattr(type(v), "__by_element__", None))), None)
    if tracer is not None:
        return cast(Number, tracer(function, values))

    def whole_axis(*columns: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ravel(function(*(column[:, np.newaxis] for column in columns)))

    grid = np.broadcast_arrays(*values)
    columns = [np.ravel(column) for column in grid]
    results = np.empty(columns[0].shape)
    left: Any = slice(None)
    for step, size in (*((step, _SOONER_BLOCK) for step in sooner), (whole_axis, _AXIS_BLOCK)):
        asked = [column[left] for column in columns]
        found = np.empty(asked[0].shape)
        for start in range(0, found.size, size):
            part = slice(start, start + size)
            found[part] = step(*(column[part] for column in asked))
        results[left] = found
        left = np.flatnonzero(np.isnan(results))
    shape = grid[0].shape
    return results.reshape(shape) if shape else float(results[0])


def largest_whole(
    holds: Callable[[Any], NDArray[np.bool_]], most: Number, *beside: Number
) -> Number:
    """Return the largest whole number up to `most` at which a condition still holds, or 0.

    The condition gets an array, and holds up to some number and not beyond. The result is found
    from its highest binary digit down, and has the shape of `most` and what stands `beside` it; it
    is NaN where `most` is.

    >>> largest_whole(lambda n: n * n <= 50, 100.0)
    7.0
    """
    if (traced := getattr(type(most), "__largest__", None)) is not None:
        return cast(Number, traced(holds, most))
    shape = np.broadcast(most, *beside).shape
    high = np.broadcast_to(np.asarray(most, dtype=np.float64), shape or (1,))
    found = np.where(np.isnan(high), np.nan, 0.0)
    top = float(np.max(high, initial=0.0, where=~np.isnan(high)))
    digits = math.floor(math.log2(top)) + 1 if top >= 1 else 0
    for digit in reversed(range(digits)):
        tried = found + 2.0**digit
        found = np.where((tried <= high) & holds(tried), tried, found)
    return found if shape else float(found[0])


def one_or_alike(*terms: Any) -> None:
    """Raise unless each term holds one value, or as many as the longest of them.

    Of a stack of series, each is a row (see `stacked`).
    """
    sizes = [
        term.shape[-1] if isinstance(term, np.ndarray) and term.ndim else np.size(term)
        for term in terms
    ]
    longest = reduce(np.maximum, sizes)
    fits: Any = True
    for size in sizes:
        fits = fits & ((size == 1) | (size == longest))
    if not fits:
        told = sorted({str(size) for size in sizes} - {"1"}, key=lambda size: (len(size), size))
        raise InputError(
            f"ranges of {' and '.join(told)} cells; each must hold one value, or one "
            "for each period"
        )


def larger(one: Number, other: Number) -> Number:
    """Give the larger of two; for floats alone a float, so that overflow is silent infinity."""
    if isinstance(one, float) and isinstance(other, float):
        return max(one, other)
    return np.maximum(one, other)


def smaller(one: Number, other: Number) -> Number:
    """Give the smaller of two; for floats alone a float."""
    if isinstance(one, float) and isinstance(other, float):
        return min(one, other)
    return np.minimum(one, other)


def raised(base: Number, exponent: Number) -> Number:
    """Give a power; infinite beyond the largest number for floats too, as arrays have it."""
    try:
        return base**exponent
    except OverflowError:
        return math.inf


def domains_of(function: Callable[..., Any]) -> Mapping[str, Domain]:
    """Return the declared domains of an engine function, by argument."""
    return cast(Mapping[str, Domain], getattr(function, "__domains__", {}))


def stacked(function: Callable[..., Any]) -> Callable[..., NDArray[np.float64]] | None:
    """Return what answers many calls of a function at once, where its series allow it.

    It takes stacks of series, a call a row or one row for all, and returns a number for each call,
    NaN where the call itself has none. A function that makes one number of its series does so along
    the last axis.
    """
    return cast("Callable[..., NDArray[np.float64]] | None", getattr(function, "__stacked__", None))


def never_of(function: Callable[..., Any]) -> str:
    """Return what +infinity means as a result of this function; empty where it means nothing."""
    return cast(str, getattr(function, "__never__", ""))


def _declared(
    how: How, domains: Mapping[str, Domain], never: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        names = tuple(signature.parameters)
        if strangers := set(domains) - set(names):
            raise TypeError(f"{function.__name__} has no argument {sorted(strangers)}")
        checks = tuple(domains.get(name) for name in names)
        defaults = tuple(p.default for p in signature.parameters.values())
        required = sum(default is inspect.Parameter.empty for default in defaults)
        series = _series_arguments(signature)
        # What the fast path tests: an argument without a domain, such as a text, is passed on; a
        # series, which NaN admits to no interval, goes the long way.
        intervals = tuple(
            None if d is None else (math.nan if n in series else d.low, d.high, d.whole)
            for n, d in zip(names, checks, strict=True)
        )
        # Arguments that spread the function over their elements; pandas labels come from these.
        spread = [i for i, d in enumerate(checks) if d and names[i] not in series]
        # A function of numbers alone goes over its elements by blocks that fit the cache; where a
        # text names a model, the function has blocks of its own.
        plain = signature.return_annotation == "Number" and all(checks) and not series
        rows = signature.return_annotation == "Row"
        borrowers = [i for i, d in enumerate(checks) if d and d.same_as]
        shortest = max([required, *(i + 1 for i in borrowers)])

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if not kwargs and shortest <= len(args) <= len(names):
                for value, interval in zip(args, intervals, strict=False):
                    if interval is None:
                        continue
                    low, high, whole_only = interval
                    if type(value) is not float or not low <= value <= high:
                        break
                    if whole_only and value % 1:
                        break
                else:
                    return cast(R, over_scalars(function, args, how, never))
            if (tracer := _tracer([*args, *kwargs.values()])) is not None:
                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                return cast(R, tracer(function, checked.__domains__, bound.arguments))  # type: ignore[attr-defined]
            values, arrays, labelled = prepared(args, kwargs)
            with np.errstate(all="ignore"):
                if any(arrays):
                    return cast(R, spread_over(values, arrays, labelled))
                return cast(R, over_scalars(function, values, how, never))

        def spread_over(
            values: list[Any], arrays: list[Domain | None], labelled: Callable[[Any], Any]
        ) -> Any:
            def block(*part: Any) -> tuple[NDArray[Any], ...]:
                return over_arrays(function, part, arrays, never)

            try:
                if plain and np.broadcast(*values).size > _BLOCK:
                    results: Sequence[Any] = in_blocks(block, values, 1, _BLOCK)
                else:
                    results = block(*values)
            except ValueError as error:
                if "broadcast" in str(error):
                    raise InputError(f"ranges of different shapes: {error}") from error
                raise
            told = tuple(map(labelled, results))
            return told if rows else told[0]

        def prepared(
            args: Sequence[Any], kwargs: Mapping[str, Any]
        ) -> tuple[list[Any], list[Domain | None], Callable[[Any], Any]]:
            if not kwargs and required <= len(args) <= len(names):
                values = [*args, *defaults[len(args) :]]
            else:
                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                values = [bound.arguments[name] for name in names]
            numbers = [values[i] for i in spread]
            labelled = aligned([names[i] for i in spread], numbers)
            for i, value in zip(spread, numbers, strict=True):
                values[i] = value
            # The domain of each array that is still to be held to it.
            arrays: list[Domain | None] = [None] * len(values)
            for i, domain in enumerate(checks):
                value = values[i]
                if domain is None or (value is None and defaults[i] is None and not domain.same_as):
                    continue
                if value is None and domain.same_as:
                    values[i] = values[names.index(domain.same_as)]
                elif names[i] in series:
                    values[i] = series_of(names[i], value, domain)
                else:
                    values[i] = number_of(names[i], value, domain, how)
                    if isinstance(values[i], np.ndarray):
                        arrays[i] = domain
            return values, arrays, labelled

        checked.__domains__ = {  # type: ignore[attr-defined]
            name: domain for name, domain in zip(names, checks, strict=True) if domain is not None
        }
        checked.__never__ = never  # type: ignore[attr-defined]
        if len(series) == len(names) and signature.return_annotation == "float":
            checked.__stacked__ = partial(over_stacks, function, checked.__domains__)  # type: ignore[attr-defined]
        return checked

    return decorate


def _tracer(given: Sequence[Any]) -> Callable[..., Any] | None:
    """Return what runs a function for arguments that are no numbers yet but remember formulas.

    A host may run the functions on such arguments to write them as formulas; the engine knows
    nothing of them but this name.
    """
    return next((t for v in given if (t := getattr(type(v), "__engine_call__", None))), None)


def _series_arguments(signature: inspect.Signature) -> frozenset[str]:
    # Annotations are strings here (PEP 563); "Series" or "Series | None" is what they say.
    return frozenset(
        name for name, p in signature.parameters.items() if str(p.annotation).startswith("Series")
    )
