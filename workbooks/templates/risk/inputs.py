"""What is assumed, and how far each assumption may be off."""

from __future__ import annotations

from dataclasses import dataclass

from udfs.functions import TOK_SERVING_BAND, TOK_SERVING_COST
from workbooks.authoring.layout import Book, Input, Ref, call
from workbooks.templates.sources import ASSUMED, CALIBRATION, CATALOGUE, PARADOX, RENTS


@dataclass(frozen=True)
class Driver:
    """One input that is not known: its name, what is assumed, and between what it may be."""

    key: str
    label: str
    base: float
    low: float
    high: float
    unit: str
    source: str
    note: str
    format: str


#: What varies, but for the error of the serving estimate, which its calibration gives.
DRIVERS = (
    Driver("tokens_per_day", "Tokens sold a day", 1e12, 0.5e12, 2e12, "tokens/day", ASSUMED,
           "Input and output together", "ttokens"),
    Driver("price", "Price", 0.88, 0.6, 1.1, "USD/Mtok", PARADOX, "Llama 3.1 70B, of all tokens",
           "price"),
    Driver("gpu_hour", "GPU-hour price", 3.99, 2.4, 5.12, "USD/h", RENTS,
           "An H100 on demand, median of the sellers", "price"),
    Driver("utilisation", "Paid hours that are busy", 0.5, 0.3, 0.7, "of hours", ASSUMED, "",
           "percent"),
    Driver("volume_growth", "Growth of volume", 1.0, 0.3, 2.5, "a year", ASSUMED, "", "percent"),
    Driver("price_change", "Change of price", -0.35, -0.6, -0.15, "a year", ASSUMED,
           "The article sees prices halve", "percent"),
    Driver("cost_change", "Change of cost", -0.3, -0.5, -0.1, "a year", ASSUMED, "", "percent"),
)  # fmt: skip
#: The error of the serving estimate, as a factor on the cost.
FACTOR = "serving_factor"
KEYS = (*(driver.key for driver in DRIVERS), FACTOR)
LABELS = {driver.key: driver.label for driver in DRIVERS} | {FACTOR: "Cost over its estimate"}
FORMATS = {driver.key: driver.format for driver in DRIVERS} | {FACTOR: "ratio"}
_SERVED: tuple[str | int, ...] = ("llama-3.1-70b", "h100_sxm", 64, 1024, 1024, 2, 1, 1, "fp8")


def add_inputs(book: Book) -> dict[str, Ref]:
    """Add the sheet of inputs: the chain from cost to runway as it is assumed."""
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "What is assumed; how far each may be off stands on the sheet Risks",
        (40, 20, 16, 22, 58),
    )
    sheet.heading("A seller of tokens")
    inputs = sheet.inputs(
        [
            *(
                Input(d.key, d.label, d.base, d.unit, d.source, d.note, d.format)
                for d in DRIVERS
            ),
            Input(FACTOR, LABELS[FACTOR], 1.0, "ratio", CALIBRATION,
                  "How many times the estimated cost the true one is", "ratio"),
            Input("cash", "Cash", 305e6, "USD", PARADOX, "The round of early 2025", "usd"),
        ]
    )  # fmt: skip
    sheet.heading("What it serves")
    names = ("model", "accelerator", "at_once", "asked", "answered", "gpus", "copies", "ways",
             "weights")  # fmt: skip
    labels = ("Model", "Accelerator", "Requests at once", "Input tokens of a request",
              "Output tokens of a request", "GPUs that share each layer", "Copies of the model",
              "Ways the experts are split", "Format of the weights")  # fmt: skip
    units = ("id", "id", "requests", "tokens", "tokens", "GPUs", "copies", "ways", "id")
    inputs |= sheet.inputs(
        [
            Input(name, label, value, unit, CATALOGUE if isinstance(value, str) else ASSUMED, "",
                  "text" if isinstance(value, str) else "integer")
            for name, label, value, unit in zip(names, labels, _SERVED, units, strict=True)
        ]
    )  # fmt: skip
    sheet.heading("Units and distributions")
    inputs |= sheet.inputs(
        [
            Input("days", "Days in a year", 365, "days", "Convention", "", "integer"),
            Input("months", "Months in a year", 12, "months", "Definition", "", "integer"),
            Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
            Input("middle", "Weight of the middle", 4, "ratio", "Definition",
                  "Of PERT (Malcolm, 1959): mean (low + 4 base + high)/6", "integer"),
            Input("odds", "Odds of the 90th percentile", 9, "to 1", "Definition",
                  "Nine draws of ten lie below it", "integer"),
            Input("tenth", "From the middle to that percentile", 0.4, "of draws", "Definition",
                  "90 % less half"),
            Input("half", "Half", 0.5, "ratio", "Definition", ""),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ]
    )  # fmt: skip
    sheet.heading("The chain as assumed")
    served = [inputs[name] for name in names]
    for column, text in enumerate(("USD/Mtok", "Input", "Output", "All tokens"), start=1):
        sheet.put(sheet.row, column, text, "header")
    sheet.row += 1
    sheet.put(sheet.row, 1, "Cost of serving, estimated", "label")
    rate = (inputs["gpu_hour"].local, inputs["utilisation"].local)
    cost = sheet.array(
        call(TOK_SERVING_COST, *rate, *(place.local for place in served)), 1, ("price4",) * 3,
        header=False, column=2,
    )  # fmt: skip
    sheet.row -= 1
    for column, text in enumerate(("USD/Mtok", "10th percentile", "50th", "90th"), start=1):
        sheet.put(sheet.row, column, text, "header")
    sheet.row += 1
    sheet.put(sheet.row, 1, "the same, by the error measured", "label")
    band = sheet.array(
        call(TOK_SERVING_BAND, *rate, *(place.local for place in served)), 1, ("price4",) * 3,
        header=False, column=2,
    )  # fmt: skip
    return inputs | {"cost": cost.at(0, 2)} | {f"p{p}": band.at(0, i) for i, p in
                                               enumerate((10, 50, 90))}  # fmt: skip


def add_risks(book: Book, inputs: dict[str, Ref]) -> dict[str, tuple[Ref, ...]]:
    """Add the sheet of risks, from which `tokenbook simulate` draws as well.

    Returns the three places of each: low, base, high; of the factor its percentiles.
    """
    sheet = book.sheet(
        "Risks",
        "What is not known",
        "Lowest, most likely and highest value; tokenbook simulate reads this sheet too",
        (24, 16, 16, 16, 16, 12, 12, 12, 4, 40),
    )
    sheet.heading("Distributions")
    header = ("cell", "distribution", "low", "base", "high", "p10", "p50", "p90", "", "")
    for column, text in enumerate(header, start=1):
        sheet.put(sheet.row, column, text or None, "header")
    places: dict[str, tuple[Ref, ...]] = {}
    for driver in DRIVERS:
        sheet.row += 1
        sheet.put(sheet.row, 1, driver.key, "label")
        sheet.put(sheet.row, 2, "pert", "note")
        low = sheet.put(sheet.row, 3, driver.low, "input", driver.format)
        base = sheet.put(sheet.row, 4, f"={inputs[driver.key]}", "link", driver.format)
        high = sheet.put(sheet.row, 5, driver.high, "input", driver.format)
        for name, place in (("low", low), ("high", high)):
            book.give_name(f"{driver.key}_{name}", place)
        sheet.put(sheet.row, 10, driver.label, "note")
        places[driver.key] = (low, base, high)
    sheet.row += 1
    sheet.put(sheet.row, 1, FACTOR, "label")
    sheet.put(sheet.row, 2, "percentiles", "note")
    places[FACTOR] = tuple(
        sheet.put(sheet.row, column, f"={inputs[p]}/{inputs['p50']}", "link", "ratio")
        for column, p in ((6, "p10"), (7, "p50"), (8, "p90"))
    )
    sheet.put(sheet.row, 10, LABELS[FACTOR], "note")
    sheet.row += 2
    return places
