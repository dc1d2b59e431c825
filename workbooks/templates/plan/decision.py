"""The page for a board: ten figures by scenario, bridge, tornado, grid, four charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbooks.authoring.comparisons import (
    Cases,
    add_checks,
    bridged,
    crossed,
    ranked,
    side_by_side,
    widest,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Sheet
from workbooks.authoring.timeline import Grid
from workbooks.templates.load import PRODUCTS
from workbooks.templates.plan import checks
from workbooks.templates.plan.inputs import SCENARIOS

_TEN = 10
#: When the cash runs out.
RUNS_OUT = """
    let months = TOK_RUNWAY_FLOWS(cash_start, net_flow)
    out | Month in which the cash runs out | text | IF(ISNA(months), "does not run out", \
        TEXT(EDATE(first_day, INT(months)), "mmm yyyy"))
"""
#: Figures of each scenario: those of a million tokens, volume and margin are of the month judged.
_FIGURES = (
    RUNS_OUT
    + """
    let then(row) = INDEX(row, judged)
    let last_year(row) = SUMIF(year, MAX(year), row)
    lowest | Lowest cash, end of a month | musd | MIN(cash)
    revenue | Revenue of the last year | musd | last_year(revenue)
    ebitda | EBITDA of the last year | musd | last_year(ebitda)
    price | Price of a million tokens | price4 | then(usd_price)
    cost | Price at which gross margin is 0 | price4 | then(usd_cost)
    let fixed = then(rd_cost) + then(sales) + then(ga_cost)
    volume | Mtok a month at which it breaks even | integer | IF(then(usd_price) > then(usd_cost), \
        TOK_BREAKEVEN_VOLUME((fixed), then(usd_price), then(usd_cost)), "none at this price")
    sold | Mtok a month sold | integer | then(mtok)
    margin | Gross margin | percent | then(margin_cost)
    margin_low |   at the 10th percentile of serving cost | percent | then(margin_low)
    margin_high |   at the 90th percentile | percent | then(margin_high)
    npv | Value today | musd | SUM(present)
    let guess = (1 + discount)^(1 / year_months) - 1
    irr | Rate of return a year | percent | \
        IF(AND(COUNTIF(flow_to_value, "<0") > 0, SUM(flow_to_value) > 0), \
        IFERROR((1 + IRR(flow_to_value, guess))^year_months - 1, "none"), "none")
"""
)
#: Those that the cover and the command line tell: key, label, format, unit.
_TOLD = (
    ("out", "month the cash runs out", "text", ""),
    ("lowest", "lowest cash", "musd", "USD, at the end of a month"),
    ("price", "price", "price3", "USD/Mtok, in the month judged"),
    ("cost", "breakeven price", "price3", "USD/Mtok, where gross margin is 0"),
    ("volume", "breakeven volume", "integer", "Mtok a month, at that price and cost"),
    ("sold", "volume sold", "integer", "Mtok a month"),
    ("margin_high", "gross margin, low", "percent", "cost at its 90th percentile"),
    ("margin", "gross margin", "percent", "in the month judged"),
    ("margin_low", "gross margin, high", "percent", "cost at its 10th percentile"),
)


def add_decision(book: Book, given: dict[str, Ref], grids: Sequence[Grid], cases: Cases) -> None:
    """Add the decision page and the checks of the whole model."""
    sheet = book.sheet(
        "Decision",
        "Will the cash last?",
        "Three scenarios, all of them live; nominal US dollars",
        (40, 16, 16, 16, 3, 32, 14, 14, 14, 14, 14, 14),
    )
    top = sheet.row
    table = ranked(cases, "ebitda", "EBITDA of the month judged, by input")
    heads = ("Ten widest inputs, EBITDA of the month", "at downside", "at upside")
    tornado = widest(sheet, table, _TEN, 6, heads)
    sheet.row = top
    _figures(book, sheet, given, grids)
    title = "Gross margin: price of the base, down; utilisation, across"
    crossed(sheet, cases, "margin_cost", title, 6)
    title = "From base to downside, EBITDA of the month"
    bridge = bridged(sheet, cases, "ebitda", title, (SCENARIOS[0], SCENARIOS[2]))
    _charts(sheet, grids, tornado, bridge)
    _checks(sheet, given, grids, cases, bridge)


def _figures(book: Book, sheet: Sheet, given: dict[str, Ref], grids: Sequence[Grid]) -> None:
    places = side_by_side(sheet, SCENARIOS, grids, _FIGURES)
    day = f'TEXT(EDATE({given["first_day"]},{given["judged"]}-1),"mmm yyyy")'
    sheet.put(sheet.row, 1, f'="Of a million tokens, volume and margin: "&{day}', "remark")
    for i, name in enumerate(SCENARIOS):
        for key, label, format, unit in _TOLD:
            place = replace(places[key], column=2 + i, columns=1)
            book.headline(f"{name}: {label}", place, format, unit)
            book.give_name(f"{key}_{name.lower()}_shown", place)
    sheet.row += 2


def _charts(sheet: Sheet, grids: Sequence[Grid], tornado: Ref, bridge: Ref) -> None:
    base = grids[0]
    money = '"$"#,##0.0,,"M";-"$"#,##0.0,,"M"'
    charts = (
        Chart("line", "Cash at the end of the month",
              tuple(Line(name, g.ref("cash")) for name, g in zip(SCENARIOS, grids, strict=True)),
              categories=base.ref("month"), x_title="Month", y_title="USD", format=money),
        Chart("line", "Base: price and cost of a million tokens, with its band",
              tuple(Line(name, base.ref(key)) for name, key in (
                  ("Price", "usd_price"), ("Cost", "usd_cost"), ("10th percentile", "usd_low"),
                  ("90th percentile", "usd_high"))),
              categories=base.ref("month"), x_title="Month", y_title="USD/Mtok",
              format='"$"0.00'),
        Chart("column", "From base to downside: EBITDA of the month, input after input",
              (Line("EBITDA", bridge.part(2)),),
              categories=bridge.part(0), x_title="moved to its downside",
              y_title="USD a month", format='"$"#,##0,"k";-"$"#,##0,"k"'),
        Chart("stacked bar", "Ten widest inputs, EBITDA of the month judged",
              (Line("at downside", tornado.part(1)), Line("at upside", tornado.part(2))),
              categories=tornado.part(0), y_title="USD a month, against base",
              format='"$"#,##0,"k";-"$"#,##0,"k"'),
    )  # fmt: skip
    top = sheet.row
    for i, chart in enumerate(charts):
        sheet.row = top + 19 * (i // 2)
        left = i % 2 == 0
        sheet.chart(replace(chart, column=1 if left else 6, width_cm=17 if left else 21), 19)


def _checks(
    sheet: Sheet, given: dict[str, Ref], grids: Sequence[Grid], cases: Cases, bridge: Ref
) -> None:
    for name, grid in zip(SCENARIOS, grids, strict=True):
        add_checks(sheet, f"{name}: ", grid.place, PRODUCTS, checks.FLEET, checks.REVENUE,
                   checks.STATEMENTS)  # fmt: skip
    ends = {
        "ends_at": bridge.at(bridge.rows - 1, 1), "base_case": cases.base("ebitda"),
        "base": grids[0].ref("ebitda"), "downside": grids[2].ref("ebitda"),
    }  # fmt: skip
    add_checks(sheet, "", {**given, **ends}.__getitem__, {}, """
        The case base is the base of the month judged | base_case | INDEX(base, judged)
        The bridge ends at the downside | ends_at | INDEX(downside, judged)
        The accelerator priced is the one served on | IF(priced = accelerator, 1, 0) | 1
    """)  # fmt: skip
