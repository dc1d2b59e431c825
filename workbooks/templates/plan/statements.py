"""Money month by month: tax, balance sheet, cash flow and value of one scenario."""

from __future__ import annotations

from workbooks.authoring.layout import Book, Ref
from workbooks.authoring.timeline import Grid, months
from workbooks.templates.load import PRODUCTS
from workbooks.templates.plan.inputs import MONTHS
from workbooks.templates.plan.operations import (
    CAPACITY,
    FACTOR,
    FLEET,
    PROFIT,
    PURCHASES,
    REQUESTS,
    REVENUE,
    UNIT_ECONOMICS,
    VOLUME,
)

_CUSTOMERS = """
    customers | Customers | | corkscrew customers_before.first
    + won | Won | | customers_won
    - lost | Lost | | customers_opening + won - customers_now
"""

#: The loan, losses carried forward, tax and net profit.
TAX = """
    # Interest and tax
    let due = month - debt_month - debt_grace
    loan | Loan | USD | corkscrew 0 * debt
    + drawn | Drawn | USD | IF(month = debt_month, debt, 0)
    - repaid | Repaid | USD | \
        IF(AND(due >= 1, due <= debt_term), MIN(loan_opening, debt / debt_term), 0)
    interest_cost | Interest | USD | loan_opening * interest / year_months
    profit | Profit before tax | USD | = ebitda - depreciation - interest_cost
    losses | Losses carried forward | USD | corkscrew 0 * debt
    + lost_now | Loss of the month | USD | MAX(0, -profit)
    - used | Set against profit | USD | MIN(losses_opening, MAX(0, profit))
    tax_cost | Tax | USD | (MAX(0, profit) - used) * tax
    net | Net profit | USD | = profit - tax_cost
"""

#: What the balance sheet is made of, but for cash.
BALANCE = """
    assets_fixed | GPUs at book value | USD | corkscrew 0 * cash_start
    + bought
    - depreciation
    - sold
    receivables | Receivables | USD | revenue * dso / month_days | 0 * dso
    let paid = rented + energy + space_cost + support_cost + rd_cost + sales + ga_cost
    payables | Payables | USD | (paid) * dpo / month_days | 0 * dpo
    tax_owed | Tax owed | USD | corkscrew 0 * tax
    + tax_cost
    - tax_paid | Paid | USD | tax_owed_opening
    paid_in | Capital paid in | USD | corkscrew cash_start
    + raised | Raised | USD | SUMPRODUCT((month = round_month) * round_usd)
    retained | Profits kept | USD | corkscrew 0 * cash_start
    + net
"""

CASH = """
    # Cash flow
    more_owed | Rise of payables and tax owed | USD | \
        payables - payables.before + tax_owed - tax_owed.before
    more_claimed | Rise of receivables | USD | receivables - receivables.before
    operating | From operations | USD | = net + depreciation + more_owed - more_claimed
    investing | For GPUs | USD | = sold - bought
    financing | From funding | USD | = raised + drawn - repaid
    net_flow | Change of cash | USD | = operating + investing + financing
    cash | Cash | USD | corkscrew cash_start
    + net_flow
    # Balance sheet
    assets | Assets | USD | = cash + receivables + assets_fixed
    claims | Liabilities and equity | USD | = payables + tax_owed + loan + paid_in + retained
    gap | Assets less liabilities and equity | USD | assets - claims
    # Value
    free_cash | Cash flow before funding and interest | USD | \
        = operating + investing + interest_cost
    end_value | Value at the end | USD | IF(month = MAX(month.all), \
        MAX(0, SUMIF(year.all, year, ebitda.all)) * multiple, 0)
    flow_to_value | Flow that is valued | USD | = free_cash + end_value
    present | Present value | USD | flow_to_value / (1 + discount)^(month / year_months)
"""

_GROWTH = """
    subsidy | Lost on each million sold | USD/Mtok, margin | TOK_SUBSIDY(usd_price, usd_cost)
    cost_of_growth | Subsidy and sales cost of a customer won | USD | \
        IF(customers_won > 0, (sales + MAX(0, subsidy) * mtok) / customers_won, 0)
"""

#: Lines of the yearly statements.
LINES = """
    # Profit and loss, USD
    {product}_revenue | {Name} | usd flow
    revenue | Revenue | usd flow total
    rented | Rented GPUs | usd flow
    energy | Electricity | usd flow
    space_cost | Space and repair | usd flow
    support_cost | Support and hosting | usd flow
    depreciation | Depreciation | usd flow
    gross_profit | Gross profit | usd flow total
    rd_cost | Research and development | usd flow
    sales | Sales and marketing | usd flow
    ga_cost | General and administration | usd flow
    ebitda | EBITDA | usd flow total
    interest_cost | Interest | usd flow
    profit | Profit before tax | usd flow
    tax_cost | Tax | usd flow
    net | Net profit | usd flow total
    # Balance sheet at the end of the year, USD
    cash | Cash | usd level
    receivables | Receivables | usd level
    assets_fixed | GPUs, at cost less depreciation | usd level
    assets | Assets | usd level total
    payables | Payables | usd level
    tax_owed | Tax owed | usd level
    loan | Loan | usd level
    paid_in | Capital paid in | usd level
    retained | Profits kept | usd level
    claims | Liabilities and equity | usd level total
    # Cash flow, USD
    operating | From operations | usd flow
    investing | For GPUs | usd flow
    financing | From funding | usd flow
    net_flow | Change of cash | usd flow total
    # Fleet and tokens
    mtok | Tokens sold, Mtok | integer flow
    gpus | GPUs needed, last month | integer level
    owned | GPUs owned, last month | integer level
    usd_price | Price of a million tokens, last month | price4 level
    usd_cost | Cost of a million tokens, last month | price4 level
    margin_cost | Gross margin, last month | percent level
"""


def add_scenario(book: Book, name: str, given: dict[str, Ref]) -> Grid:
    """Add the sheet of one scenario: every row of the plan in each of its months."""
    sheet = book.sheet(
        name, f"{name}: month by month", "The same formula in every month of a row", (), long=True
    )
    grid = months(sheet, MONTHS, given["first_day"], given["year_months"], given)
    grid.lines(
        PRODUCTS,
        *("# Demand", REQUESTS, VOLUME, _CUSTOMERS, FLEET, "# Prices", FACTOR),
        *("# Profit and loss", REVENUE, CAPACITY, PROFIT, TAX),
        *("# Working capital, assets and equity", PURCHASES, BALANCE, CASH),
        *(*UNIT_ECONOMICS, _GROWTH),
    )
    return grid
