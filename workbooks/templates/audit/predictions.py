"""The articles' dated predictions beside what came later."""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import urlsplit

from engine import catalogue
from workbooks.authoring.layout import Book, Ref, Sheet
from workbooks.templates.audit.figures import SOURCES

#: What became of a prediction, with the mood of each for its colour.
OUTCOMES = {"came out": "good", "partly": "near", "did not come out": "bad", "open": "aside"}
_MEANINGS = {
    "came out": "what was predicted is what is found",
    "partly": "in part, or nearly",
    "did not come out": "the day has passed, or the opposite has happened",
    "open": "not due yet, or no figure of the same scope was found",
}
_HEADER = (
    "Topic", "Prediction", "Due", "Predicted low", "Predicted high", "Later low",
    "Later high", "Unit", "Later over predicted", "Outcome", "What came later", "As of",
    "Article", "Where the later figure stands",
)  # fmt: skip
_WIDTHS = (18, 42, 11, 12, 12, 12, 12, 13, 12, 18, 52, 12, 20, 26)
# Characters that a line of each wrapped column holds.
_LINE = {2: 46, 11: 60}


def add_predictions(book: Book) -> None:
    """Add the sheet of predictions, and how many of them came out."""
    entries = catalogue.table("predictions")
    sheet = book.sheet(
        "Predictions",
        "What became of the predictions",
        "Figures of both sides are inputs: renew the later ones as new figures appear",
        _WIDTHS,
        long=True,
    )
    counts = _counted(sheet, len(entries))
    sheet.heading("Each prediction")
    top, sheet.heads = sheet.row, sheet.row
    for column, text in enumerate(_HEADER, start=1):
        sheet.put(top, column, text, "header")
    for row, entry in enumerate(entries, start=top + 1):
        _write(sheet, row, entry)
    sheet.row = top + len(entries) + 2
    outcome = sheet.ref(top + 1, 10, len(entries))
    sheet.judged.append((outcome, OUTCOMES))
    sheet.choices.append((outcome, f'"{",".join(OUTCOMES)}"'))
    book.headline("Predictions that came out", counts.at(0, 1), "integer",
                  f"of {len(entries)}; see the sheet Predictions")  # fmt: skip


def _counted(sheet: Sheet, entries: int) -> Ref:
    """Count the predictions by outcome, above the table that holds them."""
    sheet.heading("By outcome")
    # The table begins below these counts, their header, a blank row, its heading with a blank row
    # below, and its own header.
    outcome = sheet.ref(sheet.row + len(OUTCOMES) + 5, 10, entries)
    body = sheet.ref(sheet.row + 1, 1, len(OUTCOMES))
    counts = sheet.table(
        ("Outcome", "Predictions", "Meaning"),
        [
            (name, f"=COUNTIF({outcome.local},{body.at(i).local})", _MEANINGS[name])
            for i, name in enumerate(OUTCOMES)
        ],
        ("verdict", "output integer", "remark"),
    )
    sheet.judged.append((counts.part(0), OUTCOMES))
    return counts


def _write(sheet: Sheet, row: int, entry: Mapping[str, str]) -> None:
    """Write one prediction, what came of it, and the ratio of the middles."""
    texts = {
        1: entry["topic"], 2: entry["prediction"], 3: entry["due"], 8: entry["unit"],
        11: entry["later"], 12: entry["as_of"], 13: SOURCES[entry["source_id"]],
    }  # fmt: skip
    for column, text in texts.items():
        lines = math.ceil(len(text) / _LINE.get(column, len(text) or 1)) if text else 1
        sheet.put(row, column, text or None, "wrapped", lines=lines)
    figures = ("predicted_low", "predicted_high", "later_low", "later_high")
    shown = {"tokens/day": "tokens", "USD": "busd", "USD/year": "busd"}.get(entry["unit"], "number")
    for column, name in enumerate(figures, start=4):
        if entry[name]:
            sheet.put(row, column, float(entry[name]), "input", shown)
        else:
            sheet.put(row, column, "none", "wrapped")
    predicted, later = (sheet.ref(row, column, 1, 2).local for column in (4, 6))
    sheet.put(
        row, 9,
        f'=IF(COUNT({predicted})*COUNT({later})>0,AVERAGE({later})/AVERAGE({predicted}),"")',
        "calc", "multiple",
    )  # fmt: skip
    sheet.put(row, 10, entry["outcome"], "verdict")
    link = urlsplit(entry["address"])
    sheet.put(
        row, 14, link.netloc.removeprefix("www.") or link.path or None, "wrapped",
        link=entry["address"] if link.scheme else "",
    )  # fmt: skip
