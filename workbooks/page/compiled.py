"""A workbook's formulas as JavaScript, for the page's calculator (`assets/calculator.js`)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from udfs.cells import Cell, CellError
from workbooks.excel.passes.fifteen_digits import compared, snapped
from workbooks.formula.functions import native
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, Node, Operation, bare, children, walk
from workbooks.page.emitting import FUNCTIONS, Emitter, named
from workbooks.page.formulas import split
from workbooks.page.graph import Graph
from workbooks.page.grid import Grid, UnknownError
from workbooks.page.model import Part
from workbooks.page.places import Place
from workbooks.page.reading import Workbook
from workbooks.page.script import ASSETS
from workbooks.page.sharing import Shared

# How far beyond the cells of a sheet references are followed; what is further is blank.
_BEYOND_ROWS, _BEYOND_COLUMNS = 5000, 200
_EXPORTED = re.compile(r"^export (?:function|class|const) (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """What the page computes."""

    #: The formulas, as a part of the page's script.
    code: str
    #: Where they stand, and the values that they read.
    data: Mapping[str, Any]
    #: Formulas that are not among them, and what they use that is not known.
    unknown: Mapping[Place, str]


def compiled(
    book: Workbook, graph: Graph, part: Part, values: Mapping[Place, Cell], inputs: Iterable[Place]
) -> Program:
    """Return the part of a workbook that a page computes."""
    changing = set(inputs) & part.constants
    filled = {p for p, e in book.cells.items() if e.anchor in part.formulas and e.anchor}
    grid = Grid(book, _sizes(book, graph, part), part.formulas | filled | changing)
    shared = Shared(grid, {name.upper(): text for name, text in book.names.items()}, named)
    patterns: list[str] = []
    unknown: dict[Place, str] = {}
    runs: list[list[int]] = []
    arrays: list[list[Any]] = []
    for places in _alike(book, grid, part).values():
        try:
            patterns.append(_pattern(book, shared, places[0]))
        except UnknownError as error:
            unknown.update(dict.fromkeys(places, str(error)))
            continue
        number = len(patterns) - 1
        alone = []
        for place in places:
            entry = book.cells[place]
            if entry.area is None:
                alone.append(place)
            else:
                arrays.append([number, place, entry.area.rows, entry.area.columns, entry.dynamic])
        runs += [[number, *run] for run in _runs(alone)]
    data = {
        "width": grid.width,
        "rows": grid.rows,
        "bases": grid.bases,
        "values": list(_rows({p: values.get(p) for p in part.constants})),
        "inputs": sorted(changing),
        "formulas": runs,
        "arrays": arrays,
    }
    return Program(_code(shared.lines, patterns), data, unknown)


def _sizes(book: Workbook, graph: Graph, part: Part) -> list[tuple[int, int]]:
    """Return how many rows and columns of each sheet are kept: one more than is used or read."""
    sizes = [(1, 1)] * len(book.sheets)
    for sheet, row, column in book.cells:
        rows, columns = sizes[sheet]
        sizes[sheet] = max(rows, row), max(columns, column)
    most = [(rows + _BEYOND_ROWS, columns + _BEYOND_COLUMNS) for rows, columns in sizes]
    for sheet, area in {block for place in part.formulas for block in graph.blocks[place]}:
        rows, columns = sizes[sheet]
        if area.bottom <= most[sheet][0]:
            rows = max(rows, area.bottom)
        if area.right <= most[sheet][1]:
            columns = max(columns, area.right)
        sizes[sheet] = rows, columns
    return [(rows + 1, columns + 1) for rows, columns in sizes]


# --- formulas that were filled down are one ------------------------------------------------------


def _alike(book: Workbook, grid: Grid, part: Part) -> dict[tuple[Any, ...], list[Place]]:
    """Return the formulas, those together that differ only as if they were filled down."""
    found: dict[tuple[Any, ...], list[Place]] = defaultdict(list)
    for place in sorted(part.formulas):
        words, areas = split(book.cells[place].formula or "")
        found[words, *grid.key(areas, place)].append(place)
    return found


def _pattern(book: Workbook, shared: Shared, place: Place) -> str:
    """Return a formula and what it reads as two JavaScript functions of its cell."""
    formula = (book.cells[place].formula or "")[1:]
    try:
        tree = parse(formula)
    except FormulaError as error:
        raise UnknownError("what is no formula") from error
    if book.cells[place].area is None:
        if _wants_one(tree, shared.names):
            raise UnknownError("a range where one value is wanted, in what is no array formula")
        tree = snapped(compared(tree))
    emitter = Emitter(shared, place)
    text = emitter.value(tree, {})
    for name in _ours(tree, shared.names):
        emitter.spans += [s for s in shared.spans(name) if s not in emitter.spans]
    moving = [span for span in emitter.spans if not shared.grid.is_fixed(span)]
    spans = ", ".join(f"{s.at}, {s.high}, {s.wide}" for s in moving)
    return f"[(i, r, c) => {text}, (i, r, c) => [{spans}]]"


def _wants_one(node: Node, names: Mapping[str, str]) -> bool:
    """Tell whether an ordinary formula computes with a range, of which Excel takes one cell."""
    if isinstance(node, Call) and (native(node.name).arrays or node.name in names):
        return False
    if isinstance(node, Operation) and any(
        isinstance(side, Reference) and not side.is_cell for side in map(bare, children(node))
    ):
        return True
    return any(_wants_one(child, names) for child in children(node))


def _ours(tree: Node, names: Mapping[str, str]) -> set[str]:
    return {node.name for node in walk(tree) if isinstance(node, Call) and node.name in names}


def _runs(places: Iterable[Place]) -> list[list[int]]:
    """Return places as rectangles: sheet, top, left, bottom, right."""
    rows: list[list[int]] = []
    for sheet, row, column in sorted(places):
        if rows and rows[-1][:2] == [sheet, row] and rows[-1][4] == column - 1:
            rows[-1][4] = column
        else:
            rows.append([sheet, row, column, row, column])
    found: list[list[int]] = []
    open_: dict[tuple[int, int, int], list[int]] = {}
    for run in rows:
        sheet, row, left, _, right = run
        above = open_.get((sheet, left, right))
        if above is not None and above[3] == row - 1:
            above[3] = row
        else:
            open_[sheet, left, right] = run
            found.append(run)
    return found


def _rows(values: Mapping[Place, Cell]) -> Iterable[list[Any]]:
    """Yield values beside each other: sheet, row, first column, and the values."""
    run: list[Any] = []
    for place in sorted(p for p, value in values.items() if value is not None):
        if run and run[:2] == [place.sheet, place.row] and run[2] + len(run) - 3 == place.column:
            run.append(plainly(values[place]))
            continue
        if run:
            yield run
        run = [*place, plainly(values[place])]
    if run:
        yield run


def plainly(value: Cell) -> Any:
    """Return a value as JSON holds it."""
    if isinstance(value, CellError):
        return {"error": value.code}
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


# --- as a script ---------------------------------------------------------------------------------


def _code(lines: Iterable[str], patterns: Iterable[str]) -> str:
    imports = []
    for name in ("values.js", "functions.js", "calculator.js"):
        text = (ASSETS / name).read_text(encoding="utf-8")
        names = [n for n in _EXPORTED.findall(text) if n not in (*FUNCTIONS.values(), "Calculator")]
        imports.append(f"import {{ {', '.join(names)} }} from './{name}';")
    imports += [f"import {{ {own} }} from './{name}';" for name, own in FUNCTIONS.items()]
    functions = ", ".join(f"...{own}" for own in FUNCTIONS.values())
    return "\n".join((
        *imports,
        f"const F = {{ {functions} }};",
        "const isNothing = (value) => value instanceof Fault && value.error === '#N/A';",
        "export function formulas(V, width, range) {",
        *lines,
        "return [",
        *(f"{pattern}," for pattern in patterns),
        "];",
        "}",
    )) + "\n"  # fmt: skip
