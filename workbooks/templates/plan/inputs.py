"""What the plan starts from: demand, prices, fleet, people, money; and what a replica serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine import catalogue
from engine.rental import gpu_price
from workbooks.authoring.given import listed
from workbooks.authoring.layout import Book, Ref, ScenarioInput, Sheet, Value
from workbooks.templates.load import PRODUCTS
from workbooks.templates.sources import ASSUMED, CATALOGUE, DGX, PARADOX, RENTS

SCENARIOS = ("Base", "Upside", "Downside")
MONTHS, YEARS = 60, 5
#: What differs between the scenarios: the bridge and the tornado vary each of them.
VARIED = {
    "growth": "Growth of demand", "reach": "Reach of agents", "price_change": "Change of prices",
    "price_level": "Price level", "churn": "Churn", "peak": "Peak over mean load",
    "efficiency": "Serving efficiency", "gpu_price": "GPU-hour price",
    "gpu_change": "Change of that price", "cac": "Acquisition cost",
    "support": "Support and hosting", "people": "Growth of the team", "usd_kwh": "Electricity",
}  # fmt: skip
_ACCELERATOR = "h100_sxm"
_SOURCES = {
    "": ASSUMED, "catalogue": CATALOGUE, "sellers": RENTS, "articles": PARADOX, "dgx": DGX,
    "convention": "Convention", "definition": "Definition",
}  # fmt: skip
#: Base, upside, downside.
_VARIED = """
    growth | Growth of demand | 1.2 1.8 0.5 | a year | | Of products that grow by ramp
    reach | Reach of products on an s-curve | 1.0 1.4 0.5 | of their limit
    price_change | Change of prices | -0.15 -0.1 -0.35 | a year | | \
        The articles hold that they halve each year | articles
    price_level | Price level at the start | 1.0 1.05 0.9 | of list
    churn | Customers lost | 0.02 0.015 0.035 | a month | 0 to 1
    peak | Peak over mean load | 2.0 1.7 2.5 | ratio | from 1 | Of requests that cannot wait
    efficiency | Gain of serving efficiency | 0.25 0.4 0.1 | a year | above -1 | \
        Software and better models
    gpu_price | GPU-hour price, on demand | median lowest 5.12 | USD/h | | \
        Median and low of sellers; p5.48xlarge over its 8 | sellers
    gpu_change | Change of that price | -0.15 -0.25 0.0 | a year | above -1
    cac | Cost of winning a customer | 250 200 400 | USD
    support | Support and hosting of the service | 0.05 0.04 0.07 | of revenue | 0 to 1
    people | Growth of the team's cost | 0.2 0.3 0.15 | a year | above -1
    usd_kwh | Price of electricity | 0.08 0.07 0.12 | USD/kWh
"""
#: Chat, agents, batch.
_OF_PRODUCTS = """
    start | requests in the first month | 2e6 2e5 1e5 | a day
    curve | growth by | ramp s-curve ramp | ramp or s-curve, text | one of ramp,s-curve
    limit | requests at most | 4e7 6e6 5e6 | a day | above 0
    midpoint | s-curve: half of that in month | 30 36 30 | month
    rise | s-curve: from a tenth to nine | 36 30 36 | months | above 0
    in | input tokens of a request | 1500 12000 4000 | tokens | above 0
    out | output tokens of a request | 400 800 1000 | tokens | above 0
    cached | input served by the cache | 0.2 0.6 0.0 | of input | 0 to below 1
    batch | requests that can wait | 0.0 0.0 1.0 | of requests | 0 to 1
    in_price | price of input tokens | 0.88 0.88 0.88 | USD/Mtok | | | articles
    cached_price | price of cached input | 0.44 0.22 0.44 | USD/Mtok
    out_price | price of output tokens | 0.88 0.88 0.88 | USD/Mtok | | | articles
    max_tpot | longest time of a token | 0.05 0.05 0.2 | s | above 0
    max_ttft | longest wait for the first | 2.0 5.0 60.0 | s | above 0
"""
#: The same in all scenarios, by heading.
_SHARED = {
    "Serving": """
        model | Model | llama-3.1-70b | id | one of models | | catalogue
        accelerator | Accelerator | served_on | id | one of accelerators | | catalogue
        priced | Accelerator that the GPU-hour price is of | served_on | id | \
            one of accelerators | Must be the one served on | catalogue
        weights | Format of the weights | fp8 | id | \
            one of bf16,fp8,int8,int4,nvfp4,mxfp4 | | catalogue
        replica | GPUs of a replica | 2 | GPUs | one of 1,2,4,8 | Tensor parallel
        headroom | Headroom over the peak | 0.15 | of the peak
        spare | Spare replicas of each product | 1 | replicas
    """,
    "Capacity": """
        committed | GPUs committed | 24 | GPUs | whole from 0 | Paid whether used or not
        committed_usd | Price of a committed GPU-hour | reserved | USD/h | | \
            Median of sellers | sellers
        commit_from | Commitment, first month | 4 | month | whole from 0
        commit_to | Commitment, last month | 39 | month | whole from 0
        capex | Purchase price of one GPU | 35000 | USD | | \
            With its share of server, network and room
        lag | From order to use | 4 | months | whole from 0 | Paid at the order
        life | Life | 48 | months | whole from 1 | Straight line
        residual | Left at the end of life | 0.15 | of the price | 0 to 1 | Sold for that
        watts | Power of one GPU | 1275 | W | | 10.2 kW of a DGX H100 over its 8 GPUs | dgx
        pue | Power of the data centre over that | 1.3 | ratio | 1 to 3 | PUE
        space | Space and repair of an owned GPU | 110 | USD/month
    """,
    "Customers and people": """
        per_customer | Requests of a customer | 1000 | a day | above 0
        batch_discount | Discount for requests that can wait | 0.5 | of the price | 0 to 1
        rd | Research and development | 150000 | USD/month | | In the first month
        ga | General and administration | 50000 | USD/month | | In the first month
    """,
    "Money": """
        first_day | First day | 46388 | date | | Day 1 of the first month
        cash_start | Cash at the start | 8e6 | USD
        debt | Loan | 2e6 | USD
        debt_month | Loan, drawn in month | 6 | month | whole from 0
        debt_grace | Loan, months before the first repayment | 12 | months | whole from 0
        debt_term | Loan, months of repayment | 36 | months | whole from 1
        interest | Interest on the loan | 0.1 | a year | 0 to 1 | \
            On the opening balance, so that nothing is circular
        tax | Tax on profit | 0.25 | of profit | 0 to 1 | \
            After losses carried forward; paid the month after
        dso | Customers pay after | 30 | days
        dpo | Suppliers are paid after | 30 | days
        discount | Cost of capital | 0.15 | a year | 0 to 1 | Nominal, after tax
        multiple | Value at the end over EBITDA of the last year | 5 | ratio | | \
            0: none; none either where EBITDA is a loss
    """,
}
_SHOWN = f"""
    scenario | Scenario of the sheet Statements | {SCENARIOS[0]} | name | \
        one of {",".join(SCENARIOS)} | Changes what is shown there, and nothing else
    judged | Month judged | 36 | month | whole 1 to {MONTHS} | \
        Of bridge, tornado, grid and breakeven
"""
#: Definitions, and what the checks allow.
_UNITS = """
    month_days | Days in a month | twelfth | days, number | | A twelfth of 365 | convention
    month_hours | Hours in a month | 730 | h | | | convention
    year_months | Months in a year | 12 | months | 12 to 12 | | definition
    million | Tokens in a million | 1e6 | tokens | | | definition
    thousand | Watts in a kW | 1000 | W | | | definition
    tolerance | Tolerance of the checks | 1e-6 | relative, scientific | | | convention
"""
Table = tuple[str, tuple[str, ...], Sequence[Sequence[Value]], tuple[str, ...], tuple[str, ...]]
#: Inputs in rows of their own: heading, header, rows, kinds, and the keys of the columns.
TABLES: tuple[Table, ...] = (
    ("Purchases of GPUs", ("Plan", "Order month", "GPUs"),
     [("First", 5, 48), ("Second", 20, 64), ("Third", 34, 64)],
     ("label", "input integer", "input integer"), ("", "order_month", "order_gpus")),
    ("Rounds of funding", ("Plan", "Round month", "Raised\nUSD"),
     [("First", 18, 8e6), ("Second", 36, 0), ("Third", 48, 0)],
     ("label", "input integer", "input usd"), ("", "round_month", "round_usd")),
    ("Price tiers, by a customer's volume", ("Tier", "From\nMtok a month", "Price of list"),
     [("Small", 0, 1.0), ("Middle", 50, 0.9), ("Large", 100, 0.8)],
     ("label", "input integer", "input percent"), ("", "tier_from", "tier_price")),
)  # fmt: skip


def _rent(term: str, measure: str) -> float:
    """Return what sellers ask for an hour of the default accelerator."""
    return round(gpu_price(_ACCELERATOR, term, measure), 2)


def units() -> list[ScenarioInput]:
    """Return the inputs that define units."""
    return list(listed(_UNITS, _SOURCES, {"twelfth": 365 / 12}))


def scenario_inputs(models: Ref, accelerators: Ref) -> list[tuple[str, list[ScenarioInput]]]:
    """Return the inputs under their headings, given where the ids stand that can be chosen."""
    figures: dict[str, Value] = {
        "median": _rent("on demand", "median"), "lowest": _rent("on demand", "low"),
        "reserved": _rent("reserved", "median"), "served_on": _ACCELERATOR,
    }  # fmt: skip
    choices = {"models": f"={models}", "accelerators": f"={accelerators}"}
    of_products = list(listed(_OF_PRODUCTS, _SOURCES))
    return [
        ("What differs between the scenarios", list(listed(_VARIED, _SOURCES, figures))),
        *((f"Product: {name.lower()}", [
            replace(f, key=f"{key}_{f.key}", label=f"{name}: {f.label}", values=(f.values[i],))
            for f in of_products
        ]) for i, (key, name) in enumerate(PRODUCTS.items())),
        *((heading, list(listed(text, _SOURCES, figures, choices)))
          for heading, text in _SHARED.items()),
    ]  # fmt: skip


def add_lists(book: Book) -> tuple[Ref, Ref]:
    """Add the sheet of the models and accelerators that can be chosen; return where they stand."""
    sheet = book.sheet("Lists", "Lists", "What can be chosen", (34, 34), long=True)
    bodies = []
    for column, kind in enumerate(("models", "accelerators"), start=1):
        sheet.put(5, column, kind.capitalize(), "header")
        found = catalogue.table(kind)
        for row, item in enumerate(found, start=6):
            sheet.put(row, column, item["id"], "label")
        bodies.append(sheet.ref(6, column, len(found)))
    return bodies[0], bodies[1]


def add_inputs(book: Book, models: Ref, accelerators: Ref) -> list[dict[str, Ref]]:
    """Add the sheet of inputs; return the inputs of each scenario by key."""
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "Three scenarios, all of them live; where one value is given it holds in all three",
        (42, 16, 16, 16, 14, 20, 54),
        long=True,
    )
    refs: list[dict[str, Ref]] = [{} for _ in SCENARIOS]
    for heading, fields in scenario_inputs(models, accelerators):
        sheet.heading(heading)
        for scenario, added in zip(refs, sheet.side_by_side(SCENARIOS, fields), strict=True):
            scenario.update(added)
    tables: dict[str, Ref] = {}
    for table in TABLES:
        tables |= add_table(sheet, table)
    sheet.heading("Shown, judged, and units")
    shown = sheet.inputs([f.first for f in (*listed(_SHOWN, _SOURCES), *units())], aside=5)
    for scenario in refs:
        scenario.update(tables | shown)
    return refs


def add_table(sheet: Sheet, table: Table) -> dict[str, Ref]:
    """Write a table of inputs; return its columns by their keys."""
    heading, header, rows, kinds, names = table
    sheet.heading(heading)
    body = sheet.table(header, rows, kinds, names)
    return {name: body.part(column) for column, name in enumerate(names) if name}
