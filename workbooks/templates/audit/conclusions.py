"""Which conclusions of the articles turn over, and with which figures they would not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from engine.claims import Finding
from engine.claims import shown as fields_of
from udfs.functions import (
    TOK_CLAIM,
    TOK_COMBINED_GAIN,
    TOK_COST_PER_MTOK,
    TOK_DECODE_TIME,
    TOK_RUNWAY,
    TOK_SERVING_BAND,
    TOK_SHARED_GPU,
    TOK_SUBSIDY_LOSS,
    TOK_VERDICT,
    TOK_WEIGHT_GB,
)
from workbooks.authoring.layout import Book, Chart, Input, Line, Ref, Sheet, call, shown
from workbooks.templates.audit.figures import MOODS
from workbooks.templates.sources import ASSUMED, PARADOX

# Characters that a line of the column of conclusions holds.
_WIDTH = 88
_MODEL, _MACHINE, _FORMAT = "llama-3.1-70b", "h100_sxm", "fp8"
_TURNS = "turns over"
_STANDS = "stands"
_TECHNIQUES = (
    ("Speculative decoding", 1.5, 3.0),
    ("INT4 weights", 3.0, 4.0),
    ("Continuous batching", 10.0, 20.0),
)


def add_inputs(book: Book) -> tuple[dict[str, Ref], Ref]:
    """Add the figures behind the conclusions, as the articles give them; free to change."""
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "Behind the sheet Turning points alone: the audit itself takes nothing from here",
        (36, 18, 16, 20, 60),
    )
    sheet.heading("As the article gives them")
    common = sheet.inputs(
        [
            Input("tokens", "Tokens served a day", 10e9, "tokens/day", PARADOX, "", "integer"),
            Input("price", "Price", 0.88, "USD/Mtok", PARADOX, "", "price"),
            Input("breakeven", "Breakeven price", 3.88, "USD/Mtok", PARADOX,
                  "Price plus the loss of $3", "price"),
            Input("cash", "Cash raised", 305e6, "USD", PARADOX, "", "usd"),
            Input("stated_loss", "Loss a year as stated", 11e9, "USD/year", PARADOX, "", "usd"),
            Input("params", "Parameters", 70, "billion", PARADOX, "Llama 3.1 70B", "integer"),
            Input("bits", "Bits of a weight", 16, "bits", PARADOX, "", "integer"),
            Input("bandwidth", "Memory bandwidth", 3.35, "TB/s", PARADOX, "One H100"),
            Input("stated_step", "Time of a token as stated", 42e-6, "s", PARADOX,
                  "To read the weights once", "seconds"),
            Input("hour", "GPU-hour price of its arithmetic", 30.0, "USD/h", PARADOX, "",
                  "price"),
            Input("instance", "Price of the instance", 40.96, "USD/h", PARADOX, "p5.48xlarge",
                  "price"),
            Input("gpus", "GPUs of that instance", 8, "GPUs", PARADOX, "", "integer"),
            Input("cost", "Cost at batch 1 as stated", 350.0, "USD/Mtok", PARADOX, "", "price"),
            Input("gain_low", "Gain of the three together, low", 30, "ratio", PARADOX,
                  "As stated", "multiple"),
            Input("gain_high", "Gain of the three together, high", 60, "ratio", PARADOX,
                  "As stated", "multiple"),
            Input("use", "Paid hours that are busy", 0.6, "of hours", ASSUMED,
                  "Of the serving estimate", "percent"),
            Input("at_once", "Requests at once", 64, "requests", ASSUMED, "", "integer"),
            Input("asked", "Input tokens of a request, and output", 1024, "tokens", ASSUMED, "",
                  "integer"),
            Input("together", "GPUs of a replica", 2, "GPUs", ASSUMED, "", "integer"),
        ]
    )  # fmt: skip
    sheet.heading("Gain of each technique")
    gains = sheet.table(
        ("Technique", "Gain, low", "Gain, high", "Source"),
        [(*row, PARADOX) for row in _TECHNIQUES],
        ("label", "input multiple", "input multiple", "note"),
        ("", "gain_least", "gain_most"),
    )
    sheet.heading("Units and tolerance")
    common |= sheet.inputs(
        [
            Input("days", "Days in a year", 365, "days", "Convention", "", "integer"),
            Input("months", "Months in a year", 12, "months", "Definition", "", "integer"),
            Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
            Input("seconds", "Seconds in an hour", 3600, "s", "Definition", "", "integer"),
            Input("byte", "Bits of a byte; billion bytes to GB", 8, "bits", "Definition", "",
                  "integer"),
            Input("tera", "GB in a TB", 1000, "GB", "Definition", "", "integer"),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ]
    )  # fmt: skip
    return common, gains


def add_conclusions(book: Book, findings: Sequence[Finding]) -> None:
    """Add the conclusions that hang on a figure, those that turn over first."""
    sheet = book.sheet(
        "Conclusions",
        "What becomes of the conclusions",
        "Turns over: with the recomputed figure the article's conclusion is another one",
        (22, 50, 22, 14, 80),
    )
    found = sorted(
        (f for f in findings if f.conclusion),
        key=lambda f: not (f.conclusion and f.conclusion.turns_over),
    )
    top = sheet.row
    header = ("Id", "Claim", "Verdict", "Conclusion", "Why")
    columns = [sheet.ref(top + 1, c, len(found)) for c in range(1, len(header) + 1)]
    for column, text in enumerate(header, start=1):
        sheet.put(top, column, text, "header")
    for i, finding in enumerate(found):
        row = top + 1 + i
        name, why = columns[0].at(i).local, columns[4].at(i).local
        text = str(fields_of(finding)["conclusion"])
        sheet.put(row, 1, finding.claim.id, "wrapped")
        claim = finding.claim.claim
        sheet.put(row, 2, claim, "wrapped", lines=math.ceil(len(claim) / 56))
        sheet.put(row, 3, f"={call(TOK_CLAIM, name, _quoted('verdict'))}", "verdict")
        turned = f'LEFT({why},LEN("{_TURNS}"))="{_TURNS}"'
        sheet.put(row, 4, f'=IF({turned},"{_TURNS}","{_STANDS}")', "verdict")
        lines = math.ceil(len(text) / _WIDTH)
        formula = f"={call(TOK_CLAIM, name, _quoted('conclusion'))}"
        sheet.put(row, 5, formula, "wrapped", lines=lines)
    sheet.row = top + len(found) + 2
    sheet.judged += [(columns[2], MOODS), (columns[3], {_TURNS: "bad", _STANDS: "good"})]
    count = sheet.put(sheet.row, 4, f'=COUNTIF({columns[3].local},"{_TURNS}")', "output", "integer")
    sheet.put(sheet.row, 1, "Conclusions that turn over", "label")
    for column in (2, 3):
        sheet.put(sheet.row, column, None, "label")
    sheet.row += 2
    book.headline("Conclusions that turn over", count, "integer", "see the sheet Conclusions")


def add_turning(
    book: Book,
    common: Mapping[str, Ref],
    gains: Ref,
    findings: Sequence[Finding],
    columns: Mapping[str, Ref],
) -> None:
    """Add three of them, step by step, open to other inputs."""
    sheet = book.sheet(
        "Turning points",
        "Three conclusions, step by step",
        "From the figures of Inputs: change them, and see which conclusion stands and which turns",
        (44, 22, 22, 50),
    )
    loss = (common["tokens"], common["price"], common["breakeven"])
    sheet.heading("How long the cash lasts")
    runway = _steps(
        sheet,
        [
            ("loss", "Loss a year", f"{common['stated_loss']}",
             call(TOK_SUBSIDY_LOSS, *loss, common["days"]), "usd", "USD"),
            ("years", "Cash lasts", f"{common['cash']}/{{loss}}",
             f"{call(TOK_RUNWAY, common['cash'], *loss)}/{common['months']}", "ratio",
             "years; #N/A: 50 or more"),
            ("verdict", "For a year or more", 'IF({years}<1,"no","yes")',
             'IF({years}<1,"no","yes")', "text", ""),
        ],
    )  # fmt: skip
    sheet.heading("What a token costs at batch 1")
    weights = call(TOK_WEIGHT_GB, common["params"], common["bits"])
    step = _steps(
        sheet,
        [
            ("step", "Time of a token", f"{common['stated_step']}",
             call(TOK_DECODE_TIME, weights, common["bandwidth"]), "seconds", "s"),
            ("cost", "Cost of a million", f"{common['cost']}",
             call(TOK_COST_PER_MTOK, common["hour"], "1/{step}"), "price", "USD/Mtok"),
            ("verdict", "against the price", f'IF({{cost}}<{common["price"]},"covered","a loss")',
             f'IF({{cost}}<{common["price"]},"covered","a loss")', "text", ""),
        ],
    )  # fmt: skip
    sheet.heading("Breakeven with all techniques")
    shared = call(TOK_SHARED_GPU, common["instance"], common["gpus"], 0)
    rescaled = f"{common['cost']}*{{hour}}/{common['hour']}"
    price = common["price"]
    verdict = call(TOK_VERDICT, price, "{low}", "{high}")
    served = (f'"{_MODEL}"', f'"{_MACHINE}"', common["at_once"], common["asked"], common["asked"],
              common["together"], 1, 1, f'"{_FORMAT}"')  # fmt: skip
    band = call(TOK_SERVING_BAND, "{hour}", common["use"], *served)
    # The article's own breakeven does not follow from its cost and gain: it is told beside.
    claimed = [found.claim.id for found in findings].index("optimised_breakeven")
    written = [shown(columns[name].at(claimed), "price") for name in ("Stated low", "Stated high")]
    breakeven = _steps(
        sheet,
        [
            ("hour", "GPU-hour price", f"{common['hour']}", shared, "price",
             "USD/h, recomputed from the instance"),
            ("cost", "Cost at batch 1", f"{common['cost']}", rescaled, "price", "USD/Mtok"),
            ("most", "Gain together, high", f"{common['gain_high']}",
             call(TOK_COMBINED_GAIN, gains.part(2)), "multiple",
             "product: an upper bound, techniques overlap"),
            ("least", "Gain together, low", f"{common['gain_low']}",
             call(TOK_COMBINED_GAIN, gains.part(1)), "multiple", ""),
            ("low", "Breakeven, low", "{cost}/{most}", f"INDEX({band},1,1)", "price",
             "USD/Mtok; recomputed: serving estimate, its band"),
            ("high", "Breakeven, high", "{cost}/{least}", f"INDEX({band},1,COLUMNS({band}))",
             "price", f'="USD/Mtok; the article writes "&{written[0]}&" to "&{written[1]}'),
            ("verdict", "Price against it", verdict, verdict, "text", ""),
        ],
    )  # fmt: skip
    sheet.chart(
        Chart(
            "column",
            "Breakeven from stated figures and recomputed, USD per million tokens",
            tuple(
                Line(name, sheet.ref(breakeven["low"].row, column, 2))
                for name, column in (("From stated figures", 2), ("Recomputed", 3))
            ),
            categories=sheet.ref(breakeven["low"].row, 1, 2),
            y_title="USD per million tokens",
            format='"$"0.00',
            width_cm=24,
        )
    )
    days = f"{common['cash']}/{common['stated_loss']}*{common['days']}"
    book.headline(f'="Runway of the "&{shown(common["cash"], "musd")}&", recomputed"',
                  runway["years"], "number",
                  f'="years ("&{shown(days, "integer")}&" days as stated)"')  # fmt: skip
    sheet.check(
        "Runway by hand, where nothing grows",
        f"{runway['years']}",
        f"{common['cash']}/({common['tokens']}/{common['million']}"
        f"*({common['breakeven']}-{common['price']})*{common['days']})",
        common["tolerance"],
    )
    sheet.check(
        "Cost at batch 1 by hand",
        f"{step['cost']}",
        f"{common['hour']}/{common['seconds']}*{common['params']}*{common['bits']}"
        f"/{common['byte']}/({common['bandwidth']}*{common['tera']})*{common['million']}",
        common["tolerance"],
    )
    sheet.check(
        "Breakeven follows the hour price, low",
        f"{breakeven['low']}",
        f"{breakeven['hour']}*INDEX({call(TOK_SERVING_BAND, 1, common['use'], *served)},1,1)",
        common["tolerance"],
    )


def _steps(sheet: Sheet, lines: Sequence[tuple[str, str, str, str, str, str]]) -> dict[str, Ref]:
    """Write steps from stated figures and recomputed; return the recomputed cells by key."""
    for column, text in enumerate(("", "From stated figures", "Recomputed", ""), start=1):
        sheet.put(sheet.row, column, text or None, "header")
    refs: list[dict[str, Ref]] = [{}, {}]
    for key, label, stated, computed, number_format, unit in lines:
        sheet.row += 1
        sheet.put(sheet.row, 1, label, "label")
        for side, formula in enumerate((stated, computed)):
            places = {name: ref.local for name, ref in refs[side].items()}
            role = "verdict" if key == "verdict" else "output" if side else "calc"
            refs[side][key] = sheet.put(
                sheet.row, 2 + side, f"={formula.format_map(places)}", role, number_format
            )
        sheet.put(sheet.row, 4, unit, "remark")
    ends = [ref["verdict"].local for ref in refs]
    sheet.row += 1
    sheet.put(sheet.row, 1, "The conclusion", "label")
    sheet.put(sheet.row, 2, None, "label")
    turned = sheet.put(sheet.row, 3, f'=IF({ends[0]}={ends[1]},"{_STANDS}","{_TURNS}")', "verdict")
    sheet.judged.append((turned, {_TURNS: "bad", _STANDS: "good"}))
    sheet.row += 2
    return refs[1]


def _quoted(text: str) -> str:
    return f'"{text}"'
