"""Engine functions by the name of their worksheet function, and rows that say what varies."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

import engine
from engine.elementwise import domains_of, never_of
from engine.errors import DomainError, InputError, UnknownIdError

#: Rows (argument, low, base, high).
Rows = Annotated[Sequence[Sequence[Any]], "rows"]

_PREFIX = "TOK_"
# Worksheet functions that are not called what the engine calls them.
_OTHERWISE = {"SUBSIDY": "subsidy_per_mtok"}
_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Varied:
    """One argument between a low and a high value, or fixed where both are its base."""

    argument: str
    low: Any
    base: Any
    high: Any

    @property
    def fixed(self) -> bool:
        """Whether it does not vary."""
        return bool(self.low == self.high)


@dataclass(frozen=True, slots=True)
class Study:
    """A function and what varies of its arguments."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[Varied, ...]

    @property
    def varying(self) -> tuple[Varied, ...]:
        """The arguments that vary."""
        return tuple(one for one in self.inputs if not one.fixed)

    @property
    def never(self) -> str:
        """What an infinite result means; empty where it means nothing."""
        return never_of(self.function)

    def results(self, varied: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the results for columns of values of the varying arguments, in one call.

        Parameters
        ----------
        varied : NDArray
            A row an argument that varies, a column a call.
        """
        given = {one.argument: one.base for one in self.inputs}
        given |= dict(zip((one.argument for one in self.varying), varied, strict=True))
        result = self.function(**given)
        return np.broadcast_to(np.asarray(result, dtype=np.float64), varied.shape[1:])


def study(name: str, rows: Sequence[Sequence[Any]]) -> Study:
    """Return the function of this name with the arguments that these rows describe.

    Parameters
    ----------
    name : str
        A worksheet function that returns one number [-].
    rows : Sequence
        Rows of argument, low, base, high; a row with its base alone fixes an argument [-].

    Examples
    --------
    >>> study("TOK_SUBSIDY", [["price", 0.5, 0.88, 1.0], ["breakeven", None, 3.0, None]]).varying
    (Varied(argument='price', low=0.5, base=0.88, high=1.0),)
    """
    function = function_of(name)
    parameters = inspect.signature(function).parameters
    inputs: list[Varied] = []
    for row in rows:
        if all(_blank(cell) for cell in row):
            continue
        if len(row) != _WIDTH:
            raise InputError(
                f"inputs has {len(row)} columns; 4 are wanted: argument, low, base, high"
            )
        one = _varied(function, parameters, row)
        if any(one.argument == other.argument for other in inputs):
            raise InputError(f"inputs names {one.argument} twice")
        inputs.append(one)
    if not inputs:
        raise InputError("inputs is empty; rows of argument, low, base, high are wanted")
    given = {one.argument for one in inputs}
    missing = [
        parameter.name
        for parameter in parameters.values()
        if parameter.default is inspect.Parameter.empty and parameter.name not in given
    ]
    if missing:
        raise InputError(f"inputs lacks {', '.join(missing)}, which {name} needs")
    return Study(name, function, tuple(inputs))


def function_of(name: str) -> Callable[..., Any]:
    """Return the engine function behind a worksheet function that returns one number."""
    known = _scalar_functions()
    if not isinstance(name, str):
        raise InputError(f"function must be text, not {name!r}")
    short = name.strip().upper().removeprefix(_PREFIX)
    if short not in known:
        raise UnknownIdError.of("function", name, [f"{_PREFIX}{one}" for one in known])
    return known[short]


def _scalar_functions() -> dict[str, Callable[..., Any]]:
    """Return what returns one number, by its worksheet name without prefix."""
    called = {own: name for name, own in _OTHERWISE.items()}
    return {
        called.get(name, name.upper()): function
        for name in engine.__all__
        if inspect.isfunction(function := getattr(engine, name))
        and inspect.signature(function).return_annotation in ("Number", "float")
        and domains_of(function)
        and not any(
            str(parameter.annotation).startswith("Series")
            for parameter in inspect.signature(function).parameters.values()
        )
    }


def _varied(function: Callable[..., Any], parameters: Any, row: Sequence[Any]) -> Varied:
    argument, low, base, high = row
    if not isinstance(argument, str):
        raise InputError(f"inputs names an argument {argument!r}; its name is wanted")
    argument = argument.strip().lower()
    if argument not in parameters:
        raise UnknownIdError.of("argument", argument, parameters)
    if _blank(base):
        raise InputError(f"inputs: the base of {argument} is blank")
    if _blank(low) and _blank(high):
        return Varied(argument, base, base, base)
    domain = domains_of(function).get(argument)
    if domain is None:
        raise InputError(f"inputs: {argument} is no number; give its base alone")
    low, base, high = (
        _number(argument, what, cell)
        for what, cell in (("low", low), ("base", base), ("high", high))
    )
    if not low <= base <= high:
        raise DomainError(
            f"{argument} has low {low:g}, base {base:g}, high {high:g}; they must ascend"
        )
    for value in (low, high):
        if not domain.low <= value <= domain.high:
            raise DomainError(f"{argument} is {value:g}; it must be {domain.allowed}")
    return Varied(argument, low, base, high)


def _number(argument: str, what: str, cell: Any) -> float:
    if isinstance(cell, bool | str) or cell is None:
        raise InputError(f"inputs: {what} of {argument} must be a number, not {cell!r}")
    value = float(cell)
    if not math.isfinite(value):
        raise DomainError(f"inputs: {what} of {argument} is not a finite number")
    return value


def _blank(cell: Any) -> bool:
    return cell is None or cell == ""
