"""The part of a workbook that a page computes, put into the page's calculator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from udfs.cells import Cell, CellError
from workbooks.formula.address import parse_area, split_sheet
from workbooks.page.calculator import PageCalculator
from workbooks.page.expanded import REWRITTEN, Expander
from workbooks.page.formulas import (
    abstracted,
    for_calculator,
    lambda_for_calculator,
    read,
    with_cells,
    with_references,
)
from workbooks.page.places import Place
from workbooks.page.reading import Entry, Workbook


@dataclass(frozen=True)
class Part:
    """Which cells of a workbook a page computes, and which it holds as they are."""

    #: Formulas that inputs reach; those of arrays stand at their first cell.
    formulas: frozenset[Place]
    #: Values that these read.
    constants: frozenset[Place]


def load(workbook: Workbook, part: Part, values: Mapping[Place, Cell]) -> PageCalculator:
    """Return the page's calculator with a part of a workbook in it, not evaluated yet."""
    calculator = PageCalculator(workbook.sheets)
    typist = Typist(cell_names(workbook), workbook.names)
    texts = {place: typist.typed(workbook.cells[place].formula or "") for place in part.formulas}
    for name, text in _needed_names(workbook, texts.values()):
        calculator.name(name, text)
    calculator.put((place, typed(values.get(place))) for place in sorted(part.constants))
    calculator.put(
        (place, texts[place]) for place in sorted(part.formulas)
        if not _fixed(workbook.cells[place])
    )  # fmt: skip
    for place in sorted(part.formulas):
        entry = workbook.cells[place]
        if _fixed(entry) and entry.area is not None:
            calculator.array(place, entry.area.rows, entry.area.columns, texts[place])
    sizes: dict[int, tuple[int, int]] = {}
    for place in part.formulas:
        rows, columns = sizes.get(place.sheet, (1, 1))
        area = workbook.cells[place].area
        sizes[place.sheet] = (
            max(rows, area.bottom if area else place.row),
            max(columns, area.right if area else place.column),
        )
    for sheet, size in sizes.items():
        calculator.show_all_digits(sheet, *size)
    return calculator


def _fixed(entry: Entry) -> bool:
    """Tell whether a formula fills an area that was chosen for it."""
    return entry.area is not None and not entry.dynamic


def typed(value: Cell) -> str:
    """Return what is typed to put a value into a cell."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, CellError):
        return f"={_ERRORS.get(value.code, 'NA()')}"
    return "" if value is None else f"'{value}"


_ERRORS = {"#DIV/0!": "1/0", "#NUM!": "SQRT(-1)", "#VALUE!": '1+"x"', "#N/A": "NA()"}


def cell_names(workbook: Workbook) -> dict[str, str]:
    """Return the names that stand for cells, in upper case, with the cells."""
    found = {}
    for name, text in workbook.names.items():
        sheet, area = split_sheet(text)
        if sheet is not None and parse_area(area.replace("$", "")) is not None:
            found[name.upper()] = text
    return found


class Typist:
    """Writes formulas as the calculator takes them, each that is alike but for references once."""

    def __init__(self, cells: Mapping[str, str], names: Mapping[str, str]) -> None:
        self._cells = cells
        self._functions = Expander({name.upper(): text for name, text in names.items()})
        self._known: dict[str, str] = {}

    def typed(self, formula: str) -> str:
        """Return a formula as it is typed, names of cells as the cells themselves."""
        text, references = abstracted(formula)
        if text not in self._known:
            self._known[text] = self._worked_out(text)
        return with_references(self._known[text], references)

    def _worked_out(self, formula: str) -> str:
        calls = read(formula).calls
        if not calls & {"LET", "LAMBDA"}:
            # Otherwise its own names may hide those of the workbook.
            formula = with_cells(formula, self._cells)
        if calls & REWRITTEN or any(map(self._functions.calls_ours, calls)):
            return lambda_for_calculator("=" + self._functions.text(formula[1:]))
        return for_calculator(formula) if calls else formula


def _needed_names(workbook: Workbook, formulas: Iterable[str]) -> list[tuple[str, str]]:
    """Return the names that formulas use, the shortest first.

    The calculator reads all names anew for each that is added.
    """
    known = {name.upper(): name for name in workbook.names}
    used: dict[str, str] = {}
    waiting = list(dict.fromkeys(formulas))
    while waiting:
        found = read(waiting.pop())
        for asked in {n.upper() for n in (*found.names, *found.calls)}:
            if asked in known and asked not in used:
                text = workbook.names[known[asked]]
                used[asked] = lambda_for_calculator(text) if "LAMBDA(" in text.upper() else text
                waiting.append("=" + text)
    return sorted(((known[n], t) for n, t in used.items()), key=lambda pair: len(pair[1]))
