"""The Pareto front: speed for one user against cost."""

from __future__ import annotations

from collections.abc import Mapping

from udfs.functions import TOK_PARETO
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, call

# What TOK_PARETO takes.
_FRONT = (
    *("price", "utilisation", "model", "accelerator", "input_tokens", "output_tokens"),
    *("format", "max_gpus"),
)
# Fronts of the models and accelerators of the catalogue have up to 15 points.
_ROWS = 16


def add_front(book: Book, case: Mapping[str, Ref]) -> None:
    """Add the sheet of the Pareto front."""
    sheet = book.sheet(
        "Front",
        "Speed against cost",
        "Every configuration here is either faster for a user or cheaper than any other",
        (36, 18, 20, 20, 20, 18),
        long=True,
    )
    formula = call(TOK_PARETO, *(case[key] for key in _FRONT))
    sheet.heading("Your configuration beside the front")
    top = sheet.row
    sheet.row += 5
    chart_row = sheet.row
    sheet.row += 20
    sheet.heading("Configurations that no other beats")
    formats = ("integer", "integer", "decimal", "integer", "price")
    header = ("GPUs", "Requests at once", "Tokens/s of one user", "Tokens/s of one GPU",
              "USD/Mtok")  # fmt: skip
    body = sheet.listed(formula, header, _ROWS, formats)
    sheet.heading("What the chart draws")
    drawn = sheet.plotted(
        body,
        dict(enumerate(header)),
        formats,
    )  # fmt: skip
    after, sheet.row = sheet.row, top
    found = sheet.results(
        [
            Result("cost", "Cost of the configuration of Inputs", f"{case['blended']}",
                   "USD/Mtok", "price", role="link"),
            Result("user", "Its speed for one user", f"{case['user']}", "tokens/s", "decimal",
                   role="link"),
            Result("cheapest", "Cheapest of the front", f"MIN({drawn.part(4).local})",
                   "USD/Mtok", "price"),
            Result("fastest", "Fastest of the front", f"MAX({drawn.part(2).local})", "tokens/s",
                   "decimal"),
        ]
    )  # fmt: skip
    sheet.row = chart_row
    sheet.chart(
        Chart(
            "scatter",
            "Blended cost against speed for one user",
            (
                Line("Front", drawn.part(4), drawn.part(2)),
                Line("Configuration of Inputs", found["cost"], found["user"]),
            ),
            x_title="Output tokens a second for one user",
            y_title="USD per million tokens (logarithmic)",
            format='"$"#,##0.00',
            x_format="#,##0",
            logarithmic=True,
            markers=True,
            width_cm=24,
            height_cm=9.5,
        )
    )
    sheet.row = after
    book.headline("Cheapest configuration", found["cheapest"], "price", "USD/Mtok, on the front")
    book.headline("Fastest configuration", found["fastest"], "decimal",
                  "tokens/s for one user, on the front")  # fmt: skip
    sheet.check(
        "Cost of the front by hand, from its throughput",
        f"SUMPRODUCT({drawn.part(4)},{drawn.part(3)})",
        f"{case['price']}*{case['million']}/({case['seconds']}*{case['utilisation']}"
        f"*{case['tokens']})*ROWS({drawn.part(4)})",
        case["tolerance"],
    )
