"""The market: segments and their growth, where sources conflict, and volume in scenarios."""

from __future__ import annotations

from workbooks.authoring.layout import Book, Input, Ref, ScenarioInput
from workbooks.templates.market.segments import add_prices, add_segments
from workbooks.templates.market.volume import SCENARIOS, YEARS, add_scenarios, add_volume
from workbooks.templates.sources import ASSUMED, LAYERS, PARADOX, RECKONING, cite

# Segment, market in 2023 and in 2025, growth a year as stated.
_SEGMENTS = (
    ("Cloud AI infrastructure", 55e9, 110e9, 0.41),
    ("Own hardware of firms", 15e9, 35e9, 0.53),
    ("Optimisation software", 2e9, 8e9, 1.0),
    ("AI chips beside NVIDIA", 5e9, 20e9, 1.0),
)

# Segment of the other article, growth in 2023 and as projected for 2024-2025.
_GROWTHS = (
    ("Cloud AI infrastructure", 0.65, 0.45),
    ("Enterprise AI software, by API", 0.80, 0.60),
    ("Consumer AI apps", 1.20, 0.70),
)

# Year, market in USD, average price.
_MARKET = ((2024, 8.5e9, 2.5), (2025, 18.2e9, 1.2), (2026, 35e9, 0.6), (2027, 65e9, 0.3))


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "market",
        "How large is the market?",
        "Segments and their growth, where the articles conflict, and the volume of tokens in "
        "scenarios with a price floor and elastic demand",
    )
    cite(book, PARADOX, RECKONING, LAYERS, ASSUMED)
    case, common = _inputs(book)
    segments, growths, market = _data(book)
    add_segments(book, common, segments, growths)
    add_prices(book, common, market)
    add_volume(book, case, common)
    add_scenarios(book, case, common)
    return book


def _inputs(book: Book) -> tuple[dict[str, Ref], dict[str, Ref]]:
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "The market for inference from its first year on, in scenarios",
        (32, 16, 16, 16, 16, 16, 20, 62),
    )
    sheet.heading("How market, price and demand move")
    case = sheet.scenarios(
        SCENARIOS,
        [
            ScenarioInput("growth", "Growth of the market", (0.97, 0.97, 0.6), "a year",
                          PARADOX, "$8.5B in 2024 to $65B in 2027; price war: assumed",
                          "percent"),
            ScenarioInput("change", "Change of the price", (-0.5, -0.5, -0.785), "a year",
                          PARADOX, "It halves each year; price war: 90 % down in 18 months",
                          "percent"),
            ScenarioInput("floor", "Price floor", (0.12, 0.0, 0.05), "USD/Mtok", ASSUMED,
                          "0.12: hardware and electricity of the ownership workbook", "price"),
            ScenarioInput("elasticity", "Elasticity of demand", (-1.5, -1.5, -1.2), "% per %",
                          ASSUMED, "-1.5: a price lower by 1 % sells 1.5 % more"),
        ],
    )  # fmt: skip
    sheet.heading("Where the market starts")
    common = sheet.inputs(
        [
            Input("first", "First year", 2024, "year", PARADOX, "", "year"),
            Input("market", "Market in that year", 8.5e9, "USD", PARADOX, "", "busd"),
            Input("price", "Average price in that year", 2.5, "USD/Mtok", PARADOX, "", "price"),
            Input("years", "Years after it", YEARS, "years", ASSUMED, "Up to six", "integer",
                  '"' + ",".join(str(year) for year in range(1, YEARS + 1)) + '"'),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("What the articles state of prices and funding")
    common |= sheet.inputs(
        [
            Input("drop", "Change of prices", -0.9, "change", PARADOX, "", "percent"),
            Input("months", "Time of that change", 18, "months", PARADOX, "", "integer"),
            Input("halving", "Change a year as stated", -0.5, "change", PARADOX, "", "percent"),
            Input("low_2028", "Price by 2028, low", 0.01, "USD/Mtok", PARADOX, "", "price"),
            Input("high_2028", "Price by 2028, high", 0.05, "USD/Mtok", PARADOX, "", "price"),
            Input("funding_2023", "Funding of chip startups, 2023", 4.2e9, "USD", RECKONING,
                  "", "busd"),
            Input("funding_2025", "Funding of chip startups, next", 6.5e9, "USD", RECKONING,
                  "Projected for 2024-2025", "busd"),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("Units and tolerance")
    common |= sheet.inputs(
        [
            Input("span", "Years from 2023 to 2025", 2, "years", "Definition", "", "integer"),
            Input("days", "Days in a year", 365, "days", "Convention", "", "integer"),
            Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
            Input("year_months", "Months in a year", 12, "months", "Definition", "", "integer"),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ],
        aside=6,
    )  # fmt: skip
    return case, common


def _data(book: Book) -> tuple[Ref, Ref, Ref]:
    sheet = book.sheet(
        "Data",
        "Data",
        "Segments and growth rates as the articles give them",
        (34, 18, 18, 18, 24),
    )
    sheet.heading("Segments of one article")
    segments = sheet.table(
        ("Segment", "Market 2023\nUSD", "Market 2025\nUSD", "Growth a year as stated", "Source"),
        [(*row, LAYERS) for row in _SEGMENTS],
        ("label", "input busd", "input busd", "input percent", "note"),
    )
    sheet.heading("Growth that another gives")
    growths = sheet.table(
        ("Segment", "Growth 2023", "Growth 2024-2025 projected", "Source"),
        [(*row, RECKONING) for row in _GROWTHS],
        ("label", "input percent", "input percent", "note"),
    )
    sheet.heading("Inference market")
    market = sheet.table(
        ("Year", "Market\nUSD", "Average price\nUSD/Mtok", "Source"),
        [(*row, PARADOX) for row in _MARKET],
        ("input year", "input busd", "input price", "note"),
    )
    return segments, growths, market
