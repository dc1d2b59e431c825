"""What `elementwise` does with each argument before the equation, and with its results after it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.conversion import array_of
from engine.domains import LARGEST, Domain
from engine.errors import DomainError, InputError

How = Literal["elementwise", "single"]


def number_of(name: str, value: Any, domain: Domain, how: How) -> Any:
    """Turn one argument into a checked float, or into an array of floats that is not."""
    if isinstance(value, bool | str | np.bool_) or value is None:
        raise InputError(f"{name} must be a number, not {value!r}")
    values = array_of(name, value)
    if values.ndim == 0:
        number = float(values)
        if not domain.admits(number):
            raise DomainError(f"{name} is {number:g}; it must be {domain.allowed}")
        return number
    if how == "single":
        raise InputError(f"{name} must be a single number, not a range")
    return values


def series_of(name: str, value: Any, domain: Domain) -> NDArray[np.float64]:
    """Turn one argument into a whole range of floats, each in the domain."""
    values = array_of(name, value).ravel()
    if not values.size:
        raise InputError(f"{name} holds no number")
    bad = domain.outside(values)
    if bad.any():
        place = int(np.argmax(bad))
        raise DomainError(
            f"{name} holds {values[place]:g} in place {place + 1}; it must be {domain.allowed}"
        )
    return values


def over_scalars(function: Callable[..., Any], values: Sequence[Any], how: How, never: str) -> Any:
    """Apply a function to numbers; a result that is not finite is refused."""
    try:
        result = function(*values)
    except ArithmeticError as error:
        raise DomainError(f"{function.__name__} has no finite result here: {error}") from error
    if type(result) is float and -LARGEST <= result <= LARGEST:
        return result
    if isinstance(result, str) or (how == "single" and not isinstance(result, float)):
        return result
    if isinstance(result, tuple):
        return tuple(_finite_number(function, part, never) for part in result)
    return _finite_number(function, result, never)


def _finite_number(function: Callable[..., Any], result: Any, never: str) -> float:
    number = float(result)
    if not math.isfinite(number) and not (never and number == math.inf):
        raise DomainError(f"{function.__name__} has no finite result here")
    return number


def over_arrays(
    function: Callable[..., Any],
    values: Sequence[Any],
    domains: Sequence[Domain | None],
    never: str,
) -> tuple[NDArray[Any], ...]:
    """Apply a function to arrays, what is outside its domain put to NaN before and after.

    `domains` has None where a value is no array that spreads the function.
    """
    checked, spoilt = list(values), []
    for i, (value, domain) in enumerate(zip(values, domains, strict=True)):
        if domain is not None and not domain.holds(value):
            bad = domain.outside(value)
            checked[i] = np.where(bad, np.nan, value)
            spoilt.append(bad)
    result = function(*checked)
    # A power may swallow a NaN (1 to the NaN is 1); what went in bad must come out bad.
    parts = result if isinstance(result, tuple) else (result,)
    return tuple(_spoil(_finite(part, never), spoilt) for part in parts)


def over_stacks(
    function: Callable[..., Any], domains: Mapping[str, Domain], *stacks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Apply a function of whole series to stacks of them; NaN where a call has no finite result."""
    with np.errstate(all="ignore"):
        result = np.asarray(function(*stacks))
    lost = ~np.isfinite(result)
    for stack, domain in zip(stacks, domains.values(), strict=False):
        if not domain.holds(stack):
            lost = lost | domain.outside(stack).any(axis=-1)
    return np.where(lost, np.nan, result)


def _finite(result: Any, never: str) -> Any:
    array = np.asarray(result)
    if array.dtype.kind != "f":
        return array
    if array.size and array.min() >= -LARGEST and array.max() <= LARGEST:
        return array
    lost = np.isneginf(array) if never else np.isinf(array)
    return np.where(lost, np.nan, array) if lost.any() else array


def _spoil(result: NDArray[Any], spoilt: list[NDArray[np.bool_]]) -> NDArray[Any]:
    for bad in spoilt:
        if bad.ndim <= result.ndim:
            result = np.where(bad, np.nan, result)
    return result
