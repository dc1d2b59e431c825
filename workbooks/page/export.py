"""From a workbook to a page: what is shown is chosen, computed twice, and written if it agrees."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import __version__
from udfs.cells import Cell, CellError
from workbooks.authoring.native import calls_of, make_native
from workbooks.errors import RefusedError
from workbooks.ooxml.book import read_book
from workbooks.ooxml.package import Package
from workbooks.ooxml.publish import check_target, claimed, published
from workbooks.page.charts import read_charts
from workbooks.page.choosing import Chooser, Field, Figure, Shown
from workbooks.page.document import Page, definitions, document, table
from workbooks.page.formats import shown as formatted
from workbooks.page.graph import Graph
from workbooks.page.model import Chosen, cells_of, changeable, displayed, drawn
from workbooks.page.places import Place
from workbooks.page.reading import Workbook, read_workbook
from workbooks.page.run import Run
from workbooks.page.truth import Difference, recalculated, unlike
from workbooks.page.why import why_not
from workbooks.recalc.run import uncollected

_MOST_NAMED = 12


@dataclass(frozen=True)
class Exported:
    """What a page shows, and what was found out before it was written."""

    #: Where it is; nowhere before it is written.
    path: Path
    inputs: int
    figures: int
    charts: int
    #: Formulas that were compared, as the file stands and after each change.
    formulas: int
    changes: tuple[str, ...]
    #: What is not shown, and why, a line each.
    refused: tuple[str, ...]
    #: Whether the page was ready: then the formulas were compared when the release was made.
    ready: bool = False

    @property
    def held(self) -> str:
        """With what in its cells the workbook was compared, in words."""
        count = len(self.changes)
        return f"as the file stands and after {count} change{'' if count == 1 else 's'} of inputs"


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
    source, target = Path(workbook), page_target(out)
    with claimed(target) as claim:
        page, exported = prepared(source, name, inputs, outputs)
        with published(claim, source) as file:
            file.write(document(page).encode())
    return replace(exported, path=target)


def page_target(out: str | Path) -> Path:
    """Return the file that a page goes to, or refuse before any work is done."""
    # A page is no workbook: only the folder and the file itself are looked at.
    target = check_target(Path(out), Path(out))
    if target.suffix.lower() not in (".html", ".htm"):
        raise RefusedError(f"{out}: a page is written to a file called .html")
    return target


def prepared(
    source: Path, name: str, inputs: Sequence[str] = (), outputs: Sequence[str] = ()
) -> tuple[Page, Exported]:
    """Return the page of a workbook, compared, as `export` would write it."""
    with uncollected(), tempfile.TemporaryDirectory(prefix="tokenbook-") as folder:
        called = calls_of(source)
        native = Path(folder) / f"native{source.suffix}" if called else source
        if called:
            make_native(source, native)
        # Where the file itself says what a function is, that is recalculated as well.
        judged = native if _defines(source, called) else source
        return _page(native, judged, name or source.name, inputs, outputs)


def _defines(path: Path, functions: Iterable[str]) -> bool:
    """Tell whether a workbook has a name for one of the functions that it calls."""
    with Package(path) as package:
        names = {n.name.upper() for n in read_book(package).names if n.sheet is None}
    return not names.isdisjoint(functions)


def _page(
    path: Path,
    judged: Path,
    name: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> tuple[Page, Exported]:
    """Return the page of a workbook, and what it shows.

    The formulas are those of `path`, in which every function is a name; the values that they have
    to come to are those of `judged`, which may call the functions themselves.
    """
    book = read_workbook(path)
    every = [p for p, e in book.cells.items() if e.formula is not None or e.anchor is not None]
    with recalculated(judged, book) as recalculation:
        computed = recalculation.values(every)
        # Words may be formulas too; a file need not hold the values of its formulas.
        book = book.with_values(computed)
        graph = Graph(book)
        chosen = Chosen(Chooser(book).choose(inputs, outputs), read_charts(path, book))
        refused = [
            f"the chart {_plain(c['title'])!r} on {book.sheets[c['sheet']]}: {c['refused']}"
            for c in chosen.charts if "refused" in c
        ]  # fmt: skip
        chosen.charts = [c for c in chosen.charts if "refused" not in c]
        run = Run(book, graph, chosen)
        found, tried = run.tried(recalculation)
    unknown = run.program.unknown
    untold = set(every) - computed.keys() | graph.unknown.keys() | unknown.keys()
    found += [
        Difference(p, None, None, "") for p in run.values if {p, book.cells[p].anchor} & untold
    ]
    if found:
        refused += _without(book, graph, chosen, found, unknown)
        run = Run(book, graph, chosen)
        left = run.differences("as the file stands", run.kept)
        if left:
            raise RefusedError(why_not(book, graph, left, unknown)[0])
    if not (chosen.shown.headlines or chosen.shown.figures or chosen.charts):
        raise RefusedError(_nothing(name, refused))
    exported = Exported(
        Path(),
        len(chosen.shown.fields),
        len(chosen.shown.headlines) + len(chosen.shown.figures),
        len(chosen.charts),
        len(run.values),
        tuple(tried),
        tuple(refused),
    )
    return _laid_out(book, name, chosen, run, exported), exported


def _nothing(name: str, refused: Sequence[str]) -> str:
    if refused:
        return f"{name}: nothing of it can be shown: {'; '.join(refused[:_MOST_NAMED])}"
    return (
        f"{name}: no figure hangs on an input that could be changed; name cells with --inputs and "
        "--outputs"
    )


# --- what is left out ----------------------------------------------------------------------------


def _without(
    book: Workbook,
    graph: Graph,
    chosen: Chosen,
    found: Sequence[Difference],
    unknown: Mapping[Place, str],
) -> list[str]:
    """Take out what hangs on cells that differ, and return what went, with the reason."""
    bad = {difference.place for difference in found}
    tainted = bad | graph.reached(bad)
    shown = chosen.shown
    reasons = why_not(book, graph, found, unknown)
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
    if not shown.headlines:
        shown.headlines, shown.figures = shown.figures, []
    if shown.flag in tainted:
        assert shown.flag is not None
        gone.append(f"{book.address(shown.flag)} (the checks)")
        shown.flag = None
    charts = []
    for chart in chosen.charts:
        if drawn(chart) & tainted:
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


# --- what it is made of --------------------------------------------------------------------------


def _laid_out(book: Workbook, name: str, chosen: Chosen, run: Run, exported: Exported) -> Page:
    shown, values = chosen.shown, run.kept
    rounded = unlike(values, run.values)
    seen = displayed(chosen)
    listed = {
        place for one in shown.fields if one.allowed.area for place in cells_of(one.allowed.area)
    }
    kept = seen | changeable(shown) | listed
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
        "computed": sorted(seen & run.values.keys()),
        # What the browser has to find there, where that is not quite what the file holds.
        "rounded": [[p, _value(rounded[p])] for p in sorted(seen & rounded.keys())],
        "values": [[p, _value(values.get(p))] for p in sorted(kept) if values.get(p) is not None],
    }  # fmt: skip
    made = f"Tokenbook {__version__}"
    foot = [*shown.sources]
    foot += [
        ("Versions", made),
        (
            "Checked",
            "Formulas that came out as in Tokenbook's recalculation before this page was written, "
            f"{exported.held}: {exported.formulas:,}",
        ),
    ]
    foot += [("Not shown", text) for text in exported.refused]
    return Page(
        title=book.title or Path(name).stem,
        purpose=book.purpose,
        basis=shown.basis,
        generator=made,
        static=_static(book, shown, values),
        foot=f"<h2>Sources and versions</h2>{definitions(foot)}",
        data=data,
        formulas=run.program.code,
        workbook=run.program.data,
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
