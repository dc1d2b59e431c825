"""Volume of tokens in scenarios."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from udfs.functions import (
    TOK_DEMAND,
    TOK_MARKET_PATH,
    TOK_MARKET_SIZE,
    TOK_MARKET_VOLUME,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, call

#: The longest horizon of the sheet; the selector offers each year up to it.
YEARS = 6
SCENARIOS = ("Price floor", "As projected", "Price war")


def add_volume(book: Book, case: dict[str, Ref], common: dict[str, Ref]) -> None:
    """Add the sheet of the scenario chosen, year by year."""
    sheet = book.sheet(
        "Volume",
        "Volume in the scenario of Inputs",
        "What the market implies at its price, and what elastic demand would take at that price",
        (18, 18, 18, 18, 18, 20, 20, 18),
        long=True,
    )
    sheet.heading("Tokens a day, logarithmic, and price")
    charts_row = sheet.row
    sheet.row += 36
    sheet.heading("Market, price and volume, year by year")
    path = sheet.listed(
        call(
            TOK_MARKET_PATH, common["market"], common["price"], case["growth"], case["change"],
            common["years"], case["floor"],
        ),
        ("Years on", "Market\nUSD", "Price\nUSD/Mtok", "Volume\ntokens/day"),
        YEARS + 1,
        ("integer", "busd", "price4", "ttokens"),
    )  # fmt: skip
    sheet.heading("Projected market against elastic demand")
    body = sheet.ref(sheet.row + 1, 1, YEARS + 1, 8)
    start = replace(path.at(0, 3), fixed_row=True, fixed_column=True).local
    rows = []
    for i in range(YEARS + 1):
        year, price, demand = (body.at(i, c).local for c in (0, 3, 5))

        def if_there(formula: str, year: str = year) -> str:
            return f'=IF(ISNUMBER({year}),{formula},"")'

        rows.append(
            (
                f'=IF(ISNUMBER({path.at(i, 0).local}),{common["first"]}+{path.at(i, 0).local},"")',
                f"={path.at(i, 1).local}",
                if_there(f"{common['price']}*(1+{case['change']})^({year}-{common['first']})"),
                f"={path.at(i, 2).local}",
                f"={path.at(i, 3).local}",
                if_there(call(TOK_DEMAND, price, common["price"], start, case["elasticity"])),
                if_there(call(TOK_MARKET_SIZE, demand, price, common["days"])),
                if_there(f"{body.at(i, 6).local}/{body.at(i, 1).local}"),
            )
        )
    table = sheet.table(
        ("Year", "Market projected\nUSD", "Price, no floor\nUSD/Mtok", "Price\nUSD/Mtok",
         "Volume implied\ntokens/day", "Elastic demand\ntokens/day", "Market at that demand\nUSD",
         "over the projected"),
        rows,
        ("calc year", "calc busd", "calc price4", "output price4", "output ttokens",
         "output ttokens", "calc busd", "calc multiple"),
    )  # fmt: skip
    sheet.heading("What the charts draw")
    drawn = sheet.plotted(
        table,
        {0: "Year", 2: "Price, no floor", 3: "Price", 4: "Volume implied", 5: "Elastic demand"},
        ("year", "price4", "price4", "ttokens", "ttokens"),
    )
    after, sheet.row = sheet.row, charts_row
    for title, y_format, columns, logarithmic in (
        ("Tokens a day", '#,##0,,,,"T"', (3, 4), True),
        ("Price, USD per million tokens", '"$"0.00', (1, 2), False),
    ):
        names = ("Price without floor", "Price", "Volume that the market implies",
                 "Elastic demand at that price")  # fmt: skip
        sheet.chart(
            Chart(
                "scatter",
                title,
                tuple(Line(names[c - 1], drawn.part(c), drawn.part(0)) for c in columns),
                format=y_format,
                logarithmic=logarithmic,
                x_title="Year",
                y_title="Tokens a day (logarithmic)" if logarithmic else "USD/Mtok",
                x_format="0",
                x_unit=1,
                width_cm=26,
            )
        )
    sheet.row = after
    last = drawn.rows - 1
    rise = f"{drawn.at(last, 3)}/{drawn.at(0, 3)}"
    book.names["last_volume"] = drawn.at(last, 3)
    book.headline("Tokens a day in the last year", drawn.at(last, 3), "ttokens",
                  "tokens/day, in the scenario of Inputs")  # fmt: skip
    book.headline("Price in that year", drawn.at(last, 2), "price4", "USD/Mtok, floor included")
    sheet.check(
        "Volume times price gives the market back, all years",
        f"SUMPRODUCT({table.part(3)},{table.part(4)})*{common['days']}/{common['million']}",
        f"SUM({table.part(1)})",
        common["tolerance"],
    )
    sheet.check(
        "Price is the higher of price without floor and floor, last year",
        f"{drawn.at(last, 2)}",
        f"MAX({drawn.at(last, 1)},{case['floor']})",
        common["tolerance"],
    )
    sheet.check(
        "Rise of the volume is market over price, last year",
        rise,
        f"(1+{case['growth']})^{common['years']}*{common['price']}/{drawn.at(last, 2)}",
        common["tolerance"],
    )


def add_scenarios(book: Book, case: dict[str, Ref], common: dict[str, Ref]) -> None:
    """Add the sheet that sets the scenarios side by side."""
    sheet = book.sheet(
        "Scenarios",
        "The scenarios side by side",
        "In the last year of Inputs",
        (46, 20, 20, 20, 40),
    )
    options = {
        key: [replace(ref, column=3 + i, fixed_column=False) for i in range(len(SCENARIOS))]
        for key, ref in case.items()
    }
    sheet.heading("In the last year")
    top = sheet.row
    sheet.put(top, 1, "Figure", "header")
    for i, name in enumerate(SCENARIOS):
        sheet.put(top, 2 + i, name, "header")
    sheet.put(top, 5, "Unit", "header")

    def cell(row: int, i: int) -> str:
        return replace(sheet.ref(top + row, 2 + i), fixed_column=False).local

    start = call(TOK_MARKET_VOLUME, common["market"], common["price"], common["days"])
    power = common["years"]
    lines: list[tuple[str, str, str, str, Callable[[int], str]]] = [
        ("Market projected", "busd", "USD", "calc", lambda i:
            f"{common['market']}*(1+{options['growth'][i]})^{power}"),
        ("Price", "price4", "USD/Mtok", "calc", lambda i:
            f"MAX({common['price']}*(1+{options['change'][i]})^{power},{options['floor'][i]})"),
        ("Volume that the market implies", "ttokens", "tokens/day", "output", lambda i:
            call(TOK_MARKET_VOLUME, cell(1, i), cell(2, i), common["days"])),
        ("Elastic demand at that price", "ttokens", "tokens/day", "output", lambda i:
            call(TOK_DEMAND, cell(2, i), common["price"], start, options["elasticity"][i])),
        ("Market at that demand", "busd", "USD", "output", lambda i:
            call(TOK_MARKET_SIZE, cell(4, i), cell(2, i), common["days"])),
        ("Elasticity that the projection needs", "number", "% per %", "output", lambda i:
            f"LN({cell(3, i)}/{start})/LN({cell(2, i)}/{common['price']})"),
        ("Years until the price is at its floor", "number", "years; 0 where there is none",
         "output", lambda i:
            f"IF({options['floor'][i]}>0,LN({options['floor'][i]}/{common['price']})"
            f"/LN(1+{options['change'][i]}),0)"),
    ]  # fmt: skip
    for row, (label, number_format, unit, role, formula) in enumerate(lines, start=1):
        sheet.put(top + row, 1, label, "label")
        for i in range(len(SCENARIOS)):
            sheet.put(top + row, 2 + i, f"={formula(i)}", role, number_format)
        sheet.put(top + row, 5, unit, "note")
    sheet.row = top + len(lines) + 2
    across = sheet.ref(top, 2, 1, len(SCENARIOS))
    sheet.chart(
        Chart(
            "column",
            "Tokens a day in the last year",
            tuple(
                Line(name, replace(across, row=top + row))
                for name, row in (("Volume that the market implies", 3),
                                  ("Elastic demand at that price", 4))
            ),
            categories=across,
            x_title="Scenario",
            y_title="Tokens a day",
            format='#,##0,,,,"T"',
            width_cm=26,
        )
    )  # fmt: skip
    sheet.heading("In the scenario of Inputs")
    chosen = f"MATCH({book.names['scenario']},{across.local},0)"
    live = sheet.results(
        [
            Result("price", "Price", f"INDEX({replace(across, row=top + 2).local},{chosen})",
                   "USD/Mtok", "price4"),
            Result("volume", "Volume that the market implies",
                   f"INDEX({replace(across, row=top + 3).local},{chosen})", "tokens/day",
                   "ttokens"),
            Result("elasticity", "Elasticity that the projection needs",
                   f"INDEX({replace(across, row=top + 6).local},{chosen})", "% per %", "number",
                   "below 0: a lower price must bring so much more volume"),
        ]
    )  # fmt: skip
    book.headline("Elasticity that the projection needs", live["elasticity"], "number",
                  "% of volume for each % of price")  # fmt: skip
    sheet.check(
        "The scenario chosen gives the volume of the sheet Volume",
        f"{live['volume']}",
        f"{book.names['last_volume']}",
        common["tolerance"],
    )
    sheet.check(
        "Demand at the elasticity needed is the volume implied",
        call(TOK_DEMAND, live["price"], common["price"], start, live["elasticity"]),
        f"{live['volume']}",
        common["tolerance"],
    )
