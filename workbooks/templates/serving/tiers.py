"""What tiers of quality, context, latency and throughput cost, and what they would sell for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udfs.functions import TOK_GROSS_MARGIN, TOK_SERVING_COST, TOK_TPOT
from workbooks.authoring.layout import Book, Chart, Line, Ref, Sheet, call
from workbooks.templates.sources import ASSUMED

# Tier, what it changes, model, GPUs of a replica, requests at once, tokens in and out, margin.
_TIERS = (
    ("Standard", "", "llama-3.1-70b", 2, 64, 1024, 1024, 0.4),
    ("Small model", "quality", "llama-3.1-8b", 1, 64, 1024, 1024, 0.4),
    ("Large model", "quality", "llama-3.1-405b", 8, 64, 1024, 1024, 0.4),
    ("Long context", "context", "llama-3.1-70b", 2, 8, 32768, 1024, 0.4),
    ("Fast", "latency", "llama-3.1-70b", 4, 8, 1024, 1024, 0.4),
    ("Overnight", "throughput", "llama-3.1-70b", 2, 256, 1024, 1024, 0.2),
)


def list_tiers(sheet: Sheet) -> Ref:
    """Add what defines each tier to the sheet of lists; return the table."""
    sheet.heading("Tiers of price")
    return sheet.table(
        ("Tier", "What it changes", "Model", "GPUs of a replica", "Requests at once",
         "Input tokens", "Output tokens", "Margin of the price", "Source"),
        [(*tier, ASSUMED) for tier in _TIERS],
        ("label", "note", "input", "input integer", "input integer", "input integer",
         "input integer", "input percent", "note"),
    )  # fmt: skip


def add_tiers(book: Book, case: Mapping[str, Ref], tiers: Ref) -> None:
    """Add the sheet of tiers: speed, cost, and the price at the margin wanted."""
    sheet = book.sheet(
        "Tiers",
        "Tiers of price",
        "On the accelerator, in the format and at the use of Inputs; the tiers stand on Lists",
        (22, 18, 24, 16, 14, 14, 16, 18, 18),
    )
    sheet.heading("What each tier costs")
    header = ("Tier", "What it changes", "Model", "Tokens/s of one user", "Input\nUSD/Mtok",
              "Output\nUSD/Mtok", "All tokens\nUSD/Mtok", "Price at its margin\nUSD/Mtok",
              "Over the first")  # fmt: skip
    for column, text in enumerate(header, start=1):
        sheet.put(sheet.row, column, text, "header")
    table = sheet.ref(sheet.row + 1, 1, tiers.rows, len(header))
    for i in range(tiers.rows):
        _add_tier(sheet, table, i, case, [tiers.at(i, column) for column in range(8)])
    sheet.row = table.row + tiers.rows + 1
    sheet.chart(
        Chart(
            "column",
            "Price of each tier at its margin, USD per million tokens",
            (Line("Price", table.part(7)),),
            categories=table.part(0),
            x_title="Tier",
            y_title="USD per million tokens",
            format='"$"0.00',
            width_cm=24,
        )
    )
    last = table.rows - 1
    sheet.check(
        "Margin of the last tier's price",
        call(TOK_GROSS_MARGIN, table.at(last, 7), table.at(last, 6)),
        f"{tiers.at(last, 7)}",
        case["tolerance"],
    )


def _add_tier(
    sheet: Sheet, table: Ref, i: int, case: Mapping[str, Ref], tier: Sequence[Ref]
) -> None:
    """Write one tier: its speed, its costs, the price that leaves its margin."""
    name, change, model, gpus, load, given, asked, margin = tier
    served = (model, case["accelerator"], load, given, asked, gpus, 1, 1, case["format"])
    row = table.row + i
    for column, formula in enumerate((f"={name}", f'={change}&""', f"={model}"), start=1):
        sheet.put(row, column, formula, "name")
    sheet.put(row, 4, f"=1/{call(TOK_TPOT, *served)}", "calc", "decimal")
    sheet.row = row
    costs = call(TOK_SERVING_COST, case["price"], case["utilisation"], *served)
    sheet.array(costs, 1, ("price",) * 3, header=False, column=5)
    cost, price = table.at(i, 6).local, table.at(i, 7).local
    sheet.put(row, 8, f"={cost}/(1-{margin})", "output", "price")
    sheet.put(row, 9, f"={price}/{sheet.ref(table.row, 8).local}", "calc", "multiple")
