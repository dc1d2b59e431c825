"""From a workbook to a page: what is shown is chosen, computed twice, and written if it agrees."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from udfs.cells import Cell, CellError
from workbooks.authoring.native import calls_of, make_native
from workbooks.errors import RefusedError
from workbooks.formula.address import Area
from workbooks.ooxml.book import read_book
from workbooks.ooxml.package import Package
from workbooks.ooxml.publish import check_target, claimed, published
from workbooks.page.calculator import PageCalculator
from workbooks.page.charts import Span, read_charts
from workbooks.page.choosing import Chooser, Field, Figure, Shown
from workbooks.page.document import definitions, document, table
from workbooks.page.formats import shown as formatted
from workbooks.page.graph import Graph, places_of
from workbooks.page.model import Part, load
from workbooks.page.places import Place
from workbooks.page.reading import Workbook, read_workbook
from workbooks.page.truth import Difference, changes, compare, put, recalculated, unlike
from workbooks.page.why import why_not

#: The calculator of the page, as its licence names it, and its version.
CALCULATOR = "IronCalc 0.8.4 (WebAssembly)"
_MOST_NAMED = 12


@dataclass(frozen=True)
class Exported:
    """What a page shows, and what was found out before it was written."""

    path: Path
    inputs: int
    figures: int
    charts: int
    #: Formulas that were compared, as the file stands and after each change.
    formulas: int
    changes: tuple[str, ...]
    #: What is not shown, and why, a line each.
    refused: tuple[str, ...]


@dataclass
class _Chosen:
    """What a page is about to show."""

    shown: Shown
    charts: list[dict[str, Any]] = field(default_factory=list)


def export(
    workbook: str | Path,
    out: str | Path,
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    name: str = "",
) -> Exported:
    """Write a workbook as one HTML file that recalculates in a browser.

    Parameters
    ----------
    workbook : str or Path
        The workbook; it is not changed.
    out : str or Path
        The page, *.html.
    inputs, outputs : sequence of str
        Cells to show, by name or as `Sheet!B5`; what the workbook marks itself, where left out.
    name : str
        What the page calls the workbook; its file's name where left out.

    Returns
    -------
    Exported
        What is shown, and what is not, and why.

    Raises
    ------
    RefusedError
        Where nothing can be shown, or the file cannot be read or written.
    """
    source = Path(workbook)
    # A page is no workbook: only the folder and the file itself are looked at.
    target = check_target(Path(out), Path(out))
    if target.suffix.lower() not in (".html", ".htm"):
        raise RefusedError(f"{out}: a page is written to a file called .html")
    with claimed(target) as claim, tempfile.TemporaryDirectory(prefix="tokenbook-") as folder:
        native = source
        if not _is_native(source):
            native = Path(folder) / f"native{source.suffix}"
            make_native(source, native)
        page, exported = _page(native, target, name or source.name, inputs, outputs)
        with published(claim, source) as file:
            file.write(page.encode())
    return exported


def _is_native(path: Path) -> bool:
    """Tell whether a workbook defines every function that it calls, or calls none."""
    with Package(path) as package:
        defined = {n.name.upper() for n in read_book(package).names if n.sheet is None}
    return defined.issuperset(calls_of(path))


def _page(
    path: Path, target: Path, name: str, inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[str, Exported]:
    book = read_workbook(path)
    every = [p for p, e in book.cells.items() if e.formula is not None or e.anchor is not None]
    with recalculated(path, book) as recalculation:
        computed = recalculation.values(every)
        uncomputed = set(every) - computed.keys()
        # Words may be formulas too; a file need not hold the values of its formulas.
        book = book.with_values(computed)
        graph = Graph(book)
        chosen = _Chosen(Chooser(book).choose(inputs, outputs), read_charts(path, book))
        refused = [
            f"the chart {_plain(c['title'])!r} on {book.sheets[c['sheet']]}: {c['refused']}"
            for c in chosen.charts if "refused" in c
        ]  # fmt: skip
        chosen.charts = [c for c in chosen.charts if "refused" not in c]
        values = {p: e.value for p, e in book.cells.items()}
        part = _part(book, graph, chosen)
        places = sorted(_results(book, part))
        calculator = _settled(load(book, part, values), book, part, places)
        # Exactly as the page does it: the values as they stand, then each change.
        packed = calculator.bytes()
        found = compare(values, calculator, places, "as the file stands", graph)
        rounded = unlike(values, calculator, places)
        tried = changes(book, chosen.shown.fields, chosen.shown.scenario, len(places))
        held = part.constants
        for what, change in tried:
            recalculation.change(change)
            put(calculator, change, held)
            calculator.evaluate()
            found += compare(recalculation.values(places), calculator, places, what, graph)
            put(calculator, {p: book.value(p) for p in change}, held)
    found += [Difference(p, None, None, "") for p in uncomputed & set(places)]
    found += [Difference(p, None, None, "") for p in graph.unknown if p in part.formulas]
    if found:
        refused += _without(book, graph, chosen, found)
        part = _part(book, graph, chosen)
        places = sorted(_results(book, part))
        calculator = _settled(load(book, part, values), book, part, places)
        packed = calculator.bytes()
        left = compare(values, calculator, places, "as the file stands", graph)
        if left:
            raise RefusedError(why_not(book, graph, left)[0])
        rounded = unlike(values, calculator, places)
    if not (chosen.shown.headlines or chosen.shown.figures or chosen.charts):
        raise RefusedError(_nothing(name, refused))
    exported = Exported(
        target,
        len(chosen.shown.fields),
        len(chosen.shown.headlines) + len(chosen.shown.figures),
        len(chosen.charts),
        len(places),
        tuple(what for what, _ in tried),
        tuple(refused),
    )
    return _written(book, name, chosen, values, part, packed, rounded, exported), exported


def _nothing(name: str, refused: Sequence[str]) -> str:
    if refused:
        return f"{name}: nothing of it can be shown: {'; '.join(refused[:_MOST_NAMED])}"
    return (
        f"{name}: no figure hangs on an input that could be changed; name cells with --inputs and "
        "--outputs"
    )


def _settled(
    calculator: PageCalculator, book: Workbook, part: Part, places: Sequence[Place]
) -> PageCalculator:
    """Compute a workbook that was just put in until its arrays have found their places."""
    before: list[Cell] = []
    spills = any(book.cells[place].area is not None for place in part.formulas)
    for _ in range(8):
        calculator.evaluate()
        if not spills:
            break
        now = calculator.values(places)
        if now == before:
            break
        before = now
    return calculator


# --- which cells ---------------------------------------------------------------------------------


def _displayed(chosen: _Chosen) -> set[Place]:
    """Return all cells that the page shows, but for inputs."""
    shown = chosen.shown
    figures = [*shown.headlines, *shown.figures]
    found = {figure.place for figure in figures}
    found |= {w for f in figures for w in (f.label, f.unit) if isinstance(w, Place)}
    if shown.flag is not None:
        found.add(shown.flag)
    for chart in chosen.charts:
        found |= _drawn(chart)
    return found


def _drawn(chart: Mapping[str, Any]) -> set[Place]:
    """Return the cells of a chart."""
    spans: list[Span] = []
    titles = [chart["title"], chart["x"]["title"], chart["y"]["title"]]
    for layer in chart["layers"]:
        for one in layer["series"]:
            titles.append(one["title"])
            spans += [s for s in (one["values"], one["categories"], one["across"]) if s]
    spans += [title["cell"] for title in titles if isinstance(title, dict) and title["cell"]]
    return {place for span in spans for place in _cells(span)}


def _cells(span: Span) -> Iterable[Place]:
    return places_of((span[0], Area(*span[1:])))


def _changeable(shown: Shown) -> set[Place]:
    cells = {place for one in shown.fields for place in one.cells}
    return cells | ({shown.scenario.place} if shown.scenario else set())


def _part(book: Workbook, graph: Graph, chosen: _Chosen) -> Part:
    """Return what the page computes; fields and a scenario that reach nothing shown go."""
    shown = chosen.shown
    needed = graph.needed(_displayed(chosen))
    shown.fields = [f for f in shown.fields if needed & set(f.cells)]
    if shown.scenario and shown.scenario.place not in needed:
        shown.scenario = None
        shown.fields = [replace(f, cells=f.cells[:1]) for f in shown.fields]
    reached = graph.reached(_changeable(shown))
    changing = needed & reached
    formulas = {p for p in changing if book.cells[p].formula is not None}
    formulas |= {anchor for p in changing if (anchor := book.cells[p].anchor) is not None}
    filled = {p for p in needed if (e := book.cells.get(p)) and e.anchor in formulas}
    constants = {p for p in needed if p in book.cells} - formulas - filled
    return Part(frozenset(formulas), frozenset(constants))


def _results(book: Workbook, part: Part) -> set[Place]:
    """Return the cells whose values the page computes."""
    children = {p for p, e in book.cells.items() if e.anchor in part.formulas and e.anchor}
    return set(part.formulas) | children


def _without(
    book: Workbook, graph: Graph, chosen: _Chosen, found: Sequence[Difference]
) -> list[str]:
    """Take out what hangs on cells that differ, and return what went, with the reason."""
    bad = {difference.place for difference in found}
    tainted = bad | graph.reached(bad)
    shown = chosen.shown
    reasons = why_not(book, graph, found)
    gone: list[str] = []

    def keep(figures: list[Figure]) -> list[Figure]:
        kept = []
        for one in figures:
            cells = {one.place, *(w for w in (one.label, one.unit) if isinstance(w, Place))}
            if cells & tainted:
                gone.append(book.address(one.place))
            else:
                kept.append(one)
        return kept

    shown.headlines, shown.figures = keep(shown.headlines), keep(shown.figures)
    if shown.flag in tainted:
        assert shown.flag is not None
        gone.append(f"{book.address(shown.flag)} (the checks)")
        shown.flag = None
    charts = []
    for chart in chosen.charts:
        if _drawn(chart) & tainted:
            gone.append(f"the chart {_plain(chart['title'])!r}")
        else:
            charts.append(chart)
    chosen.charts = charts
    if not gone:
        return []
    more = f" and {len(gone) - _MOST_NAMED} more" if len(gone) > _MOST_NAMED else ""
    return [f"{', '.join(gone[:_MOST_NAMED])}{more}: {'; '.join(reasons)}"]


def _plain(title: Any) -> str:
    return title if isinstance(title, str) else "of a cell"


# --- what is written -----------------------------------------------------------------------------


def _written(
    book: Workbook,
    name: str,
    chosen: _Chosen,
    values: Mapping[Place, Cell],
    part: Part,
    packed: bytes,
    rounded: Mapping[Place, Cell],
    exported: Exported,
) -> str:
    shown = chosen.shown
    results = _results(book, part)
    displayed = _displayed(chosen)
    listed = {
        place for one in shown.fields if one.allowed.area for place in _cells(one.allowed.area)
    }
    kept = displayed | _changeable(shown) | listed
    data = {
        "name": name,
        "scenario": None if shown.scenario is None else {
            "place": shown.scenario.place,
            "options": shown.scenario.options,
            "value": book.text(shown.scenario.place),
        },
        "beside": shown.scenario is not None and shown.scenario.beside and bool(shown.headlines)
        and all(isinstance(f.label, str) and ": " in f.label for f in shown.headlines),
        "inputs": [_field(book, one) for one in shown.fields],
        "headlines": [_figure(one) for one in shown.headlines],
        "figures": [_figure(one) for one in shown.figures],
        "charts": chosen.charts,
        "flag": shown.flag,
        "computed": sorted(displayed & results),
        # What the browser has to find there, where that is not quite what the file holds.
        "rounded": [[p, _value(rounded[p])] for p in sorted(displayed & rounded.keys())],
        "values": [[p, _value(values.get(p))] for p in sorted(kept) if values.get(p) is not None],
    }  # fmt: skip
    made = f"Tokenbook {version('tokenbook')}"
    foot = [*shown.sources]
    foot += [
        ("Versions", f"{made}; calculator: {CALCULATOR}, MIT/Apache-2.0"),
        (
            "Checked",
            f"{exported.formulas:,} formulas came out as in Tokenbook's recalculation, as the file "
            f"stands and after {len(exported.changes)} changes of the inputs, before this page "
            "was written",
        ),
    ]
    foot += [("Not shown", text) for text in exported.refused]
    return document(
        title=book.title or Path(name).stem,
        purpose=book.purpose,
        basis=shown.basis,
        generator=made,
        static=_static(book, shown, values),
        foot=f"<h2>Sources and versions</h2>{definitions(foot)}",
        data=data,
        workbook=packed,
    )


def _static(book: Workbook, shown: Shown, values: Mapping[Place, Cell]) -> str:
    """Return the figures and inputs as tables, for readers whose mail takes the script out."""

    def words(what: str | Place) -> str:
        return formatted(values.get(what), "General") if isinstance(what, Place) else what

    figures = [
        (words(f.label), formatted(values.get(f.place), f.format), words(f.unit))
        for f in (*shown.headlines, *shown.figures)
    ]
    inputs = [
        (f.label, "; ".join(formatted(book.value(p), f.format) for p in f.cells), f.unit)
        for f in shown.fields
    ]
    scenario = ""
    if shown.scenario is not None:
        options = ", ".join(shown.scenario.options)
        scenario = table([("Scenario", book.text(shown.scenario.place), f"of {options}")],
                         ("", "Value", ""))  # fmt: skip
    return (
        "<h2>Figures</h2>" + table(figures, ("Figure", "Value", "Unit"))
        + "<h2>Inputs</h2>" + scenario + table(inputs, ("Input", "Value", "Unit"))
        + "<p>Open this file in a browser to change the inputs.</p>"
    )  # fmt: skip


def _field(book: Workbook, one: Field) -> dict[str, Any]:
    value = book.value(one.cells[0])
    allowed = one.allowed
    return {
        "key": one.key, "section": one.section, "label": one.label, "unit": one.unit,
        "source": one.source, "note": one.note, "format": one.format, "cells": one.cells,
        "kind": "number" if isinstance(value, float) else "text",
        "low": allowed.low, "low_open": allowed.low_open,
        "high": allowed.high, "high_open": allowed.high_open, "whole": allowed.whole,
        "listed": allowed.listed, "area": allowed.area,
    }  # fmt: skip


def _figure(one: Figure) -> dict[str, Any]:
    return {
        "section": one.section, "label": one.label, "place": one.place,
        "format": one.format, "unit": one.unit,
    }  # fmt: skip


def _value(value: Cell) -> Any:
    return {"error": value.code} if isinstance(value, CellError) else value
