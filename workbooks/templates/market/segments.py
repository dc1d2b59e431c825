"""Segments of the market, where sources conflict, and how fast prices fall."""

from __future__ import annotations

from udfs.functions import (
    TOK_ANNUALISED,
    TOK_CAGR,
    TOK_MARKET_VOLUME,
    TOK_VOLUME_MULTIPLE,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, call, shown


def add_segments(book: Book, common: dict[str, Ref], segments: Ref, growths: Ref) -> None:
    """Add the sheet of segments."""
    sheet = book.sheet(
        "Segments",
        "Segments and their growth",
        "Growth recomputed from the sizes; 2027 if it went on",
        (36, 17, 17, 17, 17, 20, 20),
    )
    sheet.heading("Four segments")
    body = sheet.ref(sheet.row + 1, 1, segments.rows, 7)
    rows = []
    for i in range(segments.rows):
        first, last, rate, stated = (body.at(i, c).local for c in (1, 2, 3, 4))
        rows.append(
            (
                f"={segments.at(i, 0)}",
                f"={segments.at(i, 1)}",
                f"={segments.at(i, 2)}",
                f"={call(TOK_CAGR, first, last, common['span'])}",
                f"={segments.at(i, 3)}",
                f"={rate}-{stated}",
                f"={last}*(1+{rate})^{common['span']}",
            )
        )
    table = sheet.table(
        ("Segment", "2023\nUSD", "2025\nUSD", "Growth a year", "As stated",
         "Computed less stated\n% points", "2027 at that growth\nUSD"),
        rows,
        ("name", "link busd", "link busd", "output percent", "link percent", "calc percent",
         "calc busd"),
    )  # fmt: skip
    sheet.chart(
        Chart(
            "column",
            "Segments, USD",
            tuple(
                Line(name, table.part(column))
                for name, column in (("2023", 1), ("2025", 2), ("2027 at that growth", 6))
            ),
            categories=table.part(0),
            y_title="USD",
            format='"$"0,,,"B"',
            width_cm=26,
        )
    )
    sheet.heading("Growth that another article gives")
    slow = [
        (
            f"={growths.at(i, 0)}",
            f"={growths.at(i, 1)}",
            f"={growths.at(i, 2)}",
            f"={place.at(i, 2).local}-{place.at(i, 1).local}",
        )
        for place in (sheet.ref(sheet.row + 1, 1, growths.rows, 4),)
        for i in range(growths.rows)
    ]
    slowing = sheet.table(
        ("Segment", "2023", "2024-2025", "Change\n% points"),
        slow,
        ("name", "link percent", "link percent", "calc percent"),
    )
    sheet.heading("Where the two conflict")
    cloud = table.at(0, 1).local
    found = sheet.results(
        [
            Result("one", "Cloud infrastructure: growth in one", table.at(0, 3).local,
                   "a year, 2023 to 2025", "percent"),
            Result("other", "Growth in the other", slowing.at(0, 2).local, "a year, 2024-2025",
                   "percent"),
            Result("market", "Market 2025 by the other's growth",
                   f"{cloud}*(1+{{other}})^{common['span']}", "USD, from the same 2023", "busd"),
            Result("over", "over the first one's projection",
                   f"{{market}}/{table.at(0, 2).local}-1", "", "percent"),
            Result("chips", "Chips beside NVIDIA: growth of sales", table.at(3, 3).local,
                   "a year, in one", "percent"),
            Result("funding", "Funding of chip startups",
                   call(TOK_CAGR, common["funding_2023"], common["funding_2025"], 1), "",
                   "percent", "in the other, over one step: money raised, not sales"),
        ]
    )  # fmt: skip
    total = sheet.results(
        [
            Result("total", "Growth a year of the four together",
                   call(TOK_CAGR, f"SUM({table.part(1).local})", f"SUM({table.part(2).local})",
                        common["span"]), "", "percent"),
        ]
    )["total"]  # fmt: skip
    book.headline("Growth a year of the four segments", total, "percent", "first to last year")
    book.headline("Cloud AI infrastructure, growth a year", table.at(0, 3), "percent",
                  f'="one article: "&{shown(segments.at(0, 3), "percent")}&"; the other: "'
                  f'&{shown(growths.at(0, 1), "percent")}&", then "'
                  f'&{shown(growths.at(0, 2), "percent")}')  # fmt: skip
    sheet.check(
        "Growth applied to 2023 gives 2025 back, all segments",
        f"SUMPRODUCT({table.part(1)},(1+{table.part(3)})^{common['span']})",
        f"SUM({segments.part(2)})",
        common["tolerance"],
    )
    sheet.check(
        "Funding grows by its quotient",
        f"{found['funding']}",
        f"{common['funding_2025']}/{common['funding_2023']}-1",
        common["tolerance"],
    )


def add_prices(book: Book, common: dict[str, Ref], market: Ref) -> None:
    """Add the sheet of falling prices."""
    sheet = book.sheet(
        "Prices",
        "How fast prices fall",
        "The articles say halving each year, and a steeper fall over some months",
        (34, 17, 17, 17, 20, 20),
    )
    sheet.heading("Year by year")
    body = sheet.ref(sheet.row + 1, 1, market.rows, 6)
    rows = []
    for i in range(market.rows):
        usd, price = (body.at(i, c).local for c in (1, 2))
        before = [body.at(i - 1, c).local for c in (1, 2)] if i else []
        rows.append(
            (
                f"={market.at(i, 0)}",
                f"={market.at(i, 1)}",
                f"={market.at(i, 2)}",
                f"={call(TOK_MARKET_VOLUME, usd, price, common['days'])}",
                f"={price}/{before[1]}-1" if i else None,
                f"={call(TOK_VOLUME_MULTIPLE, f'{usd}/{before[0]}-1', f'{price}/{before[1]}-1')}"
                if i
                else None,
            )
        )
    table = sheet.table(
        ("Year", "Market\nUSD", "Average price\nUSD/Mtok", "Implied volume\ntokens/day",
         "Change of price", "Volume, times the year before"),
        rows,
        ("link year", "link busd", "link price", "output ttokens", "calc percent",
         "calc multiple"),
    )  # fmt: skip
    sheet.heading("The fall in one measure")
    ends = [table.at(row, 2).local for row in (0, market.rows - 1)]
    span = f"{table.at(market.rows - 1, 0).local}-{table.at(0, 0).local}"
    found = sheet.results(
        [
            Result("fast", "The change as stated, a year",
                   call(TOK_ANNUALISED, common["drop"], common["months"]), "", "percent",
                   "as stated: halving"),
            Result("table", "Prices of the table, a year", call(TOK_CAGR, *ends, span), "",
                   "percent", "first to last year"),
            Result("low", "From the last to the low price",
                   f"{common['low_2028']}/{ends[1]}-1", "in one year", "percent"),
            Result("high", "the same, the high price", f"{common['high_2028']}/{ends[1]}-1", "",
                   "percent"),
        ]
    )  # fmt: skip
    fall = (
        f'="A change of "&{shown(common["drop"], "percent")}&" in "'
        f'&{shown(common["months"], "integer")}&" months, a year"'
    )
    book.headline(fall, found["fast"], "percent", "the article also says: halving")
    sheet.check(
        "Change a year by hand",
        f"{found['fast']}",
        f"(1+{common['drop']})^({common['year_months']}/{common['months']})-1",
        common["tolerance"],
    )
    sheet.check(
        "Volume multiples chain to the whole rise",
        f"PRODUCT({table.part(5, skip=1)})",
        f"{table.at(market.rows - 1, 3)}/{table.at(0, 3)}",
        common["tolerance"],
    )
