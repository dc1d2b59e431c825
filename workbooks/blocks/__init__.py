"""The blocks that a workbook of one's own is made of: rows of `plan`, in one scenario.

A block has a sheet of months. What its formulas name and its rows do not give is linked to where
another block has it, else it is an input of the block's own. All that stands on its sheets has a
name, `fleet_gpus`, by which a later block finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workbooks.authoring.comparisons import Places, add_checks
from workbooks.authoring.layout import Book, Ref, Sheet
from workbooks.authoring.timeline import Grid
from workbooks.templates.load import PRODUCTS, add_serving
from workbooks.templates.plan import checks
from workbooks.templates.plan.operations import (
    BAND,
    CAPACITY,
    FACTOR,
    FLEET,
    MARGIN,
    PROFIT,
    PURCHASES,
    REQUESTS,
    REVENUE,
    VOLUME,
)
from workbooks.templates.plan.statements import BALANCE, CASH, TAX


@dataclass(frozen=True)
class Block:
    """A sheet of months, what stands before it, and what must hold of it."""

    #: What it has, in one line.
    line: str
    rows: tuple[str, ...]
    checks: str
    #: Adds a sheet that gives the rows more to name.
    before: Callable[[Book, Mapping[str, Ref]], dict[str, Ref]] | None = None
    #: Rows that hang on the serving estimate, which only a fleet has.
    served: tuple[str, ...] = ()

    def add_rows(self, grid: Grid) -> None:
        """Add its rows to a sheet of months."""
        grid.lines(PRODUCTS, *self.rows, *(self.served if "chat_low" in grid.given else ()))

    def check(self, sheet: Sheet, before: str, place: Places) -> None:
        """Add what must hold of its rows, wherever they stand."""
        add_checks(sheet, before, place, PRODUCTS, self.checks)


#: Every block but the checks, in the order in which one feeds the next.
BLOCKS: Mapping[str, Block] = {
    "fleet": Block(
        "demand by product, what a GPU serves, GPUs needed, owned and rented, and their cost",
        ("# Demand", REQUESTS, FLEET, "# Cost of the fleet", CAPACITY, PURCHASES),
        checks.FLEET, add_serving,
    ),
    "prices": Block(
        "tokens sold, price with tiers and its change, revenue by product",
        ("# Tokens and price", VOLUME, FACTOR, "# Revenue", REVENUE), checks.REVENUE,
    ),
    "statements": Block(
        "profit and loss, balance sheet and cash flow, by month and by year",
        ("# Profit and loss", PROFIT, TAX, "# Working capital, assets and equity", BALANCE, CASH,
         "# A million tokens", MARGIN), checks.STATEMENTS, served=(BAND,),
    ),
}  # fmt: skip
CHECKS = "checks"
#: What can be chosen, in one line each.
LINES: Mapping[str, str] = {
    **{name: block.line for name, block in BLOCKS.items()},
    CHECKS: "what must hold of the blocks, inputs within their limits, no error on any sheet",
}
