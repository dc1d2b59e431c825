"""The cases that every host must answer alike, made from a file for each function.

`tests/data/conformance/TOK_X.json` holds calls written by hand (one is "typical") and what each
case must give. From the typical call come the others: optional arguments left out or blank,
required ones blank, text, TRUE, an error value, a number outside the domain, a column, a grid.
`python tests/conformance/record.py` writes the file of a new function from its doctest, and after
a change of the engine what truly changed, for review.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from udfs import CellError, registry

FOLDER = Path(__file__).parents[1] / "data" / "conformance"
#: The call that the other cases of a function are made from.
TYPICAL = "typical"


class Case(NamedTuple):
    """One call and, once recorded, what it must give."""

    id: str
    function: str
    cells: tuple[Any, ...]


@cache
def recorded(function: str) -> dict[str, Any]:
    """Return the calls and answers that the file of a function holds; both empty without one."""
    path = FOLDER / f"{function}.json"
    if not path.exists():
        return {"calls": {}, "answers": {}}
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return held


def cases() -> Iterator[Case]:
    """Yield every case of every declared function that has its file."""
    for name in registry:
        yield from cases_of(name, recorded(name)["calls"])


def cases_of(name: str, calls: dict[str, list[Any]]) -> Iterator[Case]:
    """Yield the cases of one function from the calls written by hand."""
    for what, cells in calls.items():
        yield Case(f"{name}-{what}", name, tuple(from_json(cell) for cell in cells))
    if TYPICAL not in calls:
        return
    function, typical = registry[name], tuple(from_json(cell) for cell in calls[TYPICAL])
    if function.required < len(function.parameters):
        yield Case(f"{name}-defaults", name, typical[: function.required])
        blank = (*typical[: function.required], None)
        yield Case(f"{name}-blank-optional", name, blank)
    for i, kind in enumerate(function.kinds[: function.required]):
        argument = function.parameters[i]
        for what, cell in (("blank", None), ("error", CellError("#N/A"))):
            yield Case(f"{name}-{argument}-{what}", name, _with(typical, i, cell))
        if kind in ("number", "scalar"):
            yield Case(f"{name}-{argument}-text", name, _with(typical, i, "text"))
            yield Case(f"{name}-{argument}-true", name, _with(typical, i, True))
            yield Case(f"{name}-{argument}-outside", name, _with(typical, i, -1e6))
        elif kind in ("model", "accelerator", "text"):
            yield Case(f"{name}-{argument}-unknown", name, _with(typical, i, "nosuchthing"))
    yield from _series(name, function, typical)
    if function.broadcasts and "number" in function.kinds[: len(typical)]:
        yield from _ranges(name, function, typical)


def _series(name: str, function: Any, typical: tuple[Any, ...]) -> Iterator[Case]:
    places = [i for i in function.series if i < len(typical) and isinstance(typical[i], list)]
    for i in places:
        blank = _with(typical, i, [*typical[i], [None] * len(typical[i][0])])
        yield Case(f"{name}-{function.parameters[i]}-blank-inside", name, blank)
        error = _with(typical, i, [[CellError("#N/A")] * len(typical[i][0]), *typical[i][1:]])
        yield Case(f"{name}-{function.parameters[i]}-error-inside", name, error)
    if len(places) > 1:
        spaced = typical
        for i in places:
            gap = [None] * len(typical[i][0])
            spaced = _with(spaced, i, [typical[i][0], gap, *typical[i][1:], gap])
        yield Case(f"{name}-blank-rows", name, spaced)


def _ranges(name: str, function: Any, typical: tuple[Any, ...]) -> Iterator[Case]:
    places = [i for i, kind in enumerate(function.kinds[: len(typical)]) if kind == "number"]
    first = typical[places[0]]
    column = [[first], [first * 1.25], [None], ["text"], [CellError("#DIV/0!")], [-1e6]]
    yield Case(f"{name}-column", name, _with(typical, places[0], column))
    if len(places) > 1 and function.result != "row":
        row = [[typical[places[1]], typical[places[1]] * 0.75]]
        grid = _with(_with(typical, places[0], column[:2]), places[1], row)
        yield Case(f"{name}-grid", name, grid)


def _with(cells: tuple[Any, ...], place: int, cell: Any) -> tuple[Any, ...]:
    return (*cells[:place], cell, *cells[place + 1 :])


def as_json(value: Any) -> Any:
    """Return a result as JSON: an error by its code alone, since reasons stay out of cells.

    An empty text and an empty cell look alike, and some hosts cannot tell them apart.
    """
    if isinstance(value, list):
        return [[as_json(cell) for cell in row] for row in value]
    if isinstance(value, CellError):
        return {"error": value.code}
    return None if value == "" else value


def from_json(value: Any) -> Any:
    """Return a cell or a range as a host hands it over, from what a file says."""
    if isinstance(value, list):
        return [[from_json(cell) for cell in row] for row in value]
    return CellError(value["error"]) if isinstance(value, dict) else value


def expected() -> dict[str, Any]:
    """Return what each case must give, by its id."""
    return {
        f"{name}-{what}": answer
        for name in registry
        for what, answer in recorded(name)["answers"].items()
    }


def difference(wanted: Any, got: Any, tolerance: float = 1e-9) -> str:
    """Return how a result differs from what is expected; empty where it does not."""
    if isinstance(wanted, list) != isinstance(got, list):
        return f"wanted {wanted!r}, got {got!r}"
    if isinstance(wanted, list):
        if [len(row) for row in wanted] != [len(row) for row in got]:
            return f"wanted {len(wanted)} rows of {len(wanted[0])}, got {len(got)} of {len(got[0])}"
        return next(
            (
                f"row {r + 1}, column {c + 1}: {told}"
                for r, (row, other) in enumerate(zip(wanted, got, strict=True))
                for c, (one, two) in enumerate(zip(row, other, strict=True))
                if (told := difference(one, two, tolerance))
            ),
            "",
        )
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        close = abs(wanted - got) <= tolerance * max(1e-300, abs(wanted))
        return "" if close else f"wanted {wanted!r}, got {got!r}"
    return "" if wanted == got else f"wanted {wanted!r}, got {got!r}"
