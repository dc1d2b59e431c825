"""A body that branches on a value, followed down every branch and put together again.

`if x > 0: …` asks a symbol for its truth. Each run of the body answers such questions in one way;
the runs are joined by IF, and where both ways give the same, nothing is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.errors import DomainError, TokenbookError, UnknownIdError
from engine.tables import Table
from udfs.hosts.native.symbols import Symbol, call, operation, where
from udfs.hosts.native.ways import UntraceableError, following
from udfs.hosts.native.writing import Shared

#: A body with more ways through it is no formula that anyone wants.
MOST_RUNS = 4000
_MARK = re.compile("(\0[0-9]+\0)")


@dataclass
class _Run:
    """One way through a body: the answers given so far, and those to give first."""

    shared: Shared
    first: Sequence[tuple[Symbol, bool]]
    decisions: list[tuple[Symbol, bool]] = field(default_factory=list)
    known: dict[int, bool] = field(default_factory=dict)
    #: Columns whose error is that of the whole function.
    needed: list[Symbol] = field(default_factory=list)
    #: Values written into texts, by the mark that stands for each.
    marks: dict[str, Symbol] = field(default_factory=dict)

    def decide(self, condition: Symbol) -> bool:
        node = self.shared.same(condition)
        if id(node) not in self.known:
            place = len(self.decisions)
            answer = self.first[place][1] if place < len(self.first) else True
            self.known[id(node)] = answer
            self.decisions.append((condition, answer))
        return self.known[id(node)]

    def mark(self, value: Symbol, how: str) -> str:
        told = f"\0{len(self.marks)}\0"
        self.marks[told] = call("TEXT", value, "0") if how == ".0f" else value
        return told

    def need(self, value: Symbol) -> None:
        self.needed.append(value)


def _texts(run: _Run, value: Any) -> Any:
    """Return a result whose texts with values in them are joined by formulas."""
    if isinstance(value, str) and "\0" in value:
        parts = [run.marks.get(part, part) for part in _MARK.split(value) if part]
        joined = parts[0] if len(parts) > 1 else operation("&", parts[0], "")
        for part in parts[1:]:
            joined = Symbol("&", joined, part)
        return joined
    if isinstance(value, Table):
        return Table(value.header, tuple(_texts(run, column) for column in value.columns))
    if isinstance(value, np.ndarray) and value.dtype == object:
        made = np.empty(value.shape, dtype=object)
        for place in np.ndindex(made.shape):
            made[place] = _texts(run, value[place])
        return made
    return value


class Refused:
    """What stands for a result where the engine gives none."""


def followed(body: Callable[[], Any]) -> tuple[Any, Any]:
    """Return what a body gives over all ways through it, and what must be 0.

    The second is an error on each way that the engine refuses, and where a column that the body
    needs is one (`must_be`).
    """
    shared, runs = Shared(), 0

    def go(first: Sequence[tuple[Symbol, bool]]) -> tuple[Any, Any]:
        nonlocal runs
        runs += 1
        if runs > MOST_RUNS:
            raise UntraceableError(f"over {MOST_RUNS} ways through the body")
        run = _Run(shared, first)
        told: Any = 0.0
        with following(run):
            try:
                result = _texts(run, body())
            except TokenbookError as error:
                result, told = Refused(), refusal(error)
        for column in reversed(run.needed):
            first_cell = call("INDEX", column, 1.0)
            told = where(operation("=", first_cell, first_cell), told, 0.0)
        for place in range(len(run.decisions) - 1, len(first) - 1, -1):
            condition = run.decisions[place][0]
            other, why = go([*run.decisions[:place], (condition, False)])
            result = _joined(shared, condition, result, other)
            told = _joined(shared, condition, told, why)
        return result, told

    return go([])


def refusal(error: TokenbookError) -> Any:
    """Return what a cell shows for what the engine refuses."""
    if isinstance(error, DomainError):
        return float("nan")
    return call("NA") if isinstance(error, UnknownIdError) else operation("+", 1.0, "x")


def _joined(shared: Shared, condition: Symbol, yes: Any, no: Any) -> Any:
    """Return one result where a condition holds, another where not; of a refused one, the other."""
    if isinstance(yes, Refused) or isinstance(no, Refused):
        return no if isinstance(yes, Refused) else yes
    if isinstance(yes, Table):
        if yes.header != no.header:
            raise UntraceableError("a table whose header depends on a value")
        pairs = zip(yes.columns, no.columns, strict=True)
        return Table(yes.header, tuple(_joined(shared, condition, a, b) for a, b in pairs))
    if isinstance(yes, tuple):
        parts = [_joined(shared, condition, a, b) for a, b in zip(yes, no, strict=True)]
        return type(yes)(*parts) if hasattr(yes, "_fields") else tuple(parts)
    if isinstance(yes, np.ndarray) and isinstance(no, np.ndarray) and yes.shape == no.shape:
        joined = np.empty(yes.shape, dtype=object)
        for i in np.ndindex(yes.shape):
            joined[i] = _joined(shared, condition, yes[i], no[i])
        return joined
    if shared.same(yes) is shared.same(no) or _equal(yes, no):
        return yes
    return where(condition, yes, no)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Symbol) or isinstance(other, Symbol):
        return False
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124  (NaN)
