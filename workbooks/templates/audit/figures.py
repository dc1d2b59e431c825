"""The table of all figures, and what became of them by verdict and topic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from engine.claims import (
    AGREES,
    ASSUMPTION,
    COMPUTED,
    DISAGREES,
    INCONSISTENT,
    INFEASIBLE,
    OVERTURNED,
    SLIP,
    UPPER_BOUND,
    VERDICTS,
    Finding,
)
from udfs.functions import TOK_CLAIM
from workbooks.authoring.layout import Book, Chart, Line, Ref, Sheet, call
from workbooks.templates.sources import DEEPSEEK_V2, GPT4, LAYERS, PARADOX, RECKONING

#: The mood of each verdict, for its colour.
MOODS = {
    AGREES: "good",
    DISAGREES: "near",
    UPPER_BOUND: "near",
    ASSUMPTION: "aside",
    OVERTURNED: "bad",
    SLIP: "near",
    INCONSISTENT: "near",
    INFEASIBLE: "bad",
    COMPUTED: "aside",
}
_COLOURS = {
    AGREES: "6AA84F",
    DISAGREES: "E69138",
    UPPER_BOUND: "A9C4E6",
    ASSUMPTION: "45818E",
    OVERTURNED: "C5221F",
    SLIP: "783F04",
    INCONSISTENT: "F1C232",
    INFEASIBLE: "A64D79",
    COMPUTED: "B7BDC6",
}
_MEANINGS = {
    AGREES: "the same to the digits stated",
    DISAGREES: "another figure follows from the article's own inputs",
    UPPER_BOUND: "what is recomputed is an upper bound, and it lies below",
    ASSUMPTION: "it hangs on what the articles leave open",
    OVERTURNED: "what the article concludes does not follow",
    SLIP: "a unit has slipped, by a power of ten",
    INCONSISTENT: "another statement of the articles contradicts it",
    INFEASIBLE: "it cannot be done",
    COMPUTED: "nothing is stated; the figure is ours",
}
#: What the source ids of the catalogue are called here.
SOURCES = {"S20": LAYERS, "S21": RECKONING, "S22": PARADOX, "S24": GPT4, "S9": DEEPSEEK_V2}
# The columns that TOK_CLAIM fills: a header names the field.
_FIELDS = ("Stated low", "Stated high", "Computed low", "Computed high", "Ratio", "Verdict")
# Characters that a line of the wrapped columns holds.
_CLAIM_WIDTH, _INPUTS_WIDTH = 64, 58


def add_claims(
    book: Book, findings: Sequence[Finding], common: Mapping[str, Ref]
) -> dict[str, Ref]:
    """Add the sheet of all figures; return its columns by header."""
    sheet = book.sheet(
        "Figures",
        "Every figure, stated and recomputed",
        "Ratio: computed over stated, of the middles where a range is stated. "
        "Blank: the articles state no such figure",
        (20, 17, 50, 13, 13, 13, 13, 13, 11, 23, 46, 20, 11),
        long=True,
    )
    top, count = sheet.row, len(findings)
    sheet.heads = top
    header = ("Id", "Topic", "Claim", "Unit", *_FIELDS, "Inputs", "Source", "Ratio by hand")
    columns = {name: sheet.ref(top + 1, c, count) for c, name in enumerate(header, start=1)}
    for column, text in enumerate(header, start=1):
        sheet.put(top, column, text, "header")
    for row, found in enumerate(findings, start=top + 1):
        _describe(sheet, row, found)
    names = sheet.ref(top, 5, 1, len(_FIELDS))
    formula = f'IFERROR({call(TOK_CLAIM, columns["Id"].local, names.local)},"")'
    for r, found in enumerate(findings):
        for c, name in enumerate(_FIELDS):
            sheet.put(
                top + 1 + r,
                5 + c,
                formula if r == c == 0 else None,
                "verdict" if name == "Verdict" else "calc",
                _format(found, name),
                array=(count, len(_FIELDS)) if r == c == 0 else None,
            )
        low, high, computed_low, computed_high = (columns[name].at(r).local for name in _FIELDS[:4])
        sheet.put(
            top + 1 + r,
            len(header),
            f"=IF(ISNUMBER({high}),({computed_low}+{computed_high})/({low}+{high}),"
            f'IF(ISNUMBER({low}),{computed_low}/{low},""))',
            "calc",
            _format(found, "Ratio"),
        )
    sheet.row = top + count + 2
    sheet.judged.append((columns["Verdict"], MOODS))
    sheet.check(
        "Ratios of TOK_CLAIM add up to the ratios by hand",
        f"SUM({columns['Ratio']})",
        f"SUM({columns[header[-1]]})",
        common["tolerance"],
    )
    return columns


def _describe(sheet: Sheet, row: int, found: Finding) -> None:
    """Write what is known of a claim before anything is computed."""
    claim = found.claim
    sources = "; ".join(SOURCES[source] for source in claim.source.split())
    inputs = claim.inputs.replace("..", " to ").replace("|", ", ").replace("=", " = ")
    for column, text in ((1, claim.id), (2, claim.topic), (4, claim.unit)):
        sheet.put(row, column, text, "wrapped")
    for column, text, width in ((3, claim.claim, _CLAIM_WIDTH), (11, inputs, _INPUTS_WIDTH),
                                (12, sources, 24)):  # fmt: skip
        sheet.put(row, column, text, "wrapped", lines=math.ceil(len(text) / width))


def _format(found: Finding, name: str) -> str:
    """Return the format that shows about three digits of a figure."""
    stated = found.claim.stated
    size = abs(found.ratio or 1.0)
    if name == "Verdict":
        return "text"
    if name.startswith("Stated") and stated:
        size = max(abs(stated.low), abs(stated.high or 0.0))
    elif name.startswith("Computed"):
        size = max(abs(found.computed_low), abs(found.computed_high))
    if not 1e-3 <= size < 1e7:
        return "scientific"
    return "integer" if size >= 100 else "number" if size >= 1 else "ratio"


def add_summary(
    book: Book, findings: Sequence[Finding], columns: Mapping[str, Ref], common: Mapping[str, Ref]
) -> None:
    """Add the summary by verdict and by topic."""
    sheet = book.sheet(
        "Summary",
        "What became of the figures",
        "Counted on the sheet Figures",
        (26, 14, 14, 14, 14, 14, 14, 14, 14, 14, 12),
    )
    topic, verdict = columns["Topic"], columns["Verdict"]
    sheet.heading("By verdict")
    body = sheet.ref(sheet.row + 1, 1, len(VERDICTS), 4)
    counts = sheet.table(
        ("Verdict", "Figures", "Share", "Meaning"),
        [
            (
                name,
                f"=COUNTIF({verdict},{body.at(i, 0).local})",
                f"={body.at(i, 1).local}/SUM({body.part(1).local})",
                _MEANINGS[name],
            )
            for i, name in enumerate(VERDICTS)
        ],
        ("verdict", "output integer", "calc percent", "remark"),
    )
    sheet.judged.append((counts.part(0), MOODS))
    sheet.heading("By topic")
    chart_row = sheet.row
    sheet.row += 22
    topics = tuple(dict.fromkeys(found.claim.topic for found in findings))
    top = sheet.row
    heads = sheet.ref(top, 2, 1, len(VERDICTS))
    body = sheet.ref(top + 1, 1, len(topics), 2 + len(VERDICTS))
    table = sheet.table(
        ("Topic", *VERDICTS, "Figures"),
        [
            (
                name,
                *(
                    f"=COUNTIFS({topic},{body.at(i, 0).local},{verdict},{heads.at(0, c).local})"
                    for c in range(len(VERDICTS))
                ),
                f"=SUM({body.at(i, 1).local}:{body.at(i, len(VERDICTS)).local})",
            )
            for i, name in enumerate(topics)
        ],
        ("label", *("calc integer",) * len(VERDICTS), "output integer"),
    )
    after, sheet.row = sheet.row, chart_row
    sheet.chart(
        Chart(
            "stacked bar",
            "Figures by topic and verdict",
            tuple(
                Line(name, table.part(c), colour=_COLOURS[name])
                for c, name in enumerate(VERDICTS, start=1)
            ),
            categories=table.part(0),
            y_title="Figures",
            format="0",
            width_cm=26,
            height_cm=10.5,
        )
    )
    sheet.row = after
    book.headline("Figures of the articles that agree", counts.at(0, 1), "integer",
                  f"of {len(findings)}")  # fmt: skip
    book.headline("Slips of a unit", counts.at(VERDICTS.index(SLIP), 1), "integer",
                  f"of {len(findings)}; by a power of ten")  # fmt: skip
    for label, expected in (
        ("Every figure has one of the verdicts", f"ROWS({verdict})"),
        ("Topics add up to the same", f"SUM({table.part(len(VERDICTS) + 1)})"),
    ):
        sheet.check(label, f"SUM({counts.part(1)})", expected, common["tolerance"])
