"""Native charts, from their description to openpyxl's objects, drawn to be read in print."""

from __future__ import annotations

from typing import Any

from openpyxl.chart import BarChart, LineChart, Reference, ScatterChart, Series
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.legend import LegendEntry
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.authoring.layout import Chart, Line, Ref
from workbooks.authoring.style import INK, SERIES

# Up to so many points a line has markers.
_FEW = 12
_BARS = ("column", "bar", "stacked", "stacked bar", "range")


def add_chart(worksheet: Worksheet, chart: Chart) -> Any:
    """Draw a chart on a sheet of an openpyxl workbook, and return openpyxl's own."""
    drawn = _bars(worksheet, chart) if chart.kind in _BARS else _lines(worksheet, chart)
    drawn.title = chart.title
    drawn.title.overlay = False
    drawn.width, drawn.height = chart.width_cm, chart.height_cm
    drawn.legend.position = "b"
    if len(chart.lines) == 1:
        drawn.legend = None
    for axis, title, number_format in (
        (drawn.x_axis, chart.x_title, chart.x_format),
        (drawn.y_axis, chart.y_title, chart.format),
    ):
        axis.title = title or None
        axis.delete = False
        axis.number_format = number_format
        axis.numFmt.sourceLinked = False
        axis.majorGridlines = axis.majorGridlines if axis is drawn.y_axis else None
        axis.txPr = _text(900)
        if title:
            axis.title.tx.rich.p[0].pPr = ParagraphProperties(defRPr=_characters(900))
            axis.title.overlay = False
    drawn.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="E5E7EB"))
    drawn.title.tx.rich.p[0].pPr = ParagraphProperties(defRPr=_characters(1200, bold=True))
    # An axis without a zero is crossed at its end, or bars below 1 would hang down from it.
    if chart.logarithmic:
        drawn.y_axis.scaling.logBase = 10
        drawn.x_axis.crosses = "min"
    if chart.x_logarithmic:
        drawn.x_axis.scaling.logBase = 10
        drawn.y_axis.crosses = "min"
    if chart.x_unit:
        drawn.x_axis.majorUnit = chart.x_unit
    if chart.x_max:
        drawn.x_axis.scaling.max = chart.x_max
    if chart.y_max:
        drawn.y_axis.scaling.max = chart.y_max
    # Labels of the axis stay at its foot where values go below zero.
    drawn.x_axis.tickLblPos = "low"
    worksheet.add_chart(drawn, f"{get_column_letter(chart.column)}{chart.row}")
    return drawn


def _bars(worksheet: Worksheet, chart: Chart) -> Any:
    drawn = BarChart()
    lying = chart.kind in ("bar", "stacked bar")
    drawn.type = "bar" if lying else "col"
    stacked = chart.kind in ("stacked", "stacked bar", "range")
    drawn.grouping = "stacked" if stacked else "clustered"
    drawn.overlap = 100 if stacked else -10
    drawn.gapWidth = 60
    lines = chart.lines[:2] if chart.kind == "range" else chart.lines
    for i, line in enumerate(lines):
        series = _series(worksheet, line)
        series.graphicalProperties.solidFill = line.colour or SERIES[i % len(SERIES)]
        series.graphicalProperties.line.noFill = True
        series.invertIfNegative = False
        drawn.series.append(series)
    if chart.categories:
        drawn.set_categories(_reference(worksheet, chart.categories))
    if lying:
        drawn.x_axis.scaling.orientation = "maxMin"
        # From the top down, and the axis of values at the foot none the less.
        drawn.y_axis.crosses = "max"
        # Each bar is named, however many there are.
        drawn.x_axis.tickLblSkip = 1
    if chart.kind == "range":
        _float(worksheet, drawn, chart)
    return drawn


def _float(worksheet: Worksheet, drawn: Any, chart: Chart) -> None:
    """Let the second series float on the first, and mark the third as points."""
    foot, span = drawn.series
    foot.graphicalProperties.solidFill = None
    foot.graphicalProperties.noFill = True
    span.graphicalProperties.solidFill = "A9C4E6"
    points = LineChart()
    series = _series(worksheet, chart.lines[2])
    series.marker.symbol = "diamond"
    series.marker.size = 10
    series.marker.graphicalProperties = GraphicalProperties(solidFill=SERIES[1])
    series.marker.graphicalProperties.line.solidFill = SERIES[1]
    series.graphicalProperties.line.noFill = True
    series.smooth = False
    points.series.append(series)
    if chart.categories:
        points.set_categories(_reference(worksheet, chart.categories))
    drawn += points
    # The foot is scaffolding: it has no place in the legend.
    drawn.legend.legendEntry = [LegendEntry(idx=0, delete=True)]


def _lines(worksheet: Worksheet, chart: Chart) -> Any:
    scatter = chart.kind == "scatter"
    drawn: Any = ScatterChart() if scatter else LineChart()
    if scatter:
        # The schema wants a style, and openpyxl leaves it out.
        drawn.style = None
        drawn.scatterStyle = "lineMarker"
    for i, line in enumerate(chart.lines):
        colour = line.colour or SERIES[i % len(SERIES)]
        series = _series(worksheet, line)
        series.smooth = False
        series.graphicalProperties.line.solidFill = colour
        series.graphicalProperties.line.width = 22000
        few = max(line.values.rows, line.values.columns) <= _FEW
        if chart.dots or (few if chart.markers is None else chart.markers):
            # A point alone lies on others: it has to be seen there.
            alone = line.values.rows == line.values.columns == 1
            series.marker.symbol = "diamond" if alone else "circle"
            series.marker.size = 12 if alone else 6
            series.marker.graphicalProperties = GraphicalProperties(solidFill=colour)
            series.marker.graphicalProperties.line.solidFill = colour
        else:
            series.marker.symbol = "none"
        if chart.dots:
            series.graphicalProperties.line.noFill = True
        drawn.series.append(series)
    if chart.categories and not scatter:
        drawn.set_categories(_reference(worksheet, chart.categories))
    return drawn


def _series(worksheet: Worksheet, line: Line) -> Any:
    values = _reference(worksheet, line.values)
    across = None if line.across is None else _reference(worksheet, line.across)
    if isinstance(line.title, str):
        return Series(values, across, title=line.title)
    series = Series(values, across)
    series.tx = SeriesLabel(strRef=StrRef(str(line.title)))
    return series


def _reference(worksheet: Any, ref: Ref) -> Reference:
    return Reference(
        worksheet.parent[ref.sheet],
        min_col=ref.column,
        min_row=ref.row,
        max_col=ref.column + ref.columns - 1,
        max_row=ref.row + ref.rows - 1,
    )


def _characters(size: int, *, bold: bool = False) -> CharacterProperties:
    return CharacterProperties(sz=size, b=bold, solidFill=INK)


def _text(size: int) -> RichText:
    return RichText(
        p=[
            Paragraph(
                pPr=ParagraphProperties(defRPr=_characters(size)), endParaRPr=_characters(size)
            )
        ]
    )
