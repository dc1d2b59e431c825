"""The page for a board: ten figures by scenario, bridge, tornado, grid, four charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from udfs.functions import TOK_BREAKEVEN_VOLUME, TOK_RUNWAY_FLOWS
from workbooks.authoring.comparisons import Cases, bridged, crossed, ranked, side_by_side, widest
from workbooks.authoring.layout import Book, Chart, Line, Ref, Sheet, call
from workbooks.authoring.timeline import Grid
from workbooks.templates.plan.checks import Places, check_fleet, check_revenue, check_statements
from workbooks.templates.plan.inputs import SCENARIOS

_TEN = 10


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


def runs_out(place: Places) -> str:
    """Return the formula of the month in which the cash runs out."""
    months = call(TOK_RUNWAY_FLOWS, place("cash_start"), place("net_flow"))
    day = f'TEXT(EDATE({place("first_day")},INT({months})),"mmm yyyy")'
    return f'IF(ISNA({months}),"does not run out",{day})'


def _figures(book: Book, sheet: Sheet, given: dict[str, Ref], grids: Sequence[Grid]) -> None:
    def judged(grid: Grid, key: str) -> str:
        return f"INDEX({grid.ref(key)},{given['judged']})"

    def out_of_cash(grid: Grid) -> str:
        return runs_out(grid.place)

    def last_year(grid: Grid, key: str) -> str:
        years = grid.ref("year")
        return f"SUMIF({years},MAX({years}),{grid.ref(key)})"

    def volume(grid: Grid) -> str:
        fixed = "+".join(judged(grid, key) for key in ("rd_cost", "sales", "ga_cost"))
        sides = (judged(grid, "usd_price"), judged(grid, "usd_cost"))
        least = call(TOK_BREAKEVEN_VOLUME, f"({fixed})", *sides)
        return f'IF({sides[0]}>{sides[1]},{least},"none at this price")'

    def rate(grid: Grid) -> str:
        flows = grid.ref("flow_to_value")
        some = f'AND(COUNTIF({flows},"<0")>0,SUM({flows})>0)'
        guess = f"(1+{given['discount']})^(1/{given['year_months']})-1"
        year = f"(1+IRR({flows},{guess}))^{given['year_months']}-1"
        return f'IF({some},IFERROR({year},"none"),"none")'

    lines = [
        ("out", "Month in which the cash runs out", "text", out_of_cash),
        ("lowest", "Lowest cash, end of a month", "musd", lambda g: f"MIN({g.ref('cash')})"),
        ("revenue", "Revenue of the last year", "musd", lambda g: last_year(g, "revenue")),
        ("ebitda", "EBITDA of the last year", "musd", lambda g: last_year(g, "ebitda")),
        ("price", "Price of a million tokens", "price4", lambda g: judged(g, "usd_price")),
        ("cost", "Price at which gross margin is 0", "price4", lambda g: judged(g, "usd_cost")),
        ("volume", "Mtok a month at which it breaks even", "integer", volume),
        ("sold", "Mtok a month sold", "integer", lambda g: judged(g, "mtok")),
        ("margin", "Gross margin", "percent", lambda g: judged(g, "margin_cost")),
        ("margin_low", "  at the 10th percentile of serving cost", "percent",
         lambda g: judged(g, "margin_low")),
        ("margin_high", "  at the 90th percentile", "percent", lambda g: judged(g, "margin_high")),
        ("npv", "Value today", "musd", lambda g: f"SUM({g.ref('present')})"),
        ("irr", "Rate of return a year", "percent", rate),
    ]  # fmt: skip
    places = side_by_side(sheet, SCENARIOS, grids, lines)
    day = f'TEXT(EDATE({given["first_day"]},{given["judged"]}-1),"mmm yyyy")'
    sheet.put(sheet.row, 1, f'="Of a million tokens, volume and margin: "&{day}', "remark")
    for i, name in enumerate(SCENARIOS):
        for key, label, format, unit in (
            ("out", "month the cash runs out", "text", ""),
            ("lowest", "lowest cash", "musd", "USD, at the end of a month"),
            ("price", "price", "price", "USD/Mtok, in the month judged"),
            ("cost", "breakeven price", "price", "USD/Mtok, where gross margin is 0"),
            ("volume", "breakeven volume", "integer", "Mtok a month, at that price and cost"),
            ("sold", "volume sold", "integer", "Mtok a month"),
            ("margin_high", "gross margin, low", "percent", "cost at its 90th percentile"),
            ("margin", "gross margin", "percent", "in the month judged"),
            ("margin_low", "gross margin, high", "percent", "cost at its 10th percentile"),
        ):
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
    slack = given["tolerance"]
    for name, grid in zip(SCENARIOS, grids, strict=True):
        for check in (check_fleet, check_revenue, check_statements):
            check(sheet, f"{name}: ", grid.place)
    sheet.check("The case base is the base of the month judged",
                f"{cases.base('ebitda')}",
                f"INDEX({grids[0].ref('ebitda')},{given['judged']})", slack)  # fmt: skip
    sheet.check("The bridge ends at the downside", f"{bridge.at(bridge.rows - 1, 1)}",
                f"INDEX({grids[2].ref('ebitda')},{given['judged']})", slack)  # fmt: skip
    sheet.check("The accelerator priced is the one served on",
                f'IF({given["priced"]}={given["accelerator"]},1,0)', "1", slack)  # fmt: skip
