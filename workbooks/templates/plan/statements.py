"""Money month by month: tax, balance sheet, cash flow and value of one scenario."""

from __future__ import annotations

from udfs.functions import TOK_SUBSIDY
from workbooks.authoring.layout import Book, Ref, call
from workbooks.authoring.timeline import Grid, months
from workbooks.templates.load import PRODUCTS
from workbooks.templates.plan.inputs import MONTHS
from workbooks.templates.plan.operations import (
    COSTS,
    REVENUES,
    TEAM,
    add_demand,
    add_fleet,
    add_purchases,
    add_result,
    add_unit_economics,
)

_PAID = ("rented", "energy", "space_cost", "support_cost", *TEAM)
#: Lines of the yearly statements: key, label, format, kind (see `by_year`).
LINES = (
    ("", "Profit and loss, USD", "", "heading"),
    *((key, PRODUCTS[key.split("_")[0]], "usd", "flow") for key in REVENUES),
    ("revenue", "Revenue", "usd", "flow total"),
    ("rented", "Rented GPUs", "usd", "flow"),
    ("energy", "Electricity", "usd", "flow"),
    ("space_cost", "Space and repair", "usd", "flow"),
    ("support_cost", "Support and hosting", "usd", "flow"),
    ("depreciation", "Depreciation", "usd", "flow"),
    ("gross_profit", "Gross profit", "usd", "flow total"),
    ("rd_cost", "Research and development", "usd", "flow"),
    ("sales", "Sales and marketing", "usd", "flow"),
    ("ga_cost", "General and administration", "usd", "flow"),
    ("ebitda", "EBITDA", "usd", "flow total"),
    ("interest_cost", "Interest", "usd", "flow"),
    ("profit", "Profit before tax", "usd", "flow"),
    ("tax_cost", "Tax", "usd", "flow"),
    ("net", "Net profit", "usd", "flow total"),
    ("", "Balance sheet at the end of the year, USD", "", "heading"),
    ("cash", "Cash", "usd", "level"),
    ("receivables", "Receivables", "usd", "level"),
    ("assets_fixed", "GPUs, at cost less depreciation", "usd", "level"),
    ("assets", "Assets", "usd", "level total"),
    ("payables", "Payables", "usd", "level"),
    ("tax_owed", "Tax owed", "usd", "level"),
    ("loan", "Loan", "usd", "level"),
    ("paid_in", "Capital paid in", "usd", "level"),
    ("retained", "Profits kept", "usd", "level"),
    ("claims", "Liabilities and equity", "usd", "level total"),
    ("", "Cash flow, USD", "", "heading"),
    ("operating", "From operations", "usd", "flow"),
    ("investing", "For GPUs", "usd", "flow"),
    ("financing", "From funding", "usd", "flow"),
    ("net_flow", "Change of cash", "usd", "flow total"),
    ("", "Fleet and tokens", "", "heading"),
    ("mtok", "Tokens sold, Mtok", "integer", "flow"),
    ("gpus", "GPUs needed, last month", "integer", "level"),
    ("owned", "GPUs owned, last month", "integer", "level"),
    ("usd_price", "Price of a million tokens, last month", "price4", "level"),
    ("usd_cost", "Cost of a million tokens, last month", "price4", "level"),
    ("margin_cost", "Gross margin, last month", "percent", "level"),
)  # fmt: skip


def add_scenario(book: Book, name: str, given: dict[str, Ref]) -> Grid:
    """Add the sheet of one scenario: every row of the plan in each of its months."""
    sheet = book.sheet(
        name, f"{name}: month by month", "The same formula in every month of a row", (), long=True
    )
    grid = months(sheet, MONTHS, given["first_day"], given["year_months"], given)
    add_demand(grid)
    grid.corkscrew(
        "customers", "Customers", "{customers_before.first}",
        {"won": ("Won", "{customers_won}")},
        {"lost": ("Lost", "{customers_opening}+{won}-{customers_now}")}, "", "integer",
    )  # fmt: skip
    add_fleet(grid)
    add_result(grid)
    grid.section("Interest and tax")
    add_tax(grid)
    grid.section("Working capital, assets and equity")
    add_purchases(grid)
    add_balance(grid)
    add_cash(grid)
    add_unit_economics(grid)
    _growth_paid_for(grid)
    return grid


def add_tax(grid: Grid) -> None:
    """Add the loan, interest, losses carried forward, tax and net profit."""
    due = "{month}-{debt_month}-{debt_grace}"
    grid.corkscrew(
        "loan", "Loan", "0*{debt}",
        {"drawn": ("Drawn", "IF({month}={debt_month},{debt},0)")},
        {"repaid": ("Repaid",
                    f"IF(AND({due}>=1,{due}<={{debt_term}}),"
                    "MIN({loan_opening},{debt}/{debt_term}),0)")},
    )  # fmt: skip
    grid.row("interest_cost", "Interest", "{loan_opening}*{interest}/{year_months}", "USD")
    grid.total("profit", "Profit before tax", ("ebitda",), ("depreciation", "interest_cost"))
    grid.corkscrew(
        "losses", "Losses carried forward", "0*{debt}",
        {"lost_now": ("Loss of the month", "MAX(0,-{profit})")},
        {"used": ("Set against profit", "MIN({losses_opening},MAX(0,{profit}))")},
    )  # fmt: skip
    grid.row("tax_cost", "Tax", "(MAX(0,{profit})-{used})*{tax}", "USD")
    grid.total("net", "Net profit", ("profit",), ("tax_cost",))


def add_balance(grid: Grid) -> None:
    """Add what the balance sheet is made of, but for cash."""
    grid.corkscrew(
        "assets_fixed", "GPUs at book value", "0*{cash_start}",
        {"bought": ("", "")}, {"depreciation": ("", ""), "sold": ("", "")},
    )  # fmt: skip
    grid.row("receivables", "Receivables", "{revenue}*{dso}/{month_days}", "USD",
             opening="0*{dso}")  # fmt: skip
    grid.row("payables", "Payables",
             f"({'+'.join(f'{{{key}}}' for key in _PAID)})*{{dpo}}/{{month_days}}", "USD",
             opening="0*{dpo}")  # fmt: skip
    grid.corkscrew(
        "tax_owed", "Tax owed", "0*{tax}", {"tax_cost": ("", "")},
        {"tax_paid": ("Paid", "{tax_owed_opening}")},
    )  # fmt: skip
    rounds = "SUMPRODUCT(({month}={round_month})*{round_usd})"
    grid.corkscrew("paid_in", "Capital paid in", "{cash_start}", {"raised": ("Raised", rounds)}, {})
    grid.corkscrew("retained", "Profits kept", "0*{cash_start}", {"net": ("", "")}, {})


def add_cash(grid: Grid) -> None:
    """Add cash flow, balance sheet and value."""
    grid.section("Cash flow")
    grid.row(
        "more_owed",
        "Rise of payables and tax owed",
        "{payables}-{payables.before}+{tax_owed}-{tax_owed.before}",
        "USD",
    )
    grid.row("more_claimed", "Rise of receivables", "{receivables}-{receivables.before}", "USD")
    grid.total("operating", "From operations", ("net", "depreciation", "more_owed"),
               ("more_claimed",))  # fmt: skip
    grid.total("investing", "For GPUs", ("sold",), ("bought",))
    grid.total("financing", "From funding", ("raised", "drawn"), ("repaid",))
    grid.total("net_flow", "Change of cash", ("operating", "investing", "financing"))
    grid.corkscrew("cash", "Cash", "{cash_start}", {"net_flow": ("", "")}, {})
    grid.section("Balance sheet")
    grid.total("assets", "Assets", ("cash", "receivables", "assets_fixed"))
    grid.total("claims", "Liabilities and equity",
               ("payables", "tax_owed", "loan", "paid_in", "retained"))  # fmt: skip
    grid.row("gap", "Assets less liabilities and equity", "{assets}-{claims}", "USD")
    grid.section("Value")
    grid.total("free_cash", "Cash flow before funding and interest",
               ("operating", "investing", "interest_cost"))  # fmt: skip
    last = "SUMIF({year.all},{year},{ebitda.all})"
    grid.row(
        "end_value",
        "Value at the end",
        f"IF({{month}}=MAX({{month.all}}),MAX(0,{last})*{{multiple}},0)",
        "USD",
    )
    grid.total("flow_to_value", "Flow that is valued", ("free_cash", "end_value"))
    grid.row(
        "present", "Present value", "{flow_to_value}/(1+{discount})^({month}/{year_months})", "USD"
    )


def _growth_paid_for(grid: Grid) -> None:
    grid.row(
        "subsidy",
        "Lost on each million sold",
        call(TOK_SUBSIDY, "{usd_price}", "{usd_cost}"),
        "USD/Mtok",
        "margin",
    )
    grid.row(
        "cost_of_growth",
        "Subsidy and sales cost of a customer won",
        "IF({customers_won}>0,({sales}+MAX(0,{subsidy})*{mtok})/{customers_won},0)",
        "USD",
    )


assert set(COSTS) - {"depreciation"} < set(_PAID)
