"""The month judged, computed anew with other inputs: tornado, bridge, and a grid of two inputs."""

from __future__ import annotations

from collections.abc import Sequence

from workbooks.authoring.comparisons import Axis, Cases, varied
from workbooks.authoring.layout import Book, Ref
from workbooks.templates.load import PRODUCTS
from workbooks.templates.plan.inputs import VARIED
from workbooks.templates.plan.operations import OPERATIONS, UNIT_ECONOMICS

#: Factors on the price and utilisations of the grid.
_PRICES = (0.6, 0.8, 1.0, 1.2, 1.4)
_USES = (0.3, 0.4, 0.5, 0.6, 0.7)
_MONTH = """
    month | Month | | judged
    since | Months since the start | months | month - 1
"""


def add_cases(book: Book, inputs: Sequence[dict[str, Ref]], served: dict[str, Ref]) -> Cases:
    """Add the cases: base, each input at its downside and upside, the bridge, the grid."""
    sheet = book.sheet(
        "Cases", "The month judged, with other inputs",
        "The rows of the scenarios' sheets, each column with inputs of its own", (), long=True,
    )  # fmt: skip
    axes, base = _axes(book), inputs[0]
    price = Axis("price_level", axes.part(0), lambda factor: f"{base['price_level']}*{factor}")
    use = Axis("peak", axes.part(1), lambda use: f"MAX(1,1/({use}*(1+{base['headroom']})))")
    found = varied(sheet, inputs, VARIED, served, price, use)
    found.grid.lines(PRODUCTS, _MONTH, *OPERATIONS, *UNIT_ECONOMICS)
    return found


def _axes(book: Book) -> Ref:
    sheet = next(sheet for sheet in book.sheets if sheet.name == "Inputs")
    sheet.heading("Axes of the grid of price and utilisation")
    return sheet.table(
        ("Price of the base", "Utilisation"), list(zip(_PRICES, _USES, strict=True)),
        ("input percent", "input percent"), ("grid_price", "grid_use"),
    )  # fmt: skip
