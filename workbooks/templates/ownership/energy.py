"""Energy, carbon and the price floor."""

from __future__ import annotations

from udfs.functions import (
    TOK_CARBON_PER_MTOK,
    TOK_DEPRECIATION,
    TOK_ENERGY_PER_MTOK,
    TOK_PRICE_FLOOR,
    TOK_SITE_TOKENS,
    TOK_UPGRADE_COST,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, call, shown


def add_energy(
    book: Book,
    case: dict[str, Ref],
    common: dict[str, Ref],
    work: dict[str, Ref],
    grids: Ref,
) -> None:
    """Add the sheet of energy, carbon and the price floor."""
    sheet = book.sheet(
        "Energy",
        "Energy, carbon and the price floor",
        "Of a million tokens sold, input and output; and what the articles say of hardware",
        (40, 18, 18, 18, 18, 18),
    )
    rate = (common["watts"], work["sold"])
    sheet.heading("A million tokens sold, input and output")
    tokens = sheet.results(
        [
            Result("kwh", "Electricity", call(TOK_ENERGY_PER_MTOK, *rate, common["pue"]),
                   "kWh/Mtok", "ratio"),
            Result("usd", "Cost of that electricity", f"{{kwh}}*{common['kwh']}", "USD/Mtok",
                   "price4"),
            Result("kg", "CO2", call(TOK_CARBON_PER_MTOK, *rate, common["pue"], common["carbon"]),
                   "kg/Mtok", "ratio"),
            Result("tax", "Cost of that CO2",
                   f"{{kg}}/{common['thousand']}*{common['tonne']}", "USD/Mtok", "price4"),
            Result("floor", "Electricity and hardware alone",
                   call(TOK_PRICE_FLOOR, common["capex"], work["sold"], common["life"],
                        common["watts"], common["pue"], common["kwh"]), "USD/Mtok", "price",
                   "busy all year"),
            Result("used", "the same at the hours used",
                   call(TOK_PRICE_FLOOR, common["capex"], work["sold"], common["life"],
                        common["watts"], common["pue"], common["kwh"], work["share"]),
                   "USD/Mtok", "price"),
            Result("alone", "the same, were output alone sold",
                   call(TOK_PRICE_FLOOR, common["capex"], common["throughput"], common["life"],
                        common["watts"], common["pue"], common["kwh"]), "USD/Mtok", "price",
                   "busy all year"),
            Result("gap", "Floor over the price expected, high",
                   f"{{floor}}/{common['floor_high']}", "", "multiple",
                   "how much more a GPU must do for the dearer end of it"),
        ]
    )  # fmt: skip
    sheet.heading("A year of the server, at the hours used")
    year = sheet.results(
        [
            Result("mwh", "Electricity",
                   f"{work['watts']}/{common['thousand']}/{common['thousand']}*{common['pue']}"
                   f"*{case['used']}", "MWh", "number"),
            Result("usd", "Cost of electricity", f"{{mwh}}*{common['thousand']}*{common['kwh']}",
                   "USD", "usd"),
            Result("tonnes", "CO2", f"{{mwh}}*{common['carbon']}", "t", "number",
                   "kg/kWh is t/MWh"),
            Result("tax", "Cost of CO2", f"{{tonnes}}*{common['tonne']}", "USD", "usd"),
        ]
    )  # fmt: skip
    sheet.heading("A site that power limits, at the hours used")
    site = sheet.results(
        [
            Result("gpus", "GPUs that its power feeds",
                   f"{common['site']}*{common['million']}/({common['watts']}*{common['pue']})",
                   "GPUs", "integer"),
            Result("tokens", "Tokens that it sells a day",
                   call(TOK_SITE_TOKENS, common["site"], *rate, common["pue"], work["share"]),
                   "tokens/day", "tokens", "input and output"),
        ]
    )  # fmt: skip
    sheet.heading("CO2 by source of electricity")
    body = sheet.ref(sheet.row + 1, 1, grids.rows, 4)
    table = sheet.table(
        ("Source of electricity", "CO2\nkg/kWh", "CO2\nkg/Mtok", "Cost of CO2\nUSD/Mtok"),
        [
            (
                f"={grids.at(i, 0)}",
                f"={grids.at(i, 1)}",
                f"={call(TOK_CARBON_PER_MTOK, *rate, common['pue'], body.at(i, 1).local)}",
                f"={body.at(i, 2).local}/{common['thousand']}*{common['tonne']}",
            )
            for i in range(grids.rows)
        ],
        ("name", "link ratio", "output ratio", "calc price4"),
    )
    sheet.chart(
        Chart(
            "column",
            "CO2 of a million tokens, kg",
            (Line("CO2", table.part(2)),),
            categories=table.part(0),
            x_title="Source of electricity",
            y_title="kg of CO2",
            format="0.0",
            width_cm=26,
        )
    )
    sheet.heading("Hardware, as the articles have it")
    hardware = sheet.results(
        [
            Result("fall", "B200 for H100: change of cost per token",
                   call(TOK_UPGRADE_COST, common["performance"], common["unit_cost"]), "",
                   "percent", "computed"),
            Result("stated", "the same as stated", f"{common['stated_fall']}", "", "percent",
                   role="link"),
            Result("fleet", "Depreciation of the hyperscaler's GPUs",
                   call(TOK_DEPRECIATION, common["fleet_capex"], common["life"]), "USD/year",
                   "busd", "computed"),
            Result("stated_fleet", "the same as stated", f"{common['stated_depreciation']}",
                   "USD/year", "busd", role="link"),
            Result("rack", "B200 that the power of a rack feeds",
                   f"ROUNDDOWN({common['rack']}/{common['b200_watts']},0)", "GPUs", "integer"),
        ]
    )  # fmt: skip
    book.headline("CO2 of a million tokens", tokens["kg"], "ratio", "kg, input and output sold")
    book.headline("Electricity and hardware alone", tokens["floor"], "price",
                  f'="USD/Mtok sold (article, by 2028: "&{shown(common["floor_low"], "price")}'
                  f'&" to "&{shown(common["floor_high"], "price")}&")"')  # fmt: skip
    sheet.check(
        "Electricity of a million tokens by hand",
        f"{tokens['kwh']}",
        f"{common['watts']}/{common['thousand']}*{common['pue']}"
        f"*({common['million']}/{work['sold']}/{common['seconds']})",
        common["tolerance"],
    )
    sheet.check(
        "Price floor by hand",
        f"{tokens['floor']}",
        f"({common['capex']}/{common['life']}/{common['hours']}+{common['watts']}"
        f"/{common['thousand']}*{common['pue']}*{common['kwh']})*{common['million']}"
        f"/({work['sold']}*{common['seconds']})",
        common["tolerance"],
    )
    sheet.check(
        "CO2 of a year: by tokens and by electricity",
        f"{tokens['kg']}*{work['tokens']}*{common['seconds']}*{case['used']}"
        f"/{common['million']}/{common['thousand']}",
        f"{year['tonnes']}",
        common["tolerance"],
    )
    sheet.check(
        "Tokens of the site by hand",
        f"{site['tokens']}",
        f"{site['gpus']}*{work['sold']}*{work['share']}*{common['seconds']}*{common['day']}",
        common["tolerance"],
    )
    sheet.check(
        "Change of cost per token by hand",
        f"{hardware['fall']}",
        f"{common['unit_cost']}/{common['performance']}-1",
        common["tolerance"],
    )
