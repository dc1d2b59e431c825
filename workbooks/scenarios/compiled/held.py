"""A program held against the calculator: the same scenarios, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from udfs.cells import Cell, CellError
from workbooks.formula.address import full_name
from workbooks.scenarios.compiled.formulas import Place
from workbooks.scenarios.compiled.program import Program

#: Numbers agree to this share of themselves, or of what they are computed from.
TOLERANCE = 1e-12


def first_difference(
    program: Program, scenario: Sequence[Cell], theirs: Sequence[Any]
) -> str | None:
    """Return which output differs in one scenario, and how; None where none does.

    Parameters
    ----------
    program : Program
        The workbook compiled.
    scenario : Sequence
        Values of its inputs.
    theirs : Sequence
        What the calculator gives for its outputs.
    """
    given = [program.texts.of(value) for value in scenario]
    ours = [program.texts.cells(column, 1)[0] for column in program.run(given, 1)]
    for place, one, other in zip(program.outputs, ours, theirs, strict=True):
        if agree(one, other):
            continue
        scale = _scale(program, place, scenario)
        if not agree(one, other, scale):
            return f"{full_name(*place)}: {_told(one)} in place of {_told(other)}"
    return None


def agree(one: Any, other: Any, scale: float = 0.0) -> bool:
    """Tell whether two values are alike: numbers nearly, all else to the letter.

    `scale` is the size of what they are computed from: a difference of large numbers is only as
    good as they are.
    """
    if type(one) is float and type(other) is float:
        return abs(one - other) <= TOLERANCE * max(abs(one), abs(other), scale)
    if isinstance(one, CellError) and isinstance(other, CellError):
        return one.code == other.code
    return type(one) is type(other) and bool(one == other)


def _scale(program: Program, place: Place, scenario: Sequence[Cell]) -> float:
    """Return the size of the largest number that a formula refers to."""
    needed = program.needed_by(place)
    given = [program.texts.of(value) for value in scenario]
    columns = program.run(given, 1, needed)
    sizes = [program.texts.cells(column, 1)[0] for column in columns]
    return max((abs(size) for size in sizes if type(size) is float), default=0.0)


def _told(value: Any) -> str:
    return value.code if isinstance(value, CellError) else repr(value)
