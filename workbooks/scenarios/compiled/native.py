"""Native functions that have no form over columns: the calculator is asked, once for equal values.

It gives what it gives in a recalculation, with the same functions in the place of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbooks.calc.protocol import CalculatorError, CellFunction
from workbooks.excel.passes.broadcast import SINGLE
from workbooks.excel.runtime.distributions import beta_inverses
from workbooks.excel.runtime.lifted import Lifted
from workbooks.formula.functions import SINGLE_KINDS, native
from workbooks.scenarios.compiled.each_draw import one_by_one
from workbooks.scenarios.compiled.values import (
    NUM,
    NUMBER,
    Column,
    Texts,
    UnsupportedError,
    Value,
    everywhere,
    is_kind,
    sound,
)

#: Functions of the runtime in a form for arrays of numbers, which refuses by NaN.
_OF_ARRAYS: Mapping[str, Callable[..., Any]] = {
    "BETA.INV": beta_inverses,
    "BETAINV": beta_inverses,
}
# Arguments that these cannot be without.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Calculator:
    """What answers calls of functions that are not compiled.

    Parameters
    ----------
    lifted : Lifted
        Calls functions of single values.
    runtime : Mapping
        Functions that answer in the place of the calculator's own.
    """

    lifted: Lifted
    runtime: Mapping[str, CellFunction]

    def answers(self, name: str) -> bool:
        """Tell whether it answers a function with whatever arguments of the right kinds."""
        row = native(name)
        if "volatile" in row.traits or not row.known:
            return False
        if name == "TEXT" or name in self.runtime:
            return True
        return row.handled == "native" and set(row.arguments) <= {*SINGLE_KINDS, "*"}

    def call(self, texts: Texts, name: str, arguments: Sequence[Value], size: int) -> Value:
        """Return what a function gives in all draws."""
        if not self.answers(name):
            raise UnsupportedError(f"{name}()")
        together = _OF_ARRAYS.get(name)
        if together is not None and len(arguments) >= _FEWEST and _all_numbers(arguments):
            given = [one.num for one in arguments if isinstance(one, Column)]
            return sound(np.broadcast_to(together(*given), (size,)), NUM)
        return one_by_one(texts, lambda calls: self._answers(name, calls), arguments, size)

    def _answers(self, name: str, calls: list[list[Any]]) -> list[Any]:
        if name == "TEXT" and any(isinstance(cells[0], str) for cells in calls):
            raise UnsupportedError("TEXT() of a text")
        if name != "TEXT" and name in self.runtime:
            results = [self.runtime[name](*cells) for cells in calls]
        else:
            columns = [[[cell] for cell in column] for column in zip(*calls, strict=True)]
            found = self.lifted(name, SINGLE * len(columns), *columns)
            results = [row[0] for row in found] if isinstance(found, list) else [found]
        for result in results:
            if isinstance(result, CalculatorError):
                raise UnsupportedError(f"{name}(): {result.reason}")
        return [_cell(result) for result in results]


def _all_numbers(arguments: Sequence[Value]) -> bool:
    return all(isinstance(a, Column) and everywhere(is_kind(a, NUMBER)) for a in arguments)


def _cell(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
