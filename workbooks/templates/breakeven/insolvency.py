"""Who runs out of cash first, were each provider to pay for its tokens alone."""

from __future__ import annotations

from udfs.functions import TOK_PARITY_MONTHS, TOK_RUNWAY, TOK_SUBSIDY_LOSS
from workbooks.authoring.layout import Book, Chart, Line, Ref, Sheet, call
from workbooks.templates.sources import AMAZON, ASSUMED, GROQ_ROUND, PARADOX

_LASTS = '"does not run out"'
_NEVER = '"never at these rates"'
# Provider by the order of Data: cash [USD], tokens a day, growth, change of price and cost a year.
_PATHS = (
    (305e6, 10e9, 1.0, -0.5, -0.35, PARADOX, "Round of early 2025; volume of the article"),
    (250e6, 8e9, 1.0, -0.5, -0.35, ASSUMED, "A late round; volume below the first"),
    (650e6, 5e9, 1.0, -0.3, -0.3, GROQ_ROUND, "Round of June 2026"),
    (101.2e9, 30e9, 0.8, -0.3, -0.35, AMAZON, "Cash and securities, end of 2024"),
    (95.7e9, 30e9, 0.8, -0.3, -0.35, ASSUMED, "Cash and securities of the group"),
    (100e6, 20e9, 0.8, -0.3, -0.35, ASSUMED, "Paid for by its owner"),
)


def add_paths(sheet: Sheet, providers: Ref) -> Ref:
    """Add cash, volume and price path of each provider to the sheet of data."""
    sheet.heading("Cash, volume and price path of each provider")
    return sheet.table(
        ("Provider", "Cash\nUSD", "Tokens a day", "Growth of volume\na year",
         "Change of price\na year", "Change of cost\na year", "Source of the cash", "Note"),
        [(f"={providers.at(i, 0)}", *row) for i, row in enumerate(_PATHS)],
        ("name", "input usd", "input tokens", "input percent", "input percent", "input percent",
         "note", "note"),
        ("", "cash_of", "tokens_of", "growth_of", "price_change_of", "cost_change_of"),
    )  # fmt: skip


def add_insolvency(book: Book, common: dict[str, Ref], providers: Ref, paths: Ref) -> None:
    """Add the page: loss and month of insolvency of each provider, and who is first."""
    sheet = book.sheet(
        "Insolvency",
        "Who runs out of cash first?",
        "Were tokens the whole business, and no cash came in from elsewhere",
        (26, 18, 18, 18, 18, 18, 20, 22, 20),
    )
    sheet.heading("Months until the cash is gone")
    body = sheet.ref(sheet.row + 1, 1, providers.rows, 9)
    rows = []
    for i in range(providers.rows):
        cash, volume, *path = (str(paths.at(i, c)) for c in range(1, 6))
        price, ends = str(providers.at(i, 2)), [str(providers.at(i, c)) for c in (3, 4)]
        middle = body.at(i, 1).local
        cells = []
        for breakeven in (ends[0], middle, ends[1]):
            months = call(TOK_RUNWAY, cash, volume, price, breakeven, *path)
            cells.append(f"=IF(ISNA({months}),{_LASTS},{months})")
        shown = body.at(i, 4).local
        parity = call(TOK_PARITY_MONTHS, price, middle, *path[1:])
        reached = body.at(i, 7).local
        month = f'TEXT(EDATE({common["start"]},INT({shown})),"mmm yyyy")'
        rows.append((
            f"={providers.at(i, 0)}",
            f"=AVERAGE({ends[0]},{ends[1]})",
            f"={call(TOK_SUBSIDY_LOSS, volume, price, middle, common['days'])}",
            *cells,
            f"=IF(ISNUMBER({shown}),{month},{_LASTS})",
            f"=IF(ISNA({parity}),{_NEVER},{parity})",
            f'=IF(ISNUMBER({shown}),IF(ISNUMBER({reached}),IF({reached}<={shown},"yes","no"),"no")'
            f',"yes")',
        ))  # fmt: skip
    table = sheet.table(
        ("Provider", "Breakeven, middle\nUSD/Mtok", "Loss a year today\nUSD",
         "Months at the low breakeven", "Months at the middle breakeven",
         "Months at the high breakeven", "Insolvent in, at the middle breakeven",
         "Months until cost meets the price", "Cash lasts until then"),
        rows,
        ("name", "link price", "calc usd", "calc decimal", "output decimal", "calc decimal",
         "output", "output decimal", "verdict"),
    )  # fmt: skip
    sheet.judged.append((table.part(8), {"yes": "good", "no": "bad"}))
    months = table.part(4).local
    first = sheet.put(
        sheet.row, 2,
        f'=IF(COUNT({months})>0,INDEX({table.part(0).local},MATCH(MIN({months}),{months},0)),'
        '"none")', "output",
    )  # fmt: skip
    sheet.put(sheet.row, 1, "Insolvent first", "label")
    after = sheet.put(
        sheet.row + 1, 2, f"=IF(COUNT({months})>0,MIN({months}),{_LASTS})", "output", "months"
    )
    sheet.put(sheet.row + 1, 1, "after", "label")
    sheet.row += 3
    sheet.chart(
        Chart(
            "column",
            "Loss a year at today's volume, breakeven in the middle, USD",
            (Line("Loss", table.part(2)),),
            categories=table.part(0),
            x_title="Provider",
            y_title="USD a year; below 0: profit",
            format='"$"0,,"M";-"$"0,,"M"',
            width_cm=26,
        )
    )
    book.headline("Insolvent first, were tokens all it sells", first, "text",
                  "breakeven in the middle of its range")  # fmt: skip
    book.headline("Cash of the first insolvent lasts", after, "decimal", "months")
    sheet.check(
        "Losses a year by hand",
        f"SUM({table.part(2)})",
        f"SUMPRODUCT({paths.part(2)},{table.part(1)}-{providers.part(2)})/{common['million']}"
        f"*{common['days']}",
        common["tolerance"],
    )
