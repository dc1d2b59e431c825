"""What a page is about to compute, run beside the recalculation and held against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from udfs.cells import Cell
from workbooks.page.calculator import PageCalculator
from workbooks.page.compiled import compiled
from workbooks.page.graph import Graph
from workbooks.page.model import Chosen, changeable, part_of, results_of
from workbooks.page.places import Place
from workbooks.page.reading import Workbook
from workbooks.page.truth import Change, Difference, Recalculation, changes, compare


class Run:
    """What a page is about to compute, and what it comes to."""

    def __init__(self, book: Workbook, graph: Graph, chosen: Chosen) -> None:
        self._book, self._graph, self._shown = book, graph, chosen.shown
        self.part = part_of(book, graph, chosen)
        #: What the file holds, as recalculation has it.
        self.kept = {place: entry.value for place, entry in book.cells.items()}
        self.program = compiled(book, graph, self.part, self.kept, changeable(chosen.shown))
        self._places = sorted(results_of(book, self.part))

    @cached_property
    def _calculator(self) -> PageCalculator:
        return PageCalculator(self.program, self._places)

    @cached_property
    def values(self) -> dict[Place, Cell]:
        """What the page has at first; computed when it is asked for, before any change."""
        return self._calculator.values()

    def differences(self, what: str, ours: Mapping[Place, Cell]) -> list[Difference]:
        """Return where the page has at first something else than it should."""
        return compare(ours, self.values, what, self._graph)

    def tried(self, recalculation: Recalculation) -> tuple[list[Difference], list[str]]:
        """Change inputs as a reader does; return where the page differs, and what was changed.

        The script runs beside the recalculation, in a thread of its own: neither needs the other
        until their values are compared, and neither needs Python while it computes.
        """
        tried = changes(self._book, self._shown.fields, self._shown.scenario, len(self._places))
        computed = self._computed([change for _, change in tried])
        with ThreadPoolExecutor(1, thread_name_prefix="tokenbook-page") as beside:
            try:
                theirs = [beside.submit(next, computed) for _ in range(len(tried) + 1)]
                found: list[Difference] = []
                ours: Mapping[Place, Cell] = self.kept
                step = "as the file stands"
                for number, (what, change) in enumerate(tried):
                    recalculation.change(change)
                    after = recalculation.values(self._places)
                    found += compare(ours, theirs[number].result(), step, self._graph)
                    ours, step = after, what
                found += compare(ours, theirs[-1].result(), step, self._graph)
            finally:
                beside.shutdown(cancel_futures=True)
        return found, [what for what, _ in tried]

    def _computed(self, tried: Iterable[Change]) -> Iterator[dict[Place, Cell]]:
        """Yield what the page has at first, and after each change by itself."""
        yield self.values
        for change in tried:
            self._calculator.put(change)
            yield self._calculator.values()
            self._calculator.put({place: self._book.value(place) for place in change})
