"""Cells of the model as a report shows them: words, number format, saved value; which are a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from openpyxl.styles.numbers import is_date_format

from udfs.cells import Cell
from workbooks.page.choosing import Chooser
from workbooks.page.formats import shown
from workbooks.page.places import Place
from workbooks.page.reading import Workbook, read_workbook

# A format that shows no number, or all of its digits.
_SAYS_NOTHING = ("", "general", "@", ";;;")
# So many cells of a row are a course over time.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Known:
    """A cell: as the user named it, the words beside it, its format and what the file shows."""

    name: str
    label: str
    format: str
    saved: Cell
    place: Place

    @property
    def is_date(self) -> bool:
        """Whether it is shown as a date or time."""
        return bool(is_date_format(self.format))

    def format_of(self, sizes: Sequence[float]) -> str:
        """Return its number format, or where it has none one that suits numbers of these sizes."""
        if self.format.strip().lower() not in _SAYS_NOTHING:
            return self.format
        size = float(np.max(np.abs(sizes), initial=0.0))
        if size >= 100:
            return "#,##0"
        if size >= 1:
            return "#,##0.00"
        return "0.0000" if size >= 0.001 or size == 0 else "0.00E+00"


class Source:
    """The model that was simulated."""

    def __init__(self, path: Path) -> None:
        self._book: Workbook = read_workbook(path)
        self._chooser = Chooser(self._book)

    def known(self, names: Sequence[str]) -> list[Known]:
        """Return cells by their names or addresses; where words are not theirs alone, by those."""
        places = [self._chooser.find(name) for name in names]
        labels = [self._chooser.label(place) for place in places]
        return [
            Known(
                name,
                label if labels.count(label) == 1 else _of_name(name, label),
                self._book.style(place).format,
                self._book.value(place),
                place,
            )
            for name, label, place in zip(names, labels, places, strict=True)
        ]

    def courses(self, cells: Sequence[Known]) -> list[list[int]]:
        """Return which cells are months or years of one quantity, in their order.

        They stand in one row of a sheet, with one number format: one unit.
        """
        rows: dict[tuple[int, int, str], list[int]] = defaultdict(list)
        for number, cell in enumerate(cells):
            rows[cell.place.sheet, cell.place.row, cell.format].append(number)
        return [
            sorted(row, key=lambda i: cells[i].place.column)
            for row in rows.values()
            if len({cells[i].place for i in row}) >= _FEWEST
        ]

    def heads(self, cells: Sequence[Known]) -> tuple[list[str | float], str]:
        """Return the heads of the columns in which cells of one row stand, and their format.

        They are the highest row in which each of these columns has a text or number of its own;
        numbers only where all rise, as months and dates do. Without such, the cells' names.
        """
        sheet, row = cells[0].place.sheet, cells[0].place.row
        for above in range(1, row):
            places = [Place(sheet, above, cell.place.column) for cell in cells]
            form = self._book.style(places[0]).format
            values = [self._book.value(place) for place in places]
            numbers = [v for v in values if isinstance(v, float)]
            if len(numbers) == len(values) and all(a < b for a, b in pairwise(numbers)):
                return [*numbers], form
            texts = [shown(v, form) for v in values if isinstance(v, str | float) and v != ""]
            if len(set(texts)) == len(values):
                return [*texts], "General"
        return [cell.name for cell in cells], "General"

    def row_of(self, cell: Known) -> str:
        """Return the sheet of a cell and the words at the left of its row."""
        words = self._chooser.label(cell.place, of_scenarios=True)
        return f"{self._book.sheets[cell.place.sheet]}: {words}"


def _of_name(name: str, label: str) -> str:
    return f"{label} ({name})" if "!" in name else name.replace("_", " ")
