"""What stands where in a workbook, before any file format: cells, references, charts, checks.

A template fills a `Book` through its sheets. References are objects that write themselves into
formulas, so that nothing in a template names a cell address, and `call` takes a declared
function, so that an unknown name or a wrong number of arguments fails when the book is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from openpyxl.utils import get_column_letter

from udfs import Function
from workbooks.authoring.parts import (
    POSITIVE,
    SHARE,
    Cell,
    Chart,
    Input,
    Limit,
    Line,
    Ref,
    Result,
    ScenarioInput,
    Value,
)

__all__ = [
    "FLAG",
    "POSITIVE",
    "SHARE",
    "Book",
    "Cell",
    "Chart",
    "Input",
    "Limit",
    "Line",
    "Ref",
    "Result",
    "ScenarioInput",
    "Sheet",
    "Value",
    "call",
    "shown",
]

#: The master flag of the checks sheet, shown on every sheet.
FLAG = "checks_flag"


@dataclass
class Sheet:
    """One sheet; blocks are added from the top to the bottom."""

    book: Book
    name: str
    title: str
    subtitle: str
    widths: Sequence[float]
    cells: list[Cell] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    choices: list[tuple[Ref, str]] = field(default_factory=list)
    verdicts: list[Ref] = field(default_factory=list)
    #: Texts to colour: where they stand, and the mood of each ("good", "near", "bad", "aside").
    judged: list[tuple[Ref, Mapping[str, str]]] = field(default_factory=list)
    #: Blocks of numeric inputs: label, place, and the limits that the template states.
    limited: list[tuple[str, Ref, Limit | None]] = field(default_factory=list)
    row: int = 1
    #: Long sheets are printed over as many pages as they need, upright where they are narrow.
    long: bool = False
    #: Row of the heads that every printed page repeats and that stay in sight.
    heads: int = 4
    #: Columns that stay in sight, and that every printed page repeats.
    side: int = 0
    #: Printed upright on one page.
    upright: bool = False

    def put(
        self, row: int, column: int, value: Value, role: str, format: str = "text", **more: Any
    ) -> Ref:
        """Put one cell and return its reference."""
        self.cells.append(Cell(row, column, value, role, format, **more))
        return Ref(self.name, row, column)

    def ref(self, row: int, column: int, rows: int = 1, columns: int = 1) -> Ref:
        """Return a reference on this sheet."""
        return Ref(self.name, row, column, rows, columns)

    def heading(self, text: str) -> None:
        """Begin a section."""
        for column in range(1, len(self.widths) + 1):
            self.put(self.row, column, text if column == 1 else None, "heading")
        self.row += 2

    def paragraph(self, text: str, lines: int = 1) -> None:
        """Write a text over the whole width, given the lines that it takes."""
        for _ in range(lines):
            self.put(self.row, 1, text if not _ else None, "paragraph", merge=len(self.widths))
            self.row += 1

    def gap(self, rows: int = 1) -> None:
        """Leave rows empty."""
        self.row += rows

    def inputs(self, fields: Sequence[Input], aside: int = 3) -> dict[str, Ref]:
        """Write inputs one below the other: label, value, then unit, source and note.

        `aside` is the column of the unit, further right where scenarios share the sheet.
        """
        between = ("",) * (aside - 3)
        for column, text in enumerate(("Input", "Value", *between, "Unit", "Source", "Note"), 1):
            self.put(self.row, column, text, "header")
        refs = {}
        for item in fields:
            self.row += 1
            self.put(self.row, 1, item.label, "label")
            refs[item.key] = self.put(self.row, 2, item.value, "input", item.format)
            for column, text in enumerate((*between, item.unit, item.source, item.note), start=3):
                self.put(self.row, column, text or None, "note")
            if item.choices:
                self.choices.append((refs[item.key], item.choices))
            self._limit(item, refs[item.key], (item.value,))
            self.book.give_name(item.key, refs[item.key])
        self.row += 2
        return refs

    def scenarios(self, names: Sequence[str], fields: Sequence[ScenarioInput]) -> dict[str, Ref]:
        """Write inputs with a column for each scenario; a validated selector picks the live one.

        Returns the live cells by key.
        """
        first, last = 3, 2 + len(names)
        heads = self.ref(self.row + 2, first, 1, len(names))
        self.put(self.row, 1, "Scenario", "label")
        selector = self.put(self.row, 2, names[0], "input")
        self.put(self.row, 3, "choose from the list; the column Live follows", "remark")
        self.book.give_name("scenario", selector)
        self.book.give_name("scenario_names", heads)
        self.choices.append((selector, f"={heads.local}"))
        self.row += 2
        header = ("Input", "Live", *names, "Unit", "Source", "Note")
        for column, text in enumerate(header, start=1):
            self.put(self.row, column, text, "header")
        refs = {}
        for item in fields:
            self.row += 1
            options = self.ref(self.row, first, 1, len(names))
            self.put(self.row, 1, item.label, "label")
            live = f"=INDEX({options.local},MATCH({selector.local},{heads.local},0))"
            refs[item.key] = self.put(self.row, 2, live, "calc", item.format)
            for name, column, value in zip(names, count(first), item.values, strict=False):
                place = self.put(self.row, column, value, "input", item.format)
                self.book.give_name(f"{item.key}_{_slug(name)}", place)
                if item.choices:
                    self.choices.append((place, item.choices))
            self._limit(item, options, item.values)
            self.book.give_name(item.key, refs[item.key])
            for column, text in enumerate((item.unit, item.source, item.note), start=last + 1):
                self.put(self.row, column, text, "note")
        self.row += 2
        return refs

    def side_by_side(
        self, names: Sequence[str], fields: Sequence[ScenarioInput]
    ) -> list[dict[str, Ref]]:
        """Write inputs with a column for each scenario, all of them live.

        An input with one value is the same in all scenarios: the other columns show it. Returns
        the cells of each scenario by key.
        """
        refs: list[dict[str, Ref]] = [{} for _ in names]
        header = ("Input", *names, "Unit", "Source", "Note")
        for column, text in enumerate(header, start=1):
            self.put(self.row, column, text, "header")
        for item in fields:
            self.row += 1
            self.put(self.row, 1, item.label, "label")
            given = self.ref(self.row, 2, 1, len(item.values))
            for i, name in enumerate(names):
                own = i < len(item.values)
                value = item.values[i] if own else f"={self.ref(self.row, 2).local}"
                place = self.put(self.row, 2 + i, value, "input" if own else "calc", item.format)
                refs[i][item.key] = place
                if own:
                    after = f"_{_slug(name)}" if len(item.values) > 1 else ""
                    self.book.give_name(item.key + after, place)
                    if item.choices:
                        self.choices.append((place, item.choices))
            self._limit(item, given, item.values)
            for column, text in enumerate((item.unit, item.source, item.note), 2 + len(names)):
                self.put(self.row, column, text or None, "note")
        self.row += 2
        return refs

    def _limit(self, item: Input | ScenarioInput, place: Ref, values: Sequence[Value]) -> None:
        if all(isinstance(value, int | float) for value in values):
            self.limited.append((item.label, place, item.limit or _listed_limit(item.choices)))

    def results(self, items: Sequence[Result], across: Sequence[str] = ()) -> dict[str, Ref]:
        """Write figures one below the other: label, value, unit and remark.

        A later formula may name an earlier figure by its key in braces. `across` heads the
        columns, where they want heads.
        """
        for column, text in enumerate(across, start=1):
            self.put(self.row, column, text, "header")
        self.row += bool(across)
        refs: dict[str, Ref] = {}
        for item in items:
            self.put(self.row, 1, item.label, "label")
            formula = item.formula.format_map({key: ref.local for key, ref in refs.items()})
            refs[item.key] = self.put(self.row, 2, f"={formula}", item.role, item.format)
            self.put(self.row, 3, "; ".join(filter(None, (item.unit, item.remark))), "remark")
            self.row += 1
        self.row += 1
        return refs

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[Value]],
        kinds: Sequence[str],
        names: Sequence[str] = (),
    ) -> Ref:
        """Write a table; `kinds` gives each column as "role format"; returns the body.

        `names` gives the cells of a column names, numbered from 1; "" leaves a column without.
        """
        top = self.row
        for column, text in enumerate(header, start=1):
            self.put(top, column, text, "header")
        for r, row in enumerate(rows, start=top + 1):
            for c, (value, kind) in enumerate(zip(row, kinds, strict=True), start=1):
                role, _, number_format = kind.partition(" ")
                if role == "input" and str(value).startswith("="):
                    role = "link"
                self.put(r, c, value, role, number_format or "text")
        self.row = top + len(rows) + 2
        body = self.ref(top + 1, 1, len(rows), len(header))
        for c, name in enumerate(names):
            for r in range(len(rows) if name else 0):
                self.book.give_name(f"{name}_{r + 1}", self.ref(top + 1 + r, c + 1))
        for c, (label, kind) in enumerate(zip(header, kinds, strict=True)):
            values = [row[c] for row in rows]
            if kind.startswith("input") and all(isinstance(v, int | float) for v in values):
                self.limited.append((label.replace("\n", ", "), body.part(c), None))
        return body

    def array(
        self,
        formula: str,
        rows: int,
        formats: Sequence[str],
        *,
        header: bool = True,
        column: int = 1,
        role: str = "calc",
    ) -> Ref:
        """Write a formula that returns a table, with room for `rows` below its header."""
        top, height = self.row, rows + header
        for r in range(height):
            for c, number_format in enumerate(formats):
                first = r == c == 0
                body = "words" if number_format == "text" else role
                self.put(
                    top + r,
                    column + c,
                    formula if first else None,
                    "header" if header and r == 0 else body,
                    "text" if header and r == 0 else number_format,
                    array=(height, len(formats)) if first else None,
                )
        self.row = top + height + 1
        return self.ref(top, column, height, len(formats))

    def listed(self, formula: str, header: Sequence[str], rows: int, formats: Sequence[str]) -> Ref:
        """Write a table whose length varies, row by row, blank beyond its end.

        One array over more rows than its result would be #N/A there. An error of the function
        stands in the first row. Returns the body without the column of numbers.
        """
        self.put(self.row, 1, "Rows", "label")
        count = self.put(self.row, 2, f"=ROWS({formula})-1", "calc", "integer")
        top = self.row + 2
        for column, text in enumerate(("No.", *header), start=1):
            self.put(top, column, text, "header")
        for row in range(top + 1, top + 1 + rows):
            self.put(row, 1, f"=N(A{row - 1})+1", "calc", "integer")
            self.row = row
            self.array(
                f"IF($A{row}<=MAX({count.local},1),"
                f'INDEX({formula},MIN($A{row},{count.local})+1,0),"")',
                1,
                formats,
                header=False,
                column=2,
            )
        self.row = top + rows + 2
        return self.ref(top + 1, 2, rows, len(formats))

    def plotted(self, table: Ref, columns: Mapping[int, str], formats: Sequence[str]) -> Ref:
        """Repeat columns of a table for a scatter chart, the last row in place of empty ones.

        A text among the values would make the chart count 1, 2, 3 instead; a point drawn twice
        is one point.
        """
        rows = []
        for r in range(table.rows):
            above = [f"{get_column_letter(c)}{self.row + r}" for c in range(1, len(columns) + 1)]
            cells = [table.at(r, c) for c in columns]
            sources = [cell.local if cell.sheet == self.name else str(cell) for cell in cells]
            pairs = zip(sources, above, strict=True)
            rows.append([f"=IF(ISNUMBER({source}),{source},{last})" for source, last in pairs])
        return self.table(list(columns.values()), rows, [f"calc {f}" for f in formats])

    def chart(self, chart: Chart, rows: int = 18) -> None:
        """Draw a chart below what is there, over `rows` rows."""
        self.charts.append(replace(chart, row=self.row, column=chart.column))
        self.row += rows

    def check(self, label: str, left: str, right: str, tolerance: Ref) -> None:
        """Compare two expressions on the checks sheet, relative to the size of the second."""
        self.book.checks.append((label, left, right, tolerance))


@dataclass
class Book:
    """A workbook being laid out."""

    name: str
    title: str
    purpose: str
    sheets: list[Sheet] = field(default_factory=list)
    names: dict[str, Ref] = field(default_factory=dict)
    checks: list[tuple[str, str, str, Ref]] = field(default_factory=list)
    #: Headline figures: label, reference, format, unit.
    headlines: list[tuple[str, Ref, str, str]] = field(default_factory=list)
    #: What the short names of the Source columns stand for, told on the cover.
    sources: list[tuple[str, str]] = field(default_factory=list)
    #: In which money the figures are: nominal or real, before or after tax, of which date.
    basis: str = "nominal US dollars, before tax"
    #: Whether each headline is told for every scenario, as "scenario: figure".
    side_by_side: bool = False
    #: Whether a cover stands before the sheets.
    covered: bool = True
    #: The sheet of the checks, and the name of their flag; "" for a book without checks.
    checks_sheet: str = "Checks"
    flag: str = FLAG
    #: Names of sheets that stand in the workbook already: one of ours gets a number behind it.
    taken: tuple[str, ...] = ()

    def sheet(
        self, name: str, title: str, subtitle: str, widths: Sequence[float], *, long: bool = False
    ) -> Sheet:
        """Add a sheet, its title and the master flag of the checks at its top."""
        sheet = Sheet(self, self.free_name(name), title, subtitle, widths, long=long)
        sheet.put(1, 1, title, "title")
        sheet.put(2, 1, subtitle, "subtitle")
        if self.flag:
            sheet.put(3, 1, f"={self.flag}", "flag")
        sheet.row = 5
        self.sheets.append(sheet)
        return sheet

    def free_name(self, name: str) -> str:
        """Return the name for a sheet, with a number behind it where another sheet has it."""
        taken = {other.casefold() for other in (*self.taken, *(s.name for s in self.sheets))}
        names = (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
        return next(one for one in names if one.casefold() not in taken)

    def give_name(self, name: str, ref: Ref) -> Ref:
        """Give a cell a name by which formulas and the command line reach it."""
        if _CELL_LIKE.fullmatch(name):
            raise ValueError(f"{name} is a cell's address or not a name at all")
        if self.names.get(name, ref) != ref:
            raise ValueError(f"{name} names two cells, {self.names[name]} and {ref}")
        self.names[name] = ref
        return ref

    def headline(self, label: str, ref: Ref, format: str, unit: str) -> None:
        """Show a figure on the cover, and in the report of the command line.

        Label and unit are texts, or formulas where they tell the value of an input.
        """
        self.headlines.append((label, ref, format, unit))


_CELL_LIKE = re.compile(r"[A-Za-z]{1,3}\d+|[rRcC]|(?![A-Za-z_]).*|.*\W.*")
#: How a figure is written inside a text, by its number format: Excel's format, what follows it.
_SHOWN = {
    "integer": ("#,##0", ""),
    "number": ("#,##0.00", ""),
    "decimal": ("#,##0.0", ""),
    "year": ("0", ""),
    "price": ("$#,##0.00", ""),
    "price4": ("$#,##0.0000", ""),
    "usd": ("$#,##0", ""),
    "musd": ("$#,##0,,", "M"),
    "busd": ("$#,##0.0,,,", "B"),
    "percent": ("0%", ""),
    "multiple": ("0.0#", ""),
    "billions": ("#,##0,,,", " billion"),
    "date": ("mmm yyyy", ""),
}


def shown(ref: object, format: str) -> str:
    """Return the piece of a formula that shows a cell inside a text: TEXT with its format."""
    pattern, after = _SHOWN[format]
    return f'TEXT({ref},"{pattern}")' + (f'&"{after}"' if after else "")


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.casefold()).strip("_")


def _listed_limit(choices: str) -> Limit | None:
    """Return the limits of a list of numbers written out."""
    if not choices.startswith('"'):
        return None
    numbers = [float(text) for text in choices.strip('"').split(",")]
    return Limit(min(numbers), max(numbers))


def call(function: Function, *arguments: object) -> str:
    """Return a call of a worksheet function as it stands inside a formula."""
    if not function.required <= len(arguments) <= len(function.parameters):
        raise TypeError(f"{function.usage} does not take {len(arguments)} arguments")
    return f"{function.name}({','.join(_written(a) for a in arguments)})"


def _written(argument: object) -> str:
    if argument is None:
        return ""
    if isinstance(argument, bool):
        return str(argument).upper()
    return str(argument)
