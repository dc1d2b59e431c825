"""A simulation as a workbook to read and print: what it says, the charts, and how it was made.

The first sheet is for those who decide, one sheet an output shows its distribution and what drives
it, `Statistics` has every figure, and `About` says what makes the same numbers again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.authoring.charts import add_chart
from workbooks.authoring.parts import Chart, Line, Ref
from workbooks.authoring.style import named_styles
from workbooks.page.formats import shown
from workbooks.reports.cells import put, put_heads, put_title, set_up_print
from workbooks.reports.odds import interval
from workbooks.reports.provenance import about, described
from workbooks.reports.shown import Source
from workbooks.scenarios.simulate import Simulation
from workbooks.scenarios.statistics_table import Row

#: The draws as a table: heads and rows.
Table = tuple[Sequence[str], Sequence[Sequence[Any]]]

_CLASSES = 40
_POINTS = 101
# Drivers of an output on the first sheet, and in its charts.
_FIRST, _MOST = 3, 12
# A rank correlation of so many standard errors is no chance.
_CLEAR = 3.0
# Draws that are printed: nobody wants all of them on paper.
_PRINTED = 50
# Outputs on a page of the statistics.
_ACROSS = 10
_FAN = {
    "quantile 0.05": "P5", "quantile 0.25": "P25", "median": "P50", "quantile 0.75": "P75",
    "quantile 0.95": "P95",
}  # fmt: skip
_FAN_COLOURS = ("A9C4E6", "5B8FCB", "0B5394", "5B8FCB", "A9C4E6")
_SHARE, _COUNT = "0.0%", "#,##0"
# What a chart takes of a sheet whose columns are all as wide as this.
_WIDTH, _CHART_COLUMNS, _CHART_ROWS = 9.5, 8, 18
_CHART_CM = (16.0, 8.6)
_FIGURES = 2 * _CHART_COLUMNS + 2


def write_book(
    simulation: Simulation, rows: Sequence[Row], target: IO[bytes], draws: Table | None = None
) -> None:
    """Write a report.

    Parameters
    ----------
    simulation : Simulation
        What was drawn.
    rows : sequence of Row
        Its statistics.
    target : binary file
        Where the workbook goes.
    draws : tuple, optional
        Heads and rows of all draws, for a sheet of their own.
    """
    report = _Report(simulation, rows)
    report.summary()
    report.statistics()
    report.fans()
    for place in range(len(report.outputs)):
        report.output(place)
    report.about()
    if draws is not None:
        report.draws(draws)
    report.book.save(target)


class _Report:
    """A report while its sheets are made."""

    def __init__(self, simulation: Simulation, rows: Sequence[Row]) -> None:
        self.simulation, self.task = simulation, simulation.task
        self.rows = rows
        self.found: Mapping[str, tuple[Any, ...]] = {row.statistic: row.values for row in rows}
        self.source = Source(Path(self.task.path))
        self.outputs = self.source.known(self.task.outputs)
        self.inputs = self.source.known(self.task.risks.cells)
        self.formats = [
            cell.format_of([v for name in _FAN if (v := self.found[name][place]) is not None])
            for place, cell in enumerate(self.outputs)
        ]
        self.book = Workbook()
        self.book.remove(self.book.worksheets[0])
        for style in named_styles().values():
            self.book.add_named_style(style)

    # --- sheets -------------------------------------------------------------------------------

    def summary(self) -> None:
        """Write what a reader wants first: the outputs, the odds, and what they hang on."""
        sheet = self._sheet("Summary", (34, 24, 16, 16, 16, 16, 16, 30))
        put_title(
            sheet,
            f"What {Path(self.task.path).name} says under uncertainty",
            f"{self.simulation.count:,} draws of {len(self.inputs)} inputs; one draw in ten lies "
            "below P10, half below P50, nine in ten below P90",
        )
        row = put_heads(sheet, 4, ("Output", "Cell", "As saved", "P10", "P50", "P90", "Mean",
                                "Without a number"))  # fmt: skip
        for place, (cell, form) in enumerate(zip(self.outputs, self.formats, strict=True)):
            put(sheet, row, 1, cell.label, "wrapped")
            put(sheet, row, 2, cell.name, "wrapped")
            saved = cell.saved if isinstance(cell.saved, float | str | bool) else None
            put(sheet, row, 3, saved, "calc", form)
            for column, name in enumerate(("quantile 0.1", "median", "quantile 0.9", "mean"), 4):
                put(sheet, row, column, self.found[name][place], "output", form)
            put(sheet, row, 8, self._without(place), "wrapped")
            row += 1
        if any(self.simulation.lost(place) for place in range(len(self.outputs))):
            text = "P10 to mean are those of the draws that give a number: read the last column too"
            put(sheet, row, 1, text, "remark")
            row += 1
        row = self._odds(sheet, row + 1)
        row = self._main_drivers(sheet, row + 1)
        set_up_print(sheet, 8, row)

    def _odds(self, sheet: Worksheet, row: int) -> int:
        if not self.simulation.conditions:
            return row
        row = put_heads(sheet, row, ("Condition", "Cell", "Probability", "From", "To"))
        names = list(self.task.outputs)
        for one in self.simulation.conditions:
            share = self.simulation.share(one)
            low, high = interval(share, self.simulation.count)
            place = names.index(one.output)
            label, value = self.outputs[place].label, shown(one.value, self.formats[place])
            put(sheet, row, 1, f"{label} {one.sign} {value}", "wrapped")
            put(sheet, row, 2, one.text, "wrapped")
            put(sheet, row, 3, share, "output", _SHARE)
            put(sheet, row, 4, low, "calc", _SHARE)
            put(sheet, row, 5, high, "calc", _SHARE)
            row += 1
        text = "a share of all draws; 19 times in 20 the true one lies between From and To"
        put(sheet, row, 1, text, "remark")
        return row + 1

    def _main_drivers(self, sheet: Worksheet, row: int) -> int:
        row = put_heads(sheet, row, ("Output", "Input that drives it", "Rank correlation",
                                  "Share of variance"))  # fmt: skip
        for place, cell in enumerate(self.outputs):
            label = cell.label
            least = _CLEAR / math.sqrt(self.simulation.sample.inputs.shape[1])
            clear = [one for one in self._drivers(place) if abs(one[1]) >= least][:_FIRST]
            if not clear:
                put(sheet, row, 1, label, "wrapped")
                put(sheet, row, 2, "none stands out", "wrapped")
                row += 1
            for name, correlation, share in clear:
                put(sheet, row, 1, label, "wrapped")
                put(sheet, row, 2, name, "wrapped")
                put(sheet, row, 3, correlation, "calc", "0.00")
                put(sheet, row, 4, share, "calc", "0%")
                label = ""
                row += 1
        text = "share of variance: how much of it would go if that input alone were known"
        put(sheet, row, 1, text, "remark")
        return row + 1

    def statistics(self) -> None:
        """Write every statistic: a row each, a column an output."""
        widths = (38, *(max(16, len(cell.name) + 3) for cell in self.outputs))
        sheet = self._sheet("Statistics", widths)
        put_heads(sheet, 1, ("statistic", *self.task.outputs))
        for row, (name, values) in enumerate(self.rows, 2):
            put(sheet, row, 1, name, "wrapped")
            for place, value in enumerate(values):
                put(sheet, row, 2 + place, value, "calc", self._format(name, place))
        sheet.freeze_panes = "B2"
        sheet.print_title_rows, sheet.print_title_cols = "1:1", "A:A"
        across = -(-len(self.outputs) // _ACROSS)
        set_up_print(sheet, len(widths), 1 + len(self.rows), across=across, high=0)

    def fans(self) -> None:
        """Draw the quantiles of outputs that are months or years of one quantity."""
        for number, places in enumerate(self.source.courses(self.outputs), 1):
            cells, form = [self.outputs[i] for i in places], self.formats[places[0]]
            heads, of_heads = self.source.heads(cells)
            sheet = self._sheet("Fan" if number == 1 else f"Fan {number}", (18,) * 6)
            words = self.source.row_of(cells[0])
            put_title(sheet, words, "in nine draws of ten it lies between P5 and P95")
            first = put_heads(sheet, 29, ("Month or period", *_FAN.values()))
            for row, (place, head) in enumerate(zip(places, heads, strict=True), first):
                put(sheet, row, 1, head, "words", of_heads)
                for column, name in enumerate(_FAN, 2):
                    put(sheet, row, column, self.found[name][place], "calc", form)
            area = Ref(sheet.title, first, 1, len(places), 6)
            # Numbers stand at their own distance: months 1, 2, 3 and 36 are not evenly spaced.
            measured = isinstance(heads[0], float)
            lines = [
                Line(
                    Ref(sheet.title, first - 1, 2 + i),
                    area.part(1 + i),
                    area.part(0) if measured else None,
                    colour,
                )
                for i, colour in enumerate(_FAN_COLOURS)
            ]
            chart = Chart(
                "scatter" if measured else "line", words, lines, area.part(0),
                x_title="Month or period", y_title=words, format=form, x_format=of_heads,
                markers=False, row=4, column=1, width_cm=21, height_cm=12,
            )  # fmt: skip
            add_chart(sheet, chart)
            set_up_print(sheet, 6, first + len(places), high=0, upright=True)

    def output(self, place: int) -> None:
        """Draw one output: histogram, S-curve and what drives it; the figures beside them."""
        known = self.simulation.results(place)
        if known.count < 2 or known.smallest() == known.largest():
            return
        cell, form = self.outputs[place], self.formats[place]
        sheet = self._sheet(self._free(cell.name), (_WIDTH,) * (2 * _CHART_COLUMNS))
        put_title(
            sheet,
            cell.label,
            f"{cell.name}; the figures behind the charts stand from column "
            f"{get_column_letter(_FIGURES)} on",
        )
        counts, edges = known.histogram(_CLASSES)
        shares = np.linspace(0, 1, _POINTS)
        classes = zip(edges[:-1], edges[1:], counts / known.count, strict=True)
        bars = self._figures(sheet, 0, ("from", "to", "share"), (form, form, _SHARE), classes)
        curve = self._figures(sheet, 4, ("value", "share below"), (form, _SHARE),
                              zip(known.quantiles(shares), shares, strict=True))  # fmt: skip
        drivers = self._drivers(place)[:_MOST]
        driven = self._figures(sheet, 7, ("input", "rank correlation", "share of variance"),
                               ("@", "0.00", "0%"), drivers)  # fmt: skip
        charts = (
            Chart("column", "How often", [Line("share", bars.part(2))], bars.part(0),
                  x_title=cell.label, y_title="Share of draws", format="0%", x_format=form),
            Chart("scatter", "How likely to lie below",
                  [Line("share", curve.part(1), across=curve.part(0))], markers=False,
                  x_title=cell.label, y_title="Share of draws below", format="0%", x_format=form),
            Chart("bar", "What goes with it", [Line("correlation", driven.part(1))],
                  driven.part(0), y_title="Rank correlation", format="0.0"),
            Chart("bar", "What explains it", [Line("share", driven.part(2))],
                  driven.part(0), y_title="Share of variance", format="0%"),
        )  # fmt: skip
        for i, chart in enumerate(charts[: 4 if drivers else 2]):
            drawn = add_chart(sheet, _placed(chart, i))
            if i == 0:
                drawn.gapWidth = 0
                drawn.x_axis.tickLblSkip = _CLASSES // 5
            if i == 1:
                drawn.y_axis.scaling.min, drawn.y_axis.scaling.max = 0, 1
            if i == 2:
                drawn.y_axis.scaling.min, drawn.y_axis.scaling.max = -1, 1
        set_up_print(sheet, 2 * _CHART_COLUMNS, 3 + 2 * _CHART_ROWS)

    def about(self) -> None:
        """Write what someone needs who wants the same numbers again."""
        sheet = self._sheet("About", (40, 90))
        row = put_heads(sheet, 1, ("what", "value"))
        for name, value in about(self.simulation):
            put(sheet, row, 1, name, "label")
            put(sheet, row, 2, value, "words", _COUNT if name == "draws" else "0")
            row += 1
        row = put_heads(sheet, row + 1, ("input", "distribution"))
        for risk in self.task.risks.risks:
            put(sheet, row, 1, risk.cell, "wrapped")
            put(sheet, row, 2, described(risk.distribution), "wrapped")
            row += 1
        matrix = self.task.risks.correlation
        pairs = [] if matrix is None else [*zip(*np.nonzero(np.triu(matrix, 1)), strict=True)]
        if matrix is not None and pairs:
            row = put_heads(sheet, row + 1, ("correlated inputs", "rank correlation"))
            for i, j in pairs:
                names = self.task.risks.cells
                put(sheet, row, 1, f"{names[int(i)]}, {names[int(j)]}", "wrapped")
                put(sheet, row, 2, float(matrix[i, j]), "words", "0.00")
                row += 1
        set_up_print(sheet, 2, row, high=0)

    def draws(self, table: Table) -> None:
        """Write every draw down."""
        heads, rows = table
        sheet = self._sheet("Draws", [max(16, len(head) + 3) for head in heads])
        put_heads(sheet, 1, heads)
        ends = [risk.format_of(values) for risk, values in
                zip(self.inputs, self.simulation.draws.inputs, strict=True)]  # fmt: skip
        looks: list[Any] = []
        cell: Any
        for column, form in enumerate((_COUNT, *ends, *self.formats), 1):
            put(sheet, 2, column, None, "calc", form)
            cell = sheet.cell(2, column)
            looks.append(cell._style)
        for number, values in enumerate(rows, 2):
            for column, (value, look) in enumerate(zip(values, looks, strict=True), 1):
                # Looking a style up by its name takes longer than all else that is done to a cell.
                cell = sheet.cell(number, column, value)
                cell._style = look
        sheet.freeze_panes, sheet.print_title_rows = "B2", "1:1"
        set_up_print(sheet, len(heads), 1 + min(len(rows), _PRINTED), high=0)

    # --- what they say ------------------------------------------------------------------------

    def _drivers(self, place: int) -> list[tuple[str, float, float | None]]:
        """Return words, rank correlation and share of variance of each input, the closest first."""
        found = []
        for cell in self.inputs:
            correlation = self.found[f"rank correlation: {cell.name}"][place]
            if correlation is not None and not math.isnan(correlation):
                share = self.found[f"share of the variance: {cell.name}"][place]
                found.append((cell.label, correlation, share))
        return sorted(found, key=lambda one: -abs(one[1]))

    def _without(self, place: int) -> str:
        lost = self.simulation.lost(place)
        return "; ".join(
            f"{label}: {count / self.simulation.count:.1%}"
            for label, count in lost.items()
            if count
        )

    def _format(self, statistic: str, place: int) -> str:
        """Return the number format of a statistic of an output."""
        if statistic.startswith("draws"):
            return _COUNT
        if statistic.startswith(("probability", "share of the variance")):
            return _SHARE
        if statistic.startswith("rank correlation"):
            return "0.00"
        if statistic.startswith("relative error"):
            return "0.0E+00"
        if self.outputs[place].is_date and statistic.startswith("standard"):
            # Days between dates.
            return "#,##0.0"
        return self.formats[place]

    # --- cells --------------------------------------------------------------------------------

    def _sheet(self, name: str, widths: Sequence[float]) -> Worksheet:
        sheet: Worksheet = self.book.create_sheet(name)
        for column, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(column)].width = width
        sheet.sheet_view.showGridLines = False
        return sheet

    def _free(self, name: str) -> str:
        """Return a name for a sheet that none has."""
        bare = re.sub(r"[\\/?*\[\]:!']+", " ", name).strip()[:31] or "Output"
        taken = {title.casefold() for title in self.book.sheetnames} | {"about", "draws"}
        free, number = bare, 2
        while free.casefold() in taken:
            free = f"{bare[:27]} {number}"
            number += 1
        return free

    def _figures(
        self, sheet: Worksheet, skip: int, heads: Sequence[str], forms: Sequence[str], rows: Any
    ) -> Ref:
        """Write figures right of the charts and return where they stand, without their heads."""
        column = _FIGURES + skip
        for i, head in enumerate(heads):
            put(sheet, 4, column + i, head, "header")
            sheet.column_dimensions[get_column_letter(column + i)].width = 16
        count = 0
        for count, row in enumerate(rows, 1):
            for i, (value, form) in enumerate(zip(row, forms, strict=True)):
                plain = float(value) if isinstance(value, np.floating) else value
                put(sheet, 4 + count, column + i, plain, "calc", form)
        return Ref(sheet.title, 5, column, max(count, 1), len(heads))


def _placed(chart: Chart, number: int) -> Chart:
    return replace(
        chart,
        row=4 + _CHART_ROWS * (number // 2),
        column=1 + _CHART_COLUMNS * (number % 2),
        width_cm=_CHART_CM[0],
        height_cm=_CHART_CM[1],
    )
