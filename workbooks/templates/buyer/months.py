"""What each way costs, month by month."""

from __future__ import annotations

from udfs.functions import (
    TOK_COST_PER_ACCEPTED,
    TOK_FLEET,
    TOK_FLEET_COST,
    TOK_OWNED_GPU_HOUR,
    TOK_PEAK_RATE,
    TOK_RAMP,
    TOK_REVENUE,
)
from workbooks.authoring.layout import Book, Ref, call
from workbooks.authoring.timeline import Grid, months
from workbooks.templates.load import PRODUCTS

MONTHS = 36


def add_months(book: Book, given: dict[str, Ref], offers: Ref) -> tuple[Grid, tuple[str, ...]]:
    """Add the sheet of months; return it and the keys of the ways, the APIs first."""
    sheet = book.sheet("Months", "Month by month", "What an accepted answer takes is in", (),
                       long=True)  # fmt: skip
    grid = months(sheet, MONTHS, given["first_day"], given["year_months"], given)
    _demand(grid)
    _fleet(grid)
    grid.section("Cost of all accepted answers, USD")
    apis = tuple(f"api_{i + 1}" for i in range(offers.rows))
    for i, key in enumerate(apis):
        grid.row(key, f"={offers.at(i, 0)}", _api(offers, i), "USD", role="output")
    own = "{own_accepted}"
    grid.row(
        "rented",
        "Rented GPUs",
        _accepted("({rent_bill}+{staff_rent}+{network})", own),
        "USD",
        role="output",
    )
    grid.row(
        "owned_cost",
        "One's own GPUs",
        _accepted("({own_bill}+{staff_own}+{network})", own),
        "USD",
        role="output",
    )
    ways = (*apis, "rented", "owned_cost")
    first, last = f"{{{ways[0]}}}", f"{{{ways[-1]}}}"
    grid.section("The cheapest")
    grid.row("least", "Cost of the cheapest way", f"MIN({first}:{last})", "USD", role="output")
    grid.row("which", "Number of the cheapest way", f"MATCH({{least}},{first}:{last},0)", "",
             "integer")  # fmt: skip
    grid.row("saved", "Cheaper than the first API by", f"{first}-{{least}}", "USD")
    grid.row("counts", "Counts in the comparison", "IF({month}<={months},1,0)", "", "integer")
    grid.row("factor", "Discount factor", "1/(1+{discount})^({month}/{year_months})", "", "ratio")
    return grid, ways


def _demand(grid: Grid) -> None:
    grid.section("What is asked")
    for key, name in PRODUCTS.items():
        grid.row(f"{key}_requests", f"{name}: requests",
                 call(TOK_RAMP, f"{{{key}_start}}", f"{{{key}_growth}}", "{since}"), "a day",
                 "integer")  # fmt: skip
    for key, name in PRODUCTS.items():
        each = f"({{{key}_in}}+{{{key}_out}})/{{million}}"
        grid.row(f"{key}_mtok", f"{name}: tokens", f"{{{key}_requests}}*{{month_days}}*{each}",
                 "Mtok", "integer")  # fmt: skip
    grid.total("mtok", "Tokens", [f"{key}_mtok" for key in PRODUCTS], (), "Mtok", "integer")
    grid.total("requests", "Requests", [f"{key}_requests" for key in PRODUCTS], (), "a day",
               "integer")  # fmt: skip


def _fleet(grid: Grid) -> None:
    """Add the GPUs that serve it within the limits, rented or bought as they are needed."""
    grid.section("GPUs")
    for key, name in PRODUCTS.items():
        rush = f"1+({{peak}}-1)*(1-{{{key}_batch}})"
        peak = call(TOK_PEAK_RATE, f"{{{key}_requests}}", f"{{{key}_out}}", rush)
        grid.row(f"{key}_gpus", f"{name}: GPUs",
                 call(TOK_FLEET, peak, f"{{{key}_rate}}", "{replica}", "{headroom}", "{spare}"),
                 "GPUs", "integer")  # fmt: skip
    grid.total("gpus", "GPUs needed", [f"{key}_gpus" for key in PRODUCTS], (), "GPUs", "integer")
    grid.corkscrew(
        "owned",
        "GPUs of one's own",
        "0*{replica}",
        {"bought": ("Bought", "MAX(0,{gpus}-{owned_opening})")},
        {},
        "GPUs",
        "integer",
    )
    grid.row(
        "rent_bill",
        "Bill of rented GPUs",
        call(TOK_FLEET_COST, "{gpus}", "{rent_hour}", 0, 0, 0, 0, "{month_hours}"),
        "USD",
    )
    hour = call(TOK_OWNED_GPU_HOUR, "{capex}", "{life}", "{capex}*{residual}", "{discount}",
                "{watts}", "{pue}", "{usd_kwh}", "{opex}")  # fmt: skip
    grid.row(
        "own_bill",
        "Bill of one's own GPUs",
        f"{{owned}}*{{month_hours}}*{hour}",
        "USD",
    )


def _api(offers: Ref, i: int) -> str:
    prices = [str(offers.at(i, c)) for c in (3, 5)]
    cached, accepted, off = (str(offers.at(i, c)) for c in (4, 6, 7))
    bills = [
        call(TOK_REVENUE, f"{{{key}_requests}}*{{month_days}}", f"{{{key}_in}}", f"{{{key}_out}}",
             *prices, f"{{{key}_cached}}", cached, f"{{{key}_batch}}", off)
        for key in PRODUCTS
    ]  # fmt: skip
    return _accepted(f"({'+'.join(bills)})", accepted)


def _accepted(cost: str, share: str) -> str:
    """Return the cost until every answer is accepted: refused ones are asked again."""
    return call(TOK_COST_PER_ACCEPTED, cost, share, "{requests}*{month_days}*{review}")
