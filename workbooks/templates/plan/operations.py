"""From demand to the operating result, in one column: a month of a scenario, or a case.

Nothing here looks at another column, so that a month can be computed anew with other inputs.
"""

from __future__ import annotations

REQUESTS = """
    let asked(when) = IF({product}_curve = "ramp", \
        TOK_RAMP({product}_start, growth, when, {product}_limit), \
        TOK_SCURVE({product}_limit * reach, when, {product}_midpoint, {product}_rise))
    {product}_requests | {Name}: requests | a day | asked(since)
    requests_before | All requests, the month before | a day | ADD(asked(MAX(since - 1, 0)))
    customers_before | Customers, the month before | | requests_before / per_customer
    customers_now | Customers that ask so much | | (ADD({product}_requests)) / per_customer
    customers_won | Customers won | | MAX(0, customers_now - customers_before * (1 - churn))
"""

VOLUME = """
    {product}_mtok | {Name}: tokens sold | Mtok | \
        {product}_requests * month_days * ({product}_in + {product}_out) / million
    mtok | Tokens sold | Mtok | = ADD({product}_mtok)
"""

FLEET = """
    # Fleet
    {product}_peak | {Name}: output tokens at the peak | tokens/s | \
        TOK_PEAK_RATE({product}_requests, {product}_out, 1 + (peak - 1) * (1 - {product}_batch))
    {product}_replica | {Name}: a replica serves | tokens/s | {product}_rate * efficiency.grown
    {product}_gpus | {Name}: GPUs | GPUs | \
        TOK_FLEET({product}_peak, {product}_replica, replica, headroom, spare)
    gpus | GPUs needed | GPUs | = ADD({product}_gpus)
    let age = month - order_month - lag
    owned | GPUs owned and in use | GPUs | SUMPRODUCT((age >= 0) * (age < life) * order_gpus)
    reserved | GPUs committed | GPUs | \
        IF(AND(month >= commit_from, month <= commit_to), committed, 0)
    on_demand | GPUs on demand | GPUs | MAX(0, gpus - owned - reserved)
    idle | GPUs paid for and not needed | GPUs | MAX(0, owned + reserved - gpus)
"""

#: What the price of a month is of the list price at the start.
FACTOR = """
    let volume = mtok / customers_now
    tier | Price after volume tiers | of list | \
        IF(mtok > 0, TOK_TIERED_CHARGE(volume, tier_from, tier_price) / (volume), 1)
    factor | Price | of list at start | price_level * tier * price_change.grown
"""

REVENUE = """
    {product}_revenue | Revenue: {name} | USD | \
        TOK_REVENUE({product}_requests * month_days, {product}_in, {product}_out, \
        {product}_in_price * factor, {product}_out_price * factor, \
        {product}_cached, {product}_cached_price * factor, {product}_batch, batch_discount)
    revenue | Revenue | USD | = ADD({product}_revenue)
"""

#: What the GPUs cost that are rented, and those that are owned.
CAPACITY = """
    rented | Rented GPUs | USD | TOK_FLEET_COST(gpus, gpu_price * gpu_change.grown, \
        owned, 0, reserved, committed_usd, month_hours)
    energy | Electricity of owned GPUs | USD | \
        owned * watts / thousand * pue * month_hours * usd_kwh
    space_cost | Space and repair of owned GPUs | USD | owned * space
    let age = month - order_month - lag
    depreciation | Depreciation of GPUs | USD | \
        SUMPRODUCT((age >= 0) * (age < life) * order_gpus) * capex * (1 - residual) / life
"""

PROFIT = """
    support_cost | Support and hosting | USD | revenue * support
    gross_profit | Gross profit | USD | \
        = revenue - rented - energy - space_cost - depreciation - support_cost
    rd_cost | Research and development | USD | rd * people.grown
    sales | Sales and marketing | USD | customers_won * cac
    ga_cost | General and administration | USD | ga * people.grown
    ebitda | EBITDA | USD | = gross_profit + depreciation - rd_cost - sales - ga_cost
"""

#: What is paid for GPUs, and got for them at the end of their life.
PURCHASES = """
    bought | GPUs ordered and paid | USD | SUMPRODUCT((month = order_month) * order_gpus) * capex
    sold | GPUs sold at the end of life | USD | \
        SUMPRODUCT((month = order_month + lag + life - 1) * order_gpus) * capex * residual
"""

# A price that is lost in the digits of its cost has no margin that a cell could hold.
_MARGIN = """
    let margin(cost) = IF(usd_price + cost > cost, (usd_price - cost) / usd_price, 0)
"""

#: Price, cost and margin of a million tokens.
MARGIN = (
    _MARGIN
    + """
    usd_price | Price | USD/Mtok | IF(mtok > 0, revenue / mtok, 0)
    usd_cost | Cost | USD/Mtok | IF(mtok > 0, (revenue - gross_profit) / mtok, 0)
    margin_cost | Gross margin | of revenue | margin(usd_cost)
"""
)

#: The same at either end of the serving estimate's band. No GPU serves demand of next to nothing.
BAND = (
    _MARGIN
    + """
    let at(serving) = IF(mtok * gpus > 0, (support_cost \
        + (revenue - gross_profit - support_cost) * (serving) / gpus) / mtok, usd_cost)
    usd_low | Cost at the 10th percentile of serving | USD/Mtok | \
        at(ADD({product}_gpus * {product}_low))
    margin_low | Gross margin at the 10th percentile | of revenue | margin(usd_low)
    usd_high | Cost at the 90th percentile of serving | USD/Mtok | \
        at(ADD({product}_gpus * {product}_high))
    margin_high | Gross margin at the 90th percentile | of revenue | margin(usd_high)
"""
)

#: All of it, as a month and a case have it.
OPERATIONS = (
    *("# Demand", REQUESTS, VOLUME, FLEET, "# Prices", FACTOR),
    *("# Profit and loss", REVENUE, CAPACITY, PROFIT),
)
UNIT_ECONOMICS = ("# A million tokens", MARGIN, BAND)
