"""For a firm that buys tokens: an API, rented GPUs or its own, month by month over three years."""

from __future__ import annotations

from udfs.functions import TOK_GPU_PRICE, TOK_MARKET_PRICE
from workbooks.authoring.layout import POSITIVE, SHARE, Book, Input, Limit, Ref, Result, call
from workbooks.templates.buyer.months import MONTHS, add_months
from workbooks.templates.buyer.result import add_result
from workbooks.templates.load import PRODUCTS, add_serving
from workbooks.templates.sources import ASSUMED, CATALOGUE, DGX, RENTS, SNAPSHOT, cite

# Requests a day, growth a year, tokens in and out, cached, can wait, s of a token and to the first.
_USES = {
    "chat": (400_000, 0.8, 1500, 400, 0.2, 0.0, 0.05, 2.0),
    "agent": (40_000, 1.5, 12_000, 800, 0.6, 0.0, 0.05, 5.0),
    "batch": (50_000, 0.3, 4000, 1000, 0.0, 1.0, 0.2, 60.0),
}
# API, seller, model, answers accepted, discount for what can wait.
_OFFERS = (
    ("GPT-4.1", "openai", "gpt-4.1", 0.97, 0.5),
    ("GPT-5 mini", "openai", "gpt-5-mini", 0.95, 0.5),
    ("Gemini Flash", "google", "gemini-2.5-flash", 0.94, 0.5),
    ("Llama, API", "together", "llama-3.3-70b", 0.92, 0.5),
)


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "buyer",
        "An API, or one's own GPUs?",
        "What a firm's tokens cost by month: closed and open models by API, the open model on "
        "rented GPUs, and on its own",
        basis="nominal US dollars; before tax where not said otherwise",
    )
    cite(book, SNAPSHOT, RENTS, DGX, CATALOGUE, ASSUMED)
    given = _inputs(book)
    offers = _offers(book)
    given["rent_hour"] = _rent(book, given)
    served = add_serving(book, given)
    grid, ways = add_months(book, {**given, **served}, offers)
    add_result(book, {**given, **served}, offers, grid, ways)
    return book


def _inputs(book: Book) -> dict[str, Ref]:
    sheet = book.sheet(
        "Inputs", "Inputs", "What the firm asks, and what machines and people cost it",
        (42, 16, 14, 20, 56), long=True,
    )  # fmt: skip
    given: dict[str, Ref] = {}
    fields = (
        ("start", "requests in the first month", "a day", "integer", None),
        ("growth", "growth", "a year", "percent", None),
        ("in", "input tokens of a request", "tokens", "integer", POSITIVE),
        ("out", "output tokens of a request", "tokens", "integer", POSITIVE),
        ("cached", "input served by the cache", "of input", "percent", Limit(0, 1, high_open=True)),
        ("batch", "requests that can wait", "of requests", "percent", SHARE),
        ("max_tpot", "longest time of a token", "s", "number", POSITIVE),
        ("max_ttft", "longest wait for the first", "s", "number", POSITIVE),
    )  # fmt: skip
    for key, name in PRODUCTS.items():
        sheet.heading(f"Use: {name.lower()}")
        given |= sheet.inputs([
            Input(f"{key}_{field}", f"{name}: {label}", value, unit, ASSUMED, "", format,
                  limit=limit)
            for (field, label, unit, format, limit), value in zip(fields, _USES[key], strict=True)
        ])  # fmt: skip
    sheet.heading("The open model on GPUs")
    given |= sheet.inputs([
        Input("model", "Model", "llama-3.3-70b", "id", CATALOGUE, "", "text"),
        Input("accelerator", "Accelerator", "h100_sxm", "id", CATALOGUE, "", "text"),
        Input("weights", "Format of the weights", "fp8", "id", CATALOGUE, "", "text",
              '"bf16,fp8,int8,int4,nvfp4,mxfp4"'),
        Input("replica", "GPUs of a replica", 2, "GPUs", ASSUMED, "Tensor parallel", "integer",
              '"1,2,4,8"'),
        Input("peak", "Peak over mean load", 2.5, "ratio", ASSUMED, "Of what cannot wait",
              limit=Limit(1.0)),
        Input("headroom", "Headroom over the peak", 0.15, "of the peak", ASSUMED, "", "percent"),
        Input("spare", "Spare replicas of each use", 1, "replicas", ASSUMED, "", "integer"),
        Input("rent", "Rent of a GPU-hour", 0.0, "USD/h", RENTS,
              "0: the median of the dated table, for the accelerator above", "price"),
        Input("staff_rent", "People who run rented GPUs", 30_000, "USD/month", ASSUMED, "", "usd"),
        Input("staff_own", "People who run one's own", 60_000, "USD/month", ASSUMED, "", "usd"),
        Input("network", "Network and storage", 4000, "USD/month", ASSUMED, "", "usd"),
        Input("own_accepted", "Answers accepted", 0.92, "of answers", ASSUMED,
              "Of the open model, served by oneself", "percent"),
    ])  # fmt: skip
    sheet.heading("One's own machines and money")
    given |= sheet.inputs([
        Input("capex", "Purchase price of one GPU", 35_000, "USD", ASSUMED,
              "With its share of server, network and room", "usd"),
        Input("life", "Life", 4, "years", ASSUMED, "", "integer", limit=POSITIVE),
        Input("residual", "Left at the end", 0.15, "of the price", ASSUMED, "", "percent",
              limit=SHARE),
        Input("watts", "Power of one GPU", 1275, "W", DGX, "10.2 kW of a DGX H100 over its 8 GPUs",
              "integer"),
        Input("pue", "Power of the data centre over that", 1.3, "ratio", ASSUMED, "PUE"),
        Input("usd_kwh", "Price of electricity", 0.08, "USD/kWh", ASSUMED, "", "price"),
        Input("opex", "Running cost beside energy", 1500, "USD/year", ASSUMED, "Of one GPU", "usd"),
        Input("review", "Cost of looking at an answer", 0.0, "USD", ASSUMED,
              "Answers that are refused are asked again", "price4"),
        Input("discount", "Cost of capital", 0.1, "a year", ASSUMED, "Nominal", "percent",
              limit=SHARE),
        Input("tax", "Tax that costs save", 0.25, "of cost", ASSUMED, "", "percent", limit=SHARE),
    ])  # fmt: skip
    sheet.heading("Dates and units")
    given |= sheet.inputs([
        Input("first_day", "First day", 46388, "date", ASSUMED, "", "date"),
        Input("months", "Months of the comparison", MONTHS, "months", ASSUMED, "", "integer",
              limit=Limit(1, MONTHS, whole=True)),
        Input("month_days", "Days in a month", 365 / 12, "days", "Convention"),
        Input("month_hours", "Hours in a month", 730, "h", "Convention", "", "integer"),
        Input("year_months", "Months in a year", 12, "months", "Definition", "", "integer",
              limit=Limit(12, 12)),
        Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
        Input("tolerance", "Tolerance of the checks", 1e-6, "relative", "Convention", "",
              "scientific"),
    ])  # fmt: skip
    return given


def _offers(book: Book) -> Ref:
    """Add the prices of the APIs, looked up by seller and model."""
    sheet = book.sheet(
        "Prices", "What the APIs ask", "Of the dated snapshot; choose other sellers and models",
        (26, 18, 24, 16, 16, 16, 16, 18, 20),
    )  # fmt: skip
    sheet.heading("APIs")
    body = sheet.ref(sheet.row + 1, 1, len(_OFFERS), 8)
    rows = []
    for i, (name, seller, model, accepted, discount) in enumerate(_OFFERS):
        ids = (body.at(i, 1).local, body.at(i, 2).local)
        side = {s: call(TOK_MARKET_PRICE, *ids, f'"{s}"') for s in ("input", "cached", "output")}
        rows.append((
            name, seller, model, f"={side['input']}",
            f"=IF(ISNA({side['cached']}),{side['input']},{side['cached']})",
            f"={side['output']}", accepted, discount, SNAPSHOT,
        ))  # fmt: skip
    return sheet.table(
        ("API", "Seller", "Model", "Input\nUSD/Mtok", "Cached input\nUSD/Mtok",
         "Output\nUSD/Mtok", "Answers accepted", "Off for what can wait", "Source"),
        rows,
        ("label", "input text", "input text", "output price3", "output price3", "output price3",
         "input percent", "input percent", "note"),
        ("", "seller", "api_model", "", "", "", "accepted", "batch_off"),
    )  # fmt: skip


def _rent(book: Book, given: dict[str, Ref]) -> Ref:
    """Return the rent of a GPU-hour: the input, or what the market asks where that is 0."""
    sheet = book.sheets[-1]
    sheet.heading("Rented GPUs")
    market = call(TOK_GPU_PRICE, given["accelerator"])
    return sheet.results([
        Result("rent", "GPU-hour", f"IF({given['rent']}>0,{given['rent']},{market})", "USD/h",
               "price"),
    ])["rent"]  # fmt: skip
