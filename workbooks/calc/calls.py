"""Calls of the worksheet functions by the calculator: one at a time, or gathered into blocks.

A cheap function of numbers has a short way: its domain is checked here, and its equation called
as it stands. An expensive one is called in blocks: but for the first few, every call is only noted
and answered with a placeholder; then one call per function answers all that were noted, and the
calculator evaluates again, until nothing is missing. This takes as many rounds as such functions
are chained, and cannot give a wrong value, for an answer belongs to its arguments alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from udfs.cells import CellError
from workbooks.calc.handed import OwnCall
from workbooks.calc.protocol import DIGITS, NUMBER, SHOWN, SNAPPED

#: What a call that waits for its block shows for the time being.
WAITING = CellError("#CALC!", "waits for its block")
_MOST_ROUNDS = 32
# So many calls of a function are answered at once: they take less time than a round.
_FEW = 64
_LARGEST = sys.float_info.max
_SEVERAL_CELLS = ("row", "column", "grid", "table")


#: What takes so many numbers and gives one.
_OF_NUMBERS = {DIGITS: 1, NUMBER: 1, SHOWN: 1, SNAPPED: 2}


def quick(function: Any, slow: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call that gives what `slow` gives, sooner for plain numbers in their domains.

    The call is written out for the function's number of arguments, as `dataclasses` writes out an
    `__init__`: a loop over the arguments would take longer than the equation.

    Parameters
    ----------
    function : Function
        The worksheet function.
    slow : Callable
        The way for all that is not plain: texts, blanks, ranges, numbers outside the domain.
    """
    engine = getattr(function, "engine", None)
    equation = getattr(engine, "__wrapped__", None)
    if engine is None or equation is None or not getattr(function, "plain", False):
        return slow
    from engine.elementwise import domains_of  # noqa: PLC0415  (only where a function is ours)

    domains = domains_of(engine)
    if any(name not in domains or domains[name].whole for name in function.parameters):
        return slow
    known: dict[str, Any] = {
        "equation": equation,
        "slow": slow,
        "missing": _MISSING,
        "given": _given,
    }
    heads, tests = [], []
    for i, (name, default) in enumerate(zip(function.parameters, function.defaults, strict=True)):
        # A default that depends on other arguments is the engine's to fill in.
        known[f"d{i}"] = default if type(default) is float else _MISSING
        known[f"l{i}"], known[f"h{i}"] = domains[name].low, domains[name].high
        heads.append(f"a{i}=d{i}")
        tests.append(f"type(a{i}) is float and l{i} <= a{i} <= h{i}")
    values = ", ".join(f"a{i}" for i in range(len(heads)))
    source = (
        f"def answer({', '.join(heads)}, *more):\n"
        f"    if {' and '.join(tests)} and not more:\n"
        f"        try:\n"
        f"            value = equation({values})\n"
        f"            if type(value) is float and {-_LARGEST!r} <= value <= {_LARGEST!r}:\n"
        f"                return value\n"
        # Whatever it is, the slow way meets it again and deals with it; Ctrl-C too, which an
        # calculator would swallow here.
        f"        except KeyboardInterrupt as stop:\n"
        f"            return slow.stop(stop)\n"
        f"        except (ArithmeticError, ValueError):\n"
        f"            pass\n"
        f"    return slow(*given({values}), *more)\n"
    )
    exec(source, known)
    return known["answer"]  # type: ignore[no-any-return]


def of_numbers(name: str, function: Callable[..., Any], slow: OwnCall) -> Callable[..., Any]:
    """Return a call that gives what `slow` gives, sooner for what the passes put into formulas.

    Parameters
    ----------
    name : str
        What the calculator calls it by.
    function : Callable
        Gives a number for numbers.
    slow : OwnCall
        The way for all that is no number.
    """

    def one(number: Any) -> Any:
        try:
            return function(number) if type(number) is float else slow(number)
        except KeyboardInterrupt as stop:
            return slow.stop(stop)

    def two(number: Any, other: Any) -> Any:
        try:
            if type(number) is float and type(other) is float:
                return function(number, other)
            return slow(number, other)
        except KeyboardInterrupt as stop:
            return slow.stop(stop)

    ways: dict[int, Callable[..., Any]] = {1: one, 2: two}
    return ways.get(_OF_NUMBERS.get(name, 0), slow)


class _Missing:
    """Stands for an argument that was not given."""


_MISSING = _Missing()


def _given(*values: Any) -> tuple[Any, ...]:
    count = next((i for i, v in enumerate(values) if v is _MISSING), len(values))
    return values[:count]


class Blocks:
    """The calls of expensive functions, and what they gave."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        self._functions = {
            name: function
            for name, function in functions.items()
            if getattr(function, "expensive", False)
            and hasattr(function, "call_block")
            # A placeholder is one cell: a result of several would change its shape between rounds.
            and getattr(function, "result", "number") not in _SEVERAL_CELLS
        }
        self._answers: dict[str, dict[tuple[Any, ...], Any]] = {n: {} for n in self._functions}
        self._noted: dict[str, dict[tuple[Any, ...], None]] = {n: {} for n in self._functions}
        self._rounds = 0
        self._behind = False
        self.active = False

    def wrapped(self) -> dict[str, Callable[..., Any]]:
        """Return the functions to be called in the place of the expensive ones."""
        return {name: self._wrap(name) for name in self._functions}

    def _wrap(self, name: str) -> Callable[..., Any]:
        function = self._functions[name]
        answers, noted = self._answers[name], self._noted[name]

        def answer(*cells: Any) -> Any:
            key = (*cells, *map(type, cells))
            try:
                return answers[key]
            except KeyError:
                pass
            except TypeError:
                # A range: no key, and a block in itself.
                return function(*cells)
            if self.active and WAITING.code in {c.code for c in cells if isinstance(c, CellError)}:
                # It waits for another block itself.
                self._behind = True
                return WAITING
            if not self.active or len(answers) < _FEW:
                result = answers[key] = function(*cells)
                return result
            noted[key] = None
            return WAITING

        return answer

    def start(self, *, active: bool) -> None:
        """Begin an evaluation, in blocks or not."""
        self.active = active
        self._rounds = 0

    def answer_noted(self) -> bool:
        """Answer what was noted; tell whether the calculator has to evaluate again."""
        waiting, behind, self._behind = False, self._behind, False
        for name, noted in self._noted.items():
            if not noted:
                continue
            waiting = True
            keys = list(noted)
            noted.clear()
            calls = [key[: len(key) // 2] for key in keys]
            results = self._functions[name].call_block(calls)
            self._answers[name].update(zip(keys, results, strict=True))
        self._rounds += 1
        if self._rounds >= _MOST_ROUNDS:
            # Arguments that differ in every round (random numbers) would go on for ever.
            self.active = False
        if behind and not waiting:
            # What looked like a call that waits is an error of the workbook's own.
            self.active = False
            return True
        return waiting
