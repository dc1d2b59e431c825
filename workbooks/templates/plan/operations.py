"""From demand to the operating result, in one column: a month of a scenario, or a case.

Nothing here looks at another column, so that a month can be computed anew with other inputs.
"""

from __future__ import annotations

from udfs.functions import (
    TOK_FLEET,
    TOK_FLEET_COST,
    TOK_PEAK_RATE,
    TOK_RAMP,
    TOK_REVENUE,
    TOK_SCURVE,
    TOK_TIERED_CHARGE,
)
from workbooks.authoring.layout import call
from workbooks.authoring.timeline import Grid
from workbooks.templates.load import PRODUCTS

REVENUES = tuple(f"{key}_revenue" for key in PRODUCTS)
COSTS = ("rented", "energy", "space_cost", "depreciation", "support_cost")
TEAM = ("rd_cost", "sales", "ga_cost")


def _years(rate: str) -> str:
    """Return the factor of an annual rate since the start."""
    return f"(1+{{{rate}}})^({{since}}/{{year_months}})"


def _requests(key: str, month: str) -> str:
    ramp = call(TOK_RAMP, f"{{{key}_start}}", "{growth}", month, f"{{{key}_limit}}")
    curve = call(TOK_SCURVE, f"{{{key}_limit}}*{{reach}}", month, f"{{{key}_midpoint}}",
                 f"{{{key}_rise}}")  # fmt: skip
    return f'IF({{{key}_curve}}="ramp",{ramp},{curve})'


def add_demand(grid: Grid) -> None:
    """Add requests, customers, and tokens sold."""
    grid.section("Demand")
    add_requests(grid)
    add_volume(grid)


def add_requests(grid: Grid) -> None:
    """Add requests of each product, and the customers that make them."""
    for key, name in PRODUCTS.items():
        grid.row(f"{key}_requests", f"{name}: requests", _requests(key, "{since}"), "a day",
                 "integer")  # fmt: skip
    before = "+".join(_requests(key, "MAX({since}-1,0)") for key in PRODUCTS)
    served = "+".join(f"{{{key}_requests}}" for key in PRODUCTS)
    grid.row("requests_before", "All requests, the month before", before, "a day", "integer")
    grid.row("customers_before", "Customers, the month before",
             "{requests_before}/{per_customer}", "", "integer")  # fmt: skip
    grid.row("customers_now", "Customers that ask so much", f"({served})/{{per_customer}}", "",
             "integer")  # fmt: skip
    grid.row("customers_won", "Customers won",
             "MAX(0,{customers_now}-{customers_before}*(1-{churn}))", "", "integer")  # fmt: skip


def add_volume(grid: Grid) -> None:
    """Add the tokens that the requests of a month are."""
    for key, name in PRODUCTS.items():
        grid.row(
            f"{key}_mtok", f"{name}: tokens sold",
            f"{{{key}_requests}}*{{month_days}}*({{{key}_in}}+{{{key}_out}})/{{million}}",
            "Mtok", "integer",
        )  # fmt: skip
    grid.total("mtok", "Tokens sold", [f"{key}_mtok" for key in PRODUCTS], (), "Mtok", "integer")


def add_fleet(grid: Grid) -> None:
    """Add the GPUs that the peak needs, and where they come from."""
    grid.section("Fleet")
    for key, name in PRODUCTS.items():
        rush = f"1+({{peak}}-1)*(1-{{{key}_batch}})"
        grid.row(f"{key}_peak", f"{name}: output tokens at the peak",
                 call(TOK_PEAK_RATE, f"{{{key}_requests}}", f"{{{key}_out}}", rush),
                 "tokens/s", "integer")  # fmt: skip
    for key, name in PRODUCTS.items():
        grid.row(f"{key}_replica", f"{name}: a replica serves",
                 f"{{{key}_rate}}*{_years('efficiency')}", "tokens/s", "integer")  # fmt: skip
    for key, name in PRODUCTS.items():
        grid.row(
            f"{key}_gpus", f"{name}: GPUs",
            call(TOK_FLEET, f"{{{key}_peak}}", f"{{{key}_replica}}", "{replica}", "{headroom}",
                 "{spare}"), "GPUs", "integer",
        )  # fmt: skip
    grid.total("gpus", "GPUs needed", [f"{key}_gpus" for key in PRODUCTS], (), "GPUs", "integer")
    age = "{month}-{order_month}-{lag}"
    grid.row(
        "owned",
        "GPUs owned and in use",
        f"SUMPRODUCT(({age}>=0)*({age}<{{life}})*{{order_gpus}})",
        "GPUs",
        "integer",
    )
    grid.row("reserved", "GPUs committed",
             "IF(AND({month}>={commit_from},{month}<={commit_to}),{committed},0)", "GPUs",
             "integer")  # fmt: skip
    grid.row("on_demand", "GPUs on demand", "MAX(0,{gpus}-{owned}-{reserved})", "GPUs", "integer")
    grid.row("idle", "GPUs paid for and not needed", "MAX(0,{owned}+{reserved}-{gpus})", "GPUs",
             "integer")  # fmt: skip


def add_result(grid: Grid) -> None:
    """Add the profit and loss account down to EBITDA."""
    grid.section("Prices")
    add_factor(grid)
    grid.section("Profit and loss")
    add_revenue(grid)
    add_capacity_cost(grid)
    add_profit(grid)


def add_factor(grid: Grid) -> None:
    """Add what the price of a month is of the list price at the start."""
    volume = "{mtok}/{customers_now}"
    charge = call(TOK_TIERED_CHARGE, volume, "{tier_from}", "{tier_price}")
    grid.row("tier", "Price after volume tiers", f"IF({{mtok}}>0,{charge}/({volume}),1)",
             "of list", "percent")  # fmt: skip
    grid.row("factor", "Price", f"{{price_level}}*{{tier}}*{_years('price_change')}",
             "of list at start", "percent")  # fmt: skip


def add_revenue(grid: Grid) -> None:
    """Add the revenue of each product and their sum."""
    for key, name in PRODUCTS.items():
        sides = (f"{{{key}_{side}}}" for side in ("in", "out"))
        prices = [f"{{{key}_{side}}}*{{factor}}" for side in ("in_price", "out_price")]
        grid.row(
            f"{key}_revenue", f"Revenue: {name.lower()}",
            call(TOK_REVENUE, f"{{{key}_requests}}*{{month_days}}", *sides, *prices,
                 f"{{{key}_cached}}", f"{{{key}_cached_price}}*{{factor}}", f"{{{key}_batch}}",
                 "{batch_discount}"), "USD",
        )  # fmt: skip
    grid.total("revenue", "Revenue", REVENUES)


def add_capacity_cost(grid: Grid) -> None:
    """Add what the GPUs cost that are rented, and those that are owned."""
    hour = f"{{gpu_price}}*{_years('gpu_change')}"
    grid.row("rented", "Rented GPUs",
             call(TOK_FLEET_COST, "{gpus}", hour, "{owned}", 0, "{reserved}", "{committed_usd}",
                  "{month_hours}"), "USD")  # fmt: skip
    grid.row(
        "energy",
        "Electricity of owned GPUs",
        "{owned}*{watts}/{thousand}*{pue}*{month_hours}*{usd_kwh}",
        "USD",
    )
    grid.row("space_cost", "Space and repair of owned GPUs", "{owned}*{space}", "USD")
    age = "{month}-{order_month}-{lag}"
    grid.row("depreciation", "Depreciation of GPUs",
             f"SUMPRODUCT(({age}>=0)*({age}<{{life}})*{{order_gpus}})*{{capex}}*(1-{{residual}})"
             "/{life}", "USD")  # fmt: skip


def add_profit(grid: Grid) -> None:
    """Add gross profit, the team and EBITDA."""
    grid.row("support_cost", "Support and hosting", "{revenue}*{support}", "USD")
    grid.total("gross_profit", "Gross profit", ("revenue",), COSTS)
    grid.row("rd_cost", "Research and development", f"{{rd}}*{_years('people')}", "USD")
    grid.row("sales", "Sales and marketing", "{customers_won}*{cac}", "USD")
    grid.row("ga_cost", "General and administration", f"{{ga}}*{_years('people')}", "USD")
    grid.total("ebitda", "EBITDA", ("gross_profit", "depreciation"), TEAM)


def add_purchases(grid: Grid) -> None:
    """Add what is paid for GPUs, and got for them at the end of their life."""
    grid.row("bought", "GPUs ordered and paid",
             "SUMPRODUCT(({month}={order_month})*{order_gpus})*{capex}", "USD")  # fmt: skip
    ended = "{month}={order_month}+{lag}+{life}-1"
    grid.row("sold", "GPUs sold at the end of life",
             f"SUMPRODUCT(({ended})*{{order_gpus}})*{{capex}}*{{residual}}", "USD")  # fmt: skip


def add_unit_economics(grid: Grid) -> None:
    """Add price, cost and margin of a million tokens, with the band of the serving estimate."""
    grid.section("A million tokens")
    add_margin(grid)
    add_band(grid)


def add_margin(grid: Grid) -> None:
    """Add price, cost and margin of a million tokens."""
    grid.row("usd_price", "Price", "IF({mtok}>0,{revenue}/{mtok},0)", "USD/Mtok", "price4")
    grid.row("usd_cost", "Cost", "IF({mtok}>0,({revenue}-{gross_profit})/{mtok},0)", "USD/Mtok",
             "price4")  # fmt: skip
    _margin(grid, "cost", "Gross margin")


def add_band(grid: Grid) -> None:
    """Add cost and margin at either end of the band of the serving estimate."""
    for end, name in (("low", "10th"), ("high", "90th")):
        shares = "+".join(f"{{{key}_gpus}}*{{{key}_{end}}}" for key in PRODUCTS)
        grid.row(
            f"usd_{end}", f"Cost at the {name} percentile of serving",
            # Demand of next to nothing is served by no GPU.
            "IF({mtok}*{gpus}>0,({support_cost}+({revenue}-{gross_profit}-{support_cost})"
            f"*({shares})/{{gpus}})/{{mtok}},{{usd_cost}})", "USD/Mtok", "price4",
        )  # fmt: skip
        _margin(grid, end, f"Gross margin at the {name} percentile")


def _margin(grid: Grid, key: str, label: str) -> None:
    # A price that is lost in the digits of its cost has no margin that a cell could hold.
    grid.row(f"margin_{key}", label,
             f"IF({{usd_price}}+{{usd_{key}}}>{{usd_{key}}},"
             f"({{usd_price}}-{{usd_{key}}})/{{usd_price}},0)",
             "of revenue", "percent")  # fmt: skip
