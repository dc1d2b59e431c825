"""What techniques gain, one on the other, beside what the article claims."""

from __future__ import annotations

from collections.abc import Mapping

from udfs.functions import TOK_WATERFALL
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, Value, call, shown
from workbooks.templates.serving.defaults import rows_of
from workbooks.templates.sources import PARADOX

# Gain that the article claims of each step of TOK_WATERFALL, in its order.
_CLAIMED = (
    ("INT4 weights", 3.0, 4.0),
    ("Continuous batching", 10.0, 20.0),
    ("Speculative decoding", 1.5, 3.0),
)
_TOGETHER = (30.0, 60.0)
_LOADS = (1, 8, 32, 64, 128)
# What TOK_WATERFALL takes.
_WATERFALL = (
    *("price", "model", "accelerator", "concurrency", "acceptance", "draft_tokens"),
    *("draft_model", "chain_gpus", "quantised"),
)


def add_techniques(book: Book, case: Mapping[str, Ref]) -> None:
    """Add the sheet of techniques."""
    sheet = book.sheet(
        "Techniques",
        "What techniques gain",
        "One on the other: a gain depends on what came before, so that gains do not multiply",
        (34, 20, 18, 18, 18, 20),
        long=True,
    )

    def waterfall(**other: object) -> str:
        return call(TOK_WATERFALL, *(other.get(key, case[key]) for key in _WATERFALL))

    count = rows_of(TOK_WATERFALL, _WATERFALL)
    sheet.heading("Output tokens, at full use of the machine")
    table = sheet.array(waterfall(), count, ("text", "price", "multiple"))
    fits = sheet.results(
        [
            Result("fits", "The weights", f'IF(ISERROR({table.at(0, 0).local}),"do not fit","fit")',
                   "the GPUs for the techniques, in BF16 with the draft model beside", "text"),
        ]
    )["fits"]  # fmt: skip
    sheet.judged.append((fits, {"fit": "good", "do not fit": "bad"}))
    steps = Ref(table.sheet, table.row + 1, 1, count, 3)
    sheet.chart(
        Chart(
            "column",
            "Cost of a million output tokens after each step, USD (logarithmic)",
            (Line("USD/Mtok", steps.part(1)),),
            categories=steps.part(0),
            y_title="USD per million tokens",
            format='"$"#,##0.00',
            logarithmic=True,
            width_cm=24,
        )
    )
    sheet.heading("Beside what the article claims")
    body = sheet.ref(sheet.row + 1, 1, count, 6)
    rows: list[tuple[Value, ...]] = []
    claimed = (*_CLAIMED, ("All three together", *_TOGETHER))
    for i, (name, low, high) in enumerate(claimed):
        gain, least, most = (body.at(i, c).local for c in (1, 2, 3))
        computed = (
            f"={steps.at(i + 1, 2).local}"
            if i < len(_CLAIMED)
            else f"={steps.at(0, 1).local}/{steps.at(count - 1, 1).local}"
        )
        verdict = f'=IF({gain}<{least},"less",IF({gain}>{most},"more","as claimed"))'
        rows.append((name, computed, low, high, PARADOX, verdict))
    beside = sheet.table(
        ("Technique", "Gain here", "Claimed, low", "Claimed, high", "Source", "Against the claim"),
        rows,
        ("label", "output multiple", "input multiple", "input multiple", "note", "verdict"),
    )
    sheet.judged.append((beside.part(5), {"less": "bad", "as claimed": "good", "more": "near"}))
    sheet.chart(
        Chart(
            "column",
            "Gain here and as claimed (logarithmic)",
            tuple(
                Line(name, beside.part(column))
                for column, name in enumerate(("Gain here", "Claimed, low", "Claimed, high"), 1)
            ),
            categories=beside.part(0),
            y_title="Times as much",
            format='0.0"×"',
            logarithmic=True,
            width_cm=24,
        )
    )
    sheet.heading("Gain of speculative decoding by load")
    top = sheet.row
    corner = f"ROWS({table.local}),COLUMNS({table.local})"
    by_load = sheet.table(
        ("Requests at once", "Gain of speculation"),
        [
            (n, f"=INDEX({waterfall(concurrency=sheet.ref(top + 1 + i, 1).local)},{corner})")
            for i, n in enumerate(_LOADS)
        ],
        ("input integer", "output multiple"),
    )
    sheet.chart(
        Chart(
            "scatter",
            "Gain of speculative decoding by requests at once",
            (Line("Gain", by_load.part(1), by_load.part(0)),),
            x_title="Requests at once (logarithmic)",
            y_title="Times as much",
            format='0.0"×"',
            x_format="#,##0",
            x_logarithmic=True,
            width_cm=24,
        )
    )
    book.headline("Gain of all techniques together", beside.at(count - 1, 1), "multiple",
                  f'="article: "&{shown(beside.at(count - 1, 2), "integer")}&" to "'
                  f'&{shown(beside.at(count - 1, 3), "integer")}&" times"')  # fmt: skip
    sheet.check(
        "Gains of the steps multiply to that of all",
        f"PRODUCT({beside.part(1).at(0)},{beside.part(1).at(1)},{beside.part(1).at(2)})",
        f"{beside.at(count - 1, 1)}",
        case["tolerance"],
    )
