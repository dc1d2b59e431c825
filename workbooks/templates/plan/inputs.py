"""What the plan starts from: demand, prices, fleet, people, money; and what a replica serves."""

from __future__ import annotations

from collections.abc import Sequence

from engine import catalogue
from engine.rental import gpu_price
from workbooks.authoring.layout import (
    POSITIVE,
    SHARE,
    Book,
    Input,
    Limit,
    Ref,
    ScenarioInput,
    Sheet,
    Value,
)
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
# Product: requests a day, curve, limit, midpoint, rise, tokens in and out, cached, batch, price of
# input, cached and output tokens, longest s per token, longest s to the first.
_DEMAND: dict[str, tuple[Value, ...]] = {
    "chat": (2e6, "ramp", 4e7, 30, 36, 1500, 400, 0.2, 0.0, 0.88, 0.44, 0.88, 0.05, 2.0),
    "agent": (2e5, "s-curve", 6e6, 36, 30, 12000, 800, 0.6, 0.0, 0.88, 0.22, 0.88, 0.05, 5.0),
    "batch": (1e5, "ramp", 5e6, 30, 36, 4000, 1000, 0.0, 1.0, 0.88, 0.44, 0.88, 0.2, 60.0),
}
_ACCELERATOR = "h100_sxm"
_WHOLE = Limit(0.0, whole=True)
#: Definitions, and what the checks allow.
UNITS = (
    Input("month_days", "Days in a month", 365 / 12, "days", "Convention",
          "A twelfth of 365"),
    Input("month_hours", "Hours in a month", 730, "h", "Convention", "", "integer"),
    Input("year_months", "Months in a year", 12, "months", "Definition", "", "integer",
          limit=Limit(12, 12)),
    Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
    Input("thousand", "Watts in a kW", 1000, "W", "Definition", "", "integer"),
    Input("tolerance", "Tolerance of the checks", 1e-6, "relative", "Convention", "",
          "scientific"),
)  # fmt: skip
Table = tuple[str, tuple[str, ...], Sequence[Sequence[Value]], tuple[str, ...], tuple[str, ...]]
#: Inputs in rows of their own: heading, header, rows, kinds, and the keys of the columns.
TABLES: tuple[Table, ...] = (
    ("Purchases of GPUs", ("Plan", "Order\nmonth", "GPUs"),
     [("First", 5, 48), ("Second", 20, 64), ("Third", 34, 64)],
     ("label", "input integer", "input integer"), ("", "order_month", "order_gpus")),
    ("Rounds of funding", ("Plan", "Round\nmonth", "Raised\nUSD"),
     [("First", 18, 8e6), ("Second", 36, 0), ("Third", 48, 0)],
     ("label", "input integer", "input usd"), ("", "round_month", "round_usd")),
    ("Price tiers, by a customer's volume", ("Tier", "From\nMtok a month", "Price\nof list"),
     [("Small", 0, 1.0), ("Middle", 50, 0.9), ("Large", 100, 0.8)],
     ("label", "input integer", "input percent"), ("", "tier_from", "tier_price")),
)  # fmt: skip


def _rent(term: str, measure: str) -> float:
    """Return what sellers ask for an hour of the default accelerator."""
    return round(gpu_price(_ACCELERATOR, term, measure), 2)


def _one(
    key: str, label: str, value: Value, unit: str, note: str = "", format: str = "integer",
    source: str = ASSUMED, choices: str = "", limit: Limit | None = None,
) -> ScenarioInput:  # fmt: skip
    """Return an input with one value, the same in all scenarios."""
    return ScenarioInput(key, label, (value,), unit, source, note, format, choices, limit)


def _product(key: str, name: str) -> list[ScenarioInput]:
    fields = (
        ("start", "requests in the first month", "a day", "integer", None),
        ("curve", "growth by", "ramp or s-curve", "text", None),
        ("limit", "requests at most", "a day", "integer", POSITIVE),
        ("midpoint", "s-curve: half of that in month", "month", "integer", None),
        ("rise", "s-curve: from a tenth to nine", "months", "integer", POSITIVE),
        ("in", "input tokens of a request", "tokens", "integer", POSITIVE),
        ("out", "output tokens of a request", "tokens", "integer", POSITIVE),
        ("cached", "input served by the cache", "of input", "percent", Limit(0, 1, high_open=True)),
        ("batch", "requests that can wait", "of requests", "percent", SHARE),
        ("in_price", "price of input tokens", "USD/Mtok", "price", None),
        ("cached_price", "price of cached input", "USD/Mtok", "price", None),
        ("out_price", "price of output tokens", "USD/Mtok", "price", None),
        ("max_tpot", "longest time of a token", "s", "number", POSITIVE),
        ("max_ttft", "longest wait for the first", "s", "number", POSITIVE),
    )  # fmt: skip
    return [
        _one(f"{key}_{field}", f"{name}: {label}", value, unit, "", format,
             PARADOX if field.endswith("price") and field != "cached_price" else ASSUMED,
             '"ramp,s-curve"' if field == "curve" else "", limit)
        for (field, label, unit, format, limit), value in zip(fields, _DEMAND[key], strict=True)
    ]  # fmt: skip


def _varied() -> list[ScenarioInput]:
    return [
        ScenarioInput("growth", "Growth of demand", (1.2, 1.8, 0.5), "a year", ASSUMED,
                      "Of products that grow by ramp", "percent"),
        ScenarioInput("reach", "Reach of products on an s-curve", (1.0, 1.4, 0.5), "of their limit",
                      ASSUMED, "", "percent"),
        ScenarioInput("price_change", "Change of prices", (-0.15, -0.1, -0.35), "a year", PARADOX,
                      "The articles hold that they halve each year", "percent"),
        ScenarioInput("price_level", "Price level at the start", (1.0, 1.05, 0.9), "of list",
                      ASSUMED, "", "percent"),
        ScenarioInput("churn", "Customers lost", (0.02, 0.015, 0.035), "a month", ASSUMED, "",
                      "percent", limit=SHARE),
        ScenarioInput("peak", "Peak over mean load", (2.0, 1.7, 2.5), "ratio", ASSUMED,
                      "Of requests that cannot wait", "number", limit=Limit(1.0)),
        ScenarioInput("efficiency", "Gain of serving efficiency", (0.25, 0.4, 0.1), "a year",
                      ASSUMED, "Software and better models", "percent",
                      limit=Limit(-1, low_open=True)),
        ScenarioInput("gpu_price", "GPU-hour price, on demand",
                      (_rent("on demand", "median"), _rent("on demand", "low"), 5.12), "USD/h",
                      RENTS, "Median and low of sellers; p5.48xlarge over its 8",
                      "price"),
        ScenarioInput("gpu_change", "Change of that price", (-0.15, -0.25, 0.0), "a year", ASSUMED,
                      "", "percent", limit=Limit(-1, low_open=True)),
        ScenarioInput("cac", "Cost of winning a customer", (250, 200, 400), "USD", ASSUMED, "",
                      "usd"),
        ScenarioInput("support", "Support and hosting of the service", (0.05, 0.04, 0.07),
                      "of revenue", ASSUMED, "", "percent", limit=SHARE),
        ScenarioInput("people", "Growth of the team's cost", (0.2, 0.3, 0.15), "a year", ASSUMED,
                      "", "percent", limit=Limit(-1, low_open=True)),
        ScenarioInput("usd_kwh", "Price of electricity", (0.08, 0.07, 0.12), "USD/kWh", ASSUMED,
                      "", "price"),
    ]  # fmt: skip


def scenario_inputs(models: Ref, accelerators: Ref) -> list[tuple[str, list[ScenarioInput]]]:
    """Return the inputs under their headings, given where the ids stand that can be chosen."""
    return [
        ("What differs between the scenarios", _varied()),
        *((f"Product: {name.lower()}", _product(key, name)) for key, name in PRODUCTS.items()),
        *_shared(models, accelerators),
    ]


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
        _merge(refs, sheet.side_by_side(SCENARIOS, fields))
    tables: dict[str, Ref] = {}
    for table in TABLES:
        tables |= add_table(sheet, table)
    sheet.heading("Shown, judged, and units")
    shown = sheet.inputs(
        [
            Input("scenario", "Scenario of the sheet Statements", SCENARIOS[0], "", ASSUMED,
                  "Changes what is shown there, and nothing else", "text",
                  '"' + ",".join(SCENARIOS) + '"'),
            Input("judged", "Month judged", 36, "month", ASSUMED,
                  "Of bridge, tornado, grid and breakeven", "integer",
                  limit=Limit(1, MONTHS, whole=True)),
            *UNITS,
        ],
        aside=5,
    )  # fmt: skip
    for scenario in refs:
        scenario.update(tables | shown)
    return refs


def _merge(refs: list[dict[str, Ref]], more: list[dict[str, Ref]]) -> None:
    for scenario, added in zip(refs, more, strict=True):
        scenario.update(added)


def _shared(models: Ref, accelerators: Ref) -> list[tuple[str, list[ScenarioInput]]]:
    return [
        ("Serving", [
            _one("model", "Model", "llama-3.1-70b", "id", "", "text", CATALOGUE, f"={models}"),
            _one("accelerator", "Accelerator", _ACCELERATOR, "id", "", "text", CATALOGUE,
                 f"={accelerators}"),
            _one("priced", "Accelerator that the GPU-hour price is of", _ACCELERATOR, "id",
                 "Must be the one served on", "text", CATALOGUE, f"={accelerators}"),
            _one("weights", "Format of the weights", "fp8", "id", "", "text", CATALOGUE,
                 '"bf16,fp8,int8,int4,nvfp4,mxfp4"'),
            _one("replica", "GPUs of a replica", 2, "GPUs", "Tensor parallel", choices='"1,2,4,8"'),
            _one("headroom", "Headroom over the peak", 0.15, "of the peak", "", "percent"),
            _one("spare", "Spare replicas of each product", 1, "replicas"),
        ]),
        ("Capacity", [
            _one("committed", "GPUs committed", 24, "GPUs", "Paid whether used or not",
                 limit=_WHOLE),
            _one("committed_usd", "Price of a committed GPU-hour", _rent("reserved", "median"),
                 "USD/h", "Median of sellers", "price", RENTS),
            _one("commit_from", "Commitment, first month", 4, "month", limit=_WHOLE),
            _one("commit_to", "Commitment, last month", 39, "month", limit=_WHOLE),
            _one("capex", "Purchase price of one GPU", 35000, "USD",
                 "With its share of server, network and room", "usd"),
            _one("lag", "From order to use", 4, "months", "Paid at the order", limit=_WHOLE),
            _one("life", "Life", 48, "months", "Straight line", limit=Limit(1, whole=True)),
            _one("residual", "Left at the end of life", 0.15, "of the price", "Sold for that",
                 "percent", limit=SHARE),
            _one("watts", "Power of one GPU", 1275, "W", "10.2 kW of a DGX H100 over its 8 GPUs",
                 source=DGX),
            _one("pue", "Power of the data centre over that", 1.3, "ratio", "PUE", "number",
                 limit=Limit(1, 3)),
            _one("space", "Space and repair of an owned GPU", 110, "USD/month", "", "usd"),
        ]),
        ("Customers and people", [
            _one("per_customer", "Requests of a customer", 1000, "a day", limit=POSITIVE),
            _one("batch_discount", "Discount for requests that can wait", 0.5, "of the price", "",
                 "percent", limit=SHARE),
            _one("rd", "Research and development", 150000, "USD/month", "In the first month",
                 "usd"),
            _one("ga", "General and administration", 50000, "USD/month", "In the first month",
                 "usd"),
        ]),
        ("Money", [
            _one("first_day", "First day", 46388, "date", "Day 1 of the first month", "date"),
            _one("cash_start", "Cash at the start", 8e6, "USD", "", "usd"),
            _one("debt", "Loan", 2e6, "USD", "", "usd"),
            _one("debt_month", "Loan, drawn in month", 6, "month", limit=_WHOLE),
            _one("debt_grace", "Loan, months before the first repayment", 12, "months",
                 limit=_WHOLE),
            _one("debt_term", "Loan, months of repayment", 36, "months",
                 limit=Limit(1, whole=True)),
            _one("interest", "Interest on the loan", 0.1, "a year",
                 "On the opening balance, so that nothing is circular", "percent", limit=SHARE),
            _one("tax", "Tax on profit", 0.25, "of profit",
                 "After losses carried forward; paid the month after", "percent", limit=SHARE),
            _one("dso", "Customers pay after", 30, "days"),
            _one("dpo", "Suppliers are paid after", 30, "days"),
            _one("discount", "Cost of capital", 0.15, "a year", "Nominal, after tax", "percent",
                 limit=SHARE),
            _one("multiple", "Value at the end over EBITDA of the last year", 5, "ratio",
                 "0: none; none either where EBITDA is a loss", "number"),
        ]),
    ]  # fmt: skip


def add_table(sheet: Sheet, table: Table) -> dict[str, Ref]:
    """Write a table of inputs; return its columns by their keys."""
    heading, header, rows, kinds, names = table
    sheet.heading(heading)
    body = sheet.table(header, rows, kinds, names)
    return {name: body.part(column) for column, name in enumerate(names) if name}
