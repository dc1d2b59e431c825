"""Rows that say the same in every column: months of a plan, or cases side by side.

A row has one formula, written once with names in braces:

- ``{revenue}``: the row of that name, in this column; or the input of that name.
- ``{revenue.before}``: the same row, one column to the left; the first month meets the opening.
- ``{revenue.all}``, ``{revenue.sofar}``, ``{revenue.first}``: all columns of it; those up to this
  one; the first one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from openpyxl.utils import get_column_letter

from workbooks.authoring.layout import Ref, Sheet

#: Label, unit and the opening stand before the first column of figures.
OPENING, FIRST = 3, 4
_WIDTHS = (38.0, 12.0, 13.0)


@dataclass(frozen=True)
class _Here:
    """A row as one column sees it."""

    row: int
    column: int
    last: int

    def __str__(self) -> str:
        return f"{get_column_letter(self.column)}{self.row}"

    @property
    def before(self) -> str:
        return f"{get_column_letter(self.column - 1)}{self.row}"

    @property
    def first(self) -> str:
        return f"${get_column_letter(FIRST)}{self.row}"

    @property
    def all(self) -> str:
        first, last = get_column_letter(FIRST), get_column_letter(self.last)
        return f"${first}{self.row}:${last}{self.row}"

    @property
    def sofar(self) -> str:
        return f"${get_column_letter(FIRST)}{self.row}:{self}"


class _Column(dict[str, "_Here | str"]):
    """What the names in a formula stand for in one column, found as they are asked for."""

    def __init__(self, grid: Grid, column: int) -> None:
        super().__init__()
        self.grid, self.column = grid, column

    def __missing__(self, key: str) -> _Here | str:
        row = self.grid.rows.get(key)
        if row is not None:
            return _Here(row, self.column, self.grid.last)
        return self.grid.input_text(key)


@dataclass
class Grid:
    """A sheet of rows, each with one formula for all its columns."""

    sheet: Sheet
    columns: int
    #: Inputs that formulas may name.
    given: Mapping[str, Ref]
    rows: dict[str, int] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    def input_text(self, key: str) -> str:
        """Return an input as formulas write it."""
        if key not in self._texts:
            self._texts[key] = str(self.given[key])
        return self._texts[key]

    @property
    def last(self) -> int:
        """The last column."""
        return FIRST + self.columns - 1

    def ref(self, key: str) -> Ref:
        """Return all columns of a row."""
        return self.sheet.ref(self.rows[key], FIRST, 1, self.columns)

    def place(self, key: str) -> Ref:
        """Return all columns of a row, or the input of that name."""
        return self.ref(key) if key in self.rows else self.given[key]

    def at(self, key: str, index: int) -> Ref:
        """Return one cell of a row, fixed."""
        return self.sheet.ref(self.rows[key], FIRST + index)

    def section(self, text: str) -> None:
        """Begin a group of rows."""
        self.sheet.put(self.sheet.row, 1, text, "heading")
        for column in range(2, self.last + 1):
            self.sheet.put(self.sheet.row, column, None, "heading")
        self.sheet.row += 1

    def row(
        self,
        key: str,
        label: str,
        formula: str,
        unit: str = "",
        format: str = "usd",
        *,
        opening: str = "",
        role: str = "calc",
    ) -> str:
        """Add a row; `opening` fills the column before the first one. Returns the key."""
        self._begin(key, label, unit)
        if opening:
            here = _Column(self, OPENING)
            self.sheet.put(self.sheet.row, OPENING, f"={opening.format_map(here)}", "calc", format)
        for column in range(FIRST, self.last + 1):
            here = _Column(self, column)
            self.sheet.put(self.sheet.row, column, f"={formula.format_map(here)}", role, format)
        self.sheet.row += 1
        return key

    def each(
        self, key: str, label: str, formulas: Sequence[str], unit: str = "", format: str = "usd"
    ) -> str:
        """Add a row whose columns hold formulas of their own: what tells cases apart."""
        self._begin(key, label, unit)
        for column, formula in enumerate(formulas, start=FIRST):
            role = "link" if "!" in formula else "calc"
            self.sheet.put(self.sheet.row, column, f"={formula}", role, format)
        self.sheet.row += 1
        return key

    def entries(self, key: str, label: str, unit: str = "", format: str = "usd") -> str:
        """Add a row of inputs, 0 in each column, to be typed over or linked."""
        self._begin(key, label, unit)
        for column in range(FIRST, self.last + 1):
            self.sheet.put(self.sheet.row, column, 0, "input", format)
        self.sheet.limited.append((label, self.ref(key), None))
        self.sheet.row += 1
        return key

    def total(
        self,
        key: str,
        label: str,
        plus: Sequence[str],
        minus: Sequence[str] = (),
        unit: str = "USD",
        format: str = "usd",
    ) -> str:
        """Add a subtotal of rows: those of `plus` less those of `minus`."""
        terms = "+".join(f"{{{name}}}" for name in plus)
        terms += "".join(f"-{{{name}}}" for name in minus)
        return self.row(key, label, terms, unit, format, role="output")

    def corkscrew(
        self,
        key: str,
        label: str,
        opening: str,
        plus: Mapping[str, tuple[str, str]],
        minus: Mapping[str, tuple[str, str]],
        unit: str = "USD",
        format: str = "usd",
    ) -> str:
        """Add opening, what comes in, what goes out, closing; the closing is the next opening.

        `plus` and `minus` give each flow as key → (label, formula); an empty formula names a row
        that stands elsewhere. `{key_opening}` is the opening, `{key}` the closing.
        """
        flows = [*plus.items(), *minus.items()]
        new = [item for item in flows if item[1][1]]
        begin = f"{key}_opening"
        # The closing is the row after the flows: its place is known before it is written.
        self.rows[key] = self.sheet.row + 1 + len(new)
        self.row(begin, f"{label}, opening", f"{{{key}.before}}", unit, format)
        for name, (text, formula) in new:
            self.row(name, text, formula, unit, format)
        del self.rows[key]
        terms = "".join(f"+{{{name}}}" for name in plus) + "".join(f"-{{{name}}}" for name in minus)
        self.row(
            key, f"{label}, closing", f"{{{begin}}}{terms}", unit, format,
            opening=opening, role="output",
        )  # fmt: skip
        return key

    def _begin(self, key: str, label: str, unit: str) -> None:
        if key in self.rows:
            raise ValueError(f"{self.sheet.name}: two rows are called {key}")
        self.rows[key] = self.sheet.row
        self.sheet.put(self.sheet.row, 1, label, "label")
        self.sheet.put(self.sheet.row, 2, unit or None, "note")


def months(sheet: Sheet, count: int, start: Ref, per_year: Ref, given: Mapping[str, Ref]) -> Grid:
    """Begin a time line: month, its end, and its year, which stay in sight."""
    sheet.widths = (*_WIDTHS, *(13.0,) * count)
    grid = Grid(sheet, count, given)
    sheet.put(sheet.row, OPENING, "Opening", "header")
    for column, text in ((1, "Month"), (2, "Unit")):
        sheet.put(sheet.row, column, text, "header")
    grid.rows["month"] = sheet.row
    for column in range(FIRST, grid.last + 1):
        before = f"{get_column_letter(column - 1)}{sheet.row}"
        sheet.put(sheet.row, column, f"=N({before})+1", "header", "integer")
    sheet.heads, sheet.side = sheet.row, OPENING
    sheet.row += 1
    grid.row("ends", "Month ends", f"EOMONTH({start},{{month}}-1)", "", "date")
    grid.row("since", "Months since the start", "{month}-1", "months", "integer")
    grid.row("year", "Year of the plan", f"ROUNDUP({{month}}/{per_year},0)", "", "integer")
    return grid


def cases(sheet: Sheet, names: Sequence[str], given: Mapping[str, Ref]) -> Grid:
    """Begin a sheet of cases side by side, headed by their names (texts or formulas)."""
    sheet.widths = (*_WIDTHS, *(15.0,) * len(names))
    grid = Grid(sheet, len(names), given)
    for column, text in ((1, "Case"), (2, "Unit"), (3, None)):
        sheet.put(sheet.row, column, text, "header")
    for column, name in enumerate(names, start=FIRST):
        sheet.put(sheet.row, column, name, "header")
    grid.rows["case"] = sheet.row
    sheet.heads, sheet.side = sheet.row, OPENING
    sheet.row += 1
    return grid


def by_year(
    sheet: Sheet,
    years: int,
    grids: Sequence[Grid],
    chosen: Ref | None,
    lines: Sequence[tuple[str, str, str, str]],
    per_year: Ref,
) -> dict[str, Ref]:
    """Write lines of one of several time lines by year: key, label, format, kind.

    Kind "flow" adds the months up; "level" takes the last month of the year; "heading" and "total"
    shape the statement. `chosen` is the number of the time line that is shown, None where there
    is one only.
    """
    places: dict[str, Ref] = {}
    head = sheet.row
    sheet.put(head, 1, "Year", "header")
    for year in range(1, years + 1):
        before = sheet.ref(head, year).plain
        sheet.put(head, 1 + year, f"=N({before})+1", "header", "integer")
    sheet.row += 1
    for key, label, format, kind in lines:
        if kind == "heading":
            sheet.row += 1
            for column in range(1, years + 2):
                sheet.put(sheet.row, column, label if column == 1 else None, "heading")
            sheet.row += 1
            continue
        sheet.put(sheet.row, 1, label, "label")
        role = "output" if "total" in kind else "link"
        for year in range(years):
            here = replace(sheet.ref(head, 2 + year), fixed_column=False).local
            picks = []
            for grid in grids:
                along, wanted = (
                    ("year", here) if "flow" in kind else ("month", f"{here}*{per_year}")
                )
                picks.append(f"SUMIF({grid.ref(along)},{wanted},{grid.ref(key)})")
            picked = f"CHOOSE({chosen},{','.join(picks)})" if chosen else picks[0]
            sheet.put(sheet.row, 2 + year, f"={picked}", role, format)
        places[key] = sheet.ref(sheet.row, 2, 1, years)
        sheet.row += 1
    return places
