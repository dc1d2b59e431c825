"""What must hold of a fleet, its revenue and its statements, wherever their rows stand."""

from __future__ import annotations

#: The GPUs suffice in every month, all together and by product; a peak of next to nothing needs no
#: replica, and the sum of a fleet beyond all measure loses its last digit.
FLEET = """
    the fleet serves the peak in every month | \
        SUMPRODUCT((owned + reserved + on_demand + tolerance * gpus < gpus) * 1) | 0
    let served = ({product}_gpus / replica + tolerance) * {product}_replica
    {name} is served at its peak | SUMPRODUCT((served < {product}_peak) * 1) | 0
"""

REVENUE = """
    products add up to revenue | SUM(revenue) | ADD(SUM({product}_revenue))
"""

#: The gap itself is noise of the last digits, and another in each program; ABS of a range gives an
#: array in some programs only.
STATEMENTS = """
    let size(row) = row * ((row >= 0) - (row < 0))
    let wide = size(gap) > tolerance * (1 + size(assets))
    months in which the balance sheet does not balance | SUMPRODUCT((wide) * 1) | 0
    cash is what the flows leave | INDEX(cash, COLUMNS(cash)) | cash_start + SUM(net_flow)
    costs and team add up to EBITDA | SUM(ebitda) | SUM(revenue) \
        - SUM(rented) - SUM(energy) - SUM(space_cost) - SUM(depreciation) - SUM(support_cost) \
        - SUM(rd_cost) - SUM(sales) - SUM(ga_cost) + SUM(depreciation)
    present value by NPV | SUM(present) | \
        NPV((1 + discount)^(1 / year_months) - 1, flow_to_value)
"""
