"""The fan of cash, the odds of running out, and which input moves the cash most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from udfs.functions import TOK_SUBSIDY_PATH
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, Sheet, call
from workbooks.templates.risk.draws import LASTS, MONTHS, Rows
from workbooks.templates.risk.inputs import KEYS, LABELS

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_MONEY = '"$"#,##0,,"M";-"$"#,##0,,"M"'
_COLOURS = ("A9C4E6", "6FA8DC", "0B5394", "6FA8DC", "A9C4E6")


def add_result(
    book: Book,
    inputs: Mapping[str, Ref],
    cases: Rows,
    draws: Rows,
) -> Sheet:
    """Add the sheet that is read: fan, odds and tornado; return that of its workings."""
    sheet = book.sheet(
        "Result",
        "How long does the cash last?",
        "Of 100 draws so many lie below each line; of the cash, at the end of each month",
        (44, 18, 18, 18, 18, 18, 18, 18),
        long=True,
    )
    sheet.heading("At a glance")
    top = sheet.row
    sheet.row += 7
    sheet.heading("Cash by month")
    charts = sheet.row
    sheet.row += 38
    sheet.heading("Cash and odds by month")
    fan = _fan(sheet, cases, draws)
    sheet.heading("Cash at the end, each input alone at its low and high value, widest first")
    work, tornado = _tornado(book, sheet, cases)
    after, sheet.row = sheet.row, top
    runways = draws.runway
    found = sheet.results(
        [
            Result("cost", "Cost of serving, assumed", f"{inputs['cost']}", "USD/Mtok", "price",
                   role="link"),
            Result("below", "Odds that the price is below cost",
                   f'COUNTIF({draws.subsidy},">"&0)/ROWS({draws.subsidy})', "of the draws",
                   "percent"),
            Result("out", "Odds of running out within the months shown",
                   f"{fan.at(MONTHS, 7).local}", "of the draws", "percent"),
            Result("median", "Half of the draws run out before",
                   f"IF(COUNT({runways})+COUNT({runways})>=ROWS({runways}),"
                   f"SMALL({runways},ROUNDUP(ROWS({runways})*{inputs['half']},0)),{LASTS})",
                   "months", "decimal"),
            Result("assumed", "As assumed, the cash lasts", f"{cases.runway.at(0)}", "months",
                   "decimal", role="link"),
            Result("widest", "What moves the cash most", f"{tornado.at(0, 0).local}", "", "text"),
        ]
    )  # fmt: skip
    sheet.row = charts
    _draw(sheet, fan, tornado)
    sheet.row = after
    book.names |= {
        "below_cost_odds": found["below"], "run_out_odds": found["out"],
        "runway_months": cases.runway.at(0), "cost_per_mtok": found["cost"],
        "cash_at_the_end": cases.cash.at(0, MONTHS - 1), "subsidy": cases.subsidy.at(0),
    }  # fmt: skip
    book.headline("Odds that the price is below cost", found["below"], "percent", "of the draws")
    book.headline("Odds of running out in three years", found["out"], "percent", "of the draws")
    book.headline("Half of the draws run out before", found["median"], "decimal", "months")
    book.headline("What moves the cash most", found["widest"], "text", "")
    _check(sheet, work, inputs, cases, draws, fan)
    return work


def _fan(sheet: Sheet, cases: Rows, draws: Rows) -> Ref:
    """Write the quantiles of cash, the cash as assumed and the odds, month by month."""
    top = sheet.row + 1
    shares = sheet.ref(top, 2, 1, len(_QUANTILES))
    sheet.put(top - 1, 1, "Month", "header")
    sheet.put(top, 1, "Share of the draws below", "label")
    for column, quantile in enumerate(_QUANTILES, start=2):
        share = sheet.put(top, column, quantile, "input", "percent")
        sheet.put(top - 1, column, f'="below "&TEXT({share.local},"0%")', "header")
    for column, text in ((7, "As assumed"), (8, "Odds of having run out")):
        sheet.put(top - 1, column, text, "header")
        sheet.put(top, column, None, "label")
    for month in range(1, MONTHS + 1):
        row = top + month
        cash = draws.cash.part(month - 1)
        sheet.put(row, 1, f"=N(A{row - 1})+1", "calc", "integer")
        for i in range(len(_QUANTILES)):
            formula = f"=PERCENTILE({cash},{shares.at(0, i).local})"
            sheet.put(row, 2 + i, formula, "calc", "usd")
        sheet.put(row, 7, f"={cases.cash.at(0, month - 1)}", "link", "usd")
        odds = f'=COUNTIF({draws.runway},"<="&$A{row})/ROWS({draws.runway})'
        sheet.put(row, 8, odds, "output", "percent")
    sheet.row = top + MONTHS + 2
    return sheet.ref(top, 1, MONTHS + 1, 8)


def _tornado(book: Book, sheet: Sheet, cases: Rows) -> tuple[Sheet, Ref]:
    """Write the inputs by how far they move the cash, ties in their own order."""
    last = cases.cash.part(MONTHS - 1)
    work = book.sheet(
        "Swings", "How far each input moves the cash",
        "Cash at the end, less that as assumed, of the cases", (30, 18, 18, 18, 18, 18),
    )  # fmt: skip
    work.heading("In the order of Risks")
    body = work.ref(work.row + 1, 1, len(KEYS), 5)
    swings = body.part(3).local
    table = work.table(
        ("Input", "At its low\nUSD", "At its high\nUSD", "Between them\nUSD", "Rank"),
        [
            (
                LABELS[key],
                f"={last.at(1 + i)}-{last.at(0)}",
                f"={last.at(1 + len(KEYS) + i)}-{last.at(0)}",
                f"=ABS({body.at(i, 2).local}-{body.at(i, 1).local})",
                f"=SUMPRODUCT(({swings}>{body.at(i, 3).local})*1)"
                f"+SUMPRODUCT(({work.ref(body.row, 4).local}:{body.at(i, 3).local}"
                f"={body.at(i, 3).local})*1)",
            )
            for i, key in enumerate(KEYS)
        ],
        ("label", "calc usd", "calc usd", "calc usd", "calc integer"),
    )  # fmt: skip
    top = sheet.row
    rows = []
    for i in range(len(KEYS)):
        place = f"MATCH(ROWS({sheet.ref(top + 1, 1).local}:A{top + 1 + i}),{table.part(4)},0)"
        rows.append([f"=INDEX({table.part(column)},{place})" for column in range(4)])
    return work, sheet.table(
        ("Input", "At its low\nUSD", "At its high\nUSD", "Between them\nUSD"),
        rows,
        ("name", "output usd", "output usd", "calc usd"),
    )


def _draw(sheet: Sheet, fan: Ref, tornado: Ref) -> None:
    """Draw the fan beside the odds, and the tornado below them."""
    months, row = fan.part(0, skip=1), sheet.row
    heads = sheet.ref(fan.row - 1, 1, 1, fan.columns)

    def by_month(columns: range, colours: Sequence[str]) -> tuple[Line, ...]:
        return tuple(
            Line(heads.at(0, column), fan.part(column, skip=1), months, colour)
            for column, colour in zip(columns, colours, strict=True)
        )

    axis: dict[str, Any] = {"x_title": "Month", "x_unit": 6, "x_max": MONTHS, "markers": False,
                            "height_cm": 9, "row": row}  # fmt: skip
    tops = {
        "Cash at the end of the month, USD": (range(1, 7), (*_COLOURS, "E69138"), "Cash, USD",
                                              _MONEY, 1, 19),
        "Odds of having run out by month": (range(7, 8), ("",), "Share of the draws", "0%", 5, 15),
    }  # fmt: skip
    for title, (columns, colours, y_title, shown, column, width) in tops.items():
        lines = by_month(columns, colours)
        sheet.charts.append(
            Chart("scatter", title, lines, y_title=y_title, format=shown, column=column,
                  width_cm=width, **axis)
        )  # fmt: skip
    sheet.charts.append(
        Chart(
            "bar", "Cash at the end against that as assumed, USD",
            (Line("At its low", tornado.part(1)), Line("At its high", tornado.part(2))),
            categories=tornado.part(0), x_title="Input", y_title="Change of the cash, USD",
            format=_MONEY, row=row + 19, width_cm=26, height_cm=9,
        )
    )  # fmt: skip


def _check(
    sheet: Sheet,
    work: Sheet,
    inputs: Mapping[str, Ref],
    cases: Rows,
    draws: Rows,
    fan: Ref,
) -> None:
    """Hold the case as assumed to the function that gives its path."""
    work.heading("The case as assumed, by the function that gives its path")
    path = work.array(
        call(
            TOK_SUBSIDY_PATH, inputs["cash"], inputs["tokens_per_day"], inputs["price"],
            cases.cost.at(0), inputs["volume_growth"], inputs["price_change"],
            inputs["cost_change"],
        ),
        MONTHS,
        ("integer", "ttokens", "price4", "price4", "usd", "usd"),
    )  # fmt: skip
    sheet.check("Cash as assumed is that of the path", f"SUM({_row(cases.cash)})/{inputs['cash']}",
                f"SUM({path.part(5, skip=1)})/{inputs['cash']}", inputs["tolerance"])  # fmt: skip
    price = draws.inputs.part(KEYS.index("price"))
    sheet.check("Subsidy of all draws by hand", f"SUM({draws.subsidy})",
                f"SUM({draws.cost})-SUM({price})", inputs["tolerance"])  # fmt: skip
    sheet.check("Quantiles rise from left to right, last month",
                f"IF({fan.at(MONTHS, 1)}<={fan.at(MONTHS, 3)},"
                f"IF({fan.at(MONTHS, 3)}<={fan.at(MONTHS, 5)},0,1),1)", "0",
                inputs["tolerance"])  # fmt: skip


def _row(block: Ref) -> str:
    """Return the first row of a block."""
    return str(Ref(block.sheet, block.row, block.column, 1, block.columns))
