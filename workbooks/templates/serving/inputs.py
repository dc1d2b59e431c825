"""What is served, on what, at which load and price: chosen from lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine import catalogue, prices
from engine.serving.constants import ttft_quantiles
from udfs.functions import TOK_MARKET_PRICE, TOK_SPEC
from workbooks.authoring.layout import Book, Input, Ref, Result, ScenarioInput, Sheet, Value, call
from workbooks.templates.serving.defaults import DEFAULTS as D
from workbooks.templates.serving.tiers import list_tiers
from workbooks.templates.sources import (
    ASSUMED,
    CALIBRATION,
    CATALOGUE,
    DEEPSEEK,
    PARADOX,
    SNAPSHOT,
)

_CONCURRENCIES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_PARALLEL = '"1,2,4,8"'
# Offer, price of a GPU-hour, source.
_OFFERS = (
    ("p5.48xlarge, one of its H100", D["price"], PARADOX),
    ("The article's H100", 30.0, PARADOX),
    ("DeepSeek's H800", 2.0, DEEPSEEK),
    ("Your own", 3.0, ASSUMED),
)


@dataclass(frozen=True)
class Lists:
    """The sheet of lists and where each list stands on it."""

    sheet: Sheet
    models: Ref
    accelerators: Ref
    formats: Ref
    offers: Ref
    offer_prices: Ref
    sellers: Ref
    sold: Ref
    sold_input: Ref
    sold_output: Ref
    tiers: Ref


def add_inputs(book: Book) -> tuple[dict[str, Ref], Lists]:
    """Add the sheets of inputs and of lists; return the live inputs, and the lists."""
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "Choose from the lists; the sheet Lists holds what can be chosen, and your own price",
        (34, 32, 16, 16, 16, 16, 22, 56),
    )
    lists = _lists(book)
    sheet.heading("Load")
    inputs = sheet.scenarios(
        ("Chat", "Long prompts", "Batch"),
        [
            ScenarioInput("concurrency", "Requests at once", _first("concurrency", 32, 256),
                          "requests", ASSUMED, "On all GPUs together", "integer"),
            ScenarioInput("input_tokens", "Input tokens of a request",
                          _first("input_tokens", 8192, 1024), "tokens", ASSUMED, "", "integer"),
            ScenarioInput("output_tokens", "Output tokens of a request",
                          _first("output_tokens", 1024, 2048), "tokens", ASSUMED, "", "integer"),
            ScenarioInput("utilisation", "Paid hours that are busy",
                          _first("utilisation", 0.6, 0.9), "of hours", ASSUMED, "", "percent"),
        ],
    )  # fmt: skip
    sheet.heading("Model, machine and price")
    inputs |= sheet.inputs(
        [
            Input("model", "Model", D["model"], "id", CATALOGUE, "", "text", f"={lists.models}"),
            Input("accelerator", "Accelerator", D["accelerator"], "id", CATALOGUE, "", "text",
                  f"={lists.accelerators}"),
            Input("tensor", "GPUs that share each layer", D["tensor"], "GPUs", ASSUMED,
                  "Tensor parallel; must divide the heads", "integer", _PARALLEL),
            Input("data", "Copies of the model", D["data"], "copies", ASSUMED, "Data parallel",
                  "integer", _PARALLEL),
            Input("expert", "Ways the experts are split", D["expert"], "ways", ASSUMED,
                  "Expert parallel; 1 for a dense model", "integer", _PARALLEL),
            Input("format", "Format of the weights", D["format"], "id", CATALOGUE, "", "text",
                  f"={lists.formats}"),
            Input("expert_format", "Format of the experts", D["expert_format"], "id", CATALOGUE,
                  "Without effect on a dense model", "text", f"={lists.formats}"),
            Input("offer", "GPU-hour price", _OFFERS[0][0], "offer", PARADOX,
                  "Your own price: on the sheet Lists", "text", f"={lists.offers}"),
            Input("seller", "Market price", _seller("Together AI"), "seller", PARADOX,
                  "Sellers of the article, then those of the snapshot", "text",
                  f"={lists.sellers}"),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("Techniques and front")
    inputs |= sheet.inputs(
        [
            Input("chain_gpus", "GPUs for the techniques", D["chain_gpus"], "GPUs", ASSUMED,
                  "So many that the weights fit in BF16, where the chain begins", "integer",
                  '"1,2,4,8,16,32"'),
            Input("acceptance", "Draft tokens accepted", D["acceptance"], "of them", ASSUMED,
                  "Speculative decoding", "percent"),
            Input("draft_tokens", "Draft tokens of a cycle", D["draft_tokens"], "tokens",
                  ASSUMED, "", "integer"),
            Input("draft_model", "Draft model", D["draft_model"], "id", CATALOGUE, "", "text",
                  f"={lists.models}"),
            Input("quantised", "Quantised format", D["quantised"], "id", CATALOGUE,
                  "The article claims its gain for INT4", "text", f"={lists.formats}"),
            Input("max_gpus", "GPUs of the front, at most", D["max_gpus"], "GPUs", ASSUMED, "",
                  "integer", _PARALLEL),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("Time to the first token, measured over estimated")
    inputs |= sheet.inputs(
        [
            Input(f"first_{kind}_{share}", f"{name}, {share}th percentile",
                  ttft_quantiles(kind)[f"0.{share[0]}"], "ratio", CALIBRATION, "", "decimal")
            for kind, name in (("dense", "Dense model"), ("moe", "Mixture of experts"))
            for share in ("10", "90")
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("Units and tolerance")
    inputs |= sheet.inputs(
        [
            Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
            Input("seconds", "Seconds in an hour", 3600, "s", "Definition", "", "integer"),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ],
        aside=6,
    )  # fmt: skip
    book.names |= {
        key: inputs[key] for key in ("model", "accelerator", "offer", "seller", "max_gpus")
    }
    return inputs, lists


def _first(key: str, *others: Value) -> tuple[Value, ...]:
    """Return the values of a scenario input: the default, then those of the other scenarios."""
    return (D[key], *others)


def _seller(provider: str) -> str:
    return f"{provider} (article)"


def _lists(book: Book) -> Lists:
    sheet = book.sheet(
        "Lists",
        "Lists",
        "What can be chosen on Inputs, from the catalogue and the snapshot of prices",
        (44, 22, 22, 18, 18, 24, 18, 14, 16),
        long=True,
    )
    sheet.heading("GPU-hour prices")
    offers = sheet.table(
        ("Offer", "USD per GPU-hour", "Source"), _OFFERS, ("label", "input price", "note")
    )
    sheet.heading("Requests at once, for the curve of cost")
    axis = sheet.table(
        ("Requests at once",), [(count,) for count in _CONCURRENCIES], ("input integer",)
    )
    book.names["curve"] = axis
    tiers = list_tiers(sheet)
    sheet.choices.append((tiers.part(3), _PARALLEL))
    sheet.heading("Formats")
    formats = _ids(sheet, "formats", ())
    sheet.heading("Models")
    models = _ids(sheet, "models", (("params_total_b", "number"), ("params_active_b", "number")))
    sheet.heading("Accelerators")
    accelerators = _ids(
        sheet,
        "accelerators",
        (("memory_gb", "number"), ("mem_bw_tb_s", "number"), ("bf16_dense_tflops", "integer")),
    )
    sheet.heading("Sellers of tokens")
    sheet.choices += [(tiers.at(i, 2), f"={models.local}") for i in range(tiers.rows)]
    return _sellers(sheet, models, accelerators, formats, offers, tiers)


def _ids(sheet: Sheet, kind: str, fields: tuple[tuple[str, str], ...]) -> Ref:
    """List the ids of a catalogue with some of their figures; return the ids."""
    ids = [row["id"] for row in catalogue.table(kind)]
    top = sheet.row
    sheet.put(top, 1, "Id", "header")
    for row, name in enumerate(ids, start=top + 1):
        sheet.put(row, 1, name, "label")
    place = sheet.ref(top + 1, 1, len(ids))
    for column, (field, number_format) in enumerate(fields, start=2):
        sheet.put(top, column, field.replace("_", " "), "header")
        sheet.row = top + 1
        formula = call(TOK_SPEC, place.local, sheet.ref(top, column).local)
        sheet.array(formula, len(ids), (number_format,), header=False, column=column)
    sheet.row = top + len(ids) + 2
    return place


def _sellers(
    sheet: Sheet, models: Ref, accelerators: Ref, formats: Ref, offers: Ref, tiers: Ref
) -> Lists:
    """List who sells what at which price: the article's six, and the snapshot."""
    served = {row["id"] for row in catalogue.table("models")}
    article = [
        (_seller(row["provider"]), row["model"], row["price_usd_per_mtok"])
        for row in catalogue.table("provider_prices")
    ]
    pairs = sorted(
        {
            (price.provider, price.model)
            for price in prices.snapshot()
            if price.model in served and price.output_usd_per_mtok and price.input_usd_per_mtok
        }
    )
    top = sheet.row
    header = ("Seller", "Model", "Provider id", "Input\nUSD/Mtok", "Output\nUSD/Mtok", "Source")
    for column, text in enumerate(header, start=1):
        sheet.put(top, column, text, "header")
    for row, (name, model, price) in enumerate(article, start=top + 1):
        sheet.put(row, 1, name, "label")
        sheet.put(row, 2, model, "note")
        sheet.put(row, 3, None, "note")
        for column in (4, 5):
            sheet.put(row, column, float(price), "input", "price")
        sheet.put(row, 6, PARADOX, "note")
    first = top + 1 + len(article)
    for row, (provider, model) in enumerate(pairs, start=first):
        for column, text in ((1, f"{provider}: {model}"), (2, model), (3, provider)):
            sheet.put(row, column, text, "label" if column == 1 else "note")
        sheet.put(row, 6, SNAPSHOT, "note")
    sold, provider = (sheet.ref(first, column, len(pairs)).local for column in (2, 3))
    for column, side in ((4, "input"), (5, "output")):
        sheet.row = first
        formula = call(TOK_MARKET_PRICE, provider, sold, f'"{side}"')
        sheet.array(formula, len(pairs), ("price",), header=False, column=column)
    count = len(article) + len(pairs)
    sheet.row = top + count + 2
    whole = {c: sheet.ref(top + 1, c, count) for c in range(1, 6)}
    return Lists(
        sheet, models, accelerators, formats, offers.part(0), offers.part(1),
        whole[1], whole[2], whole[4], whole[5], tiers,
    )  # fmt: skip


def choose(book: Book, inputs: Mapping[str, Ref], lists: Lists) -> dict[str, Ref]:
    """Look up the prices chosen; return them with the inputs."""
    sheet = book.sheet(
        "Chosen",
        "What is chosen",
        "Prices looked up on the sheet Lists",
        (34, 24, 60),
    )
    place = f"MATCH({inputs['seller']},{lists.sellers},0)"
    sheet.heading("Prices and machine")
    found = sheet.results(
        [
            Result("price", "GPU-hour price",
                   f"INDEX({lists.offer_prices},MATCH({inputs['offer']},{lists.offers},0))",
                   "USD/h", "price", role="link"),
            Result("market_input", "Market price of input",
                   f"INDEX({lists.sold_input},{place})", "USD/Mtok", "price", role="link"),
            Result("market_output", "Market price of output",
                   f"INDEX({lists.sold_output},{place})", "USD/Mtok", "price", role="link"),
            Result("sold", "Model sold at that price", f"INDEX({lists.sold},{place})", "",
                   "text", role="link"),
            Result("same", "Is it the model served",
                   f'IF({{sold}}={inputs["model"]},"yes","no: another model")', "", "text",
                   role="calc"),
            Result("gpus", "GPUs", f"{inputs['tensor']}*{inputs['data']}", "GPUs", "integer",
                   role="calc"),
            Result("tokens", "Tokens of a request over its output",
                   f"({inputs['input_tokens']}+{inputs['output_tokens']})"
                   f"/{inputs['output_tokens']}", "", "ratio", role="calc"),
        ]
    )  # fmt: skip
    return {**inputs, **found, "curve": book.names.pop("curve")}
