"""Scenarios and inputs set against each other: figures side by side, cases, tornado, bridge, grid.

Cases are columns of one sheet (`workbooks.authoring.timeline.cases`): the base, each input at its
downside, each at its upside, the bridge from base to downside, and a grid of two inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbooks.authoring.layout import Ref, Sheet
from workbooks.authoring.timeline import Grid, cases
from workbooks.authoring.words import lines, whole

#: Where all cells of a row, or an input, stand, by its key.
Places = Callable[[str], Ref]


@dataclass(frozen=True)
class Axis:
    """An input of the grid: its key, the values along it, and its formula for one of them."""

    key: str
    values: Ref
    formula: Callable[[Ref], str]


@dataclass(frozen=True)
class Cases:
    """The sheet of cases; which of its columns belong to what follows from their number."""

    grid: Grid
    #: What is varied, in the order of the columns.
    labels: Sequence[str]
    down: Axis
    across: Axis

    def at(self, key: str, part: int, index: int) -> Ref:
        """Return a row in a case: of part 0 (downsides), 1 (upsides), 2 (bridge), 3 (grid)."""
        return self.grid.at(key, 1 + part * len(self.labels) + index)

    def base(self, key: str) -> Ref:
        """Return a row in the base."""
        return self.grid.at(key, 0)


def side_by_side(
    sheet: Sheet, names: Sequence[str], grids: Sequence[Grid], figures: str
) -> dict[str, Ref]:
    """Write figures with a column for each scenario; return their places by key.

    Each has a line of `figures`: key, label, format, and its formula for the rows of a scenario.
    """
    _heads(sheet, sheet.row, 1, ("Figure", *names))
    places = {}
    for key, label, format, formula in lines(figures, {}, labels=3):
        sheet.row += 1
        sheet.put(sheet.row, 1, label, "label")
        for column, grid in enumerate(grids, start=2):
            sheet.put(sheet.row, column, f"={whole(formula, grid.place)}", "output", format)
        places[key] = sheet.ref(sheet.row, 2, 1, len(grids))
    sheet.row += 1
    return places


def add_checks(
    sheet: Sheet, before: str, place: Places, products: Mapping[str, str], *texts: str
) -> None:
    """Add checks, a line each: what is checked, what it is, and what it must be.

    What is checked is told after `before`; the input `tolerance` is what it may differ.
    """
    for text in texts:
        for label, left, right in lines(text, products, labels=1):
            sheet.check(f"{before}{label}", whole(left, place), whole(right, place),
                        place("tolerance"))  # fmt: skip


def varied(
    sheet: Sheet,
    scenarios: Sequence[Mapping[str, Ref]],
    labels: Mapping[str, str],
    given: Mapping[str, Ref],
    down: Axis,
    across: Axis,
) -> Cases:
    """Begin a sheet of cases with the inputs that tell them apart.

    Parameters
    ----------
    sheet : Sheet
        Where they go.
    scenarios : Sequence
        The inputs of base, upside and downside.
    labels : Mapping
        What is varied: input to label.
    given : Mapping
        What else formulas may name; of what is varied, each case has its own.
    down, across : Axis
        What the grid varies.
    """
    base, upside, downside = scenarios
    keys = list(labels)
    crossed = [(d, a) for d in range(down.values.rows) for a in range(across.values.rows)]
    names = ["Base", *(f"{labels[k]}, downside" for k in keys),
             *(f"{labels[k]}, upside" for k in keys), *(f"and {labels[k].lower()}" for k in keys),
             *("Grid",) * len(crossed)]  # fmt: skip
    columns = [dict(base)]
    columns += [{**base, key: downside[key]} for key in keys]
    columns += [{**base, key: upside[key]} for key in keys]
    columns += [{**base, **{key: downside[key] for key in keys[: i + 1]}} for i in range(len(keys))]
    grid = cases(sheet, names, {k: ref for k, ref in {**base, **given}.items() if k not in labels})
    grid.section("Inputs of the case")
    for key in keys:
        formulas = [str(column[key]) for column in columns]
        for d, a in crossed:
            places = {down.key: (down, d), across.key: (across, a)}
            axis, i = places.get(key, (None, 0))
            formulas.append(axis.formula(axis.values.at(i)) if axis else str(base[key]))
        grid.each(key, labels[key], formulas, "", "ratio")
    return Cases(grid, list(labels.values()), down, across)


def ranked(cases: Cases, key: str, title: str) -> Ref:
    """Rank what is varied by how far it moves a row, on the sheet of cases; return the table."""
    home = cases.grid.sheet
    home.put(home.row + 1, 1, title, "heading")
    top = home.row + 2
    _heads(home, top, 1, ("Input", "Downside", "Upside", "Swing", "Rank"))
    body = home.ref(top + 1, 1, len(cases.labels), 5)
    base = cases.base(key).local
    for i, name in enumerate(cases.labels):
        row = body.row + i
        home.put(row, 1, name, "label")
        for column in (2, 3):
            end = cases.at(key, column - 2, i).local
            home.put(row, column, f"={end}-{base}", "calc", "usd")
        home.put(row, 4, f"=MAX(B{row}:C{row},0)-MIN(B{row}:C{row},0)", "calc", "usd")
        above = f"COUNTIF($D${body.row}:D{row},D{row})-1"
        home.put(row, 5, f"=RANK(D{row},{body.part(3).local})+{above}", "calc", "integer")
    home.row = body.row + body.rows + 1
    return body


def widest(sheet: Sheet, table: Ref, count: int, left: int, heads: Sequence[str]) -> Ref:
    """Show the first of what `ranked` gives, in their order; return label, downside, upside."""
    top = sheet.row
    _heads(sheet, top, left, heads)
    column = sheet.ref(top + 1, left).local.split("$")[1]
    for row in range(top + 1, top + 1 + count):
        place = f"MATCH(ROWS(${column}${top + 1}:${column}{row}),{table.part(4)},0)"
        for i, (role, format) in enumerate((("name", "text"), ("link", "usd"), ("link", "usd"))):
            sheet.put(row, left + i, f"=INDEX({table.part(i)},{place})", role, format)
    return sheet.ref(top + 1, left, count, 3)


def bridged(sheet: Sheet, cases: Cases, key: str, title: str, ends: tuple[str, str]) -> Ref:
    """Go from the base of a row to its downside, one input after the other; return the table."""
    top = sheet.row
    _heads(sheet, top, 1, (title, "Step", "So far"))
    row = top + 1
    sheet.put(row, 1, ends[0], "label")
    sheet.put(row, 2, f"={cases.base(key)}", "link", "usd")
    sheet.put(row, 3, f"=B{row}", "calc", "usd")
    for i, name in enumerate(cases.labels):
        row += 1
        sheet.put(row, 1, name, "label")
        sheet.put(row, 2, f"={cases.at(key, 2, i)}-C{row - 1}", "calc", "usd")
        sheet.put(row, 3, f"=C{row - 1}+B{row}", "calc", "usd")
    row += 1
    sheet.put(row, 1, ends[1], "label")
    sheet.put(row, 2, f"=C{row - 1}", "output", "usd")
    sheet.put(row, 3, f"=B{row}", "calc", "usd")
    sheet.row = row + 2
    return sheet.ref(top + 1, 1, row - top, 3)


def crossed(sheet: Sheet, cases: Cases, key: str, title: str, left: int) -> None:
    """Show a row by the two inputs of the grid, beside what comes next."""
    down, across, top = cases.down.values, cases.across.values, sheet.row
    sheet.put(top, left, title, "header")
    for a in range(across.rows):
        sheet.put(top, left + 1 + a, f"={across.at(a)}", "link", "percent")
    for d in range(down.rows):
        sheet.put(top + 1 + d, left, f"={down.at(d)}", "link", "percent")
        for a in range(across.rows):
            found = cases.at(key, 3, d * across.rows + a)
            sheet.put(top + 1 + d, left + 1 + a, f"={found}", "output", "percent")


def _heads(sheet: Sheet, row: int, left: int, texts: Sequence[str]) -> None:
    for column, text in enumerate(texts, start=left):
        sheet.put(row, column, text, "header")
