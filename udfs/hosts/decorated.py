"""The worksheet functions as xlwings wants them: plain functions under its decorators.

Cells are converted by an accessor of our own, not by xlwings' options: with those, an error cell
arrives as None, NaN leaves as an empty text, and every cell is looked at several times.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Protocol

from xlwings.conversion import Pipeline

from udfs.cells import CellError
from udfs.declare import LONGEST_HELP, Function

#: The heading in Excel's function wizard.
CATEGORY = "Tokenbook"

Rows = list[list[Any]]


class Decorators(Protocol):
    """The three decorators, of `xlwings.udfs` or of `xlwings.server`."""

    func: Callable[..., Any]
    arg: Callable[..., Any]
    ret: Callable[..., Any]


class Cells:
    """An xlwings accessor: cells in, cells out, each looked at once.

    A host says what its plain cells are and how the others are read and written.
    """

    #: Types that pass as they are, both ways.
    plain: frozenset[type] = frozenset()

    @classmethod
    def taken(cls, context: Any) -> Any:
        """Return the raw value of an argument."""
        return context.value

    @classmethod
    def read(cls, cell: Any) -> Any:
        """Return the cell that a value of the host stands for."""
        raise NotImplementedError

    @classmethod
    def written(cls, error: CellError, options: Mapping[str, Any]) -> Any:
        """Return what the host takes for an error."""
        raise NotImplementedError

    @classmethod
    def reader(cls, options: Mapping[str, Any]) -> Any:  # noqa: ARG003  (xlwings calls it so)
        """Return the stages by which xlwings reads an argument."""

        def read(context: Any) -> None:
            value = cls.taken(context)
            if not isinstance(value, list | tuple):
                context.value = value if type(value) in cls.plain else cls.read(value)
                return
            rows = value if value and isinstance(value[0], list | tuple) else [value]
            if not set(map(type, chain.from_iterable(rows))) <= cls.plain:
                rows = [[c if type(c) in cls.plain else cls.read(c) for c in row] for row in rows]
            context.value = rows

        return Pipeline([read])

    @classmethod
    def writer(cls, options: Mapping[str, Any]) -> Any:
        """Return the stages by which xlwings writes a result, always as rows."""

        def cell(value: Any) -> Any:
            if isinstance(value, CellError):
                return cls.written(value, options)
            return "" if value is None else value

        def write(context: Any) -> None:
            rows = context.value if isinstance(context.value, list) else [[context.value]]
            if not {CellError, type(None)}.isdisjoint(map(type, chain.from_iterable(rows))):
                rows = [[cell(value) for value in row] for row in rows]
            context.value = rows

        return Pipeline([write])

    @classmethod
    def router(cls, value: Any, rng: Any, options: Any) -> type[Cells]:  # noqa: ARG003
        """Return the accessor for a result: this one, whatever the result is."""
        return cls


def decorated(
    registry: Mapping[str, Function],
    xlwings: Decorators,
    cells: type[Cells],
    rename: Callable[[str], str] = str,
    options: Callable[[Function], Mapping[str, Any]] = lambda _: {},
) -> dict[str, Callable[..., Any]]:
    """Return every function as a plain one that xlwings can export.

    Parameters
    ----------
    registry : Mapping
        The declared functions by name.
    xlwings : Decorators
        The decorators to use.
    cells : type[Cells]
        The accessor of the host.
    rename : Callable
        Gives the host's name of an argument.
    options : Callable
        Gives what the host is told of a function beside its category.
    """
    return {
        name: _decorate(function, xlwings, cells, rename, options(function))
        for name, function in registry.items()
    }


def _decorate(
    function: Function,
    xlwings: Decorators,
    cells: type[Cells],
    rename: Callable[[str], str],
    options: Mapping[str, Any],
) -> Callable[..., Any]:
    call = _plain(function, rename)
    for argument in function.arguments:
        # Without a text of its own xlwings would show "Positional argument 1".
        call = xlwings.arg(rename(argument.name), cells, doc=argument.text[:LONGEST_HELP])(call)
    call = xlwings.ret(cells)(call)
    # Last, because every other decorator sets the category back.
    return xlwings.func(category=CATEGORY, **options)(call)  # type: ignore[no-any-return]


def _plain(function: Function, rename: Callable[[str], str]) -> Callable[..., Any]:
    """Return a plain function with the name, help and signature that xlwings reads."""
    required = function.required

    def call(*cells: Any) -> Any:
        # Hosts pass None for every optional argument that was left out; a call without them is
        # the same and may take the short way.
        count = len(cells)
        while count > required and cells[count - 1] is None:
            count -= 1
        return function(*cells[:count])

    call.__name__ = call.__qualname__ = function.name
    call.__doc__ = function.summary
    # xlwings takes a type hint for a converter, so the signature has none.
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                rename(name),
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=None if i >= required else inspect.Parameter.empty,
            )
            for i, name in enumerate(function.parameters)
        ]
    )
    # The wrapper's own `*cells: Any` would be read as a hint for an argument "cells".
    call.__annotations__ = {}
    return call
