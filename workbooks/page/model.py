"""The part of a workbook that a page shows, and the part that it computes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workbooks.formula.address import Area
from workbooks.page.charts import Span
from workbooks.page.choosing import Shown
from workbooks.page.graph import Graph, places_of
from workbooks.page.places import Place
from workbooks.page.reading import Workbook


@dataclass(frozen=True)
class Part:
    """Which cells of a workbook a page computes, and which it holds as they are."""

    #: Formulas that inputs reach; those of arrays stand at their first cell.
    formulas: frozenset[Place]
    #: Values that these read.
    constants: frozenset[Place]


@dataclass
class Chosen:
    """What a page is about to show."""

    shown: Shown
    charts: list[dict[str, Any]] = field(default_factory=list)


def displayed(chosen: Chosen) -> set[Place]:
    """Return all cells that the page shows, but for inputs."""
    shown = chosen.shown
    figures = [*shown.headlines, *shown.figures]
    found = {figure.place for figure in figures}
    found |= {w for f in figures for w in (f.label, f.unit) if isinstance(w, Place)}
    if shown.flag is not None:
        found.add(shown.flag)
    for chart in chosen.charts:
        found |= drawn(chart)
    return found


def drawn(chart: Mapping[str, Any]) -> set[Place]:
    """Return the cells of a chart."""
    spans: list[Span] = []
    titles = [chart["title"], chart["x"]["title"], chart["y"]["title"]]
    for layer in chart["layers"]:
        for one in layer["series"]:
            titles.append(one["title"])
            spans += [s for s in (one["values"], one["categories"], one["across"]) if s]
    spans += [title["cell"] for title in titles if isinstance(title, dict) and title["cell"]]
    return {place for span in spans for place in cells_of(span)}


def cells_of(span: Span) -> Iterable[Place]:
    """Return the cells of a rectangle."""
    return places_of((span[0], Area(*span[1:])))


def changeable(shown: Shown) -> set[Place]:
    """Return the cells that a reader can change."""
    cells = {place for one in shown.fields for place in one.cells}
    return cells | ({shown.scenario.place} if shown.scenario else set())


def part_of(book: Workbook, graph: Graph, chosen: Chosen) -> Part:
    """Return what the page computes; fields and a scenario that reach nothing shown go."""
    shown = chosen.shown
    needed = graph.needed(displayed(chosen))
    shown.fields = [f for f in shown.fields if needed & set(f.cells)]
    if shown.scenario and shown.scenario.place not in needed:
        shown.scenario = None
        shown.fields = [replace(f, cells=f.cells[:1]) for f in shown.fields]
    reached = graph.reached(changeable(shown))
    changing = needed & reached
    formulas = {p for p in changing if book.cells[p].formula is not None}
    formulas |= {anchor for p in changing if (anchor := book.cells[p].anchor) is not None}
    filled = {p for p in needed if (e := book.cells.get(p)) and e.anchor in formulas}
    constants = {p for p in needed if p in book.cells} - formulas - filled
    return Part(frozenset(formulas), frozenset(constants))


def results_of(book: Workbook, part: Part) -> set[Place]:
    """Return the cells whose values the page computes."""
    children = {p for p, e in book.cells.items() if e.anchor in part.formulas and e.anchor}
    return set(part.formulas) | children
