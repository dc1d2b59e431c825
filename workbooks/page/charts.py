"""The charts of a workbook, read from the file's own drawings, for the page to draw again."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from workbooks.formula.address import parse_area, split_sheet
from workbooks.ooxml.book import read_book, relations
from workbooks.ooxml.package import Package
from workbooks.page.places import Place
from workbooks.page.reading import Workbook

_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
#: What each kind of a file's chart is drawn as.
KINDS = {
    "barChart": "bar", "bar3DChart": "bar", "lineChart": "line", "line3DChart": "line",
    "areaChart": "area", "area3DChart": "area", "scatterChart": "scatter",
    "pieChart": "pie", "pie3DChart": "pie", "doughnutChart": "pie",
}  # fmt: skip
#: A rectangle of a sheet: its number, then top, left, bottom, right.
Span = tuple[int, int, int, int, int]


def read_charts(path: Path, workbook: Workbook) -> list[dict[str, Any]]:
    """Return the charts of a workbook in the order of its sheets, and down each sheet.

    A chart of a kind that is not drawn has a `refused` that says so.
    """
    charts = []
    with Package(path) as package:
        for number, info in enumerate(read_book(package).sheets):
            for kind, drawing, external in relations(package, info.part).values():
                if kind.endswith("/drawing") and not external and drawing in package:
                    charts += [
                        {"sheet": number, **_chart(package, part, workbook)}
                        for part in _placed(package, drawing)
                    ]
    return charts


def _placed(package: Package, drawing: str) -> Iterator[str]:
    """Yield the charts of a drawing from its top to its bottom."""
    targets = relations(package, drawing)
    found = []
    for anchor in etree.fromstring(package.read(drawing)):
        row = anchor.find("{*}from/{*}row")
        for element in anchor.iter(f"{_C}chart"):
            _, part, external = targets.get(element.get(f"{_R}id", ""), ("", "", True))
            if not external and posixpath.normpath(part) in package:
                found.append((int(row.text or 0) if row is not None else 0, part))
    yield from (part for _, part in sorted(found, key=lambda pair: pair[0]))


def _chart(package: Package, part: str, workbook: Workbook) -> dict[str, Any]:
    root = etree.fromstring(package.read(part))
    chart = root.find(f"{_C}chart")
    plot = root.find(f"{_C}chart/{_C}plotArea")
    title = _title(None if chart is None else chart.find(f"{_C}title"), workbook)
    if plot is None:
        return {"title": title, "refused": "it has no plot area"}
    layers = []
    for element in plot:
        tag = etree.QName(element).localname
        if tag.endswith("Chart") and tag not in KINDS:
            return {"title": title, "refused": f"a {tag} is not drawn here"}
        if tag in KINDS:
            layers.append(_layer(element, KINDS[tag], workbook))
    series = [s for layer in layers for s in layer["series"]]
    if not series or not all(s["values"] for s in series):
        return {"title": title, "refused": "its values are not cells of this workbook"}
    hidden = [
        int(_val(e.find(f"{_C}idx"), "-1"))
        for e in root.iter(f"{_C}legendEntry") if _val(e.find(f"{_C}delete")) == "1"
    ]  # fmt: skip
    for one in series:
        one["hidden"] = one.pop("idx") in hidden
    across, up = _axes(plot, layers, workbook)
    return {"title": title, "layers": layers, "x": across, "y": up}


def _layer(element: etree._Element, kind: str, workbook: Workbook) -> dict[str, Any]:
    grouping = _val(element.find(f"{_C}grouping"), "standard")
    return {
        "kind": kind,
        "lying": _val(element.find(f"{_C}barDir")) == "bar",
        "stacked": grouping in ("stacked", "percentStacked"),
        "share": grouping == "percentStacked",
        "series": [_series(s, workbook) for s in element.iter(f"{_C}ser")],
    }


def _series(element: etree._Element, workbook: Workbook) -> dict[str, Any]:
    shape = element.find(f"{_C}spPr")
    line = None if shape is None else shape.find(f"{_A}ln")
    symbol = _val(element.find(f"{_C}marker/{_C}symbol"))
    values = _span(element.find(f"{_C}val"), workbook) or _span(element.find(f"{_C}yVal"), workbook)
    return {
        "idx": int(_val(element.find(f"{_C}idx"), "0")),
        "title": _title(element.find(f"{_C}tx"), workbook),
        "categories": _span(element.find(f"{_C}cat"), workbook),
        "across": _span(element.find(f"{_C}xVal"), workbook),
        "values": values,
        # In a table or beside the mouse a value has the digits of its cell: an axis rounds.
        "format": _format(values, workbook),
        "line": line is None or line.find(f"{_A}noFill") is None,
        "marker": symbol not in ("none", ""),
        "bare": shape is not None and shape.find(f"{_A}noFill") is not None,
    }


def _axes(
    plot: etree._Element, layers: list[dict[str, Any]], workbook: Workbook
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the horizontal and the vertical axis: of categories, and of values."""
    scatter = any(layer["kind"] == "scatter" for layer in layers)
    axes = [a for a in plot if etree.QName(a).localname in ("catAx", "valAx", "dateAx", "serAx")]
    values = [a for a in axes if etree.QName(a).localname == "valAx"]
    others = [a for a in axes if a not in values]
    if scatter:
        others = [a for a in values if _val(a.find(f"{_C}axPos")) in ("b", "t")][:1] or values[:1]
        values = [a for a in values if a not in others]
    return _axis(others[0] if others else None, workbook), _axis(
        values[0] if values else None, workbook
    )


def _axis(element: etree._Element | None, workbook: Workbook) -> dict[str, Any]:
    if element is None:
        return {"title": "", "format": "General", "log": False, "min": None, "max": None,
                "unit": None}  # fmt: skip
    number_format, unit = element.find(f"{_C}numFmt"), element.find(f"{_C}majorUnit")
    scaling = element.find(f"{_C}scaling")
    limits = {}
    for side in ("min", "max"):
        found = None if scaling is None else scaling.find(f"{_C}{side}")
        limits[side] = None if found is None else float(_val(found))
    return {
        "title": _title(element.find(f"{_C}title"), workbook),
        "format": "General" if number_format is None else number_format.get("formatCode"),
        "log": scaling is not None and scaling.find(f"{_C}logBase") is not None,
        "unit": None if unit is None else float(_val(unit)),
        **limits,
    }


def _title(element: etree._Element | None, workbook: Workbook) -> Any:
    """Return a title: a text, or the cell that it stands in."""
    if element is None:
        return ""
    reference = element.find(f".//{_C}strRef/{_C}f")
    if reference is not None:
        area = _area(reference.text or "", workbook)
        return {"cell": area, "format": _format(area, workbook)}
    plain = element.find(f"{_C}v")
    if plain is not None:
        return plain.text or ""
    paragraphs = ["".join(t.text or "" for t in p.iter(f"{_A}t")) for p in element.iter(f"{_A}p")]
    return " ".join(filter(None, paragraphs))


def _span(element: etree._Element | None, workbook: Workbook) -> Span | None:
    if element is None:
        return None
    formula = element.find(f".//{_C}f")
    return None if formula is None else _area(formula.text or "", workbook)


def _format(area: Span | None, workbook: Workbook) -> str:
    """Return the number format of the first cell of an area."""
    return "General" if area is None else workbook.style(Place(*area[:3])).format


def _area(text: str, workbook: Workbook) -> Span | None:
    sheet, cells = split_sheet(text)
    number = None if sheet is None else workbook.number(sheet)
    area = parse_area(cells.replace("$", ""))
    return None if number is None or area is None else (number, *area)


def _val(element: etree._Element | None, otherwise: str = "") -> str:
    return otherwise if element is None else element.get("val", otherwise)
