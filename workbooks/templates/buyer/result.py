"""Which way is the cheapest, by how much, and from which volume GPUs pay."""

from __future__ import annotations

from udfs.functions import TOK_BLENDED_PRICE, TOK_SELF_HOST_VOLUME
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, Sheet, call
from workbooks.authoring.timeline import Grid
from workbooks.templates.load import PRODUCTS


def add_result(
    book: Book, given: dict[str, Ref], offers: Ref, grid: Grid, ways: tuple[str, ...]
) -> None:
    """Add the page of the result, and put it first."""
    sheet = book.sheet(
        "Result", "The cheapest way", "Over the months of Inputs, every answer accepted",
        (30, 18, 18, 18, 18, 20, 18),
    )  # fmt: skip
    book.sheets.insert(0, book.sheets.pop())
    sheet.heading("Each way")
    counts, factor = grid.ref("counts"), grid.ref("factor")
    body = sheet.ref(sheet.row + 1, 1, len(ways), 7)
    rows = []
    for i, key in enumerate(ways):
        cost, total = grid.ref(key), body.at(i, 1).local
        name = f"={offers.at(i, 0)}" if i < offers.rows else ("Rented GPUs", "One's own GPUs")[
            i - offers.rows
        ]  # fmt: skip
        rows.append((
            name,
            f"=SUMPRODUCT({cost},{counts})",
            f"={total}*(1-{given['tax']})",
            f"=SUMPRODUCT({cost},{counts},{factor})*(1-{given['tax']})",
            f"={total}/SUMPRODUCT({grid.ref('mtok')},{counts})",
            f"={body.at(i, 3).local}-MIN({body.part(3).local})",
            f"=COUNTIF({grid.ref('which')},ROWS({sheet.ref(body.row, 1, i + 1).plain}))",
        ))  # fmt: skip
    table = sheet.table(
        ("Way", "Cost\nUSD", "After tax\nUSD", "Present value\nUSD, after tax",
         "Of a million tokens\nUSD", "Above the cheapest\nUSD, present value",
         "Months in which it is the cheapest"),
        rows,
        ("name", "calc usd", "calc usd", "output usd", "output price", "calc usd",
         "calc integer"),
    )  # fmt: skip
    values = table.part(3).local
    found = sheet.results([
        Result("best", "Cheapest way",
               f"INDEX({table.part(0).local},MATCH(MIN({values}),{values},0))",
               "by present value, after tax", "text"),
        Result("saved", "Saved against the first way", f"{table.at(0, 3)}-MIN({values})",
               "USD, present value, after tax", "usd"),
    ])  # fmt: skip
    best, saved = found["best"], found["saved"]
    pays = _volume(sheet, given, offers)
    sheet.chart(
        Chart(
            "line", "Cost of each way by month",
            tuple(Line(table.at(i, 0), grid.ref(key)) for i, key in enumerate(ways)),
            categories=grid.ref("month"), x_title="Month", y_title="USD a month",
            format='"$"#,##0,"k"', width_cm=27,
        ), 18,
    )  # fmt: skip
    book.headline("Cheapest way over the months", best, "text", "present value, after tax")
    book.headline(f'="Saved against "&{table.at(0, 0)}', saved, "usd",
                  "USD, present value, after tax")  # fmt: skip
    book.headline("Volume from which a replica beats the open API", pays, "integer",
                  "Mtok a month, chat")  # fmt: skip
    _checks(sheet, given, offers, grid, table)


def _volume(sheet: Sheet, given: dict[str, Ref], offers: Ref) -> Ref:
    """Write, for each API, the volume of chat from which rented GPUs beat it."""
    sheet.heading("Volume of chat from which one rented replica beats the API")
    speed = f"{given['chat_rate']}*({given['chat_in']}+{given['chat_out']})/{given['chat_out']}"
    body = sheet.ref(sheet.row + 1, 1, offers.rows, 3)
    rows = []
    for i in range(offers.rows):
        price = call(
            TOK_BLENDED_PRICE, offers.at(i, 3), offers.at(i, 5), given["chat_in"],
            given["chat_out"], given["chat_cached"], offers.at(i, 4),
        )  # fmt: skip
        volume = call(
            TOK_SELF_HOST_VOLUME, body.at(i, 1).local, given["rent_hour"], speed,
            given["replica"], f"{given['staff_rent']}+{given['network']}",
        )  # fmt: skip
        rows.append((
            f"={offers.at(i, 0)}", f"={price}",
            f'=IF(ISERROR({volume}),"one replica cannot",{volume})',
        ))  # fmt: skip
    table = sheet.table(
        ("API", "Price of its tokens\nUSD/Mtok", "From\nMtok a month"), rows,
        ("name", "calc price", "output integer"),
    )  # fmt: skip
    return table.at(offers.rows - 1, 2)


def _checks(sheet: Sheet, given: dict[str, Ref], offers: Ref, grid: Grid, table: Ref) -> None:
    slack = given["tolerance"]
    sheet.check("Months in which a way is the cheapest are all months",
                f"SUM({table.part(6)})", f"COLUMNS({grid.ref('month')})", slack)  # fmt: skip
    sheet.check("Uses add up to the tokens", f"SUM({grid.ref('mtok')})",
                "+".join(f"SUM({grid.ref(f'{key}_mtok')})" for key in PRODUCTS), slack)  # fmt: skip
    sheet.check("One's own GPUs serve the peak in every month",
                f"SUMPRODUCT(({grid.ref('owned')}<{grid.ref('gpus')})*1)", "0", slack)  # fmt: skip
    bill = "+".join(
        f"SUMPRODUCT({grid.ref(f'{key}_requests')},{grid.ref('counts')})*{given['month_days']}"
        f"*({given[f'{key}_in']}*((1-{given[f'{key}_cached']})*{offers.at(0, 3)}"
        f"+{given[f'{key}_cached']}*{offers.at(0, 4)})+{given[f'{key}_out']}*{offers.at(0, 5)})"
        f"/{given['million']}*(1-{given[f'{key}_batch']}*{offers.at(0, 7)})"
        for key in PRODUCTS
    )
    asked = f"SUMPRODUCT({grid.ref('requests')},{grid.ref('counts')})*{given['month_days']}"
    sheet.check("Bill of the first API by hand", f"{table.at(0, 1)}",
                f"({bill}+{asked}*{given['review']})/{offers.at(0, 6)}", slack)  # fmt: skip
