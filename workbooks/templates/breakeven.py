"""Who sells tokens below cost, what that loses, and what volume the market implies."""

from __future__ import annotations

from udfs.functions import (
    TOK_BREAKEVEN_PRICE,
    TOK_BREAKEVEN_UTILISATION,
    TOK_CAGR,
    TOK_MARKET_VOLUME,
    TOK_RUNWAY,
    TOK_SUBSIDY,
    TOK_SUBSIDY_LOSS,
    TOK_SUBSIDY_PATH,
    TOK_VERDICT,
    TOK_VOLUME_MULTIPLE,
)
from workbooks.layout import Book, Chart, Input, Line, Ref, ScenarioInput, call

_ARTICLE = "AINews, June 2026"
_MEASURED = "aiconfigurator 0.12"
_ASSUMED = "Assumption"

# Provider, hardware, price, estimated breakeven low and high.
_PROVIDERS = (
    ("Together AI", "H100, vLLM", 0.88, 3.0, 5.0),
    ("Fireworks AI", "H100, TensorRT-LLM", 0.88, 3.0, 5.0),
    ("Groq", "LPU", 0.59, 0.5, 1.0),
    ("AWS Bedrock", "H100", 3.5, 5.0, 7.0),
    ("Google Vertex AI", "TPU v5p", 4.0, 6.0, 8.0),
    ("DeepSeek API", "H800, own MoE model", 0.28, 0.2, 0.4),
)
# Year, market in USD, average price, tokens a day as the article states them.
_MARKET = (
    (2024, 8.5e9, 2.5, 9.3e9),
    (2025, 18.2e9, 1.2, 41.5e9),
    (2026, 35e9, 0.6, 160e9),
    (2027, 65e9, 0.3, 593e9),
)
_GPU_HOUR_PRICES = (2.0, 3.0, 5.12, 10.0, 30.0)
_UTILISATIONS = (0.1, 0.25, 0.5, 0.75, 1.0)
_MONTHS = 36


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "breakeven",
        "Who sells tokens below cost?",
        "Breakeven and subsidy per provider, subsidy loss and runway, market volume 2024-2027",
    )
    book.sources += [
        (_ARTICLE, "AINews, The Great AI Cloud Paradox: GPU Scarcity Meets Token Fire Sale"),
        (_MEASURED, "aiconfigurator-core 0.12.0, measured serving runs (NVIDIA, Apache-2.0)"),
        (_ASSUMED, "Ours, to be changed: blue cells on yellow"),
    ]
    case, common = _inputs(book)
    providers, market, prices, utilisations = _data(book)
    _breakeven(book, common, providers, prices, utilisations)
    _subsidy(book, case, common)
    _market(book, common, market)
    return book


def _inputs(book: Book) -> tuple[dict[str, Ref], dict[str, Ref]]:
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "A provider that sells below cost, in scenarios; and what all sheets share",
        (32, 16, 16, 16, 16, 14, 20, 52),
    )
    sheet.heading("The provider")
    case = sheet.scenarios(
        ("Steady", "Price war", "Efficiency"),
        [
            ScenarioInput(
                "tokens_per_day", "Tokens served a day", (10e9, 10e9, 10e9), "tokens/day",
                _ARTICLE, "10 billion tokens a day, in single tokens", "integer",
            ),
            ScenarioInput(
                "cash", "Cash raised", (305e6, 305e6, 305e6), "USD",
                _ARTICLE, "The round of early 2025", "usd",
            ),
            ScenarioInput(
                "price", "Price", (0.88, 0.88, 0.88), "USD/Mtok",
                _ARTICLE, "Llama 3.1 70B", "price",
            ),
            ScenarioInput(
                "breakeven", "Breakeven price", (3.88, 3.88, 3.88), "USD/Mtok",
                _ARTICLE, "Price plus the loss of $3 that the article takes", "price",
            ),
            ScenarioInput(
                "volume_growth", "Volume growth", (0.0, 3.0, 1.0), "a year",
                _ASSUMED, "Fourfold a year holds revenue growth at halving prices", "percent",
            ),
            ScenarioInput(
                "price_change", "Price change", (0.0, -0.5, -0.2), "a year",
                _ASSUMED, "Prices halve each year in the article", "percent",
            ),
            ScenarioInput(
                "cost_change", "Cost change", (0.0, -0.3, -0.6), "a year",
                _ASSUMED, "Cheaper hardware and better serving", "percent",
            ),
        ],
    )  # fmt: skip
    sheet.heading("Shared by all sheets")
    common = sheet.inputs(
        [
            Input("gpu_hour", "GPU-hour price", 5.12, "USD/h", _ARTICLE,
                  "p5.48xlarge at $40.96 an hour, over its 8 H100", "price"),
            Input("throughput", "Throughput", 1098, "tokens/s/GPU", _MEASURED,
                  "Llama 3.1 70B, FP8, 2 H100, 64 at once, 1,024 in and out", "integer"),
            Input("days", "Days in a year", 365, "days", "Convention", "", "integer"),
            Input("stated_daily", "Daily loss as stated", 30e6, "USD/day", _ARTICLE,
                  "For 10 billion tokens a day at $3 a million", "usd"),
            Input("stated_annual", "Annual loss as stated", 11e9, "USD/year", _ARTICLE, "", "usd"),
            Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
            Input("seconds", "Seconds in an hour", 3600, "s", "Definition", "", "integer"),
            Input("months_in_year", "Months in a year", 12, "months", "Definition", "", "integer"),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ],
        aside=6,
    )  # fmt: skip
    return case, common


def _data(book: Book) -> tuple[Ref, Ref, Ref, Ref]:
    sheet = book.sheet(
        "Data",
        "Data",
        "Prices and breakeven estimates of six providers; the market by year; axes of the grid",
        (22, 24, 16, 16, 20, 24),
    )
    sheet.heading("Providers of Llama 3.1 70B")
    providers = sheet.table(
        ("Provider", "Hardware", "Price\nUSD/Mtok", "Breakeven low\nUSD/Mtok",
         "Breakeven high\nUSD/Mtok", "Source"),
        [(*row, _ARTICLE) for row in _PROVIDERS],
        ("label", "note", "input price", "input price", "input price", "note"),
    )  # fmt: skip
    sheet.heading("AI inference market")
    market = sheet.table(
        ("Year", "Basis", "Market\nUSD", "Average price\nUSD/Mtok",
         "Volume as stated\ntokens/day", "Source"),
        [
            (year, "estimate" if year < 2026 else "projection", usd, price, stated, _ARTICLE)
            for year, usd, price, stated in _MARKET
        ],
        ("input year", "note", "input busd", "input price", "input tokens", "note"),
    )  # fmt: skip
    sheet.heading("Axes of the breakeven grid")
    axes = sheet.table(
        ("GPU-hour price\nUSD/h", "Utilisation"),
        list(zip(_GPU_HOUR_PRICES, _UTILISATIONS, strict=True)),
        ("input price", "input percent"),
    )
    return providers, market, axes.part(0), axes.part(1)


def _breakeven(
    book: Book, common: dict[str, Ref], providers: Ref, prices: Ref, utilisations: Ref
) -> None:
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
            format='"$"0',
            width_cm=24,
        )
    )
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
        call(TOK_BREAKEVEN_PRICE, hours.local, common["throughput"], across.local),
        prices.rows,
        ("price",) * utilisations.rows,
        header=False,
        column=2,
    )
    needed = sheet.put(
        sheet.row,
        2,
        "="
        + call(
            TOK_BREAKEVEN_UTILISATION,
            providers.at(0, 2),
            common["gpu_hour"],
            common["throughput"],
        ),
        "output",
        "percent",
    )
    sheet.put(sheet.row, 1, "Utilisation that the price needs", "label")
    sheet.put(
        sheet.row,
        3,
        "of an H100 at the GPU-hour price of Inputs, to cover it at the first price",
        "remark",
    )
    sheet.row += 2
    below = f'COUNTIF({table.part(7).local},"below cost")'
    count = sheet.put(sheet.row, 2, f"={below}", "output", "integer")
    sheet.put(sheet.row, 1, "Providers below cost", "label")
    sheet.row += 1
    book.headline("Providers that sell below cost, of six", count, "integer", "providers")
    book.headline("Utilisation an H100 needs at $0.88", needed, "percent", "of paid time")
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
        f"/({common['throughput']}*{common['seconds']}*{utilisations.at(utilisations.rows - 1)})",
        common["tolerance"],
    )


def _subsidy(book: Book, case: dict[str, Ref], common: dict[str, Ref]) -> None:
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
    sheet.put(top + 2, 1, "Runway, months", "label")
    runway = sheet.put(
        top + 2, 2, f"={call(TOK_RUNWAY, case['cash'], *basics, *rates)}", "output", "months"
    )
    sheet.put(
        top + 2,
        3,
        f"={case['cash']}/{common['stated_daily']}/{common['days']}*{common['months_in_year']}",
        "calc",
        "months",
    )
    sheet.put(top + 2, 4, f"=C{top + 2}/B{top + 2}", "calc", "ratio")
    sheet.put(top + 2, 5, "#N/A: the cash lasts 600 months or more", "remark")
    sheet.put(top + 3, 1, "Runway, years", "label")
    years = sheet.put(top + 3, 2, f"=B{top + 2}/{common['months_in_year']}", "output", "number")
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
            format='"$"#,##0,,"M"',
            width_cm=24,
        )
    )
    sheet.row = after
    book.names["annual_loss"], book.names["runway_months"] = annual, runway
    book.headline(
        "Loss a year at 10 billion tokens a day", annual, "usd", "USD (stated: $11 billion)"
    )
    book.headline("Runway on $305M", years, "number", "years (as stated: 10 days)")
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


def _market(book: Book, common: dict[str, Ref], market: Ref) -> None:
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
            format='0,,,,"T"',
            width_cm=24,
        )
    )
    sheet.heading("Growth a year, 2024 to 2027")
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
        "Tokens a day implied for 2027",
        implied.at(last),
        "ttokens",
        "tokens/day (stated: 593 billion)",
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
