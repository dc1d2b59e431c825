"""The page's calculator, run here: the very script that the page carries.

What it says of each formula is held against recalculation before a page is written, so that what
a reader sees in the browser has been computed once before, by the same program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from udfs.cells import Cell, CellError
from workbooks.page.bundle import script
from workbooks.page.compiled import Program, plainly
from workbooks.page.places import Place
from workbooks.page.script import Script

#: The parts of the page's script that compute, each before those that use it.
PARTS = (
    "format.js", "texts.js", "values.js", "functions.js", "sums.js", "blocks.js", "money.js",
    "allocation.js", "calculator.js",
)  # fmt: skip


class PageCalculator:
    """A workbook in the page's calculator; `places` are the cells whose values are asked for."""

    def __init__(self, program: Program, places: Sequence[Place]) -> None:
        self._places = places
        self._script = Script(script(PARTS, {"formulas.js": program.code}))
        self._inputs = set(program.data["inputs"])
        self._script.run(
            f"""const data = {json.dumps(program.data)};
            const places = {json.dumps(places)};
            const calculator = new module_calculator.Calculator(data, module_formulas.formulas);"""
        )

    def put(self, change: Mapping[Place, Cell]) -> None:
        """Put values into those of the cells that are inputs of the page."""
        known = [[p, plainly(value)] for p, value in change.items() if p in self._inputs]
        self._script.run(
            f"for (const [place, value] of {json.dumps(known)}) calculator.put(place, value);"
        )

    def values(self) -> dict[Place, Cell]:
        """Compute what has to be, and return the values of the cells."""
        found = json.loads(self._script.run(
            "calculator.evaluate(); "
            "JSON.stringify(places.map((place) => calculator.value(place)))"
        ))  # fmt: skip
        return dict(zip(self._places, map(_value, found), strict=True))


def _value(value: Any) -> Cell:
    if isinstance(value, dict):
        return CellError(value["error"])
    if isinstance(value, bool) or not isinstance(value, int):
        found: Cell = value
        return found
    return float(value)
