"""Tokens a day that the market implies: base, bull and bear."""

from __future__ import annotations

from collections.abc import Mapping

from udfs.functions import TOK_MARKET_PATH
from workbooks.authoring.layout import Book, Chart, Line, Ref, ScenarioInput, Sheet, call
from workbooks.templates.sources import ASSUMED, PARADOX

_NAMES = ("Bear", "Base", "Bull")
_YEARS = 5


def add_market(book: Book, inputs: Mapping[str, Ref], work: Sheet) -> None:
    """Add the sheet of the market: three paths, all live; their tables stand on `work`."""
    sheet = book.sheet(
        "Market",
        "The market's volume: bear, base and bull",
        "Tokens a day that a market at a price implies, from 2026 on",
        (34, 18, 18, 18, 18, 22, 50),
    )
    sheet.heading("What is assumed")
    cases = sheet.side_by_side(
        _NAMES,
        [
            ScenarioInput("market", "Market in the first year", (25e9, 35e9, 45e9), "USD/year",
                          PARADOX, "35 billion for 2026; the others are assumed", "busd"),
            ScenarioInput("market_price", "Average price", (0.8, 0.6, 0.45), "USD/Mtok", PARADOX,
                          "0.60 for 2026; the others are assumed", "price"),
            ScenarioInput("market_growth", "Growth of the market", (0.3, 0.86, 1.2), "a year",
                          PARADOX, "From 35 to 65 billion; the others are assumed", "percent"),
            ScenarioInput("market_price_change", "Change of the price", (-0.2, -0.5, -0.6),
                          "a year", PARADOX, "Prices halve; the others are assumed", "percent"),
            ScenarioInput("market_floor", "The price does not fall below", (0.2, 0.1, 0.05),
                          "USD/Mtok", ASSUMED, "Electricity and hardware", "price"),
        ],
    )  # fmt: skip
    sheet.heading("Tokens a day")
    paths = []
    for name, case in zip(_NAMES, cases, strict=True):
        work.heading(f"Path of the market, {name.lower()}")
        paths.append(
            work.array(
                call(TOK_MARKET_PATH, *(case[key] for key in (
                    "market", "market_price", "market_growth", "market_price_change")), None,
                     case["market_floor"]),
                _YEARS + 1,
                ("integer", "busd", "price4", "ttokens"),
            )
        )  # fmt: skip
    table = sheet.table(
        ("Year", *_NAMES),
        [
            (f"={paths[0].at(year + 1, 0)}", *(f"={path.at(year + 1, 3)}" for path in paths))
            for year in range(_YEARS + 1)
        ],
        ("link integer", "output ttokens", "output ttokens", "output ttokens"),
    )
    sheet.chart(
        Chart(
            "line",
            "Tokens a day that the market implies",
            tuple(Line(name, table.part(i)) for i, name in enumerate(_NAMES, start=1)),
            categories=table.part(0),
            x_title="Years from the first",
            y_title="Tokens a day (logarithmic)",
            format='#,##0,,,,"T"',
            logarithmic=True,
            width_cm=26,
        )
    )
    base = cases[1]
    sheet.check(
        "Volume of the first year by hand, base",
        f"{table.at(0, 2)}",
        f"{base['market']}/{base['market_price']}*{inputs['million']}/{inputs['days']}",
        inputs["tolerance"],
    )
