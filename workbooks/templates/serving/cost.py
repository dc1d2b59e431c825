"""Cost of a million tokens, its band, and where the time goes."""

from __future__ import annotations

from collections.abc import Mapping

from udfs.functions import (
    TOK_BLENDED_PRICE,
    TOK_BREAKDOWN,
    TOK_BREAKEVEN_UTILISATION,
    TOK_MAX_CONCURRENCY,
    TOK_SERVING_BAND,
    TOK_SERVING_COST,
    TOK_SPEC,
    TOK_THROUGHPUT,
    TOK_TPOT,
    TOK_TTFT,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, Sheet, call
from workbooks.templates.serving.defaults import rows_of

_COSTS = ("Input", "Output", "Blended")
_BAND = ("10th percentile", "Median", "90th percentile")


# What the serving functions take, from the model on.
_LOAD = (
    *("model", "accelerator", "concurrency", "input_tokens", "output_tokens"),
    *("tensor", "data", "expert", "format", "expert_format"),
)


def _load(case: Mapping[str, Ref], **other: object) -> tuple[object, ...]:
    return tuple(other.get(key, case[key]) for key in _LOAD)


def add_cost(book: Book, case: dict[str, Ref]) -> None:
    """Add the sheet of speed, cost and band; put the figures others use into the case."""
    sheet = book.sheet(
        "Cost",
        "Cost of a million tokens",
        "Estimated by a formula fitted to measured runs; the band is that of its errors on "
        "configurations it had not seen",
        (40, 18, 18, 18, 18, 24),
    )
    sheet.heading("Speed")
    memory = [case[key] for key in _LOAD if key != "concurrency"]
    speed = sheet.results(
        [
            Result("throughput", "Output tokens of one GPU", call(TOK_THROUGHPUT, *_load(case)),
                   "tokens/s", "integer"),
            Result("tpot", "Time of an output token", call(TOK_TPOT, *_load(case)), "s",
                   "seconds"),
            Result("user", "Output tokens of one user", "1/{tpot}", "tokens/s", "decimal"),
            *_first_token(case),
            Result("most", "Requests that fit at once", call(TOK_MAX_CONCURRENCY, *memory),
                   "requests", "integer", "0: the weights do not fit"),
            Result("queue", "Load", f'IF({{most}}<1,"does not fit",IF({case["concurrency"]}'
                   '>{most},"some requests wait","all run at once"))', "", "text"),
        ]
    )  # fmt: skip
    sheet.judged.append(
        (speed["queue"], {"all run at once": "good", "some requests wait": "near",
                          "does not fit": "bad"})
    )  # fmt: skip
    case["throughput"], case["user"] = speed["throughput"], speed["user"]
    costs, band = _costs(book, sheet, case)
    _curve(sheet, case)
    needed = _market(sheet, case, costs)
    book.names["needed_utilisation"] = needed["both"]
    _check(sheet, case, costs)
    case["blended"] = costs.at(0, 2)
    book.headline("Output tokens of one GPU", speed["throughput"], "integer", "tokens/s")
    book.headline("A million tokens, input and output", costs.at(0, 2), "price", "USD/Mtok")
    book.headline("A million tokens, 10th percentile", band.at(0, 0), "price", "USD/Mtok")
    book.headline("A million tokens, 90th percentile", band.at(0, 2), "price", "USD/Mtok")
    book.headline("Use that the market price needs", needed["both"], "percent",
                  "of paid hours, input and output tokens sold")  # fmt: skip
    book.headline("Use needed, were output tokens alone sold", needed["alone"], "percent",
                  "of paid hours; above 100 %: no use suffices")  # fmt: skip


def _first_token(case: Mapping[str, Ref]) -> list[Result]:
    """Return the range of the time to the first token: too uncertain to be told as one number."""
    estimate = call(TOK_TTFT, *_load(case))
    experts = call(TOK_SPEC, case["model"], '"experts"')
    return [
        Result(f"ttft_{share}", f"Time to the first token, {share}th percentile",
               f"{estimate}*IF({experts}>0,{case[f'first_moe_{share}']},"
               f"{case[f'first_dense_{share}']})",
               "s", "number", f"one measured run in ten was {told}")
        for share, told in (("10", "faster"), ("90", "slower"))
    ]  # fmt: skip


def _costs(book: Book, sheet: Sheet, case: Mapping[str, Ref]) -> tuple[Ref, Ref]:
    """Write the cost of input, output and both, and the band of the last."""
    rate = (case["price"], case["utilisation"])
    places = []
    for title, names, function in (
        ("Cost, USD per million tokens", _COSTS, TOK_SERVING_COST),
        ("Band of the blended cost, USD per million tokens", _BAND, TOK_SERVING_BAND),
    ):
        sheet.heading(title)
        sheet.put(sheet.row, 1, "USD/Mtok", "header")
        for column, name in enumerate(names, start=2):
            sheet.put(sheet.row, column, name, "header")
        sheet.row += 1
        label = "Estimate" if function is TOK_SERVING_COST else "Percentiles"
        sheet.put(sheet.row, 1, label, "label")
        places.append(
            sheet.array(
                call(function, *rate, *_load(case)), 1, ("price",) * 3, header=False, column=2,
                role="output",
            )
        )  # fmt: skip
    book.names["blended_cost"] = places[0].at(0, 2)
    return places[0], places[1]


def _curve(sheet: Sheet, case: Mapping[str, Ref]) -> None:
    """Draw the band by the requests at once."""
    axis = case["curve"]
    sheet.heading("Band by requests at once, USD per million tokens")
    top = sheet.row
    for column, name in enumerate(("Requests at once", *_BAND), start=1):
        sheet.put(top, column, name, "header")
    for i in range(axis.rows):
        sheet.put(top + 1 + i, 1, f"={axis.at(i)}", "link", "integer")
    sheet.row = top + 1
    counts = sheet.ref(top + 1, 1, axis.rows)
    sheet.array(
        call(TOK_SERVING_BAND, case["price"], case["utilisation"],
             *_load(case, concurrency=counts.local)),
        axis.rows, ("price",) * 3, header=False, column=2,
    )  # fmt: skip
    sheet.row = top + axis.rows + 2
    sheet.chart(
        rows=22,
        chart=Chart(
            "scatter",
            "Blended cost by requests at once, with its band",
            tuple(
                Line(name, sheet.ref(top + 1, column, axis.rows), counts, colour)
                for column, (name, colour) in enumerate(
                    (("10th percentile", "A9C4E6"), ("Estimate of the middle", "0B5394"),
                     ("90th percentile", "A9C4E6")), start=2,
                )
            ),
            x_title="Requests at once (logarithmic)",
            y_title="USD per million tokens (logarithmic)",
            format='"$"#,##0.00',
            x_format="#,##0",
            logarithmic=True,
            x_logarithmic=True,
            markers=False,
            width_cm=26,
            height_cm=10.5,
        )
    )  # fmt: skip


def _market(sheet: Sheet, case: Mapping[str, Ref], costs: Ref) -> dict[str, Ref]:
    """Write which use of the machine the market price needs."""
    sheet.heading("What the market price needs")
    sides = (case["market_input"], case["market_output"])
    tokens = (case["input_tokens"], case["output_tokens"])
    needed = sheet.results(
        [
            Result("alone", "Use needed, output tokens sold alone",
                   call(TOK_BREAKEVEN_UTILISATION, case["market_output"], case["price"],
                        case["throughput"]), "of paid hours", "percent",
                   "above 100 %: no use suffices"),
            Result("blended", "Market price over all tokens",
                   call(TOK_BLENDED_PRICE, *sides, *tokens), "USD/Mtok", "price"),
            Result("both", "Use needed, input tokens sold too",
                   call(TOK_BREAKEVEN_UTILISATION, "{blended}", case["price"],
                        f"{case['throughput']}*{case['tokens']}"), "of paid hours", "percent"),
            Result("margin", "Margin at the use of Inputs",
                   f"1-{costs.at(0, 2).local}/{{blended}}", "of the price", "percent"),
        ]
    )  # fmt: skip
    sheet.check(
        "At the use needed, price and cost of all tokens are the same",
        f"{costs.at(0, 2)}*{case['utilisation']}/{needed['both']}",
        f"{needed['blended']}",
        case["tolerance"],
    )
    sheet.check(
        "Use needed by hand, output tokens alone",
        f"{needed['alone']}",
        f"{case['price']}*{case['million']}"
        f"/({case['market_output']}*{case['throughput']}*{case['seconds']})",
        case["tolerance"],
    )
    return needed


def _check(sheet: Sheet, case: Mapping[str, Ref], costs: Ref) -> None:
    sheet.check(
        "Blended cost by hand, from the throughput",
        f"{costs.at(0, 2)}",
        f"{case['price']}*{case['million']}/({case['seconds']}*{case['utilisation']}"
        f"*{case['throughput']}*{case['tokens']})",
        case["tolerance"],
    )
    sheet.check(
        "Input and output, by their tokens, make the blended cost",
        f"({costs.at(0, 0)}*{case['input_tokens']}+{costs.at(0, 1)}*{case['output_tokens']})"
        f"/({case['input_tokens']}+{case['output_tokens']})",
        f"{costs.at(0, 2)}",
        case["tolerance"],
    )


def add_breakdown(book: Book, case: Mapping[str, Ref]) -> None:
    """Add the sheet of where the time goes."""
    sheet = book.sheet(
        "Breakdown",
        "Where the time goes",
        "Terms of the estimate for the load of Inputs",
        (34, 20, 20, 40, 20),
    )
    count = rows_of(TOK_BREAKDOWN, _LOAD)
    sheet.heading("Where the time goes")
    table = sheet.array(
        call(TOK_BREAKDOWN, *_load(case)), count, ("text", "seconds", "percent", "text")
    )
    body = Ref(table.sheet, table.row + 1, 1, count, 4)
    sheet.chart(
        Chart(
            "bar",
            "Share of the time, by term",
            (Line("Share", body.part(2)),),
            categories=body.part(0),
            y_title="Share of the time",
            format="0%",
            width_cm=24,
            height_cm=11,
        ),
        22,
    )
    sheet.check("Shares add up to one", f"SUM({body.part(2)})", "1", case["tolerance"])
