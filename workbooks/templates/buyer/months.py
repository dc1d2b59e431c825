"""What each way costs, month by month."""

from __future__ import annotations

from udfs.functions import TOK_COST_PER_ACCEPTED, TOK_REVENUE
from workbooks.authoring.layout import Book, Ref, call
from workbooks.authoring.timeline import Grid, months
from workbooks.templates.load import PRODUCTS

MONTHS = 36


_DEMAND = """
    # What is asked
    {product}_requests | {Name}: requests | a day | \
        TOK_RAMP({product}_start, {product}_growth, since)
    {product}_mtok | {Name}: tokens | Mtok | \
        {product}_requests * month_days * ({product}_in + {product}_out) / million
    mtok | Tokens | Mtok | = ADD({product}_mtok)
    requests | Requests | a day | = ADD({product}_requests)
"""

#: The GPUs that serve it within the limits, rented or bought as they are needed.
_FLEET = """
    # GPUs
    let rush = 1 + (peak - 1) * (1 - {product}_batch)
    {product}_gpus | {Name}: GPUs | GPUs | \
        TOK_FLEET(TOK_PEAK_RATE({product}_requests, {product}_out, rush), \
        {product}_rate, replica, headroom, spare)
    gpus | GPUs needed | GPUs | = ADD({product}_gpus)
    owned | GPUs of one's own | GPUs | corkscrew 0 * replica
    + bought | Bought | GPUs | MAX(0, gpus - owned_opening)
    rent_bill | Bill of rented GPUs | USD | TOK_FLEET_COST(gpus, rent_hour, 0, 0, 0, 0, month_hours)
    own_bill | Bill of one's own GPUs | USD | owned * month_hours * TOK_OWNED_GPU_HOUR( \
        capex, life, capex * residual, discount, watts, pue, usd_kwh, opex)
"""

# Refused answers are asked again until every one is accepted.
_WAYS = """
    let asked = requests * month_days * review
    rented | Rented GPUs | USD | \
        = TOK_COST_PER_ACCEPTED((rent_bill + staff_rent + network), own_accepted, asked)
    owned_cost | One's own GPUs | USD | \
        = TOK_COST_PER_ACCEPTED((own_bill + staff_own + network), own_accepted, asked)
    # The cheapest
    least | Cost of the cheapest way | USD | = MIN(api_1:owned_cost)
    which | Number of the cheapest way | | MATCH(least, api_1:owned_cost, 0)
    saved | Cheaper than the first API by | USD | api_1 - least
    counts | Counts in the comparison | | IF(month <= months, 1, 0)
    factor | Discount factor | , ratio | 1 / (1 + discount)^(month / year_months)
"""


def add_months(book: Book, given: dict[str, Ref], offers: Ref) -> tuple[Grid, tuple[str, ...]]:
    """Add the sheet of months; return it and the keys of the ways, the APIs first."""
    sheet = book.sheet("Months", "Month by month", "What an accepted answer takes is in", (),
                       long=True)  # fmt: skip
    grid = months(sheet, MONTHS, given["first_day"], given["year_months"], given)
    grid.lines(PRODUCTS, _DEMAND, _FLEET, "# Cost of all accepted answers, USD")
    apis = tuple(f"api_{i + 1}" for i in range(offers.rows))
    for i, key in enumerate(apis):
        grid.row(key, f"={offers.at(i, 0)}", _api(offers, i), "USD", role="output")
    grid.lines(PRODUCTS, _WAYS)
    return grid, (*apis, "rented", "owned_cost")


def _api(offers: Ref, i: int) -> str:
    price, cached, dear, accepted, off = (offers.at(i, c) for c in (3, 4, 5, 6, 7))
    bills = [
        call(TOK_REVENUE, f"{key}_requests*month_days", f"{key}_in", f"{key}_out", price, dear,
             f"{key}_cached", cached, f"{key}_batch", off)
        for key in PRODUCTS
    ]  # fmt: skip
    asked = "requests*month_days*review"
    return call(TOK_COST_PER_ACCEPTED, f"({'+'.join(bills)})", accepted, asked)
