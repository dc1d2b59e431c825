"""The tokens a day that the market implies, beside the article's own figures."""

from __future__ import annotations

from udfs.functions import TOK_CAGR, TOK_MARKET_VOLUME, TOK_VOLUME_MULTIPLE
from workbooks.authoring.layout import Book, Chart, Line, Ref, call, shown


def lay_out_market(book: Book, common: dict[str, Ref], market: Ref) -> None:
    """Lay out the sheet Market: volume by year, growth, and the multiple needed."""
    sheet = book.sheet(
        "Market",
        "Market volume",
        "Tokens a day that the market implies; the article's own figures miss a factor of 1,000",
        (26, 16, 16, 20, 20, 20, 18),
    )
    sheet.heading("Implied volume")
    body = sheet.ref(sheet.row + 1, 1, market.rows, 7)
    rows = []
    for i in range(market.rows):
        usd, price, volume, stated = (body.at(i, c).local for c in (1, 2, 3, 4))
        rows.append(
            (
                f"={market.at(i, 0)}",
                f"={market.at(i, 2)}",
                f"={market.at(i, 3)}",
                f"={call(TOK_MARKET_VOLUME, usd, price, common['days'])}",
                f"={market.at(i, 4)}",
                f"={volume}/{stated}",
                f"={volume}/{body.at(i - 1, 3).local}" if i else None,
            )
        )
    table = sheet.table(
        ("Year", "Market\nUSD", "Average price\nUSD/Mtok", "Implied volume\ntokens/day",
         "As stated\ntokens/day", "Computed ÷ stated", "Over the year before"),
        rows,
        ("link year", "link busd", "link price", "output ttokens", "link tokens",
         "calc multiple", "calc multiple"),
    )  # fmt: skip
    sheet.chart(
        Chart(
            "column",
            "Tokens a day that the market implies, trillions",
            (Line("Implied volume", table.part(3)),),
            categories=table.part(0),
            x_title="Year",
            y_title="Tokens a day",
            format='0,,,,"T"',
            width_cm=24,
        )
    )
    sheet.heading("Growth a year, first to last year")
    last = market.rows - 1
    span = f"{table.at(last, 0).local}-{table.at(0, 0).local}"
    top = sheet.row
    labels = (("Market", 1), ("Average price", 2), ("Implied volume", 3))
    for row, (label, column) in enumerate(labels, start=top):
        sheet.put(row, 1, label, "label")
        ends = (table.at(0, column).local, table.at(last, column).local)
        sheet.put(row, 2, f"={call(TOK_CAGR, *ends, span)}", "output", "percent")
    sheet.put(top + 3, 1, "Volume multiple needed", "label")
    sheet.put(
        top + 3, 2, f"={call(TOK_VOLUME_MULTIPLE, f'B{top}', f'B{top + 1}')}", "output", "multiple"
    )
    sheet.put(top + 3, 3, "times a year, for that growth at that price", "remark")
    sheet.row = top + 5
    implied = table.part(3)
    book.headline(
        f'="Tokens a day implied for "&{shown(table.at(last, 0), "year")}',
        implied.at(last),
        "ttokens",
        f'="tokens/day (stated: "&{shown(market.at(last, 4), "billions")}&")"',
    )
    sheet.check(
        "Volume times price gives the market back, all years",
        f"SUMPRODUCT({implied},{table.part(2)})*{common['days']}/{common['million']}",
        f"SUM({market.part(2)})",
        common["tolerance"],
    )
    sheet.check(
        "Volume multiple is volume growth plus one",
        f"{sheet.ref(top + 3, 2)}",
        f"1+{sheet.ref(top + 2, 2)}",
        common["tolerance"],
    )
