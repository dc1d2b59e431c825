"""Rent, commit and own, year by year."""

from __future__ import annotations

from udfs.functions import (
    TOK_COMMITMENT,
    TOK_RENT_VS_OWN,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, Sheet, call

#: The longest horizon of the sheet; the selector offers each year up to it.
YEARS = 10


def add_workings(
    book: Book, case: dict[str, Ref], common: dict[str, Ref]
) -> tuple[dict[str, Ref], Ref]:
    """Add the server as one purchase, and the function's own table; return both."""
    sheet = book.sheet(
        "Workings",
        "Workings",
        "The server as one purchase, rented or owned year by year",
        (34, 18, 18, 18, 18, 18, 18),
    )
    sheet.heading("One server")
    gpus = common["gpus"]
    work = sheet.results(
        [
            Result("rent", "Rent on demand", f"{case['rent']}*{gpus}", "USD/h", "price",
                   role="calc"),
            Result("rate", "Committed rate", f"{{rent}}*(1-{case['discount']})", "USD/h",
                   "price", role="calc"),
            Result("capex", "Purchase price", f"{common['capex']}*{gpus}", "USD", "usd",
                   role="calc"),
            Result("residual", "Left at the end", f"{{capex}}*{common['residual']}", "USD",
                   "usd", role="calc"),
            Result("watts", "Power", f"{common['watts']}*{gpus}", "W", "integer", role="calc"),
            Result("opex", "Running cost beside energy", f"{common['opex']}*{gpus}",
                   "USD/year", "usd", role="calc"),
            Result("output", "Output tokens", f"{common['throughput']}*{gpus}", "tokens/s",
                   "integer", role="calc"),
            Result("sold", "Tokens that one GPU sells",
                   f"{common['throughput']}*({common['input_tokens']}+{common['output_tokens']})"
                   f"/{common['output_tokens']}", "tokens/s", "integer", "input and output",
                   role="calc"),
            Result("tokens", "Tokens that the server sells", f"{{sold}}*{gpus}", "tokens/s",
                   "integer", role="calc"),
            Result("share", "Use", f"{case['used']}/{common['hours']}", "of the year",
                   "percent", role="calc"),
            Result("energy", "Electricity of one hour",
                   f"{{watts}}/{common['thousand']}*{common['pue']}*{common['kwh']}", "USD/h",
                   "price", role="calc"),
        ]
    )  # fmt: skip
    sheet.heading("Rent against own, USD")
    path = sheet.listed(
        call(
            TOK_RENT_VS_OWN, work["rent"].local, case["used"], work["capex"].local,
            common["years"], work["residual"].local, common["rate"], work["watts"].local,
            common["pue"], common["kwh"], work["opex"].local,
        ),
        ("Year", "Rent", "Own", "Rent, so far", "Own, so far", "Value of the saving so far"),
        YEARS + 1,
        ("integer", "usd", "usd", "usd", "usd", "usd"),
    )  # fmt: skip
    return work, path


def add_ways(
    book: Book,
    case: dict[str, Ref],
    common: dict[str, Ref],
    work: dict[str, Ref],
    path: Ref,
) -> None:
    """Add the sheet that sets the three ways side by side."""
    sheet = book.sheet(
        "Three ways",
        "Rent, commit, own: one server over the years",
        "Year 0 holds the purchase; in the last year the machine is sold",
        (26, 16, 18, 18, 20, 18, 18, 16),
    )
    sheet.heading("Year by year, USD")
    body = sheet.ref(sheet.row + 1, 1, path.rows, 8)
    bill = call(TOK_COMMITMENT, work["rent"], work["rate"], case["committed"], case["used"])
    rows = []
    for i in range(body.rows):
        year, commit = (body.at(i, c).local for c in (0, 2))
        so_far = f"SUM({sheet.ref(body.row, 3).local}:{commit})"
        rows.append(
            (
                f"={path.at(i, 0)}",
                f"={path.at(i, 1)}",
                f'=IF(ISNUMBER({year}),IF({year}>0,{bill},0),"")',
                f"={path.at(i, 2)}",
                f"={path.at(i, 3)}",
                f'=IF(ISNUMBER({year}),{so_far},"")',
                f"={path.at(i, 4)}",
                f'=IF(ISNUMBER({year}),1/(1+{common["rate"]})^{year},"")',
            )
        )
    table = sheet.table(
        ("Year", "Rent on demand", "Commit", "Own", "Rent on demand, so far",
         "Commit, so far", "Own, so far", "Discount factor"),
        rows,
        ("link integer", "link usd", "calc usd", "link usd", "link usd", "calc usd", "link usd",
         "calc ratio"),
    )  # fmt: skip
    totals = _totals(book, sheet, case, common, table)
    chart_row = sheet.row
    sheet.row += 19
    sheet.heading("What the chart draws, USD")
    drawn = sheet.plotted(
        table,
        {0: "Year", 4: "Rent on demand", 5: "Commit", 6: "Own"},
        ("integer", "usd", "usd", "usd"),
    )
    after, sheet.row = sheet.row, chart_row
    sheet.chart(
        Chart(
            "scatter",
            "Spent so far on one server, USD",
            tuple(
                Line(name, drawn.part(column), drawn.part(0))
                for column, name in enumerate(("Rent on demand", "Commit", "Own"), start=1)
            ),
            x_title="Year",
            y_title="USD so far",
            x_unit=1,
            format='"$"#,##0,"k"',
            width_cm=28,
        )
    )
    sheet.row = after
    factors = table.part(7)
    sheet.check(
        "Value of the saving: TOK_RENT_VS_OWN against discounting by hand",
        f"INDEX({path.part(5)},MATCH({common['years']},{path.part(0)},0))",
        f"SUMPRODUCT({table.part(1)},{factors})-SUMPRODUCT({table.part(3)},{factors})",
        common["tolerance"],
    )
    sheet.check(
        "Owning: the last figure so far is the sum of all years",
        f"{drawn.at(drawn.rows - 1, 3)}",
        f"{totals.at(2, 1)}",
        common["tolerance"],
    )
    sheet.check(
        "Bill of the commitment by hand",
        f"{table.at(1, 2)}",
        f"{work['rate']}*{case['committed']}"
        f"+{work['rent']}*MAX({case['used']}-{case['committed']},0)",
        common["tolerance"],
    )


def _totals(
    book: Book, sheet: Sheet, case: dict[str, Ref], common: dict[str, Ref], table: Ref
) -> Ref:
    """Write what each way costs over the horizon, and which is the cheapest."""
    sheet.heading("Over the horizon")
    ways = (("Rent on demand", 1), ("Commit", 2), ("Own", 3))
    body = sheet.ref(sheet.row + 1, 1, len(ways), 5)
    factors, values = table.part(7).local, body.part(2).local
    # The discount factor of year 0, in which nothing is used, is 1.
    hours = f"({case['used']}*{common['gpus']}*(SUM({factors})-1))"
    totals = sheet.table(
        ("Way", "Spent\nUSD", "Present value\nUSD", "Of an hour used\nUSD per GPU-hour",
         "Above the cheapest\nUSD, present value"),
        [
            (
                name,
                f"=SUM({table.part(column).local})",
                f"=SUMPRODUCT({table.part(column).local},{factors})",
                f"={body.at(i, 2).local}/{hours}",
                f"={body.at(i, 2).local}-MIN({values})",
            )
            for i, (name, column) in enumerate(ways)
        ],
        ("label", "calc usd", "output usd", "output price", "calc usd"),
    )  # fmt: skip
    found = sheet.results(
        [
            Result("cheapest", "Cheapest way",
                   f"INDEX({totals.part(0).local},MATCH(MIN({values}),{values},0))",
                   "by present value, in the scenario of Inputs", "text"),
        ]
    )  # fmt: skip
    book.headline("Cheapest way to have the server", found["cheapest"], "text",
                  "over the horizon, by present value")  # fmt: skip
    book.headline("Hour used of an owned GPU", totals.at(2, 3), "price", "USD/h")
    return totals
