"""Which load runs on which offer of compute, where some are paid whether used or not."""

from __future__ import annotations

from udfs.functions import TOK_GPU_PRICE
from workbooks.authoring.layout import Book, Input, Ref, call
from workbooks.templates.broker.split import add_split
from workbooks.templates.sources import ASSUMED, RENTS, cite

# Load, what it needs [GPU-h/day], longest latency that it allows [s], note.
_LOADS = (
    ("Chat", 320, 0.1, "people wait for each word"),
    ("Agents", 260, 0.3, "steps that wait for each other"),
    ("Embeddings", 90, 1.0, "search over new documents"),
    ("Overnight batch", 430, 60.0, "must be ready in the morning"),
)

# Offer, capacity [GPU-h/day], price [USD/GPU-h] (none: on demand in the table of rents), paid at
# least [GPU-h/day], latency [s], source, note.
_OFFERS = (
    ("Cloud, on demand", 2000, None, 0, 0.05, RENTS, "an H100, median of the sellers"),
    ("Cloud, committed", 480, 2.40, 480, 0.05, ASSUMED, "a year's contract, paid in full"),
    ("Data centre of one's own", 192, 1.61, 192, 0.03, ASSUMED, "8 GPUs; see ownership"),
    ("Cloud, half committed", 600, 2.90, 300, 0.2, ASSUMED, "half is taken or paid for"),
    ("GPU marketplace", 400, 1.80, 0, 2.0, ASSUMED, "cheap and far away"),
)


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "broker",
        "Which load runs where?",
        "The cheapest split of several loads over offers of compute, some taken or paid for",
    )
    cite(book, RENTS, ASSUMED)
    loads, offers, common = _inputs(book)
    add_split(book, loads, offers, common)
    return book


def _inputs(book: Book) -> tuple[Ref, Ref, dict[str, Ref]]:
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "What is to be run, and what can be had; a load runs on offers that are fast enough for it",
        (30, 18, 18, 22, 18, 20, 46),
    )
    sheet.heading("Loads")
    loads = sheet.table(
        ("Load", "Demand\nGPU-h/day", "Longest latency\ns", "", "", "Source", "Note"),
        [(name, need, limit, None, None, ASSUMED, note) for name, need, limit, note in _LOADS],
        ("label", "input integer", "input number", "note", "note", "note", "note"),
        ("", "demand_of", "max_latency_of"),
    )
    sheet.heading("Offers")
    on_demand = call(TOK_GPU_PRICE, '"h100_sxm"')
    offers = sheet.table(
        ("Offer", "Capacity\nGPU-h/day", "Price\nUSD/GPU-h", "Paid at least\nGPU-h/day",
         "Latency\ns", "Source", "Note"),
        [
            (name, room, usd or f"={on_demand}", least, wait, source, note)
            for name, room, usd, least, wait, source, note in _OFFERS
        ],
        ("label", "input integer", "input price", "input integer", "input number", "note", "note"),
        ("", "capacity_of", "price_of", "minimum_of", "latency_of"),
    )  # fmt: skip
    sheet.heading("Units and tolerance")
    common = sheet.inputs(
        [
            Input("days", "Days in a year", 365, "days", "Convention", "", "integer"),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ],
        aside=5,
    )  # fmt: skip
    return loads, offers, common
