"""The odds that each seller's price is below its cost."""

from __future__ import annotations

from collections.abc import Mapping

from engine import catalogue
from workbooks.authoring.layout import Book, Chart, Line, Ref
from workbooks.templates.sources import PARADOX


def add_sellers(book: Book, inputs: Mapping[str, Ref]) -> None:
    """Add the sheet of sellers: a PERT distribution over each range of breakeven."""
    sheet = book.sheet(
        "Sellers",
        "Who sells below cost, and how likely is it?",
        "The breakeven of each lies somewhere in the article's range, most likely in its middle",
        (24, 16, 16, 16, 16, 18, 18, 20, 22),
    )
    sheet.heading("By seller")
    rows = catalogue.table("provider_prices")
    body = sheet.ref(sheet.row + 1, 1, len(rows), 9)
    lines = []
    for i, row in enumerate(rows):
        price, low, middle, high, first, second = (body.at(i, c).local for c in range(1, 7))
        weight = inputs["middle"]
        lines.append(
            (
                row["provider"],
                float(row["price_usd_per_mtok"]),
                float(row["breakeven_low_usd_per_mtok"]),
                f"=AVERAGE({low},{high})",
                float(row["breakeven_high_usd_per_mtok"]),
                f"=1+{weight}*IF({high}>{low},({middle}-{low})/({high}-{low}),0)",
                f"=1+{weight}*IF({high}>{low},({high}-{middle})/({high}-{low}),0)",
                f"=IF({price}<={low},1,IF({price}>={high},0,"
                f"1-BETADIST({price},{first},{second},{low},{high})))",
                PARADOX,
            )
        )
    table = sheet.table(
        ("Seller", "Price\nUSD/Mtok", "Breakeven low", "Breakeven most likely",
         "Breakeven high", "First shape", "Second shape", "Odds that the price is below cost",
         "Source"),
        lines,
        ("label", "input price", "input price", "calc price", "input price", "calc ratio",
         "calc ratio", "output percent", "note"),
    )  # fmt: skip
    sheet.chart(
        Chart(
            "column",
            "Odds that the price is below cost",
            (Line("Odds", table.part(7)),),
            categories=table.part(0),
            x_title="Seller",
            y_title="Odds",
            format="0%",
            y_max=1.0,
            width_cm=26,
        )
    )
    book.headline("Sellers that more likely than not sell below cost",
                  sheet.put(sheet.row, 8, f'=COUNTIF({table.part(7).local},">"&{inputs["half"]})',
                            "output", "integer"),
                  "integer", f'="of "&ROWS({table.part(7)})')  # fmt: skip
    sheet.put(sheet.row, 1, "Sellers that more likely than not sell below cost", "label")
    for column in range(2, 8):
        sheet.put(sheet.row, column, None, "label")
    sheet.row += 2
