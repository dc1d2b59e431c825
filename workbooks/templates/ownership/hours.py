"""From how many hours of use a year owning pays."""

from __future__ import annotations

from dataclasses import replace

from udfs.functions import (
    TOK_COMMITMENT,
    TOK_DEPRECIATION,
    TOK_OWN_BREAKEVEN_HOURS,
    TOK_OWNED_GPU_HOUR,
    TOK_SHARED_GPU,
    TOK_SPOT_COST,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, Sheet, call, shown


def add_hours(
    book: Book,
    case: dict[str, Ref],
    common: dict[str, Ref],
    axes: tuple[Ref, Ref, Ref],
) -> None:
    """Add the sheet of break-even hours."""
    hours, rents, capex = axes
    sheet = book.sheet(
        "Break-even",
        "From which use owning pays",
        "Hours of use a year, of one GPU; above the hours of a year owning never pays",
        (40, 18, 18, 18, 18, 18),
    )
    money = (common["kwh"], common["opex"])
    residual = f"{common['capex']}*{common['residual']}"
    rest = (common["years"], residual, common["rate"], common["watts"], common["pue"], *money)
    sheet.heading("One GPU, bought, over the horizon")
    own = sheet.results(
        [
            Result("hours", "Owning beats rent on demand from",
                   call(TOK_OWN_BREAKEVEN_HOURS, case["rent"], common["capex"], *rest), "h/year",
                   "integer", "#N/A: never, electricity alone costs more than the rent"),
            Result("share", "the same, of the year", f"{{hours}}/{common['hours']}", "", "percent"),
            Result("verdict", "At the hours used, cheaper is",
                   f'IF({case["used"]}>={{hours}},"to own","to rent on demand")', "", "text"),
            Result("committed", "Owning beats the committed rate from",
                   call(TOK_OWN_BREAKEVEN_HOURS, f"{case['rent']}*(1-{case['discount']})",
                        common["capex"], *rest), "h/year", "integer",
                   "were the commitment billed by the hour used"),
            Result("owned", "An hour owned, used or not",
                   call(TOK_OWNED_GPU_HOUR, common["capex"], *rest), "USD/h", "price",
                   "with energy at full load"),
            Result("carbon", "the same with CO2 priced",
                   call(TOK_OWNED_GPU_HOUR, common["capex"], *rest, common["carbon"],
                        common["tonne"]), "USD/h", "price"),
            Result("idle", "An hour owned without its energy",
                   call(TOK_OWNED_GPU_HOUR, common["capex"], common["years"], residual,
                        common["rate"], 0, None, None, common["opex"]), "USD/h", "price",
                   "capital and running cost", "calc"),
            Result("energy", "Energy of an hour used",
                   f"{common['watts']}/{common['thousand']}*{common['pue']}*{common['kwh']}",
                   "USD/h", "price", role="calc"),
            Result("depreciation", "Depreciation, straight line",
                   call(TOK_DEPRECIATION, common["capex"], common["years"], residual),
                   "USD/year", "usd"),
            Result("tenant", "An hour of one tenant's share",
                   call(TOK_SHARED_GPU, "{owned}", common["tenants"], common["overhead"]),
                   "USD/h", "price", "of an owned GPU that tenants share"),
            Result("spot", "An hour of useful work at the spot price",
                   call(TOK_SPOT_COST, common["spot"], common["interruptions"], common["lost"]),
                   "USD/h", "price", "what interruptions lose is paid for again"),
        ]
    )  # fmt: skip
    book.names["breakeven_hours"] = own["hours"]
    book.headline("Owning beats rent on demand from", own["hours"], "integer",
                  f'="hours a year, of "&{shown(common["hours"], "integer")}')  # fmt: skip
    book.headline("An hour owned, used or not", own["owned"], "price", "USD/h, energy included")
    sheet.heading("Cost of an hour used, USD")
    body = sheet.ref(sheet.row + 1, 1, hours.rows, 4)
    bill = f"{case['rent']}*(1-{case['discount']})"
    curve = sheet.table(
        ("Hours used a year", "Rent on demand", "Commit", "Own"),
        [
            (
                f"={hours.at(i)}",
                f"={case['rent']}",
                "="
                + call(TOK_COMMITMENT, case["rent"], bill, case["committed"], used)
                + f"/{used}",
                f"={own['idle'].local}*{common['hours']}/{used}+{own['energy'].local}",
            )
            for i in range(hours.rows)
            for used in (body.at(i, 0).local,)
        ],
        ("link integer", "link price", "calc price", "calc price"),
    )
    sheet.chart(
        Chart(
            "scatter",
            "Cost of an hour used, by the hours used a year",
            tuple(
                Line(name, curve.part(column), curve.part(0))
                for column, name in enumerate(("Rent on demand", "Commit", "Own"), start=1)
            ),
            x_title="Hours used a year",
            y_title="USD per GPU-hour used",
            format='"$"0',
            x_format="#,##0",
            x_unit=1000,
            x_max=9000,
            width_cm=26,
        )
    )
    sheet.heading("Break-even hours a year: rent against purchase price")
    grid = _grid(sheet, rents, capex, common)
    sheet.check(
        "Break-even hours: there renting and owning cost the same",
        f"{own['hours']}*({case['rent']}-{own['energy']})",
        f"{own['idle']}*{common['hours']}",
        common["tolerance"],
    )
    sheet.check(
        "Useful hour at the spot price by hand",
        f"{own['spot']}",
        f"{common['spot']}/(1-{common['interruptions']}*{common['lost']})",
        common["tolerance"],
    )
    sheet.check(
        "An hour owned: annuity by PMT",
        f"{own['idle']}",
        f"(-PMT({common['rate']},{common['years']},{common['capex']},-{common['capex']}"
        f"*{common['residual']})+{common['opex']})/{common['hours']}",
        common["tolerance"],
    )
    sheet.check(
        "Break-even grid, first corner, by PMT",
        f"{grid.at(0, 0)}",
        f"(-PMT({common['rate']},{common['years']},{capex.at(0)},-{capex.at(0)}"
        f"*{common['residual']})+{common['opex']})/({rents.at(0)}-{own['energy']})",
        common["tolerance"],
    )


def _grid(sheet: Sheet, rents: Ref, capex: Ref, common: dict[str, Ref]) -> Ref:
    top = sheet.row
    sheet.put(top, 1, "Rent, USD/h \\ purchase price, USD", "header")
    for i in range(rents.rows):
        sheet.put(top, 2 + i, f"={capex.at(i)}", "link", "usd")
        sheet.put(top + 1 + i, 1, f"={rents.at(i)}", "link", "price")
    body = sheet.ref(top + 1, 2, rents.rows, capex.rows)
    across = sheet.ref(top, 2, 1, capex.rows)
    for r in range(rents.rows):
        for c in range(capex.rows):
            price = replace(across.at(0, c), fixed_row=True).local
            hours = call(
                TOK_OWN_BREAKEVEN_HOURS, replace(sheet.ref(top + 1 + r, 1), fixed_row=False).local,
                price, common["years"], f"{price}*{common['residual']}", common["rate"],
                common["watts"], common["pue"], common["kwh"], common["opex"],
            )  # fmt: skip
            sheet.put(top + 1 + r, 2 + c, f"={hours}", "calc", "integer")
    sheet.row = top + rents.rows + 2
    return body
