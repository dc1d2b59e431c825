"""Who sells tokens below cost, what that loses, and what volume the market implies."""

from __future__ import annotations

from engine import catalogue
from workbooks.authoring.layout import POSITIVE, Book, Input, Ref, ScenarioInput
from workbooks.templates.breakeven.insolvency import add_insolvency, add_paths
from workbooks.templates.breakeven.provider import lay_out_breakeven, lay_out_subsidy
from workbooks.templates.breakeven.volume import lay_out_market
from workbooks.templates.sources import AMAZON, ASSUMED, GROQ_ROUND, MEASURED, PARADOX, cite

# Year, market in USD, average price, tokens a day as the article states them.
_MARKET = (
    (2024, 8.5e9, 2.5, 9.3e9),
    (2025, 18.2e9, 1.2, 41.5e9),
    (2026, 35e9, 0.6, 160e9),
    (2027, 65e9, 0.3, 593e9),
)
_GPU_HOUR_PRICES = (2.0, 3.0, 5.12, 10.0, 30.0)
_UTILISATIONS = (0.1, 0.25, 0.5, 0.75, 1.0)


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "breakeven",
        "Who sells tokens below cost?",
        "Breakeven and subsidy per provider, subsidy loss and runway, market volume by year",
    )
    cite(book, PARADOX, MEASURED, AMAZON, GROQ_ROUND, ASSUMED)
    case, common = _inputs(book)
    providers, paths, market, prices, utilisations = _data(book)
    lay_out_breakeven(book, common, providers, prices, utilisations)
    lay_out_subsidy(book, case, common)
    add_insolvency(book, common, providers, paths)
    lay_out_market(book, common, market)
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
                PARADOX, "In single tokens, not millions", "integer",
            ),
            ScenarioInput(
                "cash", "Cash raised", (305e6, 305e6, 305e6), "USD",
                PARADOX, "The round of early 2025", "usd",
            ),
            ScenarioInput(
                "price", "Price", (0.88, 0.88, 0.88), "USD/Mtok",
                PARADOX, "Llama 3.1 70B", "price",
            ),
            ScenarioInput(
                "breakeven", "Breakeven price", (3.88, 3.88, 3.88), "USD/Mtok",
                PARADOX, "Price plus the loss of $3 that the article takes", "price",
            ),
            ScenarioInput(
                "volume_growth", "Volume growth", (0.0, 3.0, 1.0), "a year",
                ASSUMED, "Fourfold a year holds revenue growth at halving prices", "percent",
            ),
            ScenarioInput(
                "price_change", "Price change", (0.0, -0.5, -0.2), "a year",
                ASSUMED, "Prices halve each year in the article", "percent",
            ),
            ScenarioInput(
                "cost_change", "Cost change", (0.0, -0.3, -0.6), "a year",
                ASSUMED, "Cheaper hardware and better serving", "percent",
            ),
        ],
    )  # fmt: skip
    sheet.heading("Shared by all sheets")
    common = sheet.inputs(
        [
            Input("gpu_hour", "GPU-hour price", 5.12, "USD/h", PARADOX,
                  "p5.48xlarge at $40.96 an hour, over its 8 H100", "price"),
            Input("throughput", "Output tokens of one GPU", 1098, "tokens/s", MEASURED,
                  "Llama 3.1 70B, FP8, 2 H100, 64 at once", "integer"),
            Input("input_tokens", "Input tokens of a request", 1024, "tokens", MEASURED,
                  "Of the same run; sold too, at the price of a token", "integer", limit=POSITIVE),
            Input("output_tokens", "Output tokens of a request", 1024, "tokens", MEASURED, "",
                  "integer", limit=POSITIVE),
            Input("start", "First day of the paths", 46204, "date", PARADOX,
                  "July 2026, after the article", "date"),
            Input("days", "Days in a year", 365, "days", "Convention", "", "integer"),
            Input("stated_daily", "Daily loss as stated", 30e6, "USD/day", PARADOX,
                  "For 10 billion tokens a day at $3 a million", "usd"),
            Input("stated_annual", "Annual loss as stated", 11e9, "USD/year", PARADOX, "", "usd"),
            Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
            Input("seconds", "Seconds in an hour", 3600, "s", "Definition", "", "integer"),
            Input("months_in_year", "Months in a year", 12, "months", "Definition", "", "integer"),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ],
        aside=6,
    )  # fmt: skip
    return case, common


def _data(book: Book) -> tuple[Ref, Ref, Ref, Ref, Ref]:
    sheet = book.sheet(
        "Data",
        "Data",
        "Prices and breakeven estimates of six providers; the market by year; axes of the grid",
        (22, 24, 18, 18, 20, 24, 24, 44),
    )
    sheet.heading("Providers")
    providers = sheet.table(
        ("Provider", "Model, hardware", "Price\nUSD/Mtok", "Breakeven low\nUSD/Mtok",
         "Breakeven high\nUSD/Mtok", "Source"),
        [
            (
                row["provider"],
                f"{row['model']}, {row['hardware']}",
                float(row["price_usd_per_mtok"]),
                float(row["breakeven_low_usd_per_mtok"]),
                float(row["breakeven_high_usd_per_mtok"]),
                PARADOX,
            )
            for row in catalogue.table("provider_prices")
        ],
        ("label", "note", "input price", "input price", "input price", "note"),
    )  # fmt: skip
    paths = add_paths(sheet, providers)
    sheet.heading("AI inference market")
    market = sheet.table(
        ("Year", "Basis", "Market\nUSD", "Average price\nUSD/Mtok",
         "Volume as stated\ntokens/day", "Source"),
        [
            (year, "estimate" if year < 2026 else "projection", usd, price, stated, PARADOX)
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
    return providers, paths, market, axes.part(0), axes.part(1)
