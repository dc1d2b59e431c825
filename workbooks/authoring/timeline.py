"""Rows that say the same in every column: months of a plan, or cases side by side.

A row has one formula for all its columns, in the words of `workbooks.authoring.words`. `Grid.lines`
takes rows as an author lists them, one a line: key, label, unit, formula.

- ``# Fleet`` begins a section.
- ``owned | GPUs owned | GPUs | MIN(bought, room)`` is a row. Its unit says how figures are shown:
  ``USD/Mtok, margin`` does so by name. A fifth part is the formula of the opening.
- ``net | Net profit | USD | = profit - tax_cost`` is a subtotal.
- ``loan | Loan | USD | corkscrew 0 * debt`` has an opening, and the next lines, ``+ drawn`` and
  ``- repaid``, what comes in and goes out: rows of their own, or of that name where nothing
  follows. Its closing, `loan`, is the next opening, `loan_opening`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from openpyxl.utils import get_column_letter

from workbooks.authoring.layout import Ref, Sheet
from workbooks.authoring.words import Word, lines, pieces, unit_and_format

#: Label, unit and the opening stand before the first column of figures.
OPENING, FIRST = 3, 4
_WIDTHS = (38.0, 12.0, 13.0)
_FORMATS = {"USD/Mtok": "price4"}


@dataclass
class Grid:
    """A sheet of rows, each with one formula for all its columns."""

    sheet: Sheet
    columns: int
    #: Inputs that formulas may name.
    given: Mapping[str, Ref]
    rows: dict[str, int] = field(default_factory=dict)

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

    def lines(self, products: Mapping[str, str], *texts: str) -> None:
        """Add rows as they are listed, for each product where a line names one."""
        for text in texts:
            listed: list[list[list[str]]] = []
            for line in lines(text, products, labels=3):
                if line[0][:2] in ("+ ", "- "):
                    listed[-1].append(line)
                else:
                    listed.append([line])
            for head, *flows in listed:
                self._line(head, flows)

    def _line(self, head: Sequence[str], flows: Sequence[Sequence[str]]) -> None:
        if head[0].startswith("# "):
            self.section(head[0].removeprefix("# "))
            return
        key, label, unit, formula, *opening = head
        unit, format = unit_and_format(unit, _FORMATS)
        if formula.startswith("corkscrew "):
            self._corkscrew(key, label, unit, format, formula.removeprefix("corkscrew "), flows)
        elif flows:
            raise ValueError(f"{key} has an opening and a closing where it is a corkscrew only")
        elif formula.startswith("= "):
            self.row(key, label, formula.removeprefix("= "), unit, format, role="output")
        else:
            self.row(key, label, formula, unit, format, opening="".join(opening))

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
    ) -> None:
        """Add a row; `opening` fills the column before the first one."""
        self._begin(key, label, unit)
        if opening:
            (first,) = self._written(opening, [OPENING])
            self.sheet.put(self.sheet.row, OPENING, first, "calc", format)
        columns = range(FIRST, self.last + 1)
        for column, written in zip(columns, self._written(formula, columns), strict=True):
            self.sheet.put(self.sheet.row, column, written, role, format)
        self.sheet.row += 1

    def _written(self, formula: str, columns: Sequence[int]) -> Iterator[str]:
        """Give a formula as each column writes it."""
        parts = [p if isinstance(p, str) else self._meant(p) for p in pieces(formula)]
        for column in columns:
            yield "=" + "".join(p if isinstance(p, str) else p(column) for p in parts)

    def _meant(self, word: Word) -> str | Callable[[int], str]:
        """Return an input as formulas write it, or how each column writes a row."""
        row = self.rows.get(word.name)
        if row is None:
            if word.which:
                raise ValueError(f"{word.name} is no row that has a {word.which}")
            return str(self.given[word.name])
        first, last = f"${get_column_letter(FIRST)}{row}", f"${get_column_letter(self.last)}{row}"
        match word.which:
            case "":
                return lambda column: f"{get_column_letter(column)}{row}"
            case "before":
                return lambda column: f"{get_column_letter(column - 1)}{row}"
            case "sofar":
                return lambda column: f"{first}:{get_column_letter(column)}{row}"
            case "first":
                return first
            case "all":
                return f"{first}:{last}"
        raise ValueError(f"{word.name}.{word.which} is not known")

    def each(
        self, key: str, label: str, formulas: Sequence[str], unit: str = "", format: str = "usd"
    ) -> None:
        """Add a row whose columns hold formulas of their own: what tells cases apart."""
        self._begin(key, label, unit)
        for column, formula in enumerate(formulas, start=FIRST):
            role = "link" if "!" in formula else "calc"
            self.sheet.put(self.sheet.row, column, f"={formula}", role, format)
        self.sheet.row += 1

    def entries(self, key: str, label: str, unit: str = "", format: str = "usd") -> None:
        """Add a row of inputs, 0 in each column, to be typed over or linked."""
        self._begin(key, label, unit)
        for column in range(FIRST, self.last + 1):
            self.sheet.put(self.sheet.row, column, 0, "input", format)
        self.sheet.limited.append((label, self.ref(key), None))
        self.sheet.row += 1

    def _corkscrew(
        self, key: str, label: str, unit: str, format: str, opening: str,
        flows: Sequence[Sequence[str]],
    ) -> None:  # fmt: skip
        own = [flow for flow in flows if len(flow) > 1]
        begin = f"{key}_opening"
        # The closing is the row after the flows: its place is known before it is written.
        self.rows[key] = self.sheet.row + 1 + len(own)
        self.row(begin, f"{label}, opening", f"{key}.before", unit, format)
        for flow, text, of, formula in own:
            self.row(flow[2:], text, formula, of, format)
        del self.rows[key]
        terms = "".join(f"{flow[0][0]}{flow[0][2:]}" for flow in flows)
        self.row(
            key, f"{label}, closing", f"{begin}{terms}", unit, format,
            opening=opening, role="output",
        )  # fmt: skip

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
    grid.row("ends", "Month ends", f"EOMONTH({start},month-1)", "", "date")
    grid.row("since", "Months since the start", "month-1", "months", "integer")
    grid.row("year", "Year of the plan", f"ROUNDUP(month/{per_year},0)", "", "integer")
    return grid


def cases(sheet: Sheet, names: Sequence[str], given: Mapping[str, Ref]) -> Grid:
    """Begin a sheet of cases side by side, headed by their names (texts or formulas)."""
    sheet.widths = (*_WIDTHS, *(18.0,) * len(names))
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
    text: str,
    products: Mapping[str, str],
    per_year: Ref,
) -> dict[str, Ref]:
    """Write rows of one of several time lines by year; leave out those that it has not.

    Each has a line of `text`: key, label, format and kind. A "flow" is the sum of its months, a
    "level" stands as in the last month of the year, "total" makes it a subtotal. `# Cash flow`
    begins a statement. `chosen` is the number of the time line that is shown, None where there is
    one only.
    """
    places: dict[str, Ref] = {}
    head = sheet.row
    sheet.put(head, 1, "Year", "header")
    for year in range(1, years + 1):
        before = sheet.ref(head, year).plain
        sheet.put(head, 1 + year, f"=N({before})+1", "header", "integer")
    sheet.row += 1
    for key, *parts in lines(text, products, labels=3):
        if key.startswith("# "):
            sheet.row += 1
            for column in range(1, years + 2):
                title = key.removeprefix("# ") if column == 1 else None
                sheet.put(sheet.row, column, title, "heading")
            sheet.row += 1
            continue
        if key not in grids[0].rows:
            continue
        label, (format, *kind) = parts[0], parts[1].split()
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
