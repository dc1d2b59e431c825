"""Price against breakeven for each provider, and what selling below cost loses."""

from __future__ import annotations

from udfs.functions import (
    TOK_BREAKEVEN_PRICE,
    TOK_BREAKEVEN_UTILISATION,
    TOK_RUNWAY,
    TOK_SUBSIDY,
    TOK_SUBSIDY_LOSS,
    TOK_SUBSIDY_PATH,
    TOK_VERDICT,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, call, shown

_MONTHS = 36


def lay_out_breakeven(
    book: Book, common: dict[str, Ref], providers: Ref, prices: Ref, utilisations: Ref
) -> None:
    """Lay out the sheet Breakeven: each provider, and a grid for a GPU of one's own."""
    sheet = book.sheet(
        "Breakeven",
        "Price against breakeven",
        "A positive subsidy is a loss on every million tokens sold",
        (32, 14, 14, 14, 14, 14, 14, 18),
    )
    sheet.heading("Per provider")
    body = sheet.ref(sheet.row + 1, 1, providers.rows, 8)
    rows = []
    for i in range(providers.rows):
        price, low, high = (body.at(i, c).local for c in (1, 2, 3))
        rows.append(
            (
                f"={providers.at(i, 0)}",
                f"={providers.at(i, 2)}",
                f"={providers.at(i, 3)}",
                f"={providers.at(i, 4)}",
                f"={high}-{low}",
                f"={call(TOK_SUBSIDY, price, low)}",
                f"={call(TOK_SUBSIDY, price, high)}",
                f"={call(TOK_VERDICT, price, low, high)}",
            )
        )
    table = sheet.table(
        ("Provider", "Price\nUSD/Mtok", "Breakeven low\nUSD/Mtok", "Breakeven high\nUSD/Mtok",
         "Width of range\nUSD/Mtok", "Subsidy at low\nUSD/Mtok", "Subsidy at high\nUSD/Mtok",
         "Verdict"),
        rows,
        ("name", "link price", "link price", "link price", "calc price", "calc price",
         "calc price", "verdict"),
    )  # fmt: skip
    sheet.verdicts.append(table.part(7))
    sheet.chart(
        Chart(
            "range",
            "Price against breakeven range, USD per million tokens",
            (
                Line("Breakeven low", table.part(2)),
                Line("Breakeven range", table.part(4)),
                Line("Price", table.part(1)),
            ),
            categories=table.part(0),
            y_title="USD per million tokens",
            format='"$"0',
            width_cm=24,
        )
    )
    sheet.heading("Utilisation of an owned or rented GPU that a price needs")
    first = providers.at(0, 2)
    use = sheet.results(
        [
            Result("sold", "Tokens sold by one GPU",
                   f"{common['throughput']}*({common['input_tokens']}+{common['output_tokens']})"
                   f"/{common['output_tokens']}", "tokens/s", "integer", "input and output",
                   role="calc"),
            Result("needed", "Use that the first price needs",
                   call(TOK_BREAKEVEN_UTILISATION, first, common["gpu_hour"], "{sold}"),
                   "of paid time", "percent", "input and output sold at that price"),
            Result("alone", "the same, were output alone sold",
                   call(TOK_BREAKEVEN_UTILISATION, first, common["gpu_hour"],
                        common["throughput"]), "of paid time", "percent",
                   "above 100 %: no utilisation suffices"),
        ]
    )  # fmt: skip
    sheet.heading("Breakeven of one's own: GPU-hour price against utilisation, USD/Mtok")
    top = sheet.row
    for i in range(utilisations.rows):
        sheet.put(top, 2 + i, f"={utilisations.at(i)}", "link", "percent")
        sheet.put(top + 1 + i, 1, f"={prices.at(i)}", "link", "price")
    sheet.put(top, 1, "USD per GPU-hour \\ utilisation", "header")
    sheet.row = top + 1
    hours = sheet.ref(top + 1, 1, prices.rows)
    across = sheet.ref(top, 2, 1, utilisations.rows)
    grid = sheet.array(
        call(TOK_BREAKEVEN_PRICE, hours.local, use["sold"].local, across.local),
        prices.rows,
        ("price",) * utilisations.rows,
        header=False,
        column=2,
    )
    below = f'COUNTIF({table.part(7).local},"below cost")'
    count = sheet.put(sheet.row, 2, f"={below}", "output", "integer")
    sheet.put(sheet.row, 1, "Providers below cost", "label")
    sheet.row += 1
    book.headline("Providers that sell below cost", count, "integer",
                  f'="of "&ROWS({table.part(7)})')  # fmt: skip
    at_price = f'="Utilisation an H100 needs at "&{shown(first, "price")}'
    book.headline(at_price, use["needed"], "percent", "of paid time, input and output sold")
    book.headline("Utilisation, were output tokens alone sold", use["alone"], "percent",
                  "of paid time; above 100 %: none suffices")  # fmt: skip
    sheet.check(
        "Subsidies add up to breakeven less price",
        f"SUM({table.part(5)})",
        f"SUM({providers.part(3)})-SUM({providers.part(2)})",
        common["tolerance"],
    )
    last = grid.at(grid.rows - 1, grid.columns - 1)
    sheet.check(
        "Breakeven grid, last corner, by hand",
        f"{last}",
        f"{prices.at(prices.rows - 1)}*{common['million']}"
        f"/({use['sold']}*{common['seconds']}*{utilisations.at(utilisations.rows - 1)})",
        common["tolerance"],
    )


def lay_out_subsidy(book: Book, case: dict[str, Ref], common: dict[str, Ref]) -> None:
    """Lay out the sheet Subsidy: loss, runway, and the path month by month."""
    sheet = book.sheet(
        "Subsidy",
        "Subsidy loss and runway",
        "What the provider of Inputs loses, and how long its cash lasts",
        (34, 18, 18, 18, 20, 22),
        long=True,
    )
    basics = (case["tokens_per_day"], case["price"], case["breakeven"])
    rates = (case["volume_growth"], case["price_change"], case["cost_change"])
    sheet.heading("At today's volume and price")
    for column, text in enumerate(("", "Computed", "As stated", "Stated ÷ computed"), start=1):
        sheet.put(sheet.row, column, text, "header")
    top = sheet.row + 1
    lines = (
        ("Loss a day", call(TOK_SUBSIDY_LOSS, *basics, 1), common["stated_daily"], "usd"),
        ("Loss a year", call(TOK_SUBSIDY_LOSS, *basics, common["days"]),
         common["stated_annual"], "usd"),
    )  # fmt: skip
    for row, (label, formula, stated, number_format) in enumerate(lines, start=top):
        sheet.put(row, 1, label, "label")
        sheet.put(row, 2, f"={formula}", "output", number_format)
        sheet.put(row, 3, f"={stated}", "link", number_format)
        sheet.put(row, 4, f"=C{row}/B{row}", "calc", "multiple")
    daily, annual = sheet.ref(top, 2), sheet.ref(top + 1, 2)
    stated_days = f"{case['cash']}/{common['stated_annual']}*{common['days']}"
    never = '"cash does not run out"'
    months = call(TOK_RUNWAY, case["cash"], *basics, *rates)
    sheet.put(top + 2, 1, "Runway, months", "label")
    runway = sheet.put(top + 2, 2, f"=IF(ISNA({months}),{never},{months})", "output", "months")
    sheet.put(
        top + 2,
        3,
        f"={case['cash']}/{common['stated_daily']}/{common['days']}*{common['months_in_year']}",
        "calc",
        "months",
    )
    sheet.put(top + 2, 4, f'=IF(ISNUMBER(B{top + 2}),C{top + 2}/B{top + 2},"")', "calc", "ratio")
    sheet.put(top + 3, 1, "Runway, years", "label")
    years = sheet.put(
        top + 3,
        2,
        f"=IF(ISNUMBER(B{top + 2}),B{top + 2}/{common['months_in_year']},{never})",
        "output",
        "number",
    )
    sheet.row = top + 5
    sheet.heading("Month by month")
    chart_row = sheet.row
    sheet.row += 18
    path = sheet.array(
        call(TOK_SUBSIDY_PATH, case["cash"], *basics, *rates),
        _MONTHS,
        ("integer", "integer", "price4", "price4", "usd", "usd"),
    )
    after = sheet.row
    sheet.row = chart_row
    sheet.chart(
        Chart(
            "line",
            "Cash at the end of the month, USD",
            (Line("Cash", path.part(5, skip=1)),),
            categories=path.part(0, skip=1),
            x_title="Month",
            y_title="Cash, USD",
            format='"$"#,##0,,"M"',
            width_cm=24,
        )
    )
    sheet.row = after
    book.names["annual_loss"], book.names["runway_months"] = annual, runway
    book.headline(
        f'="Loss a year at "&{shown(case["tokens_per_day"], "billions")}&" tokens a day"',
        annual,
        "usd",
        f'="USD (stated: "&{shown(common["stated_annual"], "busd")}&")"',
    )
    book.headline(
        f'="Runway on "&{shown(case["cash"], "musd")}',
        years,
        "number",
        f'="years (as stated: "&{shown(stated_days, "integer")}&" days)"',
    )
    sheet.check(
        "A year's loss is the daily loss times the days",
        str(annual),
        f"{daily}*{common['days']}",
        common["tolerance"],
    )
    sheet.check(
        "Daily loss by hand",
        str(daily),
        f"{case['tokens_per_day']}/{common['million']}*({case['breakeven']}-{case['price']})",
        common["tolerance"],
    )
    sheet.check(
        "Cash at the end is the cash raised less all losses",
        f"{path.at(_MONTHS, 5)}",
        f"{case['cash']}-SUM({path.part(4, skip=1)})",
        common["tolerance"],
    )
