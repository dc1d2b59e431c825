"""The sheets of a block, laid out: its inputs, its months, and what it takes from other blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from engine.errors import InputError
from workbooks.authoring.layout import Book, Input, Ref, Result, Sheet
from workbooks.authoring.limits import Limited, limited_inputs
from workbooks.authoring.timeline import FIRST, Grid, by_year, months
from workbooks.authoring.words import lines, whole
from workbooks.blocks import BLOCKS
from workbooks.templates.load import PRODUCTS
from workbooks.templates.plan.decision import RUNS_OUT
from workbooks.templates.plan.inputs import (
    MONTHS,
    TABLES,
    YEARS,
    add_lists,
    add_table,
    scenario_inputs,
    units,
)
from workbooks.templates.plan.statements import LINES

#: Where the rows and inputs of each block stand, by block and key.
Standing = dict[str, dict[str, Ref]]
#: The figures of a cover, by block: key of a row, label, format, unit; of the last month.
_HEADLINES = {
    "fleet": (("gpus", "GPUs needed", "integer", "in the last month"),
              ("rented", "Rented GPUs", "usd", "USD, in the last month")),
    "prices": (("mtok", "Tokens sold", "integer", "Mtok, in the last month"),
               ("revenue", "Revenue", "usd", "USD, in the last month")),
    "statements": (("ebitda", "EBITDA", "usd", "USD, in the last month"),),
}  # fmt: skip
_WIDTHS = (42, 16, 14, 22, 54)
# A date counts from 1904 in some workbooks: so many days fewer.
_TO_1904 = 1462


class _Asked(dict[str, Ref]):
    """Notes what is asked for, in order; it has what is found, and a place for all else."""

    def __init__(self, found: Mapping[str, Ref]) -> None:
        super().__init__()
        self.found = found

    def __missing__(self, key: str) -> Ref:
        self[key] = self.found.get(key, Ref("", 1, 1))
        return self[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self.found


@dataclass(frozen=True)
class _Row:
    maker: str
    label: str
    unit: str
    format: str


def lay_out(book: Book, name: str, standing: Standing, *, from_1904: bool = False) -> None:
    """Add the sheets of a block to a book.

    Parameters
    ----------
    book : Book
        The book; every row and input of the block gets a name in it.
    name : str
        One of `BLOCKS`.
    standing : dict
        Where the blocks before it stand; the new one is added.
    from_1904 : bool
        Whether dates count from 1904.
    """
    block = BLOCKS[name]
    found = {key: ref for refs in reversed(standing.values()) for key, ref in refs.items()}
    wanted = [key for key in _wanted(name, found) if key not in found]
    own = _add_inputs(book, name, wanted, from_1904=from_1904)
    if block.before:
        own |= block.before(book, found | own)
    sheet = book.sheet(
        name.capitalize(), f"{name.capitalize()}, month by month",
        f"{block.line[0].upper()}{block.line[1:]}", (), long=True,
    )  # fmt: skip
    given = found | own
    # A row of another block is taken over in a row of its own, under the same key.
    inputs = {key: ref for key, ref in given.items() if ref.columns == 1}
    grid = months(sheet, MONTHS, given["first_day"], given["year_months"], inputs)
    _take_over(grid, _wanted(name, found), found)
    block.add_rows(grid)
    if name == "statements":
        _add_years(book, grid)
    own |= {key: grid.ref(key) for key in grid.rows}
    standing[name] = own
    for key, ref in own.items():
        book.give_name(f"{name}_{key}", ref)
    book.give_name(mark(name), sheet.ref(1, 1))
    block.check(sheet, f"{name.capitalize()}: ", grid.place)
    # What can be chosen is read last.
    book.sheets.sort(key=lambda sheet: sheet.title == "Lists")
    for key, label, format, unit in _HEADLINES[name]:
        book.headline(label, grid.at(key, MONTHS - 1), format, unit)


def mark(name: str) -> str:
    """Return the name by which a workbook says that it has a block."""
    return f"tokenbook_{name}"


def check_standing(book: Book, standing: Standing) -> list[Limited]:
    """Add the checks of blocks that stand in a workbook; return their inputs with their limits."""
    sheet = Sheet(book, "", "", "", ())
    limited: list[Limited] = []
    for name, refs in standing.items():
        others = {key: ref for other in standing.values() for key, ref in other.items()}
        BLOCKS[name].check(sheet, f"{name.capitalize()}: ", _Named(name, others | refs).place)
        limited += _limits(name, refs)
    check_agreement(sheet, standing)
    return limited


@dataclass(frozen=True)
class _Named:
    """What the names of a workbook say of a block."""

    block: str
    refs: Mapping[str, Ref]

    def place(self, key: str) -> Ref:
        """Return where a row or an input stands."""
        if key not in self.refs:
            raise InputError(f"the name {self.block}_{key} is gone, which the checks need")
        return self.refs[key]


def check_agreement(sheet: Sheet, standing: Standing, maker: str | None = None) -> list[str]:
    """Check that what a block has of its own is what the block has that makes it.

    So it is where it is linked, but not where the maker came later, or a link was typed over.
    `maker` leaves out the rows of all other makers. Returns a line for each row.
    """
    told = []
    for key, row in rows().items():
        if row.maker not in standing or key not in standing[row.maker]:
            continue
        if maker not in (None, row.maker):
            continue
        for other, refs in standing.items():
            if other == row.maker or key not in refs:
                continue
            sheet.check(f"{other.capitalize()} has it as {row.maker}: {row.label.lower()}",
                        f"SUMPRODUCT(({refs[key]}<>{standing[row.maker][key]})*1)", "0",
                        _slack(standing))  # fmt: skip
            told.append(f"{other} keeps a row of its own, not that of {row.maker}: {row.label}")
    return told


def _slack(standing: Standing) -> Ref:
    return next(refs["tolerance"] for refs in standing.values() if "tolerance" in refs)


def _limits(name: str, refs: Mapping[str, Ref]) -> Iterator[Limited]:
    """Give the inputs of a block that stands somewhere, with the limits that a fresh one has."""
    book = Book("", "", "")
    lay_out(book, name, {})
    keys = {ref: key.removeprefix(f"{name}_") for key, ref in book.names.items()}
    for items in limited_inputs(book).values():
        for item in items:
            key = keys.get(item.place, "")
            if key in refs:
                yield replace(item, place=refs[key])


def _wanted(name: str, found: Mapping[str, Ref]) -> list[str]:
    """Return what the formulas of a block name and its own rows do not give."""
    block, asked = BLOCKS[name], _Asked(found)
    book = Book("", "", "")
    served = block.before(book, asked) if block.before else {}
    asked.found = {**found, **served}
    grid = months(book.sheet("", "", "", ()), 1, asked["first_day"], asked["year_months"], asked)
    block.add_rows(grid)
    block.check(grid.sheet, "", grid.place)
    return [key for key in asked if key not in served]


@cache
def rows() -> dict[str, _Row]:
    """Return label, unit and format of every row that some block has."""
    described = {}
    for name, block in BLOCKS.items():
        sheet = Book("", "", "").sheet("", "", "", ())
        given = _Asked({"chat_low": Ref("", 1, 1)})
        grid = months(sheet, 1, given["first_day"], given["year_months"], given)
        block.add_rows(grid)
        cells = {(cell.row, cell.column): cell for cell in sheet.cells}
        for key, row in grid.rows.items():
            label, unit = (str(cells[row, column].value or "") for column in (1, 2))
            described[key] = _Row(name, label, unit, cells[row, FIRST].format)
    # Every sheet of months has a time line.
    return {k: v for k, v in described.items() if k not in ("month", "ends", "since", "year")}


def _add_inputs(book: Book, name: str, wanted: Sequence[str], *, from_1904: bool) -> dict[str, Ref]:
    """Add the sheet of the inputs that a block wants and no other has, if there are any."""
    lists = (Ref("", 1, 1),) * 2
    if {"model", "accelerator"} & set(wanted):
        lists = add_lists(book)
    groups = [
        (heading, [field.first for field in fields])
        for heading, fields in (*scenario_inputs(*lists), ("Units", units()))
    ]
    groups[0] = ("What moves", groups[0][1])
    sheet = book.sheet(
        f"{name.capitalize()} inputs", f"Inputs of the {name}",
        "Blue on yellow: change it, and all follows", _WIDTHS, long=True,
    )  # fmt: skip
    refs: dict[str, Ref] = {}
    for heading, fields in groups:
        chosen = [
            replace(field, key=f"{name}_{field.key}", value=_dated(field, from_1904))
            for field in fields if field.key in wanted
        ]  # fmt: skip
        if chosen:
            sheet.heading(heading)
            refs |= sheet.inputs(chosen)
    for heading, header, body, kinds, keys in TABLES:
        if set(keys) & set(wanted):
            names = tuple(key and f"{name}_{key}" for key in keys)
            refs |= add_table(sheet, (heading, header, body, kinds, names))
    if not refs:
        book.sheets.remove(sheet)
    return {key.removeprefix(f"{name}_"): ref for key, ref in refs.items()}


def _dated(field: Input, from_1904: bool) -> float | str | bool | None:
    late = from_1904 and field.format == "date" and isinstance(field.value, int)
    return field.value - _TO_1904 if late else field.value  # type: ignore[operator]


def _take_over(grid: Grid, wanted: Sequence[str], found: Mapping[str, Ref]) -> None:
    """Add a row for each one that other blocks make: linked, or an input where none has it."""
    taken = [key for key in wanted if key in rows()]
    linked = [key for key in taken if key in found]
    if linked:
        grid.section("From other blocks")
    for key in linked:
        row = rows()[key]
        links = [str(found[key].at(0, month)) for month in range(MONTHS)]
        grid.each(key, row.label, links, row.unit, row.format)
    if len(linked) < len(taken):
        grid.section("To be filled in")
    for key in (key for key in taken if key not in found):
        row = rows()[key]
        grid.entries(key, row.label, row.unit, row.format)


def _add_years(book: Book, grid: Grid) -> None:
    sheet = book.sheet("Statements by year", "Statements by year", "Sums and ends of the months",
                       (44, *(17,) * YEARS))  # fmt: skip
    sheet.upright = True
    ((key, label, format, runs_out),) = lines(RUNS_OUT, {}, labels=3)
    refs = sheet.results(
        [
            Result(key, label, whole(runs_out, grid.place), "", format),
            Result("lowest", "Lowest cash", f"MIN({grid.ref('cash')})", "at the end of a month",
                   "usd"),
        ]
    )  # fmt: skip
    book.headline(label, refs[key], format, "")
    book.headline("Lowest cash", refs["lowest"], "usd", "USD, at the end of a month")
    by_year(sheet, YEARS, [grid], None, LINES, PRODUCTS, grid.place("year_months"))
