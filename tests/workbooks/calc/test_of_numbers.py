"""The short way of what the passes put into formulas gives what the long way gives."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbooks.calc.calls import of_numbers
from workbooks.calc.handed import OwnCall
from workbooks.calc.protocol import DIGITS, SHOWN, SNAPPED
from workbooks.excel.runtime.registry import functions

FUNCTIONS = functions()
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
CELLS = st.one_of(
    NUMBERS,
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.just({"type": "Error", "kind": "Div"}),
    st.lists(st.lists(NUMBERS, min_size=1, max_size=2), min_size=1, max_size=1),
)


class Calculator:
    """Notes what ends the evaluation, and takes results as they are."""

    stopped: BaseException | None = None

    def stop(self, error: BaseException) -> Any:
        self.stopped = error
        return "stopped"

    def calculator_value(self, result: Any) -> Any:
        return result


def both(name: str) -> tuple[Any, Any]:
    long = OwnCall(FUNCTIONS[name], Calculator(), None)
    return of_numbers(name, FUNCTIONS[name], long), long


@pytest.mark.parametrize("name", [DIGITS, SHOWN])
@given(cell=CELLS)
def test_of_one(name: str, cell: Any) -> None:
    short, long = both(name)
    assert short is not long
    assert repr(short(cell)) == repr(long(cell))


@given(result=CELLS, operand=CELLS)
def test_of_two(result: Any, operand: Any) -> None:
    short, long = both(SNAPPED)
    assert short is not long
    assert repr(short(result, operand)) == repr(long(result, operand))


@given(operand=NUMBERS, steps=st.integers(-8, 8))
def test_differences_in_the_last_digits(operand: float, steps: int) -> None:
    other = operand
    for _ in range(abs(steps)):
        other = math.nextafter(other, math.inf if steps > 0 else -math.inf)
    short, long = both(SNAPPED)
    assert short(other - operand, operand) == long(other - operand, operand)


def test_what_takes_something_else_has_no_short_way() -> None:
    long = OwnCall(FUNCTIONS["SUMPRODUCT"], Calculator(), None)
    assert of_numbers("SUMPRODUCT", FUNCTIONS["SUMPRODUCT"], long) is long


def test_ctrl_c_ends_the_evaluation() -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    calculator = Calculator()
    short = of_numbers(SNAPPED, interrupted, OwnCall(interrupted, calculator, None))
    assert short(1.0, 2.0) == "stopped"
    assert isinstance(calculator.stopped, KeyboardInterrupt)
