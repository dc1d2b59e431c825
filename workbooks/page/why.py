"""Why a cell of a workbook is not shown on a page, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udfs.cells import Cell
from udfs.declare import registry
from udfs.hosts.native import reason
from workbooks.page.formulas import read
from workbooks.page.graph import Graph, places_of
from workbooks.page.places import Place
from workbooks.page.reading import Workbook
from workbooks.page.truth import Difference

_MOST = 4


def why_not(
    book: Workbook, graph: Graph, found: Sequence[Difference], unknown: Mapping[Place, str]
) -> list[str]:
    """Return the reasons for which cells differ: those of the cells where it begins.

    `unknown` tells what formulas use that the page's calculator does not know.
    """
    first: dict[Place, Difference] = {}
    for difference in found:
        first.setdefault(difference.place, difference)
    roots = [d for place, d in first.items() if not _follows(book, graph, place, first)]
    told: dict[str, list[str]] = {}
    for root in roots or list(first.values()):
        told.setdefault(_reason(book, graph, root, unknown), []).append(book.address(root.place))
    return [
        f"{', '.join(cells[:_MOST])}{f' and {len(cells) - _MOST} more' if cells[_MOST:] else ''} "
        f"{reason}"
        for reason, cells in list(told.items())[:_MOST]
    ]


def _follows(book: Workbook, graph: Graph, place: Place, found: dict[Place, Difference]) -> bool:
    """Tell whether a cell reads another that differs."""
    anchor = book.cells[place].anchor
    if anchor is not None:
        return anchor in found
    return any(
        other != place and other in found
        for block in graph.blocks.get(place, ())
        for other in places_of(block)
    )


def _reason(
    book: Workbook, graph: Graph, difference: Difference, unknown: Mapping[Place, str]
) -> str:
    entry = book.cells[difference.place]
    formula = entry.formula or (book.cells[entry.anchor].formula if entry.anchor else "") or ""
    known = {name.upper() for name in book.names}
    for name in sorted(read(formula).calls):
        if name in registry and name not in known and (why := reason(name)):
            return f"calls {name}, which no formula can stand for: {why}"
    if difference.place in graph.unknown:
        return graph.unknown[difference.place]
    if difference.place in unknown:
        return f"uses {unknown[difference.place]}"
    if not difference.change:
        return "is not computed by the recalculation"
    return (
        f"is {_plainly(difference.theirs)} in the page's calculator and "
        f"{_plainly(difference.ours)} in the recalculation {difference.change}"
    )


def _plainly(value: Cell) -> str:
    return "blank" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)
