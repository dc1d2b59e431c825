"""The values of formulas are read from the calculator by their places, however these lie."""

from __future__ import annotations

from array import array

import pytest

from workbooks.recalc.plan import Formulas
from workbooks.recalc.values import read_run


class Calculator:
    """Gives row * 1000 + column for each cell, and notes which areas are asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, int, int]] = []

    def values(self, sheet: str, top: int, left: int, bottom: int, right: int) -> list[list[float]]:
        assert sheet == "S"
        self.asked.append((top, left, bottom, right))
        return [
            [row * 1000.0 + column for column in range(left, right + 1)]
            for row in range(top, bottom + 1)
        ]


PLACES = [
    [],
    [(3, 2)],
    [(1, 2), (2, 2), (3, 2)],
    [(1, 2), (3, 2)],
    [(1, 2), (1, 3), (2, 2), (2, 3)],
    [(1, 2), (2, 3)],
    [(1, 2), (1, 5), (2, 2), (4, 5)],
    [(5, 2), (1, 2)],
    [(1, 1), (90_000, 1)],
    [(1, 1), (90_000, 3)],
]


@pytest.mark.parametrize("places", PLACES)
def test_each_value_is_that_of_its_place(places: list[tuple[int, int]]) -> None:
    rows, columns = (array(kind, (p[i] for p in places)) for i, kind in enumerate("IH"))
    found = Calculator()
    wanted = [row * 1000.0 + column for row, column in places]
    assert read_run(found, "S", Formulas(rows, columns, ())) == wanted  # type: ignore[arg-type]
    # Cells far from each other are asked for one by one, and others in few areas.
    cells = sum((b - t + 1) * (r - l + 1) for t, l, b, r in found.asked)  # noqa: E741
    assert cells <= 4096 + 64 * len(places)
    assert len(found.asked) <= max(len({column for _, column in places}), 2)


def test_what_is_known_is_not_asked_for() -> None:
    calculator = Calculator()
    run = Formulas(array("I", [1, 2, 3]), array("H", [2, 2, 2]), (5.0, None, "x"))
    assert run.waiting
    assert read_run(calculator, "S", run) == [5.0, 2002.0, "x"]  # type: ignore[arg-type]
    assert calculator.asked == [(2, 2, 2, 2)]
    whole = run._replace(known=(5.0, 0.0, "x"))
    assert not whole.waiting
    assert read_run(calculator, "S", whole) == [5.0, 0.0, "x"]  # type: ignore[arg-type]
