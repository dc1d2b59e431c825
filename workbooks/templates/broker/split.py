"""The split: what each offer gives to each load, what that costs, and what goes unused."""

from __future__ import annotations

from udfs.functions import TOK_ALLOCATE_LOADS
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, Sheet, call


def add_split(book: Book, loads: Ref, offers: Ref, common: dict[str, Ref]) -> None:
    """Add the sheet of the split."""
    sheet = book.sheet(
        "Split",
        "The cheapest split",
        "All loads together: what is paid for anyway is used first, where it is fast enough",
        (36, *(17,) * offers.rows, 17, 17),
    )
    sheet.heading("What each offer gives to each load, GPU-h/day")
    across = sheet.ref(sheet.row, 2, 1, offers.rows)
    sheet.put(sheet.row, 1, "Load", "header")
    for j in range(offers.rows):
        sheet.put(sheet.row, 2 + j, f"={offers.at(j, 0)}", "header")
    for column, text in enumerate(("Served\nGPU-h/day", "Price of its hours\nUSD/GPU-h")):
        sheet.put(sheet.row, 2 + offers.rows + column, text, "header")
    top = sheet.row + 1
    demands, limits = loads.part(1), loads.part(2)
    capacity, price, minimum, latency = (offers.part(column) for column in (1, 2, 3, 4))
    for i in range(loads.rows):
        sheet.put(top + i, 1, f"={loads.at(i, 0)}", "name")
    sheet.row = top
    grid = sheet.array(
        call(TOK_ALLOCATE_LOADS, demands, capacity, price, minimum, latency, limits),
        loads.rows,
        ("integer",) * offers.rows,
        header=False,
        column=2,
        role="output",
    )
    table = _by_offer(sheet, grid, offers)
    paid_price = table.part(1)
    for i in range(loads.rows):
        row = sheet.ref(top + i, 2, 1, offers.rows).local
        served = sheet.put(top + i, 2 + offers.rows, f"=SUM({row})", "calc", "integer")
        hours = "+".join(f"{grid.at(i, j).local}*{price.at(j)}" for j in range(offers.rows))
        sheet.put(
            top + i, 3 + offers.rows,
            f'=IF({served.local}>0,({hours})/{served.local},"")', "calc", "price",
        )  # fmt: skip
    sheet.chart(
        Chart(
            "stacked",
            "GPU-hours a day that each offer gives, by load",
            tuple(
                Line(sheet.ref(top + i, 1), sheet.ref(top + i, 2, 1, offers.rows))
                for i in range(loads.rows)
            ),
            categories=across,
            x_title="Offer",
            y_title="GPU-hours a day",
            format="#,##0",
            width_cm=28,
        )
    )
    sheet.heading("What it costs")
    every = f"SUM({demands})"
    found = sheet.results(
        [
            Result("bill", "Bill of the split", f"SUM({table.part(5).local})", "USD/day", "usd",
                   "what is paid for at least included"),
            Result("mean", "Mean price of an hour that is used", f"{{bill}}/{every}", "USD/GPU-h",
                   "price"),
            Result("unused", "Paid and not used",
                   f"SUMPRODUCT({table.part(6).local},{paid_price.local})", "USD/day", "usd"),
            Result("first", "All of it from the first offer", f"{every}*{price.at(0)}", "USD/day",
                   "usd", "were it large and fast enough; commitments not counted"),
            Result("saved", "Saved by the split", "1-{bill}/{first}", "", "percent"),
            Result("year", "Bill of a year", f"{{bill}}*{common['days']}", "USD/year", "usd"),
        ]
    )  # fmt: skip
    book.names["bill_a_day"], book.names["unused_a_day"] = found["bill"], found["unused"]
    book.headline("Bill of the cheapest split", found["bill"], "usd", "USD a day")
    book.headline("Saved against the first offer alone", found["saved"], "percent", "of its bill")
    book.headline("Paid and not used", found["unused"], "usd", "USD a day")
    _check(sheet, grid, loads, offers, found, common["tolerance"])


def _by_offer(sheet: Sheet, grid: Ref, offers: Ref) -> Ref:
    """Write what of each offer is used, paid and unused; return the table."""
    sheet.heading("By offer")
    body = sheet.ref(sheet.row + 1, 1, offers.rows, 7)
    rows = []
    for j in range(offers.rows):
        price, used, least, paid = (body.at(j, c).local for c in (1, 2, 3, 4))
        rows.append(
            (
                f"={offers.at(j, 0)}",
                f"={offers.at(j, 2)}",
                f"=SUM({grid.part(j).local})",
                f"={offers.at(j, 3)}",
                f"=MAX({used},{least})",
                f"={paid}*{price}",
                f"={paid}-{used}",
            )
        )
    return sheet.table(
        ("Offer", "Price\nUSD/GPU-h", "Used\nGPU-h/day", "Paid at least\nGPU-h/day",
         "Paid\nGPU-h/day", "Bill\nUSD/day", "Paid, unused\nGPU-h/day"),
        rows,
        ("name", "link price", "calc integer", "link integer", "calc integer", "output usd",
         "calc integer"),
    )  # fmt: skip


def _check(
    sheet: Sheet,
    grid: Ref,
    loads: Ref,
    offers: Ref,
    found: dict[str, Ref],
    tolerance: Ref,
) -> None:
    """Hold the split to what it must keep, computed from its cells alone."""
    sheet.check("Every load is served, all together", f"SUM({grid})", f"SUM({loads.part(1)})",
                tolerance)  # fmt: skip
    cells = [(i, j) for i in range(loads.rows) for j in range(offers.rows)]
    late = "+".join(f"IF({offers.at(j, 4)}>{loads.at(i, 2)},{grid.at(i, j)},0)" for i, j in cells)
    sheet.check("No load on an offer too slow for it", late, "0", tolerance)
    beyond = "+".join(
        f"MAX(SUM({grid.part(j)})-{offers.at(j, 1)}*(1+{tolerance}),0)" for j in range(offers.rows)
    )
    sheet.check("No offer beyond its capacity", beyond, "0", tolerance)
    bill = "+".join(
        f"MAX(SUM({grid.part(j)}),{offers.at(j, 3)})*{offers.at(j, 2)}" for j in range(offers.rows)
    )
    sheet.check("Bill by hand", f"{found['bill']}", bill, tolerance)
