"""The blocks that a workbook of one's own is made of: rows of `plan`, in one scenario.

A block has a sheet of months. What its formulas name and its rows do not give is linked to where
another block has it, else it is an input of the block's own. All that stands on its sheets has a
name, `fleet_gpus`, by which a later block finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workbooks.authoring.layout import Book, Ref, Sheet
from workbooks.authoring.timeline import Grid
from workbooks.templates.load import add_serving
from workbooks.templates.plan.checks import Places, check_fleet, check_revenue, check_statements
from workbooks.templates.plan.operations import (
    add_band,
    add_capacity_cost,
    add_factor,
    add_fleet,
    add_margin,
    add_profit,
    add_purchases,
    add_requests,
    add_revenue,
    add_volume,
)
from workbooks.templates.plan.statements import add_balance, add_cash, add_tax


def _fleet(grid: Grid) -> None:
    grid.section("Demand")
    add_requests(grid)
    add_fleet(grid)
    grid.section("Cost of the fleet")
    add_capacity_cost(grid)
    add_purchases(grid)


def _prices(grid: Grid) -> None:
    grid.section("Tokens and price")
    add_volume(grid)
    add_factor(grid)
    grid.section("Revenue")
    add_revenue(grid)


def _statements(grid: Grid) -> None:
    grid.section("Profit and loss")
    add_profit(grid)
    grid.section("Interest and tax")
    add_tax(grid)
    grid.section("Working capital, assets and equity")
    add_balance(grid)
    add_cash(grid)
    grid.section("A million tokens")
    add_margin(grid)
    if "chat_low" in grid.given:
        # The band hangs on the serving estimate, which only a fleet has.
        add_band(grid)


@dataclass(frozen=True)
class Block:
    """A sheet of months, what stands before it, and what must hold of it."""

    #: What it has, in one line.
    line: str
    rows: Callable[[Grid], None]
    check: Callable[[Sheet, str, Places], None]
    #: Adds a sheet that gives the rows more to name.
    before: Callable[[Book, Mapping[str, Ref]], dict[str, Ref]] | None = None


#: Every block but the checks, in the order in which one feeds the next.
BLOCKS: Mapping[str, Block] = {
    "fleet": Block(
        "demand by product, what a GPU serves, GPUs needed, owned and rented, and their cost",
        _fleet, check_fleet, add_serving,
    ),
    "prices": Block(
        "tokens sold, price with tiers and its change, revenue by product",
        _prices, check_revenue,
    ),
    "statements": Block(
        "profit and loss, balance sheet and cash flow, by month and by year",
        _statements, check_statements,
    ),
}  # fmt: skip
CHECKS = "checks"
#: What can be chosen, in one line each.
LINES: Mapping[str, str] = {
    **{name: block.line for name, block in BLOCKS.items()},
    CHECKS: "what must hold of the blocks, inputs within their limits, no error on any sheet",
}
