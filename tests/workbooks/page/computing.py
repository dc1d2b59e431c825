"""What the page's calculator makes of the formulas of a workbook, and what recalculation does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from udfs.cells import Cell
from workbooks.authoring.native import make_native
from workbooks.build import drafted
from workbooks.page.calculator import PageCalculator
from workbooks.page.charts import read_charts
from workbooks.page.choosing import Chooser
from workbooks.page.compiled import Program, compiled
from workbooks.page.graph import Graph
from workbooks.page.model import Chosen, Part, changeable, part_of
from workbooks.page.places import Place
from workbooks.page.reading import Workbook, read_workbook
from workbooks.page.truth import recalculated


def computed(
    path: Path, change: Mapping[Place, Cell] | None = None
) -> tuple[Workbook, dict[str, str], dict[str, Cell]]:
    """Return a workbook, what is not known to the page's calculator, and the values that it has.

    Every cell without a formula is an input; after a `change` only what it reaches is computed.
    """
    book = read_workbook(path)
    formulas = {p for p, e in book.cells.items() if e.formula is not None}
    filled = {p for p, e in book.cells.items() if e.anchor is not None}
    constants = frozenset(book.cells.keys() - formulas - filled) | frozenset(change or ())
    part = Part(frozenset(formulas), constants)
    values = {p: e.value for p, e in book.cells.items()}
    program = compiled(book, Graph(book), part, values, constants)
    unknown = program.unknown.keys()
    places = sorted(p for p in formulas | filled if not {p, book.cells[p].anchor} & unknown)
    calculator = PageCalculator(program, places)
    theirs = calculator.values()
    if change:
        calculator.put(change)
        theirs = calculator.values()
    told = {book.address(p): why for p, why in program.unknown.items()}
    return book, told, {book.address(p): value for p, value in theirs.items()}


def both(
    path: Path, change: Mapping[Place, Cell] | None = None, judged: Path | None = None
) -> tuple[dict[str, tuple[Cell, Cell]], dict[str, str]]:
    """Return each formula's cell with both values, and what is not known to the page's calculator.

    The formulas are those of `path`, the recalculation is that of `judged`, where it is another.
    """
    book, unknown, theirs = computed(path, change)
    places = {p for p in book.cells if book.address(p) in theirs}
    with recalculated(judged or path, book) as recalculation:
        if change:
            recalculation.change(change)
        ours = recalculation.values(places)
    found = {address: (ours[p], theirs[address]) for p in ours if (address := book.address(p))}
    return found, unknown


def program_of(name: str) -> Program:
    """Return what the page of a template computes."""
    with drafted(name) as draft:
        native = draft.with_name("native.xlsx")
        make_native(draft, native)
        book = read_workbook(native)
        graph = Graph(book)
        charts = [c for c in read_charts(native, book) if "refused" not in c]
    chosen = Chosen(Chooser(book).choose(), charts)
    part = part_of(book, graph, chosen)
    values = {p: e.value for p, e in book.cells.items()}
    return compiled(book, graph, part, values, changeable(chosen.shown))
